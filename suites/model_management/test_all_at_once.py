"""All at once: one step, watched closely afterwards, and undone when it turns out bad."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.python import Call


@pytest.fixture
def seen(strategies: Call) -> Any:
    """What was seen of the all-at-once deployment."""
    return strategies.result["all_at_once"]


def _switched(seen: Any) -> Any:
    """Return the first step at which the new model was current; without one, the check fails."""
    switched = [step for step in seen["steps"] if "new" in step["current"]]
    assert switched != []
    return switched[0]


@pytest.mark.item("MMS-069")
def test_an_all_at_once_deployment_can_be_coordinated(seen: Any) -> None:
    """The result reports success, the strategy all_at_once and both ids, and the deployment's row the strategy."""
    ids = (seen["result"]["new_model_id"], seen["result"]["current_model_id"])
    assert ids == (seen["ids"]["new"], seen["ids"]["old"])
    assert (seen["result"]["success"], seen["result"]["strategy"]) == (True, "all_at_once")
    assert seen["steps"][-1]["strategy"] == "all_at_once"


@pytest.mark.item("MMS-071")
def test_the_new_model_is_brought_up_first(seen: Any) -> None:
    """The new model, which starts cold, has answered before the switch, and no tagged request fails."""
    assert _switched(seen)["new_answered"] is True
    assert seen["refused"] == 0


@pytest.mark.item("MMS-072")
def test_all_traffic_moves_in_a_single_step(seen: Any) -> None:
    """There is no share between 0 and 100 %, and once the new model has answered the old one does not any more."""
    assert {step["share"] for step in seen["steps"]} - {0, 100} == set()
    mixed = [step["served"] for step in seen["steps"] if step["served"]["new"] and step["served"]["old"]]
    late = [step["served"]["old"] for step in seen["steps"] if step["current"] == "new"]
    assert (mixed, sum(late)) == ([], 0)
    assert seen["after"] == {"new": 100, "old": 0}


@pytest.mark.item("MMS-073")
def test_the_new_model_is_closely_watched(seen: Any) -> None:
    """For 15 min after the switch nobody waits longer than a minute before the next evaluation is kept."""
    began = _switched(seen)
    steps = [step for step in seen["steps"] if step["at"] >= began["at"]]
    kept = [began["waited_s"], *(b["waited_s"] for a, b in pairwise(steps) if b["evaluations"] > a["evaluations"])]
    assert kept[-1] - kept[0] >= 15 * 60
    assert max(after - before for before, after in pairwise(kept)) <= 60


@pytest.mark.item("MMS-074")
def test_issues_after_the_switch_lead_back(disappointments: Call, deployed_rows: Snapshot, marker: str) -> None:
    """A new model that begins to fail a minute after the switch gives way to the old one, by one recorded rollback."""
    seen = disappointments.result["late"]
    assert _switched(seen)["at"] < seen["steps"][-1]["at"]
    assert (seen["steps"][-1]["current"], seen["steps"][-1]["deployment"]) == ("old", "rolled_back")
    kept = [row for row in deployed_rows["deployments"] if row["use_case"] == f"verify_{marker}_late"]
    records = [(row["model_id"], row["status"]) for row in kept if row["deployment_type"] == "rollback"]
    assert (seen["rollbacks"], records) == (1, [(seen["ids"]["old"], "completed")])
    assert seen["after"] == {"new": 0, "old": 100}
