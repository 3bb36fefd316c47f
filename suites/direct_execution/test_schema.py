"""The database is as the direct flow needs it, and each record is for those it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from fixtures.database import Snapshot

    Facts = dict[str, Any]

TIMES = {"created_at", "updated_at", "completed_at"}
REFUSALS = (401, 403)
# An empty answer is one; an error is none, whatever is missing in it.
ANSWERS = {"verifier": (200,), "neighbour": (200,), "operator": (200,), "nobody": (200, *REFUSALS)}
NEEDED = {"id", "model_id", "status", "provider_response"} | TIMES


@pytest.mark.item("MDE-011")
def test_the_former_tables_are_gone(records: Snapshot) -> None:
    """None of the tables that held the models' metadata before answers, as a table or as a view."""
    assert len(records["legacy"]) > 0
    assert [row["name"] for row in records["legacy"] if row["found"] is not None] == []


@pytest.mark.item("MDE-012")
def test_no_model_was_left_behind(records: Snapshot, models: list[dict[str, Any]], facts: Facts) -> None:
    """Every model used in the last 90 days is in the registry, or on the list of retired ones."""
    known = {str(one[name]) for one in models for name in ("recordId", "modelId")} | set(facts["retired_models"])
    used = set(records["used models"].column("model"))
    if not used:
        raise UndecidedError("no model was used in the last 90 days")
    assert used - known == set()


@pytest.mark.item("MDE-013")
def test_generations_has_what_the_flow_reads_and_writes(records: Snapshot) -> None:
    """The table has the flow's columns: the response as JSON, the three moments as timestamps."""
    kinds = {row["column_name"]: row["data_type"] for row in records["columns"]}
    assert NEEDED - set(kinds) == set()
    assert kinds["provider_response"] in ("json", "jsonb")
    assert {kinds[name].partition(" ")[0] for name in TIMES} == {"timestamp"}


@pytest.mark.item("MDE-014")
def test_records_are_for_their_owner_alone(rights: dict[str, Any]) -> None:
    """Its owner makes and sees a record that is there, an operator sees it; nobody else sees, makes or changes one."""
    assert rights["inserted"] == 201
    assert rights["there"] == [["Whose is this?", "failed"]]
    seen = {who: one["records"] for who, one in rights["seen"].items()}
    assert seen == {"verifier": 1, "neighbour": 0, "operator": 1, "nobody": 0}
    assert {who: one["status"] for who, one in rights["seen"].items() if one["status"] not in ANSWERS[who]} == {}
    assert {who: status for who, status in rights["forged"].items() if status not in REFUSALS} == {}
    assert rights["credits_seen"] == {"neighbour": 0, "nobody": 0}
    assert [way for way, is_open in rights["credits"].items() if is_open] == []


@pytest.mark.item("MDE-022")
def test_records_from_before_are_readable(old_files: list[dict[str, Any]]) -> None:
    """A hundred of the user's records from before the release are there, and each one's output can be read."""
    assert len(old_files) == 100
    assert [row["id"] for row in old_files if (row["status"], row["media"]) != (200, True)] == []
