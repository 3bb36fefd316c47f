"""The first hour and every hour since the release: shares of failures, window by window."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import AlertRule, decide_alert
from judging.proportions import ShareLimit, decide_census
from judging.readings import share_readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Rows = list[dict[str, Any]]
    Threshold = Callable[..., Limit]

HOUR = 3600
ALWAYS = ("get-api-key", "kie-ai-webhook")
FUNCTIONS = ("get-api-key", "kie-ai-webhook", "process-runware-response", "generate-content-sync")
HOURLY = {"window": HOUR, "step": HOUR, "minimum": 20}
LOG_ERRORS = ShareLimit(value=0.05, comparison="<", minimum=20, name="calls with an error in the log")


def _start(facts: Facts) -> float:
    return dt.datetime.fromisoformat(facts["deployed"]).timestamp()


def _times(rows: Rows) -> list[float]:
    return [row["begun"] for row in rows]


def _bad(rows: Rows) -> list[bool]:
    return [row["status"] == "failed" for row in rows]


def _longest_gap(times: list[float], start: float, end: float) -> float:
    inside = [start, *sorted(one for one in times if start <= one <= end), end]
    return max(after - before for before, after in pairwise(inside))


@pytest.mark.item("MDE-039")
def test_the_first_hour_is_recorded_without_gaps(finished: Rows, since_release: LogView, facts: Facts) -> None:
    """In the first hour no ten minutes pass without a finished record, a call in the log, or a key retrieval."""
    start = _start(facts)
    logged = [one for one in since_release.events if one.time and one.names]
    keys = [one for one in logged if {"key handed out", "key refused"} & set(one.names)]
    series = {
        "records": _times(finished),
        "log": [one.time.timestamp() for one in logged if one.time],
        "keys": [one.time.timestamp() for one in keys if one.time],
    }
    gaps = {name: _longest_gap(times, start, start + HOUR) for name, times in series.items()}
    assert {name: gap for name, gap in gaps.items() if gap > 600} == {}


@pytest.mark.item("MDE-040")
def test_the_functions_log_few_errors_in_the_first_hour(since_release: LogView, facts: Facts, decided: Decided) -> None:
    """Of each function's calls in the first hour fewer than 5 % log an error."""
    end = _start(facts) + HOUR
    hour = [one for one in since_release.events if one.time and one.time.timestamp() <= end]
    calls = {name: [one for one in hour if f"call of {name}" in one.names] for name in FUNCTIONS}
    errors = {
        name: sum(f"error of {name}" in one.names or (one in calls[name] and one.level == "error") for one in hour)
        for name in FUNCTIONS
    }
    busy = {name for name in FUNCTIONS if len(calls[name]) >= LOG_ERRORS.minimum}
    # The rarely called come last, so that what cannot be said of them hides no failure of the others.
    for name in sorted(busy | set(ALWAYS), key=lambda one: -len(calls[one])):
        decision = decide_census(min(errors[name], len(calls[name])), len(calls[name]), LOG_ERRORS)
        assert (name, decided(decision)) == (name, "pass")


@pytest.mark.item("MDE-041")
def test_failures_show_no_spike(finished: Rows, records: Snapshot, facts: Facts, decided: Decided) -> None:
    """In no five minutes of the first hour do more than 5 %, or twice what failed before the release, fail."""
    before = list(records["baseline"])
    share = sum(row["failed"] for row in before) / sum(row["failed"] + row["completed"] for row in before)
    rule = AlertRule(name="failure share", comparison=">", limit=max(0.05, 2 * share), minimum=10, step=300)
    start = _start(facts)
    readings = share_readings(_times(finished), _bad(finished), rule.over(start, start + HOUR))
    assert decided(decide_alert(readings, rule)) == "pass"


@pytest.mark.item("MDE-049")
def test_more_than_95_percent_succeed(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In every full hour since the release more than 95 % of the finished generations are completed."""
    rule = threshold().alert(name="success share", **HOURLY)
    good = [not bad for bad in _bad(finished)]
    readings = share_readings(_times(finished), good, rule.over(_start(facts), max(_times(finished))))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MDE-057")
def test_no_provider_fails_more_than_5_percent(
    finished: Rows, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """Of each provider fewer than 5 % fail: in every hour with twenty finished, and over the whole time."""
    by_provider: dict[str, Rows] = {}
    for row in finished:
        by_provider.setdefault(row["provider"], []).append(row)
    start, end = _start(facts), max(_times(finished))
    for name, rows in sorted(by_provider.items(), key=lambda one: -len(one[1])):
        # A quiet provider has hours with fewer than twenty records; those are judged over the whole time.
        rule = threshold().alert(name=f"failure share of {name}", coverage=0, **HOURLY)
        hours = share_readings(_times(rows), _bad(rows), rule.over(start, end))
        if any(one.samples >= rule.minimum for one in hours):
            assert decided(decide_alert(hours, rule), over=(hours, rule)) == "pass"
        overall = threshold().share(name=f"failure share of {name}", minimum=20)
        assert decided(decide_census(sum(_bad(rows)), len(rows), overall)) == "pass"
