"""Deployments and rollbacks are finished in time; what is waited for is counted, not waited."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.python import Call
    from fixtures.thresholds import Limit

    Threshold = Callable[..., Limit]


def _finished(seen: Any) -> Any:
    """Return the first step at which all traffic was on the new model, or one that never comes."""
    done = [step for step in seen["steps"] if step["current"] == "new" and step["share"] == 100]
    return done[0] if done else {"at": math.inf}


def _waited(seen: Any, before: float) -> float:
    return float(sum(step["waits_s"] for step in seen["steps"] if step["at"] < before))


@pytest.mark.item("MMS-091")
@pytest.mark.parametrize("strategy", ["blue_green", "all_at_once"])
def test_a_deployment_takes_less_than_five_minutes(strategies: Call, threshold: Threshold, strategy: str) -> None:
    """From the call until the database says that all traffic is on the new model less than 300 s pass."""
    assert _finished(strategies.result[strategy])["at"] < threshold().value


@pytest.mark.item("MMS-091")
def test_a_canary_takes_less_than_five_minutes_besides_its_observation(strategies: Call, threshold: Threshold) -> None:
    """Apart from the times in which its steps are watched, a canary is through in less than 300 s."""
    seen = strategies.result["canary"]
    finished = _finished(seen)["at"]
    assert finished < math.inf
    assert finished - _waited(seen, finished) < threshold().value


@pytest.mark.item("MMS-092")
def test_a_rollback_by_itself_takes_less_than_two_minutes(disappointments: Call, threshold: Threshold) -> None:
    """From the first bad evaluation until the old model serves everything less than 120 s pass."""
    seen = disappointments.result["late"]
    bad = [step["at"] for step in seen["steps"] if step["negative"] > 0]
    back = [step["at"] for step in seen["steps"] if step["negative"] > 0 and step["current"] == "old"]
    assert back != []
    assert back[0] - bad[0] < threshold().value
    assert seen["after"] == {"new": 0, "old": 100}


@pytest.mark.item("MMS-092")
def test_a_rollback_by_hand_takes_less_than_two_minutes(strategies: Call, threshold: Threshold) -> None:
    """From the call until all clients use the old model again less than 120 s pass."""
    back = strategies.result["blue_green"]["back"]
    assert (back["done"]["hung"], back["took_s"] < threshold().value) == (False, True)
    assert back["after"] == {"new": 0, "old": 20}
