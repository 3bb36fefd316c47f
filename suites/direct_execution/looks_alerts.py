"""Looks at the alert rules, and at when their alerts fired."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observing import observation
from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from fixtures.http import Http
    from fixtures.log_view import LogView

    Facts = dict[str, Any]

MOST_POINTS = 10_000  # of a series; Prometheus refuses more than 11,000
MINUTE = 60
PROBED_S = 1200  # so long after a call of the suite an alert may be due to it
BLIND_S = 600  # a longer pause of the monitoring hides whole alerts


@observation(within="90 s")
def alert_rules(alerts: Http) -> list[dict[str, Any]]:
    """The alerting rules, as Prometheus lists them."""
    groups = alerts.get("/api/v1/rules", params={"type": "alert"}).json["data"]["groups"]
    return [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]


@observation(within="90 s")
def alert_history(alerts: Http, facts: Facts) -> dict[str, Any]:
    """Which alerts fired since the release, minute by minute, and when Prometheus looked at all."""
    start = dt.datetime.fromisoformat(facts["deployed"]).timestamp()
    end = dt.datetime.now(dt.UTC).timestamp()
    step = max(MINUTE, (end - start) // MOST_POINTS + 1)

    def series(query: str) -> list[dict[str, Any]]:
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.0f}"}
        found: list[dict[str, Any]] = alerts.get("/api/v1/query_range", params=asked).json["data"]["result"]
        return found

    told = series('ALERTS{alertstate="firing"}')
    return {
        "from": start,
        "to": end,
        "step": step,
        "watched": [float(at) for one in series("count(up)") for at, _ in one["values"]],
        "alerts": [
            {
                "name": one["metric"]["alertname"],
                "severity": one["metric"].get("severity", ""),
                "at": [float(at) for at, _ in one["values"]],
            }
            for one in told
        ],
    }


@pytest.fixture(scope="session")
def alerts_fired(alert_history: dict[str, Any], since_release: LogView) -> dict[str, list[float]]:
    """The moments since the release at which each alert fired, those soon after a call of the suite left out.

    `critical` has those of every critical alert, `until` how far it is known. Raises UndecidedError where Prometheus
    did not look for a while.
    """
    watched = [alert_history["from"], *sorted(alert_history["watched"]), alert_history["to"]]
    blind = max(after - before for before, after in pairwise(watched))
    if blind > max(BLIND_S, 2 * alert_history["step"]):
        raise UndecidedError(f"Prometheus has no samples of anything for {blind:.0f} s since the release")
    probes = [one.time.timestamp() for one in since_release.events if one.time and "probed" in one.names]
    found: dict[str, list[float]] = {"critical": [], "until": [alert_history["to"]]}
    for alert in alert_history["alerts"]:
        own = [at for at in alert["at"] if not any(0 <= at - probe <= PROBED_S for probe in probes)]
        found.setdefault(alert["name"], []).extend(own)
        found["critical"] += own if alert["severity"] == "critical" else []
    return found
