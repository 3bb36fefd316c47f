"""The alerts that the checklist asks for are set up on the right figure, with the right limit, and reach somebody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.exchange import Exchange
    from fixtures.thresholds import Limit

    Rule = dict[str, Any]
    Threshold = Callable[..., Limit]

PERCENT = re.compile(r"\b100 ?\*|\* ?100\b|percent")  # a rule that compares a figure in percent
SHARE = re.compile(r" / |avg_over_time|ratio")  # one that compares a fraction of 1
MILLISECONDS = re.compile(r"_ms\b|milliseconds")


@pytest.mark.item("MCI-093")
def test_an_alert_watches_the_error_rate(
    alert_rules: Exchange, alert_listeners: dict[str, Exchange], threshold: Threshold
) -> None:
    """A healthy rule on the error rate fires above 5 %, is not silenced and has a receiver."""
    rules = _rules(alert_rules, "error", "failure", "5xx")
    assert (">", _percent(threshold())) in [_limit(rule) for rule in rules]
    right = [rule for rule in rules if _limit(rule) == (">", _percent(threshold()))]
    assert [rule["name"] for rule in right if _reaches_somebody(rule, alert_listeners)] != []


@pytest.mark.item("MCI-095")
def test_an_alert_watches_the_response_time(
    alert_rules: Exchange, alert_listeners: dict[str, Exchange], threshold: Threshold
) -> None:
    """A healthy rule on the time of generations, not of health checks, fires above 15 s and has a receiver."""
    rules = _rules(alert_rules, "response", "latency", "duration", "slow")
    assert (">", threshold().value) in [_seconds(rule) for rule in rules]
    right = [rule for rule in rules if _seconds(rule) == (">", threshold().value)]
    watching = [rule for rule in right if "generat" in rule["query"] and "health" not in rule["query"]]
    assert [rule["name"] for rule in watching if _reaches_somebody(rule, alert_listeners)] != []


@pytest.mark.item("MCI-097")
def test_an_alert_watches_the_config_service(
    alert_rules: Exchange, alert_listeners: dict[str, Exchange], threshold: Threshold
) -> None:
    """A healthy rule on the Config Service's successful probes, not on mere answers, fires below 99 %."""
    rules = _rules(alert_rules, "availab", "uptime", "configservice")
    assert ("<", _percent(threshold())) in [_limit(rule) for rule in rules]
    right = [rule for rule in rules if _limit(rule) == ("<", _percent(threshold()))]
    watching = [rule for rule in right if "probe_success" in rule["query"]]
    assert [rule["name"] for rule in watching if _reaches_somebody(rule, alert_listeners)] != []


@pytest.mark.item("MCI-099")
def test_an_alert_watches_the_fallback_rate(
    alert_rules: Exchange, alert_listeners: dict[str, Exchange], threshold: Threshold
) -> None:
    """A healthy rule on the share of generations in legacy mode, not of log lines, fires above 10 %."""
    rules = _rules(alert_rules, "fallback", "legacy")
    assert (">", _percent(threshold())) in [_limit(rule) for rule in rules]
    right = [rule for rule in rules if _limit(rule) == (">", _percent(threshold()))]
    watching = [rule for rule in right if "lines" not in rule["query"]]
    assert [rule["name"] for rule in watching if _reaches_somebody(rule, alert_listeners)] != []


def _rules(alert_rules: Exchange, *words: str) -> list[Rule]:
    """Return the alerting rules whose name holds one of the words; there may be others on the same figure."""
    groups = alert_rules.json["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]
    return [rule for rule in rules if any(word in rule["name"].lower() for word in words)]


def _compared(rule: Rule) -> tuple[str, float]:
    """Return the comparison and the number at the end of a rule; none where it ends otherwise."""
    found = re.search(r"([<>])=?\s*(?:bool\s+)?([0-9.]+(?:e[+-]?\d+)?)\s*\)?\s*$", rule["query"])
    return (found[1], float(found[2])) if found else ("", 0.0)


def _limit(rule: Rule) -> tuple[str, float]:
    """Return the comparison and the limit of a rule on a share, in percent whichever way it is written."""
    comparison, limit = _compared(rule)
    fraction = SHARE.search(rule["query"]) and not PERCENT.search(rule["query"])
    return comparison, round(limit * (100 if fraction else 1), 9)


def _seconds(rule: Rule) -> tuple[str, float]:
    comparison, limit = _compared(rule)
    return comparison, limit / (1000 if MILLISECONDS.search(rule["query"]) else 1)


def _percent(limit: Limit) -> float:
    return round(100 * limit.value, 9)  # as the checklist states it, and not a hair beside it


def _reaches_somebody(rule: Rule, listeners: dict[str, Exchange]) -> bool:
    """Return whether a rule is evaluated, not silenced, and told to a receiver, or else to an active Alertmanager."""
    receivers, managers, silences = (listeners[name] for name in ("receivers", "managers", "silences"))
    if receivers.status == 200:
        names = {one["name"] for one in receivers.json}
        told = bool(names) and rule["labels"].get("receiver", next(iter(names), "")) in names
    else:  # a Prometheus alone knows no receivers
        told = managers.status == 200 and managers.json["data"]["activeAlertmanagers"] != []
    known = silences.json if silences.status == 200 else []
    active = [one for one in known if one["status"]["state"] == "active"]
    return told and rule["health"] == "ok" and not any(_hides(one, rule) for one in active)


def _hides(silence: dict[str, Any], rule: Rule) -> bool:
    labels = {**rule["labels"], "alertname": rule["name"]}
    fits = [
        bool(re.fullmatch(one["value"] if one["isRegex"] else re.escape(one["value"]), labels.get(one["name"], "")))
        is one.get("isEqual", True)
        for one in silence["matchers"]
    ]
    return all(fits)
