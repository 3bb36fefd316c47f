"""Looks at the Config Service, the database and the alert rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fixtures.observing import observation

from .asking import SEEDED, UNKNOWN

if TYPE_CHECKING:
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.load.driven import Driven
    from fixtures.load.driver import Load
    from fixtures.log_view import LogMark


@observation()
def config_root(config_service: Http) -> Exchange:
    """The Config Service's origin."""
    return config_service.get("/", within=5)


@observation()
def config_health(config_service: Http) -> Exchange:
    """The Config Service's health."""
    return config_service.get("/health", within=5)


@observation()
def config_list(config_service: Http) -> Exchange:
    """All model configs, as the Config Service lists them."""
    return config_service.get("/model-config")


@observation()
def config_of(config_service: Http) -> dict[str, Exchange]:
    """Single model configs: each seeded model's, and that of a model which does not exist."""
    return {name: config_service.get(f"/model-config/{name}") for name in (*SEEDED, UNKNOWN)}


@observation(
    spends={"requests": 50}, within="120 s", alone=True
)  # a limit that it meets would be met by the others, too
def config_burst(load: Load, config_service: Http, attached: LogMark) -> Driven:
    """Fifty lists of model configs in quick succession, asked for by five callers at once."""
    return load.drive("config_list", at_most=50, users=5, answers=True)


@observation()
def rows(config: Database) -> Snapshot:
    """The rows of model_configs, and the tables of that name."""
    return config.read(
        {
            "models": "SELECT * FROM model_configs",
            "listing": "SELECT model_id, provider_id, status FROM model_configs",
            "tables": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'model_configs'",
        }
    )


@observation()
def json_columns(rows: Snapshot) -> list[tuple[str, dict[str, tuple[str, ...] | None]]]:
    """Each row's model, and the keys in its JSON columns that are not empty, None where a text is no JSON object."""
    names = ("capabilities", "payload_mapping", "pricing", "rate_limits")
    return [(row["model_id"], {name: keys(row[name]) for name in names if row[name]}) for row in rows["models"]]


def keys(text: str | None) -> tuple[str, ...] | None:
    """Return the keys of a JSON object, None where the text is none."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    return tuple(found) if isinstance(found, dict) else None


@observation(permit="writes")
def no_op_update(config: Database) -> int:
    """How many rows an update that fits none has changed: the right to write, without writing."""
    return config.execute("UPDATE model_configs SET status = status WHERE 1 = 0").changed


@observation()
def alert_rules(alerts: Http) -> Exchange:
    """The alert rules, as Prometheus lists them."""
    return alerts.get("/api/v1/rules", params={"type": "alert"})


@observation()
def alert_listeners(alerts: Http) -> dict[str, Exchange]:
    """Who is told of alerts and of which nobody is, as Alertmanager lists them, and Prometheus's own Alertmanagers."""
    asked = {"receivers": "/api/v2/receivers", "silences": "/api/v2/silences", "managers": "/api/v1/alertmanagers"}
    return {name: alerts.get(path) for name, path in asked.items()}
