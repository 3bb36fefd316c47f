"""What the server prints: live for three quarters of a minute, of the small batch, and of the past."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observing import observation
from fixtures.values import UndecidedError

from .asking import BEAT, IMAGES, LIVE, PAST, STATS, counts_of, numbers, ordered

if TYPE_CHECKING:
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Run
    from fixtures.waiting import Patience

DEBUG_LINES = ("predicted", "polling", "polled", "completed")
WATCH_S = 45.0  # nine rounds of phase 1, fifteen of phase 2, one heartbeat at least


@observation()
def pace(run: Run) -> float:
    """How many seconds pass at the target in one of ours."""
    return run.speed


@observation()
def attached(worker: Log) -> LogMark:
    """The end of the log, before the run's first request."""
    return worker.attach()


@observation(within="120 s")
def watch(api: Http, worker: Log, run: Run, patience: Patience, attached: LogMark) -> dict[str, Any]:
    """Three quarters of a minute of the server: its statistics every 5 s, and when its log grew by what."""
    started, stats, counts = time.monotonic(), list[dict[str, Any]](), list[dict[str, Any]]()

    def see() -> float:
        at = (time.monotonic() - started) * run.speed
        counts.append({"at": at, **counts_of(worker.since(attached, LIVE))})
        if at >= 5.0 * len(stats):
            stats.append({"at": at, "stats": api.get(STATS, within=10)})
        return at

    patience.consistently(see, lambda at: at < WATCH_S, times=1000, pause=0.5)
    stats.append({"at": (time.monotonic() - started) * run.speed, "stats": api.get(STATS, within=10)})
    view = worker.since(attached, LIVE)  # what the last sample counted is in it
    return {
        "stats": stats,
        "view": view,
        "ended": time.time(),
        "arrivals": {name: arrivals(view, counts, name, run.speed) for name in LIVE},
    }


def arrivals(view: LogView, counts: list[dict[str, Any]], name: str, speed: float) -> list[float]:
    """Return when the lines of a pattern came, in the target's seconds: by their own times, else as they were seen."""
    if view.trouble is not None:
        return []
    times = [one.line.time for one in view.matches[name]]
    if all(times):
        return [moment.timestamp() * speed for moment in times if moment]
    seen: list[float] = []
    for one in counts:
        seen += [one["at"]] * (one[name] - len(seen))
    return seen


@observation(within="60 s")
def logged(worker: Log, attached: LogMark, small_batch: dict[str, Any]) -> LogView:
    """What the log holds of the small batch, once it holds the end of it; others' items may end meanwhile."""
    ours = {row["id"] for row in small_batch["rows"]["items"]}

    def whole(view: LogView) -> bool:
        return len(ours & {*numbers(ordered(view, "completed"), "completed")}) == IMAGES

    return worker.since(attached, LIVE, until=whole, within=5)


@observation(within="300 s")
def day_log(worker: Log, facts: dict[str, str], small_batch: dict[str, Any], watch: dict[str, Any]) -> LogView:
    """The log since the deployment, a watch long at least."""
    return worker.past(PAST, window_s=age_of(facts))


@observation(within="120 s")
def hour_log(worker: Log, run: Run, facts: dict[str, str], watch: dict[str, Any]) -> LogView:
    """The heartbeats of the past hour, those of the watch included; none of the process before the deployment."""
    return worker.past({"heartbeat": BEAT}, window_s=min(3600 / run.speed, age_of(facts)))


def age_of(facts: dict[str, str]) -> float:
    """Return for how many of our seconds the deployment has been there."""
    return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(facts["deployed"])).total_seconds()


@pytest.fixture
def debug(logged: LogView, day_log: LogView) -> LogView:
    """The log of the small batch, where the server's level lets debug lines through; else it cannot be said."""
    levels = [match.groups[0] for match in (*day_log.matches["level"], *logged.matches["level"])]
    told = levels[-1] if levels else None  # the newest; a server at level 0 or 1 does not tell it
    seen = any(logged.counts[name] for name in DEBUG_LINES)
    if int(told or 3) < 3 or (told is None and not seen):
        raise UndecidedError(
            f"the server's log level is {told or 'not told'}: debug lines are hidden, so their absence says nothing"
        )
    return logged
