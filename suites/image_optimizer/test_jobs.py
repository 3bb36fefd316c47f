"""The jobs since the deployment: all have an end, in the time that their size may take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from judging.proportions import ShareLimit, decide_share

from .asking import first_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fixtures.database import Snapshot
    from judging.decision import Decision

    Estimated = Callable[[Callable[[float, float], Decision]], str]

IN_TIME = ShareLimit(value=0.95, comparison=">=", name="jobs in time")
SIZES = ((10, 2), (50, 7), (100, 15), (500, 70), (1000, 120))  # images, and the minutes they may take


def _bound(images: int) -> float:
    """Return the seconds that a job of this size may take, between two sizes in proportion."""
    (few, least), *rest = SIZES
    if images <= few:
        return least * 60.0
    for many, most in rest:
        if images <= many:
            return 60.0 * (least + (most - least) * (images - few) / (many - few))
        few, least = many, most
    return 60.0 * least * images / few


@pytest.mark.item("IMO-109")
def test_jobs_end_within_the_time_of_their_size(tables: Snapshot, estimated: Estimated) -> None:
    """At least 95 % of the jobs since the deployment end within the time that is expected for their size."""
    taken = [
        (row["seconds"] if row["seconds"] is not None else row["age"], _bound(row["total_images"]))
        for row in tables["jobs"]
    ]
    in_time = sum(seconds <= bound for seconds, bound in taken), len(taken)
    assert estimated(lambda alpha, beta: decide_share(*in_time, replace(IN_TIME, alpha=alpha, beta=beta))) == "pass"


@pytest.mark.item("IMO-116")
def test_every_job_of_the_day_has_an_end(tables: Snapshot, pace: float, facts: Mapping[str, str]) -> None:
    """No job of the first day is open beyond the time that its size may take."""
    rows = list(tables["jobs"])
    assert len(rows) >= 1
    assert [row["id"] for row in rows if row["seconds"] is None and row["age"] > _bound(row["total_images"])] == []
    first_day(tables["clock"].only["now"], facts["deployed"], pace)
