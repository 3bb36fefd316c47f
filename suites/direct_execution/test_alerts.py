"""The alerts on shares and mean times are set up as the checklist asks, and fire now if their condition holds now."""

from __future__ import annotations

import re
from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot

Rules = list[dict[str, Any]]
Rows = list[dict[str, Any]]
WARNINGS = ("warning", "medium", "high")


def _rule(alert_rules: Rules, *words: str) -> dict[str, Any]:
    """Return the one healthy rule whose name holds all the words."""
    found = [rule for rule in alert_rules if all(word in rule["name"].lower() for word in words)]
    assert [(rule["name"], rule["health"]) for rule in found] == [(rule["name"], "ok") for rule in found[:1]]
    assert len(found) == 1, f"rules about {' '.join(words)}: {len(found)}, expected one"
    return found[0]


def _limit(rule: dict[str, Any]) -> tuple[str, float]:
    """Return the comparison and the limit at the end of a rule."""
    found = re.search(r"([<>]=?|==)\s*([0-9.]+)\s*$", rule["query"])
    return (found[1], float(found[2])) if found else ("", 0.0)


def _windows(rule: dict[str, Any]) -> set[str]:
    return set(re.findall(r"\[(\w+)\]", rule["query"]))


def _grouped_by(rule: dict[str, Any], label: str) -> bool:
    return f"by ({label})" in rule["query"]


def _worst_share(finished: Rows, records: Snapshot, minutes: float, least: int, by: str = "") -> float:
    """Return the largest share of failures among the groups of the last minutes that have enough; 0 without one."""
    since, groups = records.clock.timestamp() - minutes * 60, defaultdict(list)
    for row in finished:
        if row["begun"] >= since:
            groups[row[by] if by else ""].append(row["status"] == "failed")
    return max((fmean(bad) for bad in groups.values() if len(bad) >= least), default=0.0)


def _slowdown(finished: Rows, records: Snapshot, kind: str) -> float:
    """Return the last hour's mean time of a content type, as a multiple of its median of before."""
    since, before = records.clock.timestamp() - 3600, records["baseline"].by("type")
    took = [row["seconds"] for row in finished if row["type"] == kind and row["begun"] >= since and row["seconds"]]
    return fmean(took) / float(before[kind]["p50"]) if took and kind in before else 0.0


@pytest.mark.item("MDE-050")
def test_an_alert_watches_the_success_rate(alert_rules: Rules, finished: Rows, records: Snapshot) -> None:
    """A rule fires when, of all generations of an hour pooled, fewer than 90 % succeed."""
    rule = _rule(alert_rules, "success")
    assert (_limit(rule), _windows(rule)) == (("<", 90), {"1h"})
    assert "avg" not in rule["query"]
    assert (rule["state"] == "firing") == (_worst_share(finished, records, 60, 1) > 0.10)


@pytest.mark.item("MDE-058")
def test_an_alert_watches_each_provider(alert_rules: Rules, finished: Rows, records: Snapshot) -> None:
    """A rule fires for each provider of which more than 10 % fail within an hour."""
    rule = _rule(alert_rules, "provider")
    assert (_limit(rule), _windows(rule)) == ((">", 10), {"1h"})
    assert _grouped_by(rule, "provider")
    assert (rule["state"] == "firing") == (_worst_share(finished, records, 60, 10, "provider") > 0.10)


@pytest.mark.item("MDE-069")
def test_an_alert_watches_for_a_high_error_rate(alert_rules: Rules, finished: Rows, records: Snapshot) -> None:
    """A critical rule fires when more than 20 % fail within 15 minutes."""
    rule = _rule(alert_rules, "higherror")
    assert (_limit(rule), _windows(rule), rule["labels"]["severity"]) == ((">", 20), {"15m"}, "critical")
    assert (rule["state"] == "firing") == (_worst_share(finished, records, 15, 5) > 0.20)


@pytest.mark.item("MDE-070")
def test_an_alert_watches_for_nothing_but_failures(alert_rules: Rules, finished: Rows, records: Snapshot) -> None:
    """A critical rule fires when all of five minutes' finished generations have failed, also with none completed."""
    rule = _rule(alert_rules, "all", "failing")
    assert (_limit(rule), _windows(rule), rule["labels"]["severity"]) == ((">=", 100), {"5m"}, "critical")
    assert 'status="completed"' not in rule["query"].partition("/")[2]
    assert (rule["state"] == "firing") == (_worst_share(finished, records, 5, 3) >= 1)


@pytest.mark.item("MDE-072")
def test_an_alert_watches_the_mean_time(alert_rules: Rules, finished: Rows, records: Snapshot) -> None:
    """A warning fires when a content type's mean time of an hour is above twice the normal one."""
    rule = _rule(alert_rules, "latency")
    assert (_limit(rule), _windows(rule)) == ((">", 2), {"1h"})
    assert rule["labels"]["severity"] in WARNINGS
    assert _grouped_by(rule, "type")
    assert (rule["state"] == "firing") == any(_slowdown(finished, records, kind) > 2 for kind in ("image", "video"))


@pytest.mark.item("MDE-073")
def test_an_alert_watches_each_model(alert_rules: Rules, finished: Rows, records: Snapshot) -> None:
    """A warning fires for each model of which more than half fail within an hour, from four finished ones on."""
    rule = _rule(alert_rules, "model")
    assert (_limit(rule), _windows(rule)) == ((">", 50), {"1h"})
    assert rule["labels"]["severity"] in WARNINGS
    assert _grouped_by(rule, "model_id")
    assert [int(least) for least in re.findall(r">= (\d+)\)", rule["query"]) if int(least) > 4] == []
    assert (rule["state"] == "firing") == (_worst_share(finished, records, 60, 4, "record") > 0.5)
