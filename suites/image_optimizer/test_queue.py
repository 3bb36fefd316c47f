"""The limiter's queue: it does not keep growing, and it drains."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

from .asking import told

if TYPE_CHECKING:
    from fixtures.log_view import LogView

LEAST_BEATS = 12  # one for each twelfth of the time; whether the heart beats is another item's matter
FOLLOWED = 8  # minutes: the small batch is followed for 400 s at the most


@pytest.mark.item("IMO-097")
def test_the_queue_does_not_keep_growing(hour_log: LogView) -> None:
    """In the past hour five-minute means of the queue do not rise four times in a row, never as short as at first."""
    beats = [(one.line.time, int(one.groups[1] or 0)) for one in hour_log.matches["heartbeat"] if one.line.time]
    size = max(1, len(beats) // 12)
    if len(beats) < LEAST_BEATS:
        raise UndecidedError(f"{len(beats)} heartbeats since the deployment and in the past hour, {LEAST_BEATS} needed")
    parts = [[queue for _, queue in beats[n : n + size]] for n in range(0, size * 12, size)]
    rises = [sum(after) > sum(before) for before, after in pairwise(parts)]
    grown = [n for n in range(len(rises) - 3) if all(rises[n : n + 4]) and min(parts[n + 4]) > max(parts[n])]
    assert [(parts[n], parts[n + 4]) for n in grown] == []


@pytest.mark.item("IMO-098")
def test_the_queue_drains(small_batch: dict[str, Any], minutes: list[dict[str, int]]) -> None:
    """After the last image the queue is empty within two minutes, unless others' images came meanwhile."""
    answers = told(small_batch["samples"])
    assert len(answers) >= 2
    waiting = answers[-1].json["rateLimiter"]["queueLength"]
    others = sum(one["created"] for one in minutes[-FOLLOWED:]) - len(small_batch["rows"]["items"])
    if waiting and others > 0:
        raise UndecidedError(
            f"{waiting} requests wait, and {others} images of others came while the batch was followed"
        )
    assert waiting == 0
