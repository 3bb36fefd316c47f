"""The records tell what became of every generation, and the checklist's queries find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from fixtures.database import Snapshot

    Rows = list[dict[str, Any]]

GENERIC = ("edge function returned a non-2xx", "unknown error", "[object object]", "null", "undefined")


def _failed(finished: Rows) -> Rows:
    """Return the failed records; without one nothing can be said of them."""
    failed = [row for row in finished if row["status"] == "failed"]
    if not failed:
        raise UndecidedError("no generation has failed since the release")
    return failed


def _hour(records: Snapshot, what: str) -> dict[str, Any]:
    """Return how many records the last hour has; without one, what the queries are to find is not there."""
    hour = records["last hour"].only
    if not hour[what]:
        raise UndecidedError(f"the last hour has no {what} records")
    return dict(hour)


@pytest.mark.item("MDE-048")
def test_every_record_ends_as_completed_or_failed(traffic: Rows, records: Snapshot) -> None:
    """Fifteen minutes after its beginning every record is completed or failed."""
    old = [row for row in traffic if row["begun"] < records.clock.timestamp() - 15 * 60]
    if not old:
        raise UndecidedError("no generation began more than a quarter of an hour ago, since the release")
    assert [(row["id"], row["status"]) for row in old if row["status"] not in ("completed", "failed")] == []


@pytest.mark.item("MDE-052")
def test_every_completed_record_says_when(finished: Rows) -> None:
    """Every completed record has a completed_at that is later than its beginning."""
    completed = [row for row in finished if row["status"] == "completed"]
    assert len(completed) > 0
    assert [row["id"] for row in completed if row["seconds"] is None or row["seconds"] <= 0] == []


@pytest.mark.item("MDE-056")
def test_failures_can_be_grouped_by_their_error(finished: Rows) -> None:
    """Every failed record has an error in provider_response, and a model whose provider the registry knows."""
    failed = _failed(finished)
    assert [row["id"] for row in failed if not row["error"]] == []
    assert [row["id"] for row in failed if row["provider"] == "unknown"] == []


@pytest.mark.item("MDE-110")
def test_failures_tell_their_cause(finished: Rows) -> None:
    """No failed record has only a generic text."""
    errors = {row["id"]: str(row["error"] or "null").lower() for row in _failed(finished)}
    assert {id_: text for id_, text in errors.items() if text.startswith(GENERIC) or text in ("{}", "")} == {}


@pytest.mark.item("MDE-062")
def test_the_query_for_recent_generations_sums_the_hour_up(records: Snapshot) -> None:
    """The checklist's query runs, counts every record of the hour, sorts them, and gives durations."""
    recent = records["recent"]
    assert getattr(recent.trouble, "kind", "") != "undefined-column"
    assert recent.columns == ("model_id", "status", "count", "avg_duration_seconds")
    counts = list(recent.column("count"))
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == _hour(records, "rows")["rows"]
    others = [row for row in recent if row["model_id"] != "shakedown"]
    assert [row["model_id"] for row in others if row["avg_duration_seconds"] < 0] == []


@pytest.mark.item("MDE-063")
def test_the_query_for_failures_gives_the_newest_with_their_error(records: Snapshot) -> None:
    """The checklist's query runs and gives the hour's newest twenty failures, each with its error."""
    failures, hour = records["failures"], _hour(records, "failed")
    assert getattr(failures.trouble, "kind", "") not in ("undefined-column", "undefined-function")
    assert failures.columns == ("id", "model_id", "status", "error_message", "created_at")
    moments = list(failures.column("created_at"))
    assert moments == sorted(moments, reverse=True)
    assert len(failures) == min(20, hour["failed"])
    assert [row["id"] for row in failures if row["error_message"] is None] == []
    assert [row["id"] for row in failures if row["created_at"].timestamp() < hour["since"]] == []
