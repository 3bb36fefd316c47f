"""The conditions on which a rollback is decided, recomputed over every window since the release."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import AlertRule, decide_alert
from judging.readings import Reading, share_readings

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
HIGH = AlertRule(name="failure share", comparison=">", limit=0.20, window=900, minimum=5, severity="critical")
ALL = AlertRule(
    name="failure share", comparison=">=", limit=1, window=300, minimum=3, severity="critical", action="roll back"
)


def _start(facts: Facts) -> float:
    return dt.datetime.fromisoformat(facts["deployed"]).timestamp()


def _readings(rows: Rows, rule: AlertRule, start: float, end: float) -> tuple[Reading, ...]:
    return share_readings(
        [row["begun"] for row in rows], [row["status"] == "failed" for row in rows], rule.over(start, end)
    )


def _means(rows: Rows, start: float, end: float) -> list[Reading]:
    """Return the mean time of completed records in every hour."""
    readings = []
    for hour in range(int((end - start) // HOUR)):
        begin = start + hour * HOUR
        took = [row["seconds"] for row in rows if begin <= row["begun"] < begin + HOUR and row["seconds"] is not None]
        readings.append(Reading(start=begin, end=begin + HOUR, value=fmean(took) if took else None, samples=len(took)))
    return readings


@pytest.mark.item("MDE-079")
def test_not_everything_fails(finished: Rows, facts: Facts, decided: Decided) -> None:
    """In no five minutes since the release did every generation fail: critical, roll back at once."""
    readings = _readings(finished, ALL, _start(facts), max(row["begun"] for row in finished))
    assert decided(decide_alert(readings, ALL)) == "pass"


@pytest.mark.item("MDE-080")
def test_no_model_fails(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In no hour did a model fail in more than half of its generations: high, disable it in the registry."""
    start, end = _start(facts), max(row["begun"] for row in finished)
    for name in sorted({str(row["record"]) for row in finished}):
        rows = [row for row in finished if row["record"] == name]
        # A rarely used model has hours without a record; those say nothing, and do not speak for it either.
        rule = threshold().alert(window=HOUR, step=900, minimum=4, coverage=0)
        readings = _readings(rows, rule, start, end)
        if any(one.samples >= rule.minimum for one in readings):
            assert (name, decided(decide_alert(readings, rule), over=(readings, rule))) == (name, "pass")


@pytest.mark.item("MDE-081")
def test_times_have_not_doubled(
    finished: Rows, records: Snapshot, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no hour is a content type's mean time above twice the median of before: medium, ask the provider."""
    start, end = _start(facts), max(row["begun"] for row in finished)
    normal = {row["type"]: row["p50"] for row in records["baseline"] if row["p50"] is not None}
    for kind, median in normal.items():
        rows = [row for row in finished if row["type"] == kind and row["status"] == "completed"]
        rule = threshold().alert(
            name=f"mean time of {kind}s", limit=threshold().value * median, unit="s", window=HOUR, step=HOUR
        )
        assert decided(decide_alert(_means(rows, start, end), rule)) == "pass"
    assert len(normal) > 0


def _critical_of(since_release: LogView, start: float, end: float) -> list[str]:
    """Return what the log holds between two moments that is critical: a missing key, or an entry of that level."""
    events = [one for one in since_release.events if one.time and start <= one.time.timestamp() <= end]
    missing = [one for one in events if "key refused" in one.names and "probed" not in one.names]
    return [str(one.time) for one in (*missing, *(one for one in events if one.level == "critical"))]


@pytest.mark.item("MDE-086")
def test_the_first_two_hours_had_no_critical_error(
    finished: Rows, since_release: LogView, facts: Facts, decided: Decided
) -> None:
    """In two hours from the release no critical condition was met, and nothing critical was logged."""
    start = _start(facts)
    for rule in (HIGH, ALL):
        assert decided(decide_alert(_readings(finished, rule, start, start + 2 * HOUR), rule)) == "pass"
    assert _critical_of(since_release, start, start + 2 * HOUR) == []


@pytest.mark.item("MDE-089")
def test_the_night_stayed_in_bounds(finished: Rows, since_release: LogView, facts: Facts, decided: Decided) -> None:
    """From the 8th to the 24th hour no ten minutes are without a record, and no condition is met in any window."""
    start, end = _start(facts) + 8 * HOUR, _start(facts) + 24 * HOUR
    times = [start, *sorted(row["begun"] for row in finished if start <= row["begun"] <= end), end]
    assert max(after - before for before, after in pairwise(times)) <= 600
    hourly = AlertRule(name="failure share", comparison=">=", limit=0.05, window=HOUR, step=HOUR, minimum=20)
    for rule in (hourly, HIGH, ALL):
        assert decided(decide_alert(_readings(finished, rule, start, end), rule)) == "pass"
    assert _critical_of(since_release, start, end) == []
