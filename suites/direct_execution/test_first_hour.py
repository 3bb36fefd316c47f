"""The first hour and every hour since the release: shares of failures, window by window."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import decide_alert
from judging.proportions import decide_census

from .windows import HOUR, begun, failed, failures, over, parted, start_of, successes

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Rows = list[dict[str, Any]]
    Threshold = Callable[..., Limit]

HOURLY = {"window": HOUR, "step": HOUR, "minimum": 20}
ENOUGH = 20  # finished generations from which a share of the time before is taken


def _longest_gap(times: list[float], start: float, end: float) -> float:
    inside = [start, *sorted(one for one in times if start <= one <= end), end]
    return max(after - before for before, after in pairwise(inside))


@pytest.mark.item("MDE-039")
def test_the_first_hour_is_recorded_without_gaps(
    finished: Rows, records: Snapshot, since_release: LogView, facts: Facts
) -> None:
    """In the first hour no ten minutes pass without a finished record, a call in the log, or a key retrieval."""
    start = start_of(facts)
    end = min(start + HOUR, records.clock.timestamp())
    logged = [one for one in since_release.events if one.time and one.names]
    keys = [one for one in logged if {"key handed out", "key refused"} & set(one.names)]
    series = {
        "records": begun(finished),
        "log": [one.time.timestamp() for one in logged if one.time],
        "keys": [one.time.timestamp() for one in keys if one.time],
    }
    gaps = {name: _longest_gap(times, start, end) for name, times in series.items()}
    assert {name: gap for name, gap in gaps.items() if gap > 600} == {}
    over(records, start + HOUR)


@pytest.mark.item("MDE-041")
def test_failures_show_no_spike(
    finished: Rows, records: Snapshot, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes of the first hour do more than 5 %, or twice what failed at that hour before, fail."""
    before = records["baseline of the hour"].only
    share = before["failed"] / before["finished"] if before["finished"] >= ENOUGH else 0.0
    limit = max(threshold(role="gate").value, threshold(role="parameter").value * share)
    rule = threshold(role="gate").alert(limit=limit, minimum=10, step=300)
    readings = failures(finished, rule, start_of(facts), start_of(facts) + HOUR)
    assert decided(decide_alert(readings, rule)) == "pass"


@pytest.mark.item("MDE-049")
def test_more_than_95_percent_succeed(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In every full hour since the release more than 95 % of the finished generations are completed."""
    rule = threshold().alert(name="success share", **HOURLY)
    readings = successes(finished, rule, start_of(facts), max(begun(finished)))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MDE-057")
def test_no_provider_fails_more_than_5_percent(
    finished: Rows, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """Of each provider fewer than 5 % fail: in every hour with twenty finished, and over the whole time."""
    start, end = start_of(facts), max(begun(finished))
    for name, rows in sorted(parted(finished, "provider").items(), key=lambda one: -len(one[1])):
        # A quiet provider has hours with fewer than twenty records; those are judged over the whole time.
        rule = threshold().alert(name=f"failure share of {name}", coverage=0, **HOURLY)
        hours = failures(rows, rule, start, end)
        if any(one.samples >= rule.minimum for one in hours):
            assert decided(decide_alert(hours, rule), over=(hours, rule)) == "pass"
        overall = threshold().share(name=f"failure share of {name}", minimum=20)
        assert decided(decide_census(sum(failed(rows)), len(rows), overall)) == "pass"
