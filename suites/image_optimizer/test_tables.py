"""The tables: which states they admit and hold, and whether jobs and items agree."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot

STATES = {"PENDING", "PROCESSING", "DONE", "FAILED"}
WORKING = {"PROCESSING", "RUNNING"}  # the deployed code says RUNNING where the checklist says PROCESSING
FIVE_MINUTES = 300
LONGEST_WAIT = 4200 + FIVE_MINUTES  # an item of the largest batch may wait 70 minutes before its five begin


def _labels(tables: Snapshot) -> set[str]:
    return set(tables["labels"].column("label"))


def _restricting(tables: Snapshot) -> list[str]:
    return [text for text in tables["constraints"].column("definition") if "status" in text]


@pytest.mark.item("IMO-007")
def test_processing_can_be_stored(tables: Snapshot) -> None:
    """The status column admits PROCESSING: long enough, an enum with it, no constraint without it."""
    column = tables["column"].only
    assert (column["length"] or 10) >= len("PROCESSING")
    assert [text for text in _restricting(tables) if "CHECK" in text and "PROCESSING" not in text] == []
    assert (column["data_type"] == "USER-DEFINED", "PROCESSING" in _labels(tables)) in ((False, False), (True, True))


@pytest.mark.item("IMO-008")
def test_the_status_is_text_or_the_enum_of_the_release(tables: Snapshot) -> None:
    """The status column is text, or an enum that knows the states of the release."""
    column = tables["column"].only
    assert column["data_type"] in ("text", "USER-DEFINED")
    assert (_labels(tables) or STATES | {"RUNNING"}) >= {"PENDING", "RUNNING", "DONE", "FAILED"}


@pytest.mark.item("IMO-010")
def test_further_states_need_no_change(tables: Snapshot) -> None:
    """No enum, domain, constraint, lookup table or trigger restricts the status column."""
    column = tables["column"].only
    assert (column["data_type"] in ("text", "character varying"), column["domain"]) == (True, None)
    assert (_labels(tables), _restricting(tables), tables["triggers"].column("name")) == (set(), [], ())


@pytest.mark.item("IMO-075")
def test_the_item_states_can_be_counted(tables: Snapshot) -> None:
    """The checklist's query has one row per state, adds up to the table's rows, and sees this run's ten items."""
    found = tables["item_status"]
    assert len(found) == len(set(found.column("status")))
    assert sum(found.column("count")) == tables["totals"].only["items"]
    assert tables["ours"].only["items"] == 10


@pytest.mark.item("IMO-076")
def test_items_have_known_states_only(tables: Snapshot) -> None:
    """No item has another state than the checklist's, and being worked on has one name, not two."""
    states = set(tables["item_status"].column("status"))
    assert states - STATES - WORKING == set()
    assert len(states) >= 1
    assert states & WORKING != WORKING


@pytest.mark.item("IMO-078")
def test_jobs_agree_with_their_items(tables: Snapshot) -> None:
    """The job states can be counted, a job has ended exactly when its items have, and then it counts them rightly."""
    assert sum(tables["job_status"].column("count")) == tables["totals"].only["jobs"]
    assert [(row["id"], row["status"], row["done"], row["failed"]) for row in tables["disagreeing"]] == []


@pytest.mark.item("IMO-080")
def test_the_latency_query_lists_the_newest_jobs(tables: Snapshot) -> None:
    """The checklist's query lists at most ten jobs of the last hour, newest first, none begun before its creation."""
    rows = list(tables["latency"])
    assert tables["latency"].columns == ("id", "job_created", "first_item_started", "latency_seconds")
    assert 1 <= len(rows) <= 10
    assert [row["job_created"] for row in rows] == sorted((row["job_created"] for row in rows), reverse=True)
    assert [row for row in rows if row["latency_seconds"] < 0] == []


@pytest.mark.item("IMO-083")
def test_no_job_stays_pending(tables: Snapshot) -> None:
    """No job is pending for more than a minute, but where its images wait while others are worked on."""
    assert tables["totals"].only["jobs"] > 0
    moved = tables["moving"].only["age"]
    still = moved is None or moved > 60
    late = [row for row in tables["pending"] if row["age"] > 60]
    stuck = [row for row in late if still or row["open"] == 0 or row["age"] > LONGEST_WAIT]
    assert [(row["id"], round(row["age"])) for row in stuck] == []


@pytest.mark.item("IMO-087")
def test_no_item_is_stuck(tables: Snapshot, predictions: dict[str, Any], known: Mapping[str, str]) -> None:
    """No item is being worked on for five minutes: untouched, by its prediction's age, or beyond the longest wait."""
    assert tables["totals"].only["items"] > 0
    old = [one["id"] for one in predictions["found"] if one["age"] > FIVE_MINUTES]
    assert [name for name in old if known.get(name) in WORKING] == []
    stuck = [row for row in tables["working"] if row["untouched"] > FIVE_MINUTES or row["age"] > LONGEST_WAIT]
    assert [(row["id"], row["prediction"], round(row["untouched"])) for row in stuck] == []


@pytest.mark.item("IMO-088")
def test_items_come_to_an_end(tables: Snapshot, minutes: list[dict[str, int]], small_batch: dict[str, Any]) -> None:
    """No item of the small batch goes back to waiting, all end, and while old ones are worked on others end."""
    waiting = [one["statuses"].get("PENDING", 0) for one in small_batch["samples"]]
    assert [after for before, after in pairwise(waiting) if after > before] == []
    assert small_batch["samples"][-1]["statuses"].keys() <= {"DONE", "FAILED"}
    old = [row["id"] for row in tables["working"] if row["age"] > FIVE_MINUTES]
    ended = sum(one["done"] + one["failed"] for one in minutes[-6:])
    assert (old, ended > 0) in (([], True), ([], False), (old, True))
