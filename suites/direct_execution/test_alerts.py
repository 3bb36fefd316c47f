"""The alerts on shares and mean times are set up as the checklist asks, and fired when their conditions held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .rules import WARNINGS, compared, grouped_by, lasts, mistold, rule_about, severity, windows
from .windows import HOUR, failures, mean_times, parted, start_of, successes

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.thresholds import Limit

    Threshold = Callable[..., Limit]

Facts = dict[str, str]
Fired = dict[str, list[float]]
Rules = list[dict[str, Any]]
Rows = list[dict[str, Any]]
MINUTELY = {"window": HOUR, "step": 60}


@pytest.mark.item("MDE-050")
def test_an_alert_watches_the_success_rate(
    alert_rules: Rules, alerts_fired: Fired, finished: Rows, facts: Facts, threshold: Threshold
) -> None:
    """A rule fires when, of all generations of an hour pooled, fewer than 90 % succeed; it did whenever they were."""
    rule = rule_about(alert_rules, "success")
    assert ("<", threshold().value) in compared(rule, share=True)
    assert windows(rule) == {HOUR}
    assert "avg" not in rule["query"]
    bad = threshold().alert(**MINUTELY)
    found = successes(finished, bad, start_of(facts), alerts_fired["until"][0])
    assert mistold(alerts_fired.get(rule["name"], []), [found], bad) == []


@pytest.mark.item("MDE-058")
def test_an_alert_watches_each_provider(
    alert_rules: Rules, alerts_fired: Fired, finished: Rows, facts: Facts, threshold: Threshold
) -> None:
    """A rule fires for each provider of which more than 10 % fail within an hour, and it did whenever they were."""
    rule = rule_about(alert_rules, "provider")
    assert (">", threshold().value) in compared(rule, share=True)
    assert windows(rule) == {HOUR}
    assert grouped_by(rule, "provider")
    bad, until = threshold().alert(minimum=10, **MINUTELY), alerts_fired["until"][0]
    parts = [failures(rows, bad, start_of(facts), until) for rows in parted(finished, "provider").values()]
    assert mistold(alerts_fired.get(rule["name"], []), parts, bad) == []


@pytest.mark.item("MDE-069")
def test_an_alert_watches_for_a_high_error_rate(
    alert_rules: Rules, alerts_fired: Fired, finished: Rows, facts: Facts, threshold: Threshold
) -> None:
    """A critical rule fires when more than 20 % fail within 15 minutes, and it did whenever they were."""
    rule = rule_about(alert_rules, "higherror")
    assert (">", threshold().value) in compared(rule, share=True)
    assert (windows(rule), severity(rule)) == ({900}, "critical")
    bad = threshold().alert(window=900, minimum=5)
    found = failures(finished, bad, start_of(facts), alerts_fired["until"][0])
    assert mistold(alerts_fired.get(rule["name"], []), [found], bad) == []


@pytest.mark.item("MDE-070")
def test_an_alert_watches_for_nothing_but_failures(
    alert_rules: Rules, alerts_fired: Fired, finished: Rows, facts: Facts, threshold: Threshold
) -> None:
    """A critical rule fires when all of five minutes' generations have failed, also with none completed; it did."""
    rule = rule_about(alert_rules, "all", "failing")
    assert {(">=", threshold().value), ("==", threshold().value)} & compared(rule, share=True) != set()
    assert (lasts(rule, 300), severity(rule)) == (True, "critical")
    assert 'status="completed"' not in rule["query"].partition("/")[2]
    bad = threshold().alert(window=300, minimum=3)
    found = failures(finished, bad, start_of(facts), alerts_fired["until"][0])
    assert mistold(alerts_fired.get(rule["name"], []), [found], bad) == []


@pytest.mark.item("MDE-072")
def test_an_alert_watches_the_mean_time(
    alert_rules: Rules, alerts_fired: Fired, finished: Rows, records: Snapshot, facts: Facts, threshold: Threshold
) -> None:
    """A warning fires when a content type's mean time of an hour is above twice the normal one, and it did."""
    rule = rule_about(alert_rules, "latency")
    assert (">", threshold().value) in compared(rule)
    assert windows(rule) == {HOUR}
    assert severity(rule) in WARNINGS
    assert grouped_by(rule, "type", "content_type")
    bad, until = threshold().alert(**MINUTELY), alerts_fired["until"][0]
    completed = parted([row for row in finished if row["status"] == "completed"], "type")
    normal = {row["type"]: row["p50"] for row in records["baseline"] if row["p50"] is not None}
    parts = [mean_times(completed.get(kind, []), bad, start_of(facts), until, p50) for kind, p50 in normal.items()]
    assert mistold(alerts_fired.get(rule["name"], []), parts, bad) == []


@pytest.mark.item("MDE-073")
def test_an_alert_watches_each_model(
    alert_rules: Rules, alerts_fired: Fired, finished: Rows, facts: Facts, threshold: Threshold
) -> None:
    """A warning fires for each model of which more than half fail within an hour, from four on, and it did."""
    rule = rule_about(alert_rules, "model")
    assert (">", threshold().value) in compared(rule, share=True)
    assert windows(rule) == {HOUR}
    assert severity(rule) in WARNINGS
    assert grouped_by(rule, "model_id", "model", "model_record_id", "record_id")
    least = {
        number + (sign == ">") for sign, number in compared(rule) if sign in (">", ">=") and number not in (0.5, 50)
    }
    assert {number for number in least if number > 4} == set()
    bad, until = threshold().alert(minimum=4, **MINUTELY), alerts_fired["until"][0]
    parts = [failures(rows, bad, start_of(facts), until) for rows in parted(finished, "record").values()]
    assert mistold(alerts_fired.get(rule["name"], []), parts, bad) == []
