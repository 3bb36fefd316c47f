"""The parts of image_optimizer, put together: who listens where, who knows whose secret, what is announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.image_optimizer import provider
from simulators.image_optimizer.api import Api
from simulators.image_optimizer.console import LEVELS, Console
from simulators.image_optimizer.history import HOUR_S, History, hides_debug_lines
from simulators.image_optimizer.limiter import Limiter
from simulators.image_optimizer.others import STORE as OTHERS
from simulators.image_optimizer.others import Others
from simulators.image_optimizer.past import STUCK, Past
from simulators.image_optimizer.store import Store
from simulators.image_optimizer.worker import Worker
from simulators.serving import Listener

if TYPE_CHECKING:
    from simulators.site import Site, Table

STORES = ("store-one", "store-two")
CREDITS = 1_000_000


class Deployment:
    """One running image_optimizer."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.api, self.replicate = Listener(), Listener()
        self.secret = site.secret("LOCAL_WIX_APP_SECRET")
        self.token = site.secret("LOCAL_REPLICATE_TOKEN")
        self.picture = f"{self.replicate.url}/source.png"
        self.history = History(now=site.clock.now(), clock=site.clock, faults=site.faults, stores=STORES)
        self.reader = ""

    def start(self) -> None:
        """Fill the tables, write the past, and let every part answer."""
        site = self.site
        store = Store(site.faults)
        for name in (*STORES, OTHERS):
            store.run(
                "INSERT INTO app_instances (instance_id, site_host, access_token, refresh_token, token_expires_at, "
                "plan_id, credits_total) VALUES (%s, %s, '-', '-', now(), 'scale', %s)",
                (name, f"{name}.example.com", CREDITS),
            )
        past = Past(history=self.history, faults=site.faults, picture=self.picture)
        past.fill(store)
        level = LEVELS["INFO" if hides_debug_lines(site.faults) else "DEBUG"]
        console = Console(
            site.folder / "app.log", site.clock, level, worker_kept=not site.faults.on("worker-lines-elsewhere")
        )
        replicate = self._replicate()
        limiter = Limiter(site.clock, site.faults)
        until = (site.clock.now() - self.history.moment(0)).total_seconds() * site.clock.speed
        console.past(past.lines(until))
        worker = Worker(
            clock=site.clock, faults=site.faults, store=store, limiter=limiter, provider=replicate, console=console,
            uptime=self.history.up_s + until, next_beat=past.next_beat(until),
        )  # fmt: skip
        api = Api(
            clock=site.clock, faults=site.faults, store=store, limiter=limiter, worker=worker, secret=self.secret,
            pictures=self.picture,
        )  # fmt: skip
        self.reader = store.database.reader("image_optimizer_reader")
        self.log = console.path
        worker.start()
        site.ending.callback(worker.stop)
        if site.faults.on("others-at-work"):
            others = Others(clock=site.clock, store=store, worker=worker, picture=self.picture)
            others.start()
            site.ending.callback(others.stop)
        self.replicate.serve(replicate.answer)
        self.api.serve(api.answer)

    def _replicate(self) -> provider.Provider:
        """Return Replicate with the predictions of the last hour."""
        made = provider.Provider(
            url=self.replicate.url, clock=self.site.clock, faults=self.site.faults, token=self.token
        )
        past = [one for item, one in self.history.predictions(self.picture) if item.started > -HOUR_S]
        made.predictions = {one.id: one for one in past}
        if self.site.faults.on("foreign-prediction"):
            strange = provider.Prediction(
                id="of-another-service", prompt="Somebody else's", picture=self.picture,
                created=self.history.moment(-600.0), ready=self.history.moment(-590.0),
            )  # fmt: skip
            made.predictions[strange.id] = strange
        if self.site.faults.on("stuck-item-touched"):
            made.predictions[STUCK] = provider.Prediction(
                id=STUCK, prompt="left", picture=self.picture,
                created=self.history.moment(-2399.0), ready=self.history.moment(provider.NEVER_S),
            )  # fmt: skip
        return made

    def table(self) -> Table:
        """Return the environment table: instruments, secrets and facts."""
        token = {"Authorization": {"env": "LOCAL_REPLICATE_TOKEN", "prefix": "Bearer "}}
        return {
            "http": {
                "api": {"url": self.api.url, "redirect_hosts": [self.replicate.netloc]},
                "replicate": {"url": f"{self.replicate.url}/v1", "headers": token},
            },
            "database": {"jobs": {"kind": "postgres", "dsn": self.reader}},
            "log": {"worker": {"kind": "file", "format": "plain", "path": str(self.log)}},
            "browser": {"page": {"url": self.api.url, "hosts": [self.replicate.netloc]}},
            "secrets": {"wix_app_secret": {"env": "LOCAL_WIX_APP_SECRET"}},
            "facts": {
                "store": STORES[0],
                "second_store": STORES[1],
                "product": "Test Product",
                "picture": self.picture,
                "model": provider.MODEL,
                "deployed": self.history.deployed.isoformat(),
            },
        }
