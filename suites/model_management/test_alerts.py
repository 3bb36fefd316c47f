"""Four alerts stand on metrics that exist, fire when they have to, and name what they are about."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest

from .asking import ALERTS, METRICS, rules_about

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.python import Call

STEP_S = 15
SHARE = 0.05
LABELS = re.compile(r"\{[^}]*\}|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
Periods = list[tuple[float, float]]


def _points(histories: dict[str, Exchange], name: str, **labels: str) -> dict[float, float]:
    """Return the values over time of the series with these labels, added up."""
    found: dict[float, float] = {}
    for one in histories[name].json["data"]["result"]:
        if labels.items() <= one["metric"].items():
            for at, value in one["values"]:
                found[float(at)] = found.get(float(at), 0) + float(value)
    return found


def _periods(moments: list[float]) -> Periods:
    """Return the stretches that moments a step apart form, each up to the step after its last moment."""
    found: Periods = []
    for at in sorted(moments):
        if found and at - found[-1][1] <= STEP_S / 2:
            found[-1] = (found[-1][0], at + STEP_S)
        else:
            found.append((at, at + STEP_S))
    return found


def _agree(conditions: Periods, alerts: Periods) -> bool:
    """Say whether each condition has an alert within a minute of it, and each alert a condition."""
    near = [[a[0] <= c[1] + 60 and c[0] <= a[1] + 60 for a in alerts] for c in conditions]
    return all(map(any, near)) and all(any(row[n] for row in near) for n in range(len(alerts)))


@pytest.mark.item("MMS-045")
def test_an_alert_watches_the_registry(alert_rules: Exchange, alert_histories: dict[str, Exchange]) -> None:
    """A rule on the registry's own availability fires after 30 s, and has fired for each longer outage alone."""
    assert 30 in [rule["duration"] for rule in rules_about(alert_rules, *ALERTS["registry alert"])]
    up = _points(alert_histories, "registry")
    alerts = _periods(list(_points(alert_histories, "registry alert")))
    assert len(up) >= 0.9 * (max(up) - min(up)) / STEP_S > 0
    outages = _periods([at for at, value in up.items() if value == 0])
    assert _agree([one for one in outages if one[1] - one[0] > 30], alerts)


@pytest.mark.item("MMS-048")
def test_an_alert_watches_the_log_writes(alert_rules: Exchange, alert_histories: dict[str, Exchange]) -> None:
    """A rule on failed writes fires above 5 % in five minutes, and has fired whenever they were, and only then."""
    assert len(rules_about(alert_rules, *ALERTS["logging alert"])) >= 1
    every, failed = (_points(alert_histories, "writes", **only) for only in ({}, {"outcome": "failed"}))
    assert len(every) > 20
    bad = []
    for at in sorted(every):
        attempts = every[at] - every.get(at - 300, every[at])
        lost = failed.get(at, 0) - failed.get(at - 300, failed.get(at, 0))
        if attempts >= 20 and lost / attempts > SHARE:
            bad.append(at)
    assert _agree(_periods(bad), _periods(list(_points(alert_histories, "logging alert"))))


@pytest.mark.item("MMS-051")
def test_every_failed_deployment_raises_an_alert(
    alert_rules: Exchange, deployment_alerts: list[Any], refused_deployment: Call, marker: str
) -> None:
    """One failed deployment is enough for the rule, and the run's own has an alert that names model and use case."""
    assert 0 in [rule["duration"] for rule in rules_about(alert_rules, r"model_deployments_total", r"> *0\s*$")]
    named = {(one["labels"]["model_id"], one["labels"]["use_case"]) for one in deployment_alerts}
    assert named == {(refused_deployment.result["ids"]["new"], f"verify_{marker}_refused")}


@pytest.mark.item("MMS-055")
def test_a_critical_violation_raises_an_alert_at_once(
    alert_rules: Exchange, violation_alerts: list[Any], verdicts: Call, rows: Snapshot
) -> None:
    """One critical violation is enough for the rule, and the run's own has an alert within 10 s."""
    assert 0 in [rule["duration"] for rule in rules_about(alert_rules, r"guardrails_violations_total", r"> *0\s*$")]
    seen = verdicts.result["kill"]
    kept = [row for row in rows["violations"] if (row["model_id"], row["severity"]) == (seen["model_id"], "critical")]
    fired = [dt.datetime.fromisoformat(one["activeAt"]).timestamp() for one in violation_alerts]
    assert (len(kept), len(fired) >= 1) == (1, True)
    assert min(fired) - seen["asked_at"] <= 10


@pytest.mark.item("MMS-077")
def test_monitoring_is_configured(alert_rules: Exchange, exported: Exchange) -> None:
    """All twelve measurements are exported, and four rules stand on metrics that are."""
    names = set(exported.json["data"])
    assert set(METRICS.values()) - names == set()
    rules = rules_about(alert_rules, r"model_registry|inference_log|model_deployments|guardrails_violations")
    queries = [LABELS.sub("", rule["query"]) for rule in rules]
    used = {word for query in queries for word in re.findall(r"\b(?:model|inference|guardrails)_\w+", query)}
    assert len(rules) >= 4
    assert used - names == set()
