"""How long images and videos took, in every hour since the release."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import AlertRule, decide_alert
from judging.readings import percentile_readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from judging.decision import Decision

    Decided = Callable[[Decision], str]
    Facts = dict[str, str]
    Rows = list[dict[str, Any]]

HOUR = 3600
SLOW_IMAGES = AlertRule(name="p95 of images", comparison=">=", limit=30, unit="s", minimum=20, window=HOUR, step=HOUR)
SLOW_VIDEOS = AlertRule(
    name="p95 of videos to their limit", comparison=">=", limit=1, unit="", minimum=5, window=HOUR, step=HOUR
)


def _start(facts: Facts) -> float:
    return dt.datetime.fromisoformat(facts["deployed"]).timestamp()


def _times(rows: Rows) -> list[float]:
    return [row["begun"] for row in rows]


@pytest.mark.item("MDE-053")
def test_images_stay_under_30_seconds(finished: Rows, facts: Facts, decided: Decided) -> None:
    """In every hour since the release the 95th percentile of the images' times is below 30 s."""
    rows = [row for row in finished if row["type"] == "image" and row["status"] == "completed"]
    sliding = SLOW_IMAGES.over(_start(facts), max(_times(rows)))
    readings = percentile_readings(_times(rows), [row["seconds"] for row in rows], sliding, 95)
    assert decided(decide_alert(readings, SLOW_IMAGES)) == "pass"


@pytest.mark.item("MDE-054")
def test_videos_stay_under_5_minutes(finished: Rows, facts: Facts, decided: Decided) -> None:
    """In every hour the 95th percentile of the videos' times is below 300 s, or below a longer time of their model."""
    rows = [row for row in finished if row["type"] == "video" and row["status"] == "completed"]
    parts = [None if row["seconds"] is None else row["seconds"] / max(300, row["expected_s"]) for row in rows]
    sliding = SLOW_VIDEOS.over(_start(facts), max(_times(rows)))
    assert decided(decide_alert(percentile_readings(_times(rows), parts, sliding, 95), SLOW_VIDEOS)) == "pass"
