"""The alerts that the checklist asks for are set up on the right figure, with the right limit, and reach somebody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.exchange import Exchange
    from fixtures.thresholds import Limit

    Threshold = Callable[..., Limit]

PERCENT = re.compile(r"^\s*100 ?\*")  # a rule that compares a figure in percent


def _rules(alert_rules: Exchange, *words: str) -> list[dict[str, Any]]:
    """Return the alerting rules whose name holds one of the words."""
    groups = alert_rules.json["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]
    return [rule for rule in rules if any(word in rule["name"].lower() for word in words)]


def _limit(rule: dict[str, Any]) -> tuple[str, float]:
    """Return the comparison and the limit of a rule, a share in percent whichever way it is written."""
    expression, comparison, limit = re.match(r"(.*?)\s*([<>]=?)\s*([0-9.e-]+)\s*$", rule["query"], re.DOTALL).groups()  # type: ignore[union-attr]  # no match: the check fails
    share = " / " in expression or "avg_over_time" in expression
    return comparison, float(limit) * (100 if share and not PERCENT.match(expression) else 1)


def _percent(limit: Limit) -> float:
    return round(100 * limit.value, 9)  # as the checklist states it, and not a hair beside it


def _reaches_somebody(rules: list[dict[str, Any]], receivers: Exchange) -> bool:
    names = {one["name"] for one in receivers.json}
    return bool(names) and all(rule["labels"].get("receiver", next(iter(names))) in names for rule in rules)


@pytest.mark.item("MCI-093")
def test_an_alert_watches_the_error_rate(
    alert_rules: Exchange, alert_receivers: Exchange, threshold: Threshold
) -> None:
    """A healthy rule on the error rate fires above 5 % and has a receiver."""
    rules = _rules(alert_rules, "error")
    assert [_limit(rule) for rule in rules] == [(">", _percent(threshold()))]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert _reaches_somebody(rules, alert_receivers)


@pytest.mark.item("MCI-095")
def test_an_alert_watches_the_response_time(
    alert_rules: Exchange, alert_receivers: Exchange, threshold: Threshold
) -> None:
    """A healthy rule on the time of generations, not of health checks, fires above 15 s and has a receiver."""
    rules = _rules(alert_rules, "responsetime", "latency", "duration")
    assert [_limit(rule) for rule in rules] == [(">", threshold().value)]
    assert ["generate" in rule["query"] and "health" not in rule["query"] for rule in rules] == [True]
    assert _reaches_somebody(rules, alert_receivers)


@pytest.mark.item("MCI-097")
def test_an_alert_watches_the_config_service(
    alert_rules: Exchange, alert_receivers: Exchange, threshold: Threshold
) -> None:
    """A healthy rule on the Config Service's successful probes, not on mere answers, fires below 99 %."""
    rules = _rules(alert_rules, "availab")
    assert [_limit(rule) for rule in rules] == [("<", _percent(threshold()))]
    assert ["probe_success" in rule["query"] for rule in rules] == [True]
    assert _reaches_somebody(rules, alert_receivers)


@pytest.mark.item("MCI-099")
def test_an_alert_watches_the_fallback_rate(
    alert_rules: Exchange, alert_receivers: Exchange, threshold: Threshold
) -> None:
    """A healthy rule on the share of generations in legacy mode, not of log lines, fires above 10 %."""
    rules = _rules(alert_rules, "fallback")
    assert [_limit(rule) for rule in rules] == [(">", _percent(threshold()))]
    assert ["lines" in rule["query"] for rule in rules] == [False]
    assert _reaches_somebody(rules, alert_receivers)
