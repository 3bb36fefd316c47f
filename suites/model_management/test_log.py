"""The inference log stores what it is given, and never stands in the way of what it logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.python import Call


@pytest.mark.item("MMS-030")
def test_a_log_entry_can_be_read_back(log_written: Call, rows: Snapshot) -> None:
    """The checklist's test entry is stored under the id that was returned, with all its values."""
    assert rows["logs"].by("log_id")[log_written.result["log_id"]] == {
        "log_id": log_written.result["log_id"],
        "model_id": log_written.result["model_id"],
        "use_case": "health_check",
        "prompt": "Health check",
        "context": {},
        "generated_output": "OK",
    }


@pytest.mark.item("MMS-030")
def test_a_log_entry_is_stored_whole(log_written: Call, rows: Snapshot) -> None:
    """A long entry with every field is stored unchanged, and the package gives back what is stored."""
    stored = rows["entries"].by("log_id")[log_written.result["tagged"]]
    assert stored == {"log_id": log_written.result["tagged"], **log_written.result["full"]}
    assert log_written.result["read"] == [log_written.result["log_id"]]


@pytest.mark.item("MMS-046")
@pytest.mark.parametrize("store", ["stalls", "raises", "hangs"])
def test_a_broken_log_store_holds_nothing_up(log_trouble: Call, store: str) -> None:
    """With a stalled database, or a log store that raises or hangs, texts come at most 10 % or 50 ms later."""
    usual, seen = log_trouble.result["works"], log_trouble.result[store]
    assert usual["answers"] == ["answered by journaled"] * 3
    assert seen["answers"] == usual["answers"]
    assert seen["fastest_s"] <= max(usual["fastest_s"] * 1.1, usual["fastest_s"] + 0.05)


@pytest.mark.item("MMS-047")
def test_failed_log_writes_are_made_up_for(log_trouble: Call) -> None:
    """Three entries whose writes failed at first are in the log within 60 s, each once, in order of time."""
    assert log_trouble.result["stumbles"]["stored"] == ["0", "1", "2"]
