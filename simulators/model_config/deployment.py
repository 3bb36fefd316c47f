"""The parts of model_config, put together: who listens where, who knows whose secret, what is announced."""

from __future__ import annotations

import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from simulators.clock import milliseconds
from simulators.controls import Controls
from simulators.model_config import provider, seed
from simulators.model_config.alerts import Alerts
from simulators.model_config.config_service import ConfigService
from simulators.model_config.d1 import D1
from simulators.model_config.database import Database
from simulators.model_config.generation import Studio
from simulators.model_config.gui import Gui
from simulators.model_config.history import History
from simulators.model_config.limiter import Limiter
from simulators.model_config.lookup import ConfigSource
from simulators.model_config.tail import Tail
from simulators.model_config.wording import Wording
from simulators.model_config.worker import Worker
from simulators.pictures import png
from simulators.serving import Listener

if TYPE_CHECKING:
    from simulators.s3 import ObjectStore
    from simulators.site import Site, Table

DEFAULT_MODEL = "ideogram-v2"
BUCKET, PREVIEW_BUCKET = "production-images", "preview-images"
_PARTS = ("worker", "config", "staging", "gui", "d1", "s3", "provider", "controls", "alerts")
_PAST_PICTURES = 16  # the past's objects share a few pictures, which keeps the start quick


class Deployment:
    """One running model_config. Every part listens from the start, so that all know each other's address."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.at = {part: Listener() for part in _PARTS}
        self.controls = Controls({"provider": provider.MODES, "config-service": ("hang", "503")})
        self.account, self.database_id = secrets.token_hex(16), str(uuid.uuid4())
        self.token = site.secret("LOCAL_D1_TOKEN")
        self.key, self.secret = site.secret("LOCAL_R2_KEY"), site.secret("LOCAL_R2_SECRET")
        self.provider_keys = {name: secrets.token_hex(16) for name in ("ideogram", "openai", "stability")}
        self.data = Database()
        self.rows = seed.rows(self.at["provider"].url, site.faults)
        self.wording = Wording(faults=site.faults, config_url=self._config_url(), default_model=DEFAULT_MODEL)
        self.tail = Tail(site.folder, site.clock)
        self.history = History(
            now=site.clock.now(), url=self.at["worker"].url, wording=self.wording, faults=site.faults
        )

    def _config_url(self) -> str:
        staging = self.site.faults.on("config-url-staging")
        return self.at["staging" if staging else "config"].url

    def start(self) -> None:
        """Fill the stores, write the past, and let every part answer."""
        with ThreadPoolExecutor() as pool:
            stored = pool.submit(self._start_storage)
            seed.fill(self.data, self.rows, self.site.faults)
            self._start_services()
            visits = self.history.visits()
            self.tail.start(self.history.invocations(visits))
            store = stored.result()
        for number, visit in enumerate(visits):
            if visit.at >= self.history.deployed and visit.delivered and not visit.lost:
                picture = png(str(number % _PAST_PICTURES), 256, 256)
                store.put(
                    BUCKET, f"{visit.folder}/{milliseconds(visit.at)}_picture.png", picture, "image/png", at=visit.at
                )
        if self.site.faults.on("gui-link-of-another-picture"):
            store.put(BUCKET, "default/first.png", png("first", 256, 256), "image/png")
        self._start_worker(store)

    def _start_storage(self) -> ObjectStore:
        from simulators import s3  # noqa: PLC0415  # its imports take longest and run beside the rest

        store = s3.ObjectStore((BUCKET, PREVIEW_BUCKET))
        s3.serve(self.at["s3"], self.key, self.secret)
        return store

    def _start_services(self) -> None:
        faults, clock = self.site.faults, self.site.clock
        service = ConfigService(data=self._service_data(), faults=faults, clock=clock, controls=self.controls)
        images = provider.Provider(
            url=self.at["provider"].url, clock=clock, controls=self.controls, keys=self.provider_keys
        )
        d1 = D1(data=self.data, faults=faults, account=self.account, database=self.database_id, token=self.token)
        gui = Gui(
            faults=faults, worker_url=self.at["worker"].url, config_url=self.at["config"].url, models=service.configs
        )
        for part, handler in {
            "config": service.answer,
            "staging": service.answer,
            "provider": images.answer,
            "d1": d1.answer,
            "gui": gui.answer,
            "controls": self.controls.answer,
            "alerts": Alerts(faults=faults, clock=clock).answer,
        }.items():
            self.at[part].serve(handler)

    def _service_data(self) -> Database:
        """Return the database that the Config Service reads: D1, or another one by mistake."""
        if not self.site.faults.on("service-reads-other-database"):
            return self.data
        other = Database()
        seed.fill(other, seed.preview(self.rows), self.site.faults)
        return other

    def _start_worker(self, store: ObjectStore) -> None:
        site = self.site
        studio = Studio(
            clock=site.clock,
            faults=site.faults,
            wording=self.wording,
            configs=ConfigSource(url=self._config_url(), wording=self.wording, clock=site.clock),
            limiter=Limiter(site.clock),
            store=store,
            bucket=PREVIEW_BUCKET if site.faults.on("r2-preview-bucket") else BUCKET,
            provider_url=self.at["provider"].url,
            keys=self._worker_keys(),
            default_model="ideogram-v9" if site.faults.on("default-model-unknown") else DEFAULT_MODEL,
        )
        self.at["worker"].serve(Worker(studio=studio, tail=self.tail).answer)

    def _worker_keys(self) -> dict[str, str]:
        faults = self.site.faults
        missing = {"openai"} if faults.on("openai-key-missing") else set()
        if faults.on("real-ideogram-only"):
            missing = {"openai", "stability"}
        return {name: key for name, key in self.provider_keys.items() if name not in missing}

    def table(self) -> Table:
        """Return the environment table: instruments and facts."""
        at = self.at
        database = {"kind": "d1", "api": at["d1"].url, "account": self.account, "database": self.database_id}
        log = {"kind": "file", "format": "wrangler-tail"}
        storage = {"endpoint": at["s3"].url, "bucket": BUCKET, "region": "auto"}
        return {
            "http": {
                "worker": {"url": at["worker"].url},
                "config_service": {"url": at["config"].url},
                "gui": {"url": at["gui"].url},
                "controls": {"url": at["controls"].url},
                "alerts": {"url": at["alerts"].url},
            },
            "database": {"config": {**database, "token": {"env": "LOCAL_D1_TOKEN"}}},
            "log": {"tail": {**log, "path": str(self.tail.live)}, "history": {**log, "path": str(self.tail.stored)}},
            "storage": {"images": {**storage, "key": {"env": "LOCAL_R2_KEY"}, "secret": {"env": "LOCAL_R2_SECRET"}}},
            "browser": {"page": {"url": at["gui"].url, "hosts": [at["worker"].netloc, at["config"].netloc]}},
            "facts": self._facts(),
        }

    def _facts(self) -> dict[str, object]:
        added = [] if self.site.faults.on("real-ideogram-only") else [seed.ADDED_MODEL]
        return {
            "config_service_url": self.at["config"].url,
            "default_model": DEFAULT_MODEL,
            "added_models": added,
            "deployed": self.history.deployed.isoformat(),
        }
