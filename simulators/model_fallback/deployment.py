"""The parts of model_fallback, put together: who listens where, and what is announced."""

from __future__ import annotations

import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from simulators import postgres
from simulators.controls import Controls
from simulators.faults import catalogue
from simulators.model_fallback import hierarchy, host
from simulators.model_fallback.controls import Switches
from simulators.model_fallback.history import HOUR, History
from simulators.model_fallback.process import KEY, Application, Process
from simulators.model_fallback.provider import MODES, Provider
from simulators.serving import Listener

if TYPE_CHECKING:
    import datetime as dt

    from simulators.site import Site, Table

USER = "shakedown"
READER = "model_fallback_suite"


class Deployment:
    """One running model_fallback: the chat, and a spare instance of it on which failures are rehearsed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.provider, self.controls = Listener(), Listener()
        self.key, self.older_key = site.secret("LOCAL_GEMINI_API_KEY"), secrets.token_hex(16)
        self.password = site.secret("LOCAL_CHAT_PASSWORD")
        self.models = hierarchy.deployed(site.faults)
        self.log = site.folder / "debug.log"
        self.spare_log = site.folder / "spare" / "debug.log"
        self.spare_log.parent.mkdir()
        self.spare_log.touch()
        self.history = History(now=site.clock.now(), models=tuple(self.models), faults=site.faults)

    def start(self) -> None:
        """Write the past, start the database and the chat, and let every part answer."""
        known = {**hierarchy.STATED, **hierarchy.BUILT}
        models = Controls(dict.fromkeys(known, MODES))
        with ThreadPoolExecutor() as pool:
            databases = [pool.submit(postgres.database, name) for name in ("model_fallback", "model_fallback_spare")]
            self.history.write(self.log)
            self.application = Application(self.site.folder / "application", self.key)
            self.program = host.furnish(self.site.folder / "host", self.log, self.application.folder, self.site.faults)
            self.database, spare = (database.result() for database in databases)
        self.site.variables["LOCAL_MODEL_FALLBACK_DSN"] = self.database.reader(READER)
        retired = {"gemma-3-12b"} if self.site.faults.on("model-retired-by-provider") else set()
        provider = Provider(
            clock=self.site.clock,
            controls=models,
            keys=(self.key, self.older_key),
            offered=[name for name in known if name not in retired],
            refuses_lists=self.site.faults.on("provider-refuses-lists"),
        )
        self.provider.serve(provider.answer)
        orders = (
            self._order(dsn=self.database.owner, folder=str(self.site.folder), log=str(self.log), past=True),
            self._order(dsn=spare.owner, folder=str(self.spare_log.parent), log=str(self.spare_log), past=False),
        )
        applications = self.application, Application(self.spare_log.parent, self.key)
        unit = {KEY: self.older_key} if self.site.faults.on("unit-file-sets-older-key") else {}
        with ThreadPoolExecutor() as pool:
            self.process, self.spare = pool.map(Process, orders, applications, (unit, unit))
        for process in (self.process, self.spare):
            self.site.ending.callback(process.stop)
        self.controls.serve(Switches(models=models, process=self.spare).answer)

    def _order(self, **more: object) -> dict[str, object]:
        faults = [fault.name for fault in catalogue("model_fallback")]
        return {
            **more,
            "port": 0,
            "fresh": True,
            "provider": self.provider.url,
            "speed": self.site.clock.speed,
            "faults": [name for name in faults if self.site.faults.on(name)],
            "secret": secrets.token_hex(32),
            "user": USER,
            "password": self.password,
            "now": self.history.now.isoformat(),
        }

    def table(self) -> Table:
        """Return the environment table: instruments and facts."""
        chat, spare = f"http://127.0.0.1:{self.process.port}", f"http://127.0.0.1:{self.spare.port}"
        # Nobody listens on the port of the discard service.
        direct = "http://127.0.0.1:9" if self.site.faults.on("port-not-open-on-host") else chat
        log = {"kind": "file", "format": "django", "path": str(self.log)}
        return {
            "http": {
                "chat": {"url": chat},
                "spare": {"url": spare},
                "direct": {"url": direct},
                "provider": {"url": self.provider.url, "headers": {"x-goog-api-key": {"env": "LOCAL_GEMINI_API_KEY"}}},
                "controls": {"url": self.controls.url},
            },
            "database": {"records": {"kind": "postgres", "dsn": {"env": "LOCAL_MODEL_FALLBACK_DSN"}}},
            "log": {"debug": log, "history": log, "spare_log": {**log, "path": str(self.spare_log)}},
            "browser": {"page": {"url": chat}, "spare_page": {"url": spare}},
            "command": {"host": {"program": self.program}},
            "secrets": {"chat_password": {"env": "LOCAL_CHAT_PASSWORD"}},
            "facts": {
                "chat_user": USER,
                "hierarchy": list(hierarchy.STATED),
                "display_names": list(hierarchy.STATED.values()),
                "log_path": str(self.log),
                "app_folder": str(self.application.folder),
                "app_python": sys.executable,
                "deployed": self.history.deployed.isoformat(),
                "restarted": self._restarted().isoformat(),
            },
        }

    def _restarted(self) -> dt.datetime:
        late = self.site.faults.on("smoke-an-hour-late")
        return self.history.now - HOUR if late else self.site.clock.now()
