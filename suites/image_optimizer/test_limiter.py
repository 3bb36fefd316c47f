"""The limiter's statistics: their shape, their bounds, what they say of themselves, and whether they tell the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .asking import FIRST_BEAT_S, lived, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.log_view import LogView

Watch = dict[str, Any]


def _figures(watch: Watch) -> list[dict[str, Any]]:
    return [one.json["rateLimiter"] for one in told(watch["stats"])]


@pytest.mark.item("IMO-046")
def test_ok_is_said_by_a_living_worker(watch: Watch, hour_log: LogView, pace: float, facts: Mapping[str, str]) -> None:
    """The status is ok in every sample, and the worker's heart beat in the minute before the last of them."""
    assert {one.json["status"] for one in told(watch["stats"])} == {"ok"}
    beats = (*hour_log.matches["heartbeat"], *watch["view"].matches["any heartbeat"])
    if not beats:
        lived(watch, facts["deployed"], pace, least=FIRST_BEAT_S, what="a worker's first heartbeat")
    newest = max([one.line.time.timestamp() for one in beats if one.line.time], default=0.0)
    assert (watch["ended"] - newest) * pace < 60


@pytest.mark.item("IMO-049")
def test_the_limit_is_450(watch: Watch, day_log: LogView) -> None:
    """The endpoint's limit is 450, and so is that of the limiter's start line."""
    assert {one["maxRPM"] for one in _figures(watch)} == {450}
    assert day_log.counts["limiter 450"] == day_log.counts["limiter"]
    assert day_log.counts["limiter"] >= 1


@pytest.mark.item("IMO-050")
def test_the_usage_is_requests_by_limit(watch: Watch, small_batch: Watch) -> None:
    """In every sample the usage is the ratio of requests and limit, to one decimal, and some sample has requests."""
    figures = _figures(watch)
    assert max(one["requestsInLastMinute"] for one in figures) > 0
    off = [100 * one["requestsInLastMinute"] / one["maxRPM"] - one["rpmUsagePercent"] for one in figures]
    assert [round(one, 3) for one in off if abs(one) > 0.0501] == []


@pytest.mark.item("IMO-051")
def test_the_queue_is_called_healthy_while_it_is_short(watch: Watch) -> None:
    """In every sample queueHealthy says whether fewer than 500 requests wait."""
    said = [one.json["health"]["queueHealthy"] for one in told(watch["stats"])]
    assert said == [one["queueLength"] < 500 for one in _figures(watch)]
    assert len(said) >= 5


@pytest.mark.item("IMO-052")
def test_the_usage_is_called_healthy_while_it_is_in_bounds(watch: Watch) -> None:
    """In every sample rpmHealthy says whether the usage is at most 95 %; at exactly 95 % both readings are allowed."""
    seen = [(one.json["health"]["rpmHealthy"], one.json["rateLimiter"]) for one in told(watch["stats"])]
    clear = [(said, figures["rpmUsagePercent"] < 95) for said, figures in seen if figures["rpmUsagePercent"] != 95]
    assert [said for said, _ in clear] == [expected for _, expected in clear]
    assert len(clear) >= 5
