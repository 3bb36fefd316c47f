"""The rollbacks work, each rehearsed on data that was saved before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .asking import LEGACY

if TYPE_CHECKING:
    from fixtures.log_view import LogView


@pytest.mark.item("MCI-076")
def test_a_removed_config_can_be_brought_back(quick_rollback: dict[str, Any]) -> None:
    """After the saved row was restored the table is as before, and the next generation runs in dynamic mode."""
    assert quick_rollback["after"] == quick_rollback["before"]
    assert quick_rollback["again"].status == 200
    assert quick_rollback["again"].json["metadata"]["model"] == "ideogram-v2"


@pytest.mark.item("MCI-077")
def test_deleting_one_config_removes_that_row_alone(quick_rollback: dict[str, Any]) -> None:
    """The delete changes exactly one row and leaves every other as it was."""
    assert quick_rollback["deleted"] == 1
    kept = [row for row in quick_rollback["before"] if row["model_id"] != "ideogram-v2"]
    assert quick_rollback["others"] == kept


@pytest.mark.item("MCI-078")
def test_without_its_config_a_model_is_served_in_legacy_mode(
    quick_rollback: dict[str, Any], rollback_logged: LogView
) -> None:
    """With its config deleted ideogram-v2 is generated in legacy mode, without a redeploy, and the log says so."""
    assert quick_rollback["without"].status == 200
    assert quick_rollback["without"].json["success"] is True
    assert quick_rollback["without"].json["metadata"]["model"] == LEGACY
    flows = [
        [name for name in flow if name in ("not found", "legacy", "using", "mapping")]
        for flow in rollback_logged.flows().values()
    ]
    assert ["not found", "legacy"] in flows


@pytest.mark.item("MCI-082")
def test_an_emptied_table_leaves_a_working_service_and_worker(emptied_table: dict[str, Any]) -> None:
    """With no configs the table is empty, the list is empty with 200, and generations run in legacy mode."""
    assert emptied_table["left"] == 0
    assert emptied_table["listed"].status == 200
    assert emptied_table["listed"].json["data"]["configs"] == []
    assert emptied_table["without"].status == 200
    assert emptied_table["without"].json["metadata"]["model"] == LEGACY
