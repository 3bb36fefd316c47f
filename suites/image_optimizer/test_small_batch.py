"""Ten images: begun at once, done in time, each with a result that can be used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.pictures import is_whole_picture
from judging.bands import Band, Bands, decide_band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView
    from judging.decision import Decision

    Decided = Callable[[Decision], str]
    Sampled = Callable[[Sequence[float]], Sequence[float]]

Batch = dict[str, Any]
LATENCY = Bands(
    name="time from a job's creation to its first work", unit="s", gap="worse",
    bands=(
        Band(name="in time", outcome="pass", low=0, high=5, high_open=True),
        Band(name="late", outcome="fail", low=5),
        Band(name="before its creation", outcome="fail", high=0, high_open=True),
    ),
)  # fmt: skip


@pytest.mark.item("IMO-034")
def test_the_small_batch_completes(small_batch: Batch, results: list[Exchange], source: Exchange) -> None:
    """All ten images are done, the job is done and counts them, and each result is a whole picture of its own."""
    rows = small_batch["rows"]
    assert [(row["status"], row["error"]) for row in rows["items"]] == [("DONE", None)] * 10
    job = rows["jobs"].only
    assert (job["status"], job["completed_images"], job["failed_images"]) == ("DONE", 10, 0)
    assert [one.status for one in results] == [200] * 10
    assert [one.url for one in results if not is_whole_picture(one.body)] == []
    assert [one.url for one in results if one.body == source.body] == []


@pytest.mark.item("IMO-034")
def test_each_image_has_the_result_of_its_own_prediction(small_batch: Batch, predictions: Batch) -> None:
    """No image shows what came of another's prediction, by what Replicate lists; a permanent copy has its own address.

    Where all predictions deliver the same address there is nothing to mix up.
    """
    came = {one["id"]: one["output"] for one in predictions["found"] if one["ours"]}
    rows = [row for row in small_batch["rows"]["items"] if row["url"]]
    assert len(rows) == 10
    others = [row["id"] for row in rows if any(row["url"] in said for said in came.values())]
    assert [row["id"] for row in rows if row["id"] in others and row["url"] not in came[row["prediction"]]] == []


@pytest.mark.item("IMO-034")
def test_the_api_shows_the_end_of_the_small_batch(small_batch: Batch) -> None:
    """At its end the job as the API shows it counts ten images, all done, with the results of the tables."""
    job, items = small_batch["job"].json["job"], small_batch["job"].json["items"]
    assert (job["status"], job["completedImages"], job["failedImages"]) == ("DONE", 10, 0)
    assert [one["status"] for one in items] == ["DONE"] * 10
    results = sorted((str(row["id"]), row["url"]) for row in small_batch["rows"]["items"])
    assert sorted((str(one["id"]), one["optimizedImageUrl"]) for one in items) == results


@pytest.mark.item("IMO-034")
def test_the_api_shows_how_the_small_batch_goes_on(small_batch: Batch) -> None:
    """While the job is followed its state and its counters, as the API shows them, never go back."""
    shown = [one["shown"].json["job"] for one in small_batch["samples"]]
    states = [("PENDING", "RUNNING", "DONE", "FAILED").index(one["status"]) for one in shown]
    counted = [one["completedImages"] + one["failedImages"] for one in shown]
    assert len(shown) >= 2
    assert (states, counted) == (sorted(states), sorted(counted))


@pytest.mark.item("IMO-035")
def test_ten_images_take_two_minutes_at_most(small_batch: Batch, sampled: Sampled) -> None:
    """The last of the ten images is done within 120 s of the job's creation."""
    ended = [row["seconds"] for row in small_batch["rows"]["items"] if row["status"] in ("DONE", "FAILED")]
    assert len(ended) == 10
    assert max(sampled(ended)) <= 120


def _begun(small_batch: Batch, logged: LogView, pace: float) -> list[float]:
    """Return when work was seen to have begun, in seconds after the job's creation: by the tables, and by the log.

    Each by its own clock: a log may be stamped on another machine than the database's.
    """
    number = small_batch["posted"][0].json["job"]["id"]
    made = [one.line.time for one in logged.matches["created job"] if one.groups[0] == number and one.line.time]
    ours = {row["prediction"] for row in small_batch["rows"]["items"]}
    lines = [one.line.time for one in logged.matches["prediction"] if one.groups[0] in ours and one.line.time]
    read = [one["first_s"] for one in small_batch["samples"] if one["first_s"] is not None]
    said = [(first - created).total_seconds() * pace for created, first in zip(made[:1], lines[:1], strict=False)]
    return [*read[:1], *said]


@pytest.mark.item("IMO-081")
def test_work_begins_within_five_seconds(
    small_batch: Batch, logged: LogView, tables: Snapshot, pace: float, decided: Decided
) -> None:
    """The first prediction is made, or the first item leaves PENDING, less than 5 s after the job's creation.

    The checklist's own query, run after the end, tells when the first item ended: it is shown beside.
    """
    number = int(small_batch["posted"][0].json["job"]["id"])
    said = [f"{row['latency_seconds']:.1f} s" for row in tables["latency"] if row["id"] == number]
    told = said[0] if said else "nothing: ten jobs are newer"
    own = f"the checklist's own query, which tells when the first item ended, says {told}"
    decision = decide_band(min(_begun(small_batch, logged, pace), default=None), LATENCY)
    assert decided(replace(decision, statement=f"{decision.statement}; {own}", notes=(own,))) == "pass"
