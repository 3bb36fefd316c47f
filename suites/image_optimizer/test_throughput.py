"""Throughput: what the tables and heartbeats tell of the minutes in which enough was waiting to be done."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fixtures.values import UndecidedError
from judging.decision import Decision
from judging.percentiles import PercentileLimit, decide_percentile

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

    Decided = Callable[[Decision], str]
    Estimated = Callable[[Callable[[float, float], Decision]], str]

Minutes = list[dict[str, int]]
ACTIVE = 450  # open items throughout a minute: enough work for the whole of it
FASTEST, SLOWEST = 450, 400
PER_MINUTE = PercentileLimit(value=SLOWEST, comparison=">=", percentile=50, unit="items/min", name="median throughput")


def _active(minutes: Minutes, least: int) -> Minutes:
    """Return the minutes of active processing; with fewer than `least` of them nothing can be said."""
    found = [one for one in minutes if min(one["before"], one["after"]) >= ACTIVE]
    if len(found) < least:
        raise UndecidedError(f"{len(found)} minutes of active processing since the deployment, at least {least} needed")
    return found


def _usage(day_log: LogView, tables: Snapshot, minutes: Minutes, pace: float) -> list[tuple[str, ...]]:
    """Return what heartbeats say in active minutes but the first of each stretch, since usage looks a minute back."""
    ago = {one["ago"] for one in _active(minutes, 5)}
    settled, now = {number for number in ago if number + 1 in ago}, tables["clock"].only["now"]
    beats = [one for one in day_log.events if one.time and "any heartbeat" in one.names]
    return [one.names for one in beats if int((now - one.time).total_seconds() * pace // 60) in settled]


def _decide_usage(beats: list[tuple[str, ...]]) -> Decision:
    """Decide on the usage that heartbeats tell of: the checklist says nothing of 90 to 95 %, so how many is said."""
    inside, healthy = (sum(name in names for names in beats) for name in ("usage 80 to 95", "usage 80 to 90"))
    said = (
        f"of {len(beats)} heartbeats under load {healthy} show a usage of 80 to 90 % (healthy), {inside - healthy} of "
        f"90 to 95 % (between healthy and warning, read as healthy), and {len(beats) - inside} another"
    )
    return Decision(
        outcome="pass" if inside == len(beats) else "fail", statement=said, measured=float(len(beats) - inside),
        low=None, high=None, limit=0.0, comparison="<=", unit="heartbeats", samples=len(beats), method="bands",
        confidence=1.0,
    )  # fmt: skip


@pytest.mark.item("IMO-063")
def test_under_load_the_usage_is_healthy(
    day_log: LogView, tables: Snapshot, minutes: Minutes, pace: float, decided: Decided
) -> None:
    """During active processing every heartbeat shows a usage of 80 to 90 %, or one in the gap below the warning."""
    beats = _usage(day_log, tables, minutes, pace)
    assert len(beats) >= 5
    assert decided(_decide_usage(beats)) == "pass"


@pytest.mark.item("IMO-064")
def test_items_complete_steadily(minutes: Minutes) -> None:
    """During active processing items are done in every minute, between half and twice their median."""
    done = [one["done"] for one in _active(minutes, 5)]
    median = statistics.median(done)
    assert [count for count in done if not max(1, median / 2) <= count <= 2 * median] == []


@pytest.mark.item("IMO-069")
def test_no_slow_completion_is_found(minutes: Minutes) -> None:
    """In no five minutes of active processing are fewer than 200 items a minute done."""
    done = [one["done"] for one in _active(minutes, 5)]
    means = [sum(done[n : n + 5]) / 5 for n in range(len(done) - 4)]
    assert [mean for mean in means if mean < 200] == []


@pytest.mark.item("IMO-079")
def test_400_to_450_items_are_done_each_minute(minutes: Minutes, tables: Snapshot, estimated: Estimated) -> None:
    """Over ten minutes of active processing the median throughput is 400 to 450 items a minute.

    The checklist's own query counts the last minute alone, whatever was waiting: it is shown beside.
    """
    done = [one["done"] for one in _active(minutes, 10)]
    own = f"the checklist's own query counts {tables['throughput'].only['items']} in the last minute"
    counts = [float(count) for count in done]

    def judge(alpha: float, beta: float) -> Decision:
        return decide_percentile(counts, replace(PER_MINUTE, alpha=alpha, beta=beta), notes=(own,))

    assert estimated(judge) == "pass"
    assert statistics.median(done) <= FASTEST


@pytest.mark.item("IMO-113")
def test_the_rate_would_do_for_fifty_thousand(minutes: Minutes) -> None:
    """Over ten minutes of active processing at least 385 items a minute are done: 50,000 in 130 minutes."""
    done = [one["done"] for one in _active(minutes, 10)]
    assert statistics.fmean(done) >= 50_000 / 130


@pytest.mark.item("IMO-139")
def test_under_load_ninety_percent_of_the_budget_is_used(
    day_log: LogView, tables: Snapshot, minutes: Minutes, pace: float
) -> None:
    """Over ten minutes of active processing every heartbeat shows a usage of 85 to 95 %."""
    assert len(_active(minutes, 10)) >= 10
    beats = _usage(day_log, tables, minutes, pace)
    assert len(beats) >= 10
    assert [names for names in beats if "usage 85 to 95" not in names] == []
