"""The alerts of the checklist are set up: on the right figure, with the right limit, window and severity."""

from __future__ import annotations

import re
from typing import Any

import pytest

Rules = list[dict[str, Any]]
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


@pytest.mark.item("MDE-050")
def test_an_alert_watches_the_success_rate(alert_rules: Rules) -> None:
    """A rule fires when, of all generations of an hour pooled, fewer than 90 % succeed."""
    rule = _rule(alert_rules, "success")
    assert (_limit(rule), _windows(rule)) == (("<", 90), {"1h"})
    assert "avg" not in rule["query"]


@pytest.mark.item("MDE-051")
def test_an_alert_watches_for_any_failed_retrieval(alert_rules: Rules) -> None:
    """A rule fires at the first answer of get-api-key that is not a success."""
    rule = _rule(alert_rules, "key", "fail")
    assert _limit(rule) == (">", 0)
    assert "get-api-key" in rule["query"]


@pytest.mark.item("MDE-055")
def test_an_alert_watches_each_generations_time(alert_rules: Rules) -> None:
    """A rule fires when a generation takes more than twice what its content type is expected to."""
    rule = _rule(alert_rules, "slow")
    assert _limit(rule) == (">", 2)
    assert "expected" in rule["query"] or _grouped_by(rule, "type")


@pytest.mark.item("MDE-058")
def test_an_alert_watches_each_provider(alert_rules: Rules) -> None:
    """A rule fires for each provider of which more than 10 % fail within an hour."""
    rule = _rule(alert_rules, "provider")
    assert (_limit(rule), _windows(rule)) == ((">", 10), {"1h"})
    assert _grouped_by(rule, "provider")


@pytest.mark.item("MDE-061")
def test_an_alert_watches_the_amounts(alert_rules: Rules) -> None:
    """A warning fires at any amount that is not the computed price, multipliers included."""
    rule = _rule(alert_rules, "token")
    assert _limit(rule) == (">", 0)
    assert rule["labels"]["severity"] in WARNINGS
    assert "base" not in rule["query"]


@pytest.mark.item("MDE-066")
def test_an_alert_watches_for_a_missing_key(alert_rules: Rules) -> None:
    """A critical rule fires at the first 404 or 500 of get-api-key."""
    rule = _rule(alert_rules, "key", "missing")
    assert (_limit(rule), rule["labels"]["severity"]) == ((">", 0), "critical")
    assert [status for status in ("404", "500") if status not in rule["query"]] == []


@pytest.mark.item("MDE-069")
def test_an_alert_watches_for_a_high_error_rate(alert_rules: Rules) -> None:
    """A critical rule fires when more than 20 % fail within 15 minutes."""
    rule = _rule(alert_rules, "higherror")
    assert (_limit(rule), _windows(rule), rule["labels"]["severity"]) == ((">", 20), {"15m"}, "critical")


@pytest.mark.item("MDE-070")
def test_an_alert_watches_for_nothing_but_failures(alert_rules: Rules) -> None:
    """A critical rule fires when all of five minutes' finished generations have failed, also with none completed."""
    rule = _rule(alert_rules, "all", "failing")
    assert (_limit(rule), _windows(rule), rule["labels"]["severity"]) == ((">=", 100), {"5m"}, "critical")
    assert 'status="completed"' not in rule["query"].partition("/")[2]


@pytest.mark.item("MDE-072")
def test_an_alert_watches_the_mean_time(alert_rules: Rules) -> None:
    """A warning fires when a content type's mean time of an hour is above twice the normal one."""
    rule = _rule(alert_rules, "latency")
    assert (_limit(rule), _windows(rule)) == ((">", 2), {"1h"})
    assert rule["labels"]["severity"] in WARNINGS
    assert _grouped_by(rule, "type")


@pytest.mark.item("MDE-073")
def test_an_alert_watches_each_model(alert_rules: Rules) -> None:
    """A warning fires for each model of which more than half fail within an hour, from four finished ones on."""
    rule = _rule(alert_rules, "model")
    assert (_limit(rule), _windows(rule)) == ((">", 50), {"1h"})
    assert rule["labels"]["severity"] in WARNINGS
    assert _grouped_by(rule, "model_id")
    assert [int(least) for least in re.findall(r">= (\d+)\)", rule["query"]) if int(least) > 4] == []
