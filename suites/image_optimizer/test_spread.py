"""How items are spread over the states, while they are worked on and when they have ended."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from judging.distributions import DistanceLimit, decide_distribution

if TYPE_CHECKING:
    from collections.abc import Callable

    from judging.decision import Decision

    Estimated = Callable[[Callable[[float, float], Decision]], str]

Batch = dict[str, Any]
# Of the checklist's example only the ended ones have shares that do not change while a batch is worked on.
EXPECTED = {"DONE": 1000 / 1005, "FAILED": 5 / 1005}
A_ROUND = 8.0  # seconds: phase 1 comes every 5 s, and takes what waits
NEAR = DistanceLimit(value=0.015, name="ends of items")


def _working(sample: Batch) -> int:
    return int(sample["statuses"].get("PROCESSING", 0) + sample["statuses"].get("RUNNING", 0))


def _idle(busy: list[Batch]) -> float:
    """Return for how many seconds in a row nothing was worked on and nothing taken up, although images waited."""
    longest, since = 0.0, busy[0]
    for before, after in pairwise(busy):
        still = _working(before) == _working(after) == 0 and before["statuses"] == after["statuses"]
        since = since if still else after
        longest = max(longest, after["at"] - since["at"])
    return longest


def _near(ends: dict[str, int], alpha: float, beta: float) -> Decision:
    return decide_distribution(ends, EXPECTED, replace(NEAR, alpha=alpha, beta=beta))


@pytest.mark.item("IMO-077")
def test_the_ends_since_the_deployment_are_spread_as_expected(
    minutes: list[dict[str, int]], estimated: Estimated
) -> None:
    """Items that ended since the deployment are done and failed in the shares of the checklist's example."""
    ends = {"DONE": sum(one["done"] for one in minutes), "FAILED": sum(one["failed"] for one in minutes)}
    assert estimated(partial(_near, ends)) == "pass"


@pytest.mark.item("IMO-077")
def test_the_states_are_spread_as_expected(large_batch: Batch, estimated: Estimated) -> None:
    """While images wait some are worked on, 200 at most, and those that ended are spread as in the checklist's example.

    Between two rounds of phase 1 there may be none: what it took has ended, and what waits has not been taken yet.
    """
    busy = [one for one in large_batch["samples"] if one["at"] > 10 and one["statuses"].get("PENDING", 0) > 0]
    assert len(busy) >= 2
    assert [count for count in map(_working, busy) if count > 200] == []
    assert _idle(busy) <= A_ROUND
    ends = {name: large_batch["samples"][-1]["statuses"].get(name, 0) for name in EXPECTED}
    assert estimated(partial(_near, ends)) == "pass"
