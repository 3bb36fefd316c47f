"""The worker's log lives: heartbeats in their form and at their time, and no silence."""

from __future__ import annotations

import bisect
import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

from .asking import first_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

Watch = dict[str, Any]


def _times(view: LogView, name: str) -> list[float]:
    return [one.time.timestamp() for one in view.events if one.time and name in one.names]


def _gaps(view: LogView, name: str, pace: float) -> list[float]:
    """Return the target's seconds between the lines of a pattern."""
    return [(after - before) * pace for before, after in pairwise(_times(view, name))]


@pytest.mark.item("IMO-054")
def test_the_log_is_being_written(watch: Watch) -> None:
    """Within a minute the log grows by a line of the worker."""
    assert watch["view"].counts["worker"] >= 1


@pytest.mark.item("IMO-061")
def test_a_heartbeat_carries_its_figures(hour_log: LogView, watch: Watch) -> None:
    """Heartbeats have the documented form, rising cycles and a percentage that is right."""
    assert watch["view"].counts["any heartbeat"] == watch["view"].counts["heartbeat"]
    beats = [one.groups for one in (*hour_log.matches["heartbeat"], *watch["view"].matches["heartbeat"])]
    wrong = [beat for beat in beats if abs(float(beat[3] or 0) - 100 * int(beat[2] or 0) / 450) > 0.0501]
    assert wrong == []
    cycles = [int(beat[0] or 0) for beat in (one.groups for one in hour_log.matches["heartbeat"])]
    assert len(cycles) >= 2
    assert [(before, after) for before, after in pairwise(cycles) if after <= before] == []


@pytest.mark.item("IMO-061")
def test_a_heartbeat_agrees_with_the_statistics(watch: Watch) -> None:
    """Each heartbeat's figures lie within what the statistics before and after it show."""
    figures = [one["stats"].json["rateLimiter"] for one in watch["stats"] if one["stats"].status == 200]
    beats = [one.groups for one in watch["view"].matches["heartbeat"]]
    if not beats:
        raise UndecidedError("no heartbeat came during the watch; the worker makes none while it creates predictions")
    most = max(one["requestsInLastMinute"] for one in figures)
    assert [beat for beat in beats if not 0 <= int(beat[2] or 0) <= most + 2] == []
    assert [beat for beat in beats if int(beat[1] or 0) > max(one["queueLength"] for one in figures) + 10] == []


@pytest.mark.item("IMO-066")
def test_the_heart_beats_every_half_minute(day_log: LogView, pace: float) -> None:
    """Since the deployment heartbeats are 25 to 45 s apart, up to 60 s where predictions were created between them."""
    marks = [(one.time.timestamp() * pace, one.names) for one in day_log.events if one.time]
    beats = [at for at, names in marks if "any heartbeat" in names]
    created = [at for at, names in marks if "creating" in names]  # the released worker has no beat meanwhile
    assert len(beats) >= 3
    busy = [bisect.bisect(created, after) > bisect.bisect(created, before) for before, after in pairwise(beats)]
    gaps = [(after - before, 60 if late else 45) for (before, after), late in zip(pairwise(beats), busy, strict=True)]
    assert [round(gap) for gap, most in gaps if not 25 <= gap <= most] == []


@pytest.mark.item("IMO-073")
def test_the_worker_does_something(day_log: LogView, small_batch: dict[str, Any], pace: float) -> None:
    """Since the deployment no minute passes without a heartbeat, and in the small batch none without a change."""
    assert max(_gaps(day_log, "any heartbeat", pace)) <= 60
    moved, still = small_batch["samples"][0]["at"], 0.0
    for before, after in pairwise(small_batch["samples"]):
        changed = (before["statuses"], before["predicted"]) != (after["statuses"], after["predicted"])
        moved = after["at"] if changed or before["statuses"].keys() <= {"DONE", "FAILED"} else moved
        still = max(still, after["at"] - moved)
    assert still <= 60


@pytest.mark.item("IMO-082")
def test_the_worker_is_never_silent(day_log: LogView, pace: float) -> None:
    """Since the deployment no minute passes without a line of the worker."""
    assert max(_gaps(day_log, "worker", pace)) <= 60


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
