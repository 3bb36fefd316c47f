"""Canary: the new model gets a small share first, more while it is good, everything in the end, or nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from judging.proportions import ShareLimit, decide_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.python import Call
    from judging.decision import Decision

    Decided = Callable[[Decision], str]

SMALL = ShareLimit(value=0.10, comparison="<=", name="the canary's share of the requests")


@pytest.fixture
def seen(strategies: Call) -> Any:
    """What was seen of the canary deployment."""
    return strategies.result["canary"]


def _partly(seen: Any) -> list[Any]:
    """Return the first step at each share between 0 and 100; without one, the check fails."""
    steps = [step for step in seen["steps"] if 0 < step["share"] < 100]
    assert steps != []
    return [after for before, after in pairwise([{"share": 0}, *steps]) if after["share"] != before["share"]]


@pytest.mark.item("MMS-061")
def test_a_canary_deployment_can_be_coordinated(seen: Any) -> None:
    """The result reports success, the strategy canary and both ids, and the deployment's row the strategy."""
    ids = (seen["result"]["new_model_id"], seen["result"]["current_model_id"])
    assert ids == (seen["ids"]["new"], seen["ids"]["old"])
    assert (seen["result"]["success"], seen["result"]["strategy"]) == (True, "canary")
    assert seen["steps"][-1]["strategy"] == "canary"


@pytest.mark.item("MMS-063")
def test_the_new_model_is_brought_up_before_it_gets_traffic(seen: Any) -> None:
    """The new model, which starts cold, has answered before its first share, and no tagged request fails."""
    assert _partly(seen)[0]["new_answered"] is True
    early = [step for step in seen["steps"] if step["share"] == 0]
    assert [(step["current"], step["served"]["new"]) for step in early] == [("old", 0)] * len(early)
    assert seen["refused"] == 0


@pytest.mark.item("MMS-064")
def test_a_small_share_goes_to_the_new_model(seen: Any, decided: Decided) -> None:
    """Of 1,000 tagged requests at the first step some and at most 10 % reach it, within 2 points of the share."""
    first = _partly(seen)[0]
    new, every = first["served"]["new"], first["served"]["new"] + first["served"]["old"]
    assert every >= 1000
    assert new > 0
    assert abs(new / every - first["share"] / 100) <= 0.02
    assert decided(decide_share(new, every, SMALL)) == "pass"


@pytest.mark.item("MMS-065")
def test_the_new_model_is_evaluated_at_each_step(seen: Any) -> None:
    """Between two shares, and before the last one, at least one more evaluation of the new model is kept."""
    counts = [step["evaluations"] for step in [*_partly(seen), seen["steps"][-1]]]
    assert [after > before for before, after in pairwise(counts)] == [True] * (len(counts) - 1)


@pytest.mark.item("MMS-066")
def test_the_share_rises_step_by_step(seen: Any) -> None:
    """The recorded shares rise strictly, over at least two steps below 100 %, each after good evaluations only."""
    shares = [step["share"] for step in _partly(seen)]
    assert len(shares) >= 2
    assert shares == sorted(set(shares))
    assert {step["negative"] for step in seen["steps"]} == {0}


@pytest.mark.item("MMS-067")
def test_it_ends_in_a_full_cut_over(seen: Any) -> None:
    """In the end the new model has all traffic and is current, and the deployment's state is final."""
    last = seen["steps"][-1]
    assert (last["current"], last["share"]) == ("new", 100)
    assert (last["deployment"], last["completed"]) == ("completed", True)
    assert seen["after"] == {"new": 100, "old": 0}


@pytest.mark.item("MMS-068")
@pytest.mark.parametrize("defect", ["errors", "slowness"])
def test_a_bad_canary_is_rolled_back(disappointments: Call, defect: str) -> None:
    """A canary that fails one request in five, or answers ten times slower, gets no larger share and ends at 0 %."""
    seen = disappointments.result[defect]
    steps = seen["steps"]
    bad = [after["share"] - before["share"] for before, after in pairwise(steps) if after["negative"] > 0]
    last = steps[-1]
    assert bad != []
    assert max(bad) <= 0
    assert (last["current"], last["share"], last["deployment"]) == ("old", 0, "rolled_back")
    assert seen["after"] == {"new": 0, "old": 100}
