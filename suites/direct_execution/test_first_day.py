"""The first day after the release."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError
from judging.alerts import decide_alert
from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import decide_census
from judging.readings import share_readings

from .windows import HOUR, begun, over, start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Rows = list[dict[str, Any]]
    Threshold = Callable[..., Limit]

ENDS_S = 900  # what began so short a time ago may not have ended


def _within(rows: Rows, facts: Facts, hours: float) -> Rows:
    return [row for row in rows if row["begun"] < start_of(facts) + hours * HOUR]


def _failed(rows: Rows) -> int:
    return sum(row["status"] == "failed" for row in rows)


def _seconds(rows: Rows, kind: str) -> list[float | None]:
    return [row["seconds"] for row in rows if row["type"] == kind and row["status"] == "completed"]


@pytest.mark.item("MDE-087")
def test_fewer_than_5_percent_fail_in_four_hours(
    finished: Rows, records: Snapshot, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """Of the generations of the first four hours fewer than 5 % have failed."""
    rows = _within(finished, facts, 4)
    assert decided(decide_census(_failed(rows), len(rows), threshold().share(minimum=20))) == "pass"
    over(records, start_of(facts) + 4 * HOUR)


@pytest.mark.item("MDE-088")
def test_every_provider_has_produced_results(finished: Rows, records: Snapshot, models: Rows, facts: Facts) -> None:
    """In eight hours every provider of the registry completed a generation, and its last one did not fail."""
    ordered = sorted(_within(finished, facts, 8), key=lambda row: row["begun"])
    last = {row["provider"]: row["status"] for row in ordered}
    wanted = {one["provider"] for one in models}
    over(records, start_of(facts) + 8 * HOUR)
    assert {name: last.get(name, "no result") for name in wanted} == dict.fromkeys(wanted, "completed")


@pytest.mark.item("MDE-105")
def test_images_take_10_to_25_seconds(finished: Rows, decided: Decided, threshold: Threshold) -> None:
    """Nine of ten images since the release took no more than 25 s."""
    limit = PercentileLimit(percentile=90, value=max(threshold().values), comparison="<=", name="p90 of images")
    assert decided(decide_percentile(_seconds(finished, "image"), limit)) == "pass"


@pytest.mark.item("MDE-106")
def test_videos_take_3_to_5_minutes(finished: Rows, records: Snapshot, decided: Decided, threshold: Threshold) -> None:
    """Nine of ten videos took no more than 300 s, and their median is within a fifth of what it was before."""
    seconds = _seconds(finished, "video")
    limit = PercentileLimit(percentile=90, value=max(threshold().values), comparison="<=", name="p90 of videos")
    assert decided(decide_percentile(seconds, limit)) == "pass"
    before = next((row["p50"] for row in records["baseline"] if row["type"] == "video"), None)
    if before is None:
        raise UndecidedError("no video was completed in the two weeks before the release")
    assert 0.8 * before <= median(one for one in seconds if one is not None) <= 1.2 * before


@pytest.mark.item("MDE-147")
def test_the_error_rate_stayed_under_5_percent_for_a_day(
    finished: Rows, records: Snapshot, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """Over 24 hours, and in every hour of them, fewer than 5 % failed, and no ten minutes are without a record."""
    start, rows = start_of(facts), _within(finished, facts, 24)
    end, times = min(start + 24 * HOUR, records.clock.timestamp() - ENDS_S), begun(rows)
    assert (
        max(after - before for before, after in pairwise([start, *(at for at in sorted(times) if at < end), end]))
        <= 600
    )
    assert decided(decide_census(_failed(rows), len(rows), threshold(role="gate").share(minimum=20))) == "pass"
    rule = threshold(role="gate").alert(window=HOUR, step=600, minimum=20)
    readings = share_readings(times, [row["status"] == "failed" for row in rows], rule.over(start, end))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"
    over(records, start + 24 * HOUR)
