"""Blue-green: the new model is brought up and validated beside the old one, takes over, and can be sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.python import Call


@pytest.fixture
def seen(strategies: Call) -> Any:
    """What was seen of the blue-green deployment."""
    return strategies.result["blue_green"]


def _moved(seen: Any) -> Any:
    """Return the first step at which the new model had traffic or was current; without one, the check fails."""
    moved = [step for step in seen["steps"] if step["share"] > 0 or "new" in step["current"]]
    assert moved != []
    return moved[0]


@pytest.mark.item("MMS-056")
def test_a_blue_green_deployment_can_be_coordinated(seen: Any, marker: str) -> None:
    """The result reports success, the strategy, the use case and both ids."""
    wanted = {
        "success": True,
        "new_model_id": seen["ids"]["new"],
        "current_model_id": seen["ids"]["old"],
        "use_case": f"verify_{marker}_blue_green",
        "strategy": "blue_green",
    }
    assert {name: seen["result"].get(name) for name in wanted} == wanted


@pytest.mark.item("MMS-057")
def test_the_new_model_is_brought_up_beside_the_old_one(seen: Any) -> None:
    """All traffic stays at the old model until the new one, which starts cold, has answered."""
    early = [step for step in seen["steps"] if step["share"] == 0 and step["current"] == "old"]
    assert seen["before"] == {"new": 0, "old": 10}
    assert [step["served"]["new"] for step in early] == [0] * len(early)
    assert (_moved(seen)["new_answered"], _moved(seen)["old_rows"]) == (True, 1)
    assert seen["refused"] == 0


@pytest.mark.item("MMS-058")
def test_the_new_model_is_validated_before_the_switch(seen: Any, refused_deployment: Call) -> None:
    """A good verdict on the new model is kept before it gets traffic; one with a bad verdict gets no request."""
    assert (_moved(seen)["evaluations"] >= 1, _moved(seen)["negative"]) == (True, 0)
    refused = refused_deployment.result
    assert refused["steps"][-1]["negative"] >= 1
    assert [step["served"]["new"] for step in refused["steps"]] == [0] * len(refused["steps"])
    assert (refused["after"]["new"], refused["refused"]) == (0, 0)


@pytest.mark.item("MMS-059")
def test_all_traffic_goes_to_the_new_model(seen: Any) -> None:
    """After the result running clients send 100 of 100 requests to the new model, and none failed on the way."""
    last = next(step for step in seen["steps"] if step["moment"] == "over")
    assert (last["current"], last["share"]) == ("new", 100)
    assert (last["deployment"], last["completed"]) == ("completed", True)
    assert (seen["after"], seen["refused"]) == ({"new": 100, "old": 0}, 0)


@pytest.mark.item("MMS-060")
def test_the_old_model_stays_available(seen: Any, deployed_rows: Snapshot, marker: str) -> None:
    """The old model's row is kept, and a rollback makes it the one current model within 2 min, as it was."""
    assert {step["old_rows"] for step in seen["steps"]} == {1}
    assert (seen["back"]["done"]["returned"], seen["back"]["step"]["current"]) == (True, "old")
    assert seen["back"]["took_s"] < 120
    assert seen["back"]["after"] == {"new": 0, "old": 20}
    tagged = f"verify_{marker}_blue_green"
    kinds = {
        row["kind"] for name in ("models", "snapshots") for row in deployed_rows[name] if row["use_case"] == tagged
    }
    assert kinds == {"object"}
