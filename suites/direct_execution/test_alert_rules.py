"""The alerts on calls, on single generations and on amounts are set up as the checklist asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .rules import WARNINGS, compared, counts, differs, grouped_by, rule_about, severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.thresholds import Limit

    Threshold = Callable[..., Limit]

Rules = list[dict[str, Any]]


@pytest.mark.item("MDE-051")
def test_an_alert_watches_for_any_failed_retrieval(alert_rules: Rules, threshold: Threshold) -> None:
    """A rule fires at the first answer of get-api-key that is not a success."""
    rule = rule_about(alert_rules, "key", "fail")
    assert (">", threshold().value) in compared(rule)
    assert "get-api-key" in rule["query"]


@pytest.mark.item("MDE-055")
def test_an_alert_watches_each_generations_time(alert_rules: Rules, threshold: Threshold) -> None:
    """A rule fires when a generation takes more than twice what its model or its content type is expected to."""
    rule = rule_about(alert_rules, "slow")
    factor, written_out = (">", threshold().value), {(">", 60), (">", 600)} <= compared(rule)
    assert factor in compared(rule) or written_out
    assert "expected" in rule["query"] or grouped_by(rule, "type", "content_type") or written_out


@pytest.mark.item("MDE-061")
def test_an_alert_watches_the_amounts(alert_rules: Rules) -> None:
    """A warning fires at any amount that is not the computed price, multipliers included."""
    rule = rule_about(alert_rules, "token")
    assert differs(rule)
    assert severity(rule) in WARNINGS
    assert "base" not in rule["query"] or "multipl" in rule["query"]


@pytest.mark.item("MDE-066")
def test_an_alert_watches_for_a_missing_key(alert_rules: Rules, threshold: Threshold) -> None:
    """A critical rule fires at the first 404 or 500 of get-api-key."""
    rule = rule_about(alert_rules, "key", "missing")
    assert (">", threshold().value) in compared(rule)
    assert severity(rule) == "critical"
    assert [status for status in ("404", "500") if not counts(rule, status)] == []
