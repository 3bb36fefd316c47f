"""What heartbeats say: in their form, and in agreement with the statistics and with what Replicate received."""

from __future__ import annotations

import bisect
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

from .asking import SECOND_BEAT_S, lived, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.log_view import LogView

Watch = dict[str, Any]
MINUTE = 60.0
APART = 3.0  # seconds that the clocks of log and Replicate, and the moments they stamp, may be apart
SLOWEST = 15.0  # seconds from when the limiter lets a request through until Replicate says that it has it
NEAR = 2  # requests: counts that are so near to each other agree
DRAINED = 38  # requests that the limiter lets through between two samples, 5 s apart


def _before(at: float, received: list[float]) -> int:
    """Return how many of these moments certainly lie in the minute before a heartbeat, as the limiter counts it."""
    return bisect.bisect_left(received, at - APART) - bisect.bisect_left(received, at - MINUTE + SLOWEST)


@pytest.mark.item("IMO-061")
def test_a_heartbeat_carries_its_figures(
    hour_log: LogView, watch: Watch, pace: float, facts: Mapping[str, str]
) -> None:
    """Heartbeats have the documented form, rising cycles and a percentage that is right."""
    assert watch["view"].counts["any heartbeat"] == watch["view"].counts["heartbeat"]
    beats = [one.groups for one in hour_log.matches["heartbeat"]]
    wrong = [beat for beat in beats if abs(float(beat[3] or 0) - 100 * int(beat[2] or 0) / 450) > 0.0501]
    assert wrong == []
    cycles = [int(beat[0] or 0) for beat in beats]
    assert [(before, after) for before, after in pairwise(cycles) if after <= before] == []
    if len(cycles) < 2:
        lived(watch, facts["deployed"], pace, least=SECOND_BEAT_S, what="a second heartbeat")
    assert len(cycles) >= 2


@pytest.mark.item("IMO-061")
def test_a_heartbeat_agrees_with_the_statistics(watch: Watch) -> None:
    """A heartbeat counts no more requests than the statistics before and after it, and no much longer queue.

    What it counts was sent before the watch, and is in its first sample, or in the watch, and is in its last.
    """
    figures = [one.json["rateLimiter"] for one in told(watch["stats"])]
    beats = [one.groups for one in watch["view"].matches["heartbeat"]]
    if not beats:
        raise UndecidedError("no heartbeat came during the watch; the worker makes none while it creates predictions")
    most = figures[0]["requestsInLastMinute"] + figures[-1]["requestsInLastMinute"] + NEAR
    assert [beat for beat in beats if not 0 <= int(beat[2] or 0) <= most] == []
    longest = max(one["queueLength"] for one in figures) + DRAINED
    assert [beat for beat in beats if not 0 <= int(beat[1] or 0) <= longest] == []


@pytest.mark.item("IMO-061")
def test_a_heartbeat_counts_what_replicate_received(
    hour_log: LogView, predictions: Watch, known: Mapping[str, str], pace: float
) -> None:
    """No heartbeat of the past hour counts fewer requests than Replicate received predictions in the minute before."""
    received = sorted(one["at"] for one in predictions["found"] if one["id"] in known)
    assert len(received) >= 1
    few = [
        (beat.line.text, count)
        for beat in hour_log.matches["heartbeat"]
        if beat.line.time
        and int(beat.groups[2] or 0) + NEAR < (count := _before(beat.line.time.timestamp() * pace, received))
    ]
    assert few == []
