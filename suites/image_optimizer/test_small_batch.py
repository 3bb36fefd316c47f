"""Ten images: done in time, each with a result of its own that can be used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fixtures.pictures import is_whole_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.exchange import Exchange

    Sampled = Callable[[Sequence[float]], Sequence[float]]

Batch = dict[str, Any]
ADDRESS = re.compile(r"https?://[^\s\"\\]+")
COPY = re.compile(r"/jobs/\d+/image-(\d+)\.\w+")  # how the server names a copy in its own storage: by the item


def _places(text: str) -> list[tuple[str, str]]:
    """Return host and path of each address in a text; what signs an address may differ each time."""
    found = [urlsplit(one) for one in ADDRESS.findall(text)]
    return [(one.netloc, one.path) for one in found]


@pytest.mark.item("IMO-034")
def test_the_small_batch_completes(small_batch: Batch, results: list[Exchange], source: Exchange) -> None:
    """All ten images are done, the job is done and counts them, and each result is a whole picture of its own."""
    rows = small_batch["rows"]
    assert [(row["status"], row["error"]) for row in rows["items"]] == [("DONE", None)] * 10
    job = rows["jobs"].only
    assert (job["status"], job["completed_images"], job["failed_images"]) == ("DONE", 10, 0)
    assert job["seconds"] is not None
    assert [one.status for one in results] == [200] * 10
    assert [one.url for one in results if not is_whole_picture(one.body)] == []
    assert [one.url for one in results if one.body == source.body] == []


@pytest.mark.item("IMO-034")
def test_each_image_has_the_result_of_its_own_prediction(small_batch: Batch, predictions: Batch) -> None:
    """An image whose result lies where Replicate delivers has its own prediction's, a permanent copy its own name."""
    came = {one["id"]: _places(one["output"]) for one in predictions["found"] if one["ours"]}
    hosts = {host for places in came.values() for host, _ in places}
    rows = [row for row in small_batch["rows"]["items"] if row["url"]]
    assert len(rows) == 10
    where = {row["id"]: place for row in rows for place in _places(row["url"])}
    own = {row["id"]: came.get(row["prediction"], []) for row in rows}
    assert [number for number, place in where.items() if place[0] in hosts and place not in own[number]] == []
    named = {row["id"]: COPY.findall(row["url"]) for row in rows}
    assert [number for number, copies in named.items() if copies not in ([], [str(number)])] == []


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
