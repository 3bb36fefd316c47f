"""The log tells what became of a job, step by step, and both phases keep their rounds."""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.log_view import LogView

Batch = dict[str, Any]


def _numbers(view: LogView, name: str) -> list[int]:
    return [int(one.groups[0] or 0) for one in view.matches[name]]


def _gap(watch: Batch, name: str) -> float:
    """Return the median time between two rounds; lines of one moment are one round."""
    times = sorted(watch["arrivals"][name])
    return float(statistics.median(after - before for before, after in pairwise(times) if after - before > 0.2))


@pytest.mark.item("IMO-022")
def test_phase_1_runs_every_five_seconds(debug: LogView, watch: Batch) -> None:
    """The median time between two rounds of phase 1 is 5 s, give or take one."""
    assert len(watch["arrivals"]["round of phase 1"]) >= 3
    assert 4 <= _gap(watch, "round of phase 1") <= 6


@pytest.mark.item("IMO-024")
def test_phase_2_runs_every_three_seconds(debug: LogView, watch: Batch) -> None:
    """The median time between two rounds of phase 2 is 3 s, give or take one."""
    assert len(watch["arrivals"]["round of phase 2"]) >= 3
    assert 2 <= _gap(watch, "round of phase 2") <= 4


@pytest.mark.item("IMO-031")
def test_the_creation_of_a_job_is_logged(logged: LogView, small_batch: Batch, pace: float) -> None:
    """Within 5 s of the request one line tells that the job was created, with its id and its ten images."""
    number = small_batch["posted"][0].json["job"]["id"]
    assert [one.groups for one in logged.matches["created job"] if one.groups[0] == number] == [(number, "10")]
    created = small_batch["rows"]["jobs"].only["created_at"]
    said = [one.line.time for one in logged.matches["created job"] if one.groups[0] == number and one.line.time]
    seen = [one["at"] for one in small_batch["samples"] if one["logged"]["created job"]]
    assert min([*[(moment - created).total_seconds() * pace for moment in said], *seen]) <= 5


@pytest.mark.item("IMO-032")
def test_each_image_gets_one_prediction(logged: LogView, small_batch: Batch, predictions: Batch) -> None:
    """Ten predictions are created for the ten images, by the tables, by the log and by Replicate's own list."""
    stored = {row["prediction"] for row in small_batch["rows"]["items"] if row["prediction"]}
    assert len(stored) == 10
    assert stored - {one.groups[0] for one in logged.matches["prediction"]} == set()
    assert {one["id"] for one in predictions["found"] if one["ours"]} == stored


@pytest.mark.item("IMO-033")
def test_the_predictions_are_polled(debug: LogView) -> None:
    """Between creation and completion the log tells of polls, each of some predictions, which cover all ten."""
    polled = _numbers(debug, "polling")
    assert len(polled) >= 1
    assert min(polled) >= 1
    assert sum(polled) >= 10


@pytest.mark.item("IMO-056")
def test_each_creation_run_logs_how_many_items_it_takes(logged: LogView) -> None:
    """The creation runs log from 1 to 100 items each, as many as predictions were asked for."""
    taken = _numbers(logged, "creating")
    assert sum(taken) == logged.counts["prediction"] + logged.counts["not predicted"]
    assert 1 <= min(taken) <= max(taken) <= 100


@pytest.mark.item("IMO-057")
def test_each_prediction_is_logged_with_its_item(debug: LogView, small_batch: Batch) -> None:
    """Each item's prediction is logged once, with the id that is stored for the item."""
    stored = sorted((str(row["id"]), row["prediction"]) for row in small_batch["rows"]["items"])
    ours = {number for number, _ in stored}
    assert sorted(one.groups for one in debug.matches["predicted"] if one.groups[0] in ours) == stored


@pytest.mark.item("IMO-058")
def test_each_creation_run_logs_its_end(logged: LogView) -> None:
    """Each creation run logs its end, with the number of its beginning."""
    assert len(_numbers(logged, "creating")) >= 1
    assert _numbers(logged, "batch complete") == _numbers(logged, "creating")


@pytest.mark.item("IMO-059")
def test_each_poll_run_logs_how_many_predictions_it_takes(debug: LogView) -> None:
    """Each poll run logs from 1 to 50 predictions, and at its end as many."""
    started, ended = _numbers(debug, "polling"), _numbers(debug, "polled")
    assert len(ended) >= 1
    assert 1 <= min(started) <= max(started) <= 50
    assert started[: len(ended)] == ended


@pytest.mark.item("IMO-060")
def test_each_finished_item_is_logged(debug: LogView, small_batch: Batch) -> None:
    """Each item that is done is logged as completed once, and no other one is."""
    rows = list(small_batch["rows"]["items"])
    done = sorted(row["id"] for row in rows if row["status"] == "DONE")
    assert len(rows) == 10
    assert sorted(set(_numbers(debug, "completed")) & {row["id"] for row in rows}) == done
    assert sorted(number for number in _numbers(debug, "completed") if number in done) == done


@pytest.mark.item("IMO-090")
def test_the_polling_worker_runs(debug: LogView, watch: Batch) -> None:
    """From the first prediction to the last completion, or to the end of the watch, no 10 s pass without a poll."""
    first = min(watch["arrivals"]["predicted"])
    rounds = [at for at in watch["arrivals"]["round of phase 2"] if at >= first]
    last = max(watch["arrivals"]["completed"] or rounds)
    times = sorted([first, *[at for at in rounds if at <= last], last])
    assert len(rounds) >= 1
    assert max(after - before for before, after in pairwise(times)) <= 10
