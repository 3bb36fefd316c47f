"""The two weeks before the release, which the first day is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.thresholds import Limit

    Threshold = Callable[..., Limit]

ENOUGH = 20  # records from which a share or a percentile of the time before is taken


def _took(records: Snapshot, kind: str) -> tuple[float, float]:
    """Return the 10th and 90th percentile of the time before the release, of enough completed generations."""
    found = [row for row in records["baseline"] if row["type"] == kind and row["completed"] >= ENOUGH]
    if not found:
        raise UndecidedError(f"fewer than {ENOUGH} completed {kind}s in the two weeks before the release")
    assert found[0]["p10"] is not None, "no record says when it was completed"
    return found[0]["p10"], found[0]["p90"]


@pytest.mark.item("MDE-101")
def test_images_took_15_to_30_seconds_before(records: Snapshot, threshold: Threshold) -> None:
    """In the two weeks before the release four of five images took 15 to 30 s."""
    (low, high), (least, most) = _took(records, "image"), threshold().values
    assert least <= low <= high <= most


@pytest.mark.item("MDE-102")
def test_videos_took_3_to_5_minutes_before(records: Snapshot, threshold: Threshold) -> None:
    """In the two weeks before the release four of five videos took 180 to 300 s."""
    (low, high), (least, most) = _took(records, "video"), threshold().values
    assert least <= low <= high <= most


@pytest.mark.item("MDE-103")
def test_3_to_5_percent_failed_before(records: Snapshot, threshold: Threshold) -> None:
    """In the two weeks before the release 3 to 5 % failed, give or take a percentage point."""
    failed, completed = (sum(records["baseline"].column(name)) for name in ("failed", "completed"))
    if failed + completed < ENOUGH:
        raise UndecidedError(f"{failed + completed} generations ended in the two weeks before the release")
    (least, most), more = threshold(role="baseline").values, threshold(role="parameter").value
    assert least - more <= failed / (failed + completed) <= most + more
