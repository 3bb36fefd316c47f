"""Ten images: begun at once, done in time, each with a result that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.pictures import is_whole_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

    Sampled = Callable[[Sequence[float]], Sequence[float]]

Batch = dict[str, Any]


@pytest.mark.item("IMO-034")
def test_the_small_batch_completes(small_batch: Batch, results: list[Exchange], source: Exchange) -> None:
    """All ten images are done, the job is done and counts them, and each result is a whole picture of its own."""
    rows = small_batch["rows"]
    assert [row["status"] for row in rows["items"]] == ["DONE"] * 10
    job = rows["jobs"].only
    assert (job["status"], job["completed_images"], job["failed_images"]) == ("DONE", 10, 0)
    shown = small_batch["job"].json
    assert (shown["job"]["status"], [one["status"] for one in shown["items"]]) == ("DONE", ["DONE"] * 10)
    assert [one.status for one in results] == [200] * 10
    assert [one.url for one in results if not is_whole_picture(one.body)] == []
    assert [one.url for one in results if one.body == source.body] == []


@pytest.mark.item("IMO-035")
def test_ten_images_take_two_minutes_at_most(small_batch: Batch, sampled: Sampled) -> None:
    """The last of the ten images is done within 120 s of the job's creation."""
    ended = [row["seconds"] for row in small_batch["rows"]["items"] if row["status"] in ("DONE", "FAILED")]
    assert len(ended) == 10
    assert max(sampled(ended)) <= 120


def _begun(small_batch: Batch, logged: LogView, pace: float) -> list[float]:
    """Return when work was seen to have begun, in seconds after the job's creation: by the tables, and by the log."""
    created = small_batch["rows"]["jobs"].only["created_at"]
    ours = {row["prediction"] for row in small_batch["rows"]["items"]}
    lines = [one.line.time for one in logged.matches["prediction"] if one.groups[0] in ours and one.line.time]
    read = [one["first_s"] for one in small_batch["samples"] if one["first_s"] is not None]
    return [*read[:1], *[(moment - created).total_seconds() * pace for moment in lines[:1]]]


@pytest.mark.item("IMO-081")
def test_work_begins_within_five_seconds(
    small_batch: Batch, logged: LogView, tables: Snapshot, pace: float, sampled: Sampled
) -> None:
    """The first prediction is made, or the first item leaves PENDING, less than 5 s after the job's creation.

    The checklist's own query, run after the end, tells when the first item ended; all that it shows is the job.
    """
    number = int(small_batch["posted"][0].json["job"]["id"])
    said = [row["latency_seconds"] for row in tables["latency"] if row["id"] == number]
    assert len(said) == 1
    assert min(sampled(_begun(small_batch, logged, pace))) < 5
