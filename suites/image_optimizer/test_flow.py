"""The log tells what became of a job, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .asking import numbers

if TYPE_CHECKING:
    from fixtures.log_view import LogView

Batch = dict[str, Any]


@pytest.mark.item("IMO-031")
def test_the_creation_of_a_job_is_logged(logged: LogView, small_batch: Batch, pace: float) -> None:
    """Within 5 s of the request one line tells that the job was created, with its id and its ten images."""
    number = str(small_batch["posted"][0].json["job"]["id"])
    assert [one.groups for one in logged.matches["created job"] if one.groups[0] == number] == [(number, "10")]
    created = small_batch["rows"]["jobs"].only["created_at"]
    said = [one.line.time for one in logged.matches["created job"] if one.groups[0] == number and one.line.time]
    seen = [one["at"] for one in small_batch["samples"] if one["logged"]["created job"]]
    assert min([*[(moment - created).total_seconds() * pace for moment in said], *seen]) <= 5


@pytest.mark.item("IMO-032")
def test_each_image_gets_one_prediction(logged: LogView, small_batch: Batch, predictions: Batch) -> None:
    """Ten predictions are created for the ten images, by the tables, by the log and by Replicate's own list.

    Each is made with its image's prompt, by what Replicate was asked for.
    """
    stored = {row["prediction"] for row in small_batch["rows"]["items"] if row["prediction"]}
    assert len(stored) == 10
    assert stored - {one.groups[0] for one in logged.matches["prediction"]} == set()
    asked = {one["id"]: one["asked"] for one in predictions["found"] if one["ours"]}
    assert asked.keys() == stored
    rows = [row for row in small_batch["rows"]["items"] if row["prediction"]]
    assert [row["prompt"] for row in rows if row["prompt"] not in asked[row["prediction"]]] == []


@pytest.mark.item("IMO-033")
def test_the_predictions_are_polled(debug: LogView) -> None:
    """Between creation and completion the log tells of polls, each of some predictions, which cover all ten."""
    polled = numbers(debug.matches["polling"], "polling")
    assert len(polled) >= 1
    assert min(polled) >= 1
    assert sum(polled) >= 10


@pytest.mark.item("IMO-057")
def test_each_prediction_is_logged_with_its_item(debug: LogView, small_batch: Batch) -> None:
    """Each item's prediction is logged once, with the id that is stored for the item."""
    stored = sorted((str(row["id"]), row["prediction"]) for row in small_batch["rows"]["items"])
    ours = {number for number, _ in stored}
    assert sorted(one.groups for one in debug.matches["predicted"] if one.groups[0] in ours) == stored


@pytest.mark.item("IMO-060")
def test_each_finished_item_is_logged(debug: LogView, small_batch: Batch) -> None:
    """Each item that is done is logged as completed once, and no other one is."""
    rows = list(small_batch["rows"]["items"])
    done = sorted(row["id"] for row in rows if row["status"] == "DONE")
    assert len(rows) == 10
    assert sorted(set(numbers(debug.matches["completed"], "completed")) & {row["id"] for row in rows}) == done
    assert sorted(number for number in numbers(debug.matches["completed"], "completed") if number in done) == done
