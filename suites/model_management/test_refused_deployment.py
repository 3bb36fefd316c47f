"""A deployment that cannot succeed ends where it began, by itself, and through the rollback manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.python import Call


@pytest.mark.item("MMS-049")
def test_a_failing_deployment_goes_back_by_itself(refused_deployment: Call) -> None:
    """With a new model that answers only errors, the old one stays or becomes current, and the deployment is over."""
    seen = refused_deployment.result
    assert seen["result"]["success"] is False
    assert seen["steps"][-1]["current"] == "old"
    assert seen["steps"][-1]["deployment"] in {"rolled_back", "failed"}
    assert (seen["before"], seen["after"]) == ({"new": 0, "old": 10}, {"new": 0, "old": 100})
    assert [step["moment"] for step in seen["steps"] if "old" not in step["current"]] == []
    assert seen["refused"] == 0


@pytest.mark.item("MMS-050")
def test_the_rollback_manager_does_it_once(refused_deployment: Call, rows: Snapshot, marker: str) -> None:
    """The rollback manager is called exactly once, and leaves one record with the old model and the reason."""
    assert refused_deployment.result["rollbacks"] == 1
    kept = [row for row in rows["deployments"] if row["use_case"] == f"verify_{marker}_refused"]
    records = [row for row in kept if row["deployment_type"] == "rollback"]
    old = refused_deployment.result["ids"]["old"]
    found = [(row["model_id"], row["status"], bool(row["rollback_reason"])) for row in records]
    assert found == [(old, "completed", True)]
