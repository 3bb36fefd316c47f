"""All parts of model_management, wired together: database, installation, services, layers, metrics."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict

from simulators import postgres
from simulators.model_management.layers import Layers
from simulators.model_management.metric_store import MetricStore
from simulators.model_management.seed import seed
from simulators.model_management.services import Services

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.site import Site, Table

HERE = Path(__file__).parent
NAME = "gaming_system"
SETTINGS = {
    "MODEL_REGISTRY_ENABLED": "true",
    "HISTORICAL_LOGGING_ENABLED": "true",
    "GUARDRAILS_MONITORING_ENABLED": "true",
    "DEPLOYMENT_STRATEGY_DEFAULT": "blue_green",
}
# Faults of the settings: the variable that is wrong, and what stands in it.
MISSET = {
    "postgres-host-elsewhere": ("POSTGRES_HOST", "db-old.internal"),
    "postgres-port-default": ("POSTGRES_PORT", "5433"),
    "real-postgres-db-ignored": ("POSTGRES_DB", "gaming_system_old"),
    "postgres-user-ignored": ("POSTGRES_USER", "models_ro"),
    "registry-flag-with-blank": ("MODEL_REGISTRY_ENABLED", "True "),
    "logging-flag-missing": ("HISTORICAL_LOGGING_ENABLED", ""),
    "guardrails-flag-capitalised": ("GUARDRAILS_MONITORING_ENABLED", "True"),
}


class Deployment:
    """The system on this machine."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.deployed = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=2)
        self.layers = Layers(site.faults)
        self.work = site.folder / "installation"
        self.work.mkdir()
        database = postgres.database(NAME)
        with database.connect() as connection:
            connection.execute((HERE / "schema.sql").read_text(encoding="utf-8"))
            seed(connection, self.layers.endpoints, site.faults)
        self.reader = database.reader("model_management_reader")
        self.owner = {"port": "5432", **conninfo_to_dict(database.owner)}
        self.metrics = MetricStore(site.faults, self.deployed, lambda: _log_bytes(database, site.faults))
        self.services = Services(database.owner, self.layers, site.faults)

    def table(self) -> Table:
        """Return the environment table of the running system."""
        return {
            "http": {**self.services.origins(), "prometheus": {"url": self.metrics.url}},
            "database": {"models": {"kind": "postgres", "dsn": self.reader}},
            "python": {"package": self._package()},
            "facts": {
                "deployed": self.deployed.isoformat(),
                "postgres_host": self.owner["host"],
                "postgres_port": self._port(),
                "postgres_db": NAME,
                "postgres_user": self.owner["user"],
                "foundation_endpoint": self.layers.endpoints["foundation"],
                "hard_coded_endpoint": self.layers.hard_coded["foundation"],
            },
        }

    def _port(self) -> str:
        """Return the port that is meant."""
        return "5443" if self.site.faults.on("pool-uses-another-port") else str(self.owner["port"])

    def _package(self) -> dict[str, Any]:
        return {"program": [sys.executable], "directory": str(self.work), "variables": self._variables()}

    def _variables(self) -> dict[str, str]:
        owner, faults = self.owner, self.site.faults
        at = {"HOST": owner["host"], "PORT": owner["port"], "USER": owner["user"]}
        settings = {f"{family}_{name}": str(text) for family in ("POSTGRES", "DB") for name, text in at.items()}
        settings |= {"POSTGRES_PORT": self._port(), "POSTGRES_DB": NAME, "DB_NAME": NAME, **SETTINGS}
        settings |= dict(wrong for fault, wrong in MISSET.items() if faults.on(fault))
        return {
            **settings,
            "PYTHONPATH": str(HERE / "installation"),
            "SIMULATED_FAULTS": ",".join(sorted(faults.active)),
            "SIMULATED_METRICS": self.metrics.address,
            "SIMULATED_ENDPOINTS": json.dumps(self.layers.hard_coded),
        }


def _log_bytes(database: postgres.Database, faults: Faults) -> int:
    with database.connect() as connection:
        if faults.on("storage-estimated-from-rows"):
            row = connection.execute("SELECT 100 * count(*) FROM model_historical_logs").fetchone()
            return int(row[0]) if row else 0
        row = connection.execute("SELECT pg_total_relation_size('model_historical_logs')").fetchone()
    return int(row[0]) if row else 0
