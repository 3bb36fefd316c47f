"""Fifty images of two stores: accepted, watched, and done in their time."""

from __future__ import annotations

from typing import Any

import pytest

from .asking import answers

Batch = dict[str, Any]


def _seconds(batch: Batch) -> list[float]:
    return sorted(row["seconds"] for row in batch["rows"]["items"] if row["status"] in ("DONE", "FAILED"))


@pytest.mark.item("IMO-036")
def test_five_jobs_are_accepted_and_complete(medium_batch: Batch) -> None:
    """Five jobs of ten images are accepted, all five jobs and fifty items are done, and each item has a result."""
    assert [one.status for one in medium_batch["posted"]] == [201] * 5
    jobs, items = medium_batch["rows"]["jobs"], medium_batch["rows"]["items"]
    assert [(row["status"], row["completed_images"], row["failed_images"]) for row in jobs] == [("DONE", 10, 0)] * 5
    assert [(row["status"], bool(row["url"])) for row in items] == [("DONE", True)] * 50


@pytest.mark.item("IMO-038")
def test_the_statistics_stay_sound_under_the_medium_batch(medium_batch: Batch) -> None:
    """While fifty images are worked on every sample answers 200, ok and healthy."""
    seen = [one["stats"] for one in medium_batch["samples"]]
    assert len(seen) >= 2
    assert answers(medium_batch["samples"]) == [200] * len(seen)
    assert {one.json["status"] for one in seen} == {"ok"}
    assert {(one.json["health"]["queueHealthy"], one.json["health"]["rpmHealthy"]) for one in seen} == {(True, True)}


@pytest.mark.item("IMO-039")
def test_fifty_images_take_seven_minutes_at_most(medium_batch: Batch) -> None:
    """The last of fifty images ends within 420 s of the first job's creation."""
    assert len(_seconds(medium_batch)) == 50
    assert _seconds(medium_batch)[-1] <= 420
