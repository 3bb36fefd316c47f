"""The worker's log lives: heartbeats at their time, and no silence."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from .asking import SECOND_BEAT_S, first_day, lived

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

Watch = dict[str, Any]
CREATION = ("creating", "batch complete")


def _times(view: LogView, name: str) -> list[float]:
    return [one.time.timestamp() for one in view.events if one.time and name in one.names]


def _gaps(view: LogView, *names: str, pace: float) -> list[float]:
    """Return the target's seconds between lines that match one of the patterns."""
    times = sorted(at for name in names for at in _times(view, name))
    return [(after - before) * pace for before, after in pairwise(times)]


def _idle(view: LogView, pace: float) -> list[float]:
    """Return the target's seconds between heartbeats, without those in which a batch was created.

    The released worker has no heartbeat meanwhile. A batch whose end is not logged excuses nothing.
    """
    marks = sorted((at, name) for name in CREATION for at in _times(view, name))
    runs = [(began, end) for (began, first), (end, last) in pairwise(marks) if (first, last) == CREATION]
    return [
        (after - before - sum(max(0.0, min(after, end) - max(before, began)) for began, end in runs)) * pace
        for before, after in pairwise(_times(view, "any heartbeat"))
    ]


@pytest.mark.item("IMO-054")
def test_the_log_is_being_written(watch: Watch) -> None:
    """Within a minute the log grows by a line of the worker."""
    assert watch["view"].counts["worker"] >= 1


@pytest.mark.item("IMO-066")
def test_the_heart_beats_every_half_minute(
    day_log: LogView, watch: Watch, pace: float, facts: Mapping[str, str]
) -> None:
    """Since the deployment heartbeats are at least 25 s apart and, creations left out, at most 45 s."""
    gaps = _gaps(day_log, "any heartbeat", pace=pace)
    if not gaps:
        lived(watch, facts["deployed"], pace, least=SECOND_BEAT_S, what="a second heartbeat")
    assert len(gaps) >= 1
    assert [round(gap) for gap in gaps if gap < 25] == []
    assert [round(gap) for gap in _idle(day_log, pace) if gap > 45] == []


@pytest.mark.item("IMO-073")
def test_the_worker_does_something(
    day_log: LogView, small_batch: dict[str, Any], watch: Watch, pace: float, facts: Mapping[str, str]
) -> None:
    """Since the deployment no idle minute passes without a heartbeat, and none of the small batch without a change."""
    moved, still = small_batch["samples"][0]["at"], 0.0
    for before, after in pairwise(small_batch["samples"]):
        changed = (before["statuses"], before["predicted"]) != (after["statuses"], after["predicted"])
        moved = after["at"] if changed or before["statuses"].keys() <= {"DONE", "FAILED"} else moved
        still = max(still, after["at"] - moved)
    assert still <= 60
    idle = _idle(day_log, pace)
    if not idle:
        lived(watch, facts["deployed"], pace, least=SECOND_BEAT_S, what="a second heartbeat")
    assert max(idle) <= 60


@pytest.mark.item("IMO-082")
def test_the_worker_is_never_silent(day_log: LogView, pace: float) -> None:
    """Since the deployment no minute passes without a line of the worker, or of a prediction that it has created."""
    assert max(_gaps(day_log, "worker", "prediction", pace=pace)) <= 60


@pytest.mark.item("IMO-115")
def test_every_hour_of_the_first_day_has_its_figures(
    day_log: LogView, tables: Snapshot, pace: float, facts: Mapping[str, str]
) -> None:
    """In each of the first 24 hours since the deployment a heartbeat gives the limiter's figures."""
    start, now = dt.datetime.fromisoformat(facts["deployed"]).timestamp(), tables["clock"].only["now"]
    hours = {int((at - start) * pace // 3600) for at in _times(day_log, "any heartbeat")}
    over = min(24, int((now.timestamp() - start) * pace // 3600))
    assert sorted(set(range(over)) - hours) == []
    first_day(now, facts["deployed"], pace)
