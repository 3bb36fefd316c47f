"""How items are spread over the states, while they are worked on and when they have ended."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
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
NEAR = DistanceLimit(value=0.015, name="ends of items")


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
    """While images wait from 1 to 200 are worked on, and those that ended are spread as in the checklist's example."""
    busy = [
        one["statuses"] for one in large_batch["samples"] if one["at"] > 10 and one["statuses"].get("PENDING", 0) > 0
    ]
    working = [one.get("PROCESSING", 0) + one.get("RUNNING", 0) for one in busy]
    assert len(busy) >= 2
    assert [count for count in working if not 1 <= count <= 200] == []
    ends = {name: large_batch["samples"][-1]["statuses"].get(name, 0) for name in EXPECTED}
    assert estimated(partial(_near, ends)) == "pass"
