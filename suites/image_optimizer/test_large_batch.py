"""Five hundred images of two stores: fair to both, a short queue, and all done in their time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from judging.bands import Band, Bands, decide_band
from judging.proportions import ShareLimit, decide_share

from .asking import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from judging.decision import Decision

    Decided = Callable[[Decision], str]
    Estimated = Callable[[Callable[[float, float], Decision]], str]

Batch = dict[str, Any]
FEW_FAIL = ShareLimit(value=0.01, comparison="<=", name="failed items")
QUEUE = Bands(
    name="longest queue of the large batch", unit="requests", gap="worse",
    bands=(
        Band(name="healthy", outcome="pass", high=500, high_open=True),
        Band(name="too long", outcome="fail", low=500, low_open=True),
    ),
)  # fmt: skip


def _seconds(batch: Batch) -> list[float]:
    return sorted(row["seconds"] for row in batch["rows"]["items"] if row["status"] in ("DONE", "FAILED"))


def _queues(batch: Batch) -> list[int]:
    return [one.json["rateLimiter"]["queueLength"] for one in told(batch["samples"])]


@pytest.mark.item("IMO-037")
def test_no_store_waits_for_another(large_batch: Batch, facts: Mapping[str, str]) -> None:
    """Of the first hundred predictions after its first job the second store has a quarter: half its equal share."""
    theirs = {str(row["id"]) for row in large_batch["rows"]["jobs"] if row["instance_id"] == facts["second_store"]}
    stores = {row["prediction"]: row["instance_id"] for row in large_batch["rows"]["items"]}
    steps = [one.groups for one in large_batch["steps"].matches["step"]]
    came = [number for number, (job, _, _) in enumerate(steps) if job in theirs]
    assert len(came) == 10
    order = [stores[name] for _, _, name in steps[came[0] :] if name in stores]
    assert len(order) >= 100
    assert order[:100].count(facts["second_store"]) >= 25


@pytest.mark.item("IMO-040")
def test_five_hundred_images_reach_an_end(large_batch: Batch, estimated: Estimated) -> None:
    """All of five hundred images end, each that is done with a prediction of its own and a result; at most 1 % fail."""
    rows = list(large_batch["rows"]["items"])
    failed = [row["status"] for row in rows].count("FAILED")
    made = [row["prediction"] for row in rows if row["prediction"]]
    assert len(_seconds(large_batch)) == 500
    assert [row["id"] for row in rows if row["status"] == "DONE" and not (row["prediction"] and row["url"])] == []
    assert len(set(made)) == len(made)
    assert estimated(lambda alpha, beta: decide_share(failed, 500, replace(FEW_FAIL, alpha=alpha, beta=beta))) == "pass"


@pytest.mark.item("IMO-042")
def test_the_queue_stays_small_under_the_large_batch(large_batch: Batch, decided: Decided) -> None:
    """While five hundred images are worked on the queue stays below 500, and then it is empty."""
    queues = _queues(large_batch)
    assert decided(decide_band(max(queues), QUEUE)) == "pass"
    assert queues[-1] == 0


@pytest.mark.item("IMO-043")
def test_five_hundred_images_take_seventy_minutes_at_most(large_batch: Batch) -> None:
    """The last of five hundred images ends within 70 minutes of the first job's creation."""
    assert len(_seconds(large_batch)) == 500
    assert _seconds(large_batch)[-1] <= 4200


@pytest.mark.item("IMO-047")
def test_the_queue_is_seen_to_grow_and_to_drain(large_batch: Batch) -> None:
    """Under hundreds of images the endpoint shows a queue, and an empty one at their end."""
    assert min(_queues(large_batch)) >= 0
    assert max(_queues(large_batch)) > 0
    assert _queues(large_batch)[-1] == 0


@pytest.mark.item("IMO-111")
def test_one_hundred_images_take_fifteen_minutes_at_most(large_batch: Batch) -> None:
    """One hundred of the images are done within 15 minutes of the first job's creation."""
    assert len(_seconds(large_batch)) >= 100
    assert _seconds(large_batch)[99] <= 900
