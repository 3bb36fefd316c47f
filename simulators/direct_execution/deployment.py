"""The parts of direct_execution, put together: who listens where, who knows whose secret, what is announced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulators.controls import Controls
from simulators.direct_execution import registry
from simulators.direct_execution.alert_history import Past
from simulators.direct_execution.alerts import Alerts
from simulators.direct_execution.bucket import Bucket
from simulators.direct_execution.data import Data
from simulators.direct_execution.drain import Drain
from simulators.direct_execution.gateway import Gateway
from simulators.direct_execution.generating import Studio
from simulators.direct_execution.history import RETIRED, History
from simulators.direct_execution.keys import NAME, KeyFunction, Vault
from simulators.direct_execution.management import Management
from simulators.direct_execution.providers import Providers
from simulators.direct_execution.rest import Rest
from simulators.direct_execution.sessions import Sessions
from simulators.direct_execution.site import StudioSite
from simulators.direct_execution.webhook import Webhook
from simulators.serving import Listener

if TYPE_CHECKING:
    from simulators.serving import Handler
    from simulators.site import Site, Table

_PARTS = ("project", "page", "providers", "management", "alerts", "controls")
_EMAILS = {name: f"{name}@direct-execution.test" for name in ("verifier", "neighbour", "operator")}
_CREDITS = 1000.0


class Deployment:
    """One running direct_execution. Every part listens from the start, so that all know each other's address."""

    def __init__(self, site: Site) -> None:
        self.site = site
        faults = site.faults
        self.at = {part: Listener() for part in _PARTS}
        self.controls = Controls({"secret": ("unset",)})
        self.models = registry.models(faults)
        self.vault = Vault(self.controls, faults, self.at["project"].url)
        self.callback_token = site.secret("LOCAL_MDE_WEBHOOK_TOKEN")
        self.management_token = site.secret("LOCAL_MDE_MANAGEMENT_TOKEN")
        self.data = Data(faults)
        self.sessions = Sessions(self.data)
        site.variables["LOCAL_MDE_ANON_KEY"] = self.sessions.anon_key
        self.bucket = Bucket(self.at["project"].url)
        self.drain = Drain(site.folder / "edge-functions.jsonl", site.clock)
        self.registry_file = site.folder / "registry.json"

    def start(self) -> None:
        """Fill the stores, write the past, and let every part answer."""
        site = self.site
        self.users = {
            name: self.sessions.register(
                email, site.secret(f"LOCAL_MDE_{name.upper()}_PASSWORD"), _CREDITS, admin=name == "operator"
            )
            for name, email in _EMAILS.items()
        }
        owners = self.users["verifier"], self.users["neighbour"]
        self.history = History(site.clock.now(), self.models, owners, self.bucket, site.faults)
        self.data.copy("generations", self.history.rows())
        hides = {"visible": {registry.hidden(): False}, "deactivated": {}}
        self.data.run("UPDATE app_settings SET setting_value = %s", hides)
        with self.data.base.connect() as connection:
            connection.execute("ANALYZE generations")
        self.drain.begin(self.history.lines(f"{self.at['project'].url}/functions/v1"))
        if site.faults.on("old-files-forbidden"):
            # The folder of the last day before the release, in which nothing of today can lie.
            last = max(one.at for one in self.history.happened if one.before and one.user == self.users["verifier"])
            self.bucket.forbid(f"{self.users['verifier']}/{last:%Y-%m-%d}/")
        if site.faults.on("oldest-files-are-errors"):
            first = min(one.at for one in self.history.happened if one.before and one.user == self.users["verifier"])
            self.bucket.spoil(f"{self.users['verifier']}/{first:%Y-%m-%d}/")
        # Who prints a model that needs no key may leave the key's name out.
        told = [{name: part for name, part in one.items() if part or name != "use_api_key"} for one in self.models]
        self.registry_file.write_text(json.dumps(told), encoding="utf-8")
        self._serve()

    def _serve(self) -> None:
        site, at = self.site, self.at
        providers = Providers(
            url=at["providers"].url,
            clock=site.clock,
            vault=self.vault,
            faults=site.faults,
            callback_token=self.callback_token,
        )
        studio = Studio(
            data=self.data, bucket=self.bucket, sessions=self.sessions, models=self.models, drain=self.drain,
            clock=site.clock, faults=site.faults, providers_url=at["providers"].url, vault=self.vault,
        )  # fmt: skip
        gateway = Gateway(
            sessions=self.sessions, rest=Rest(self.data, self.sessions), bucket=self.bucket,
            functions=self._functions(studio), drain=self.drain, clock=site.clock, faults=site.faults,
        )  # fmt: skip
        page = StudioSite(models=self.models, settings=self._settings(), faults=site.faults)
        for part, handler in {
            "project": gateway.answer,
            "page": page.answer,
            "providers": providers.answer,
            "management": Management(vault=self.vault, faults=site.faults, token=self.management_token).answer,
            "alerts": Alerts(faults=site.faults, past=Past(history=self.history, faults=site.faults)).answer,
            "controls": self.controls.answer,
        }.items():
            at[part].serve(handler)

    def _functions(self, studio: Studio) -> dict[str, Handler]:
        keys = KeyFunction(
            models=self.models, vault=self.vault, sessions=self.sessions, drain=self.drain, faults=self.site.faults
        )
        later = {"generate-content": studio.by_the_server} if self.site.faults.on("window-c") else {}
        return {
            **later,
            NAME: keys.answer,
            "process-runware-response": studio.process_runware,
            "settle-generation-credits": studio.settle_call,
            "poll-kie-status": studio.poll_status,
            "generate-content-sync": studio.synchronous,
            "kie-ai-webhook": Webhook(studio=studio, token=self.callback_token).answer,
        }

    def _settings(self) -> dict[str, object]:
        providers = self.at["providers"].url
        return {
            "url": self.at["project"].url,
            "anonKey": self.sessions.anon_key,
            "runware": f"{providers}/runware/v1",
            "kie": f"{providers}/kie",
            "speed": self.site.clock.speed,
        }

    def table(self) -> Table:
        """Return the environment table: instruments, secrets and facts."""
        at = self.at
        reader = self.data.base.reader("direct_execution_reader", bypass=True)
        secrets_ = {f"{name}_password": {"env": f"LOCAL_MDE_{name.upper()}_PASSWORD"} for name in _EMAILS}
        return {
            "http": {
                "project": {"url": at["project"].url, "headers": {"apikey": {"env": "LOCAL_MDE_ANON_KEY"}}},
                "management": {
                    "url": f"{at['management'].url}/v1/projects/local",
                    "headers": {"Authorization": {"env": "LOCAL_MDE_MANAGEMENT_TOKEN", "prefix": "Bearer "}},
                },
                "alerts": {"url": at["alerts"].url},
                "controls": {"url": at["controls"].url},
            },
            "database": {"app": {"kind": "postgres", "dsn": reader}},
            "log": {"edge_log": {"kind": "file", "format": "json-lines", "path": str(self.drain.path)}},
            "command": {"registry": {"program": ["cat", str(self.registry_file)]}},
            "browser": {
                "page": {
                    "url": at["page"].url + "/dashboard/custom-creation",
                    "hosts": [at["project"].netloc, at["providers"].netloc],
                }
            },
            "secrets": {
                **secrets_,
                "anon_key": {"env": "LOCAL_MDE_ANON_KEY"},
                "webhook_url_token": {"env": "LOCAL_MDE_WEBHOOK_TOKEN"},
            },
            "facts": self._facts(),
        }

    def _facts(self) -> dict[str, object]:
        providers = self.at["providers"].url
        return {
            **{f"{name}_email": email for name, email in _EMAILS.items()},
            "app_origin": self.at["page"].url,
            "runware_api": f"{providers}/runware/v1",
            "legacy_tables": ["ai_models", "content_templates"],
            "retired_models": [RETIRED],
            "deployed": self.history.deployed.isoformat(),
        }
