"""How long images and videos took, in every hour since the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import decide_alert
from judging.readings import percentile_readings

from .windows import HOUR, begun, start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Rows = list[dict[str, Any]]
    Threshold = Callable[..., Limit]

HOURLY = {"window": HOUR, "step": HOUR}


@pytest.mark.item("MDE-053")
def test_images_stay_under_30_seconds(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In every hour since the release the 95th percentile of the images' times is below 30 s."""
    rows = [row for row in finished if row["type"] == "image" and row["status"] == "completed"]
    rule = threshold().alert(name="p95 of images", minimum=20, **HOURLY)
    sliding = rule.over(start_of(facts), max(begun(rows), default=start_of(facts)))
    readings = percentile_readings(begun(rows), [row["seconds"] for row in rows], sliding, 95)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MDE-054")
def test_videos_stay_under_5_minutes(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In every hour the 95th percentile of the videos' times is below 300 s, or below a longer time of their model."""
    rows = [row for row in finished if row["type"] == "video" and row["status"] == "completed"]
    least = threshold().value
    parts = [None if row["seconds"] is None else row["seconds"] / max(least, row["expected_s"]) for row in rows]
    rule = threshold().alert(name="p95 of videos to their limit", limit=1, unit="", minimum=5, **HOURLY)
    readings = percentile_readings(
        begun(rows), parts, rule.over(start_of(facts), max(begun(rows), default=start_of(facts))), 95
    )
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"
