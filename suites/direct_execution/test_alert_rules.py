"""The alerts on calls, on single generations and on amounts are set up as the checklist asks."""

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


def _grouped_by(rule: dict[str, Any], label: str) -> bool:
    return f"by ({label})" in rule["query"]


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
