"""Warnings and critical states of the limiter: conditions looked for in every heartbeat since the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from judging.bands import Band, Bands, decide_band

from .asking import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.log_view import LogView
    from judging.decision import Decision

    Decided = Callable[[Decision], str]

MINUTE = 60.0
# A queue of exactly 500 lies between the checklist's bands and is read as the warning.
QUEUE = Bands(
    name="longest queue",
    unit="requests",
    gap="worse",
    bands=(
        Band(name="healthy", outcome="pass", high=500, high_open=True),
        Band(name="warning", outcome="fail", low=500, low_open=True, high=1000),
        Band(name="critical", outcome="fail", low=1000, low_open=True),
    ),
)


def _beats(day_log: LogView) -> list[tuple[float, tuple[str, ...]]]:
    """Return when the heart beat, in our seconds, and what each beat said of the limiter."""
    return [(one.time.timestamp(), one.names) for one in day_log.events if one.time and "any heartbeat" in one.names]


def _longest(day_log: LogView, name: str, pace: float) -> float:
    """Return for how long, in the target's seconds, beats in a row said so: one alone says it for no time."""
    longest, since = -1.0, None
    for at, names in _beats(day_log):
        since = (since if since is not None else at) if name in names else None
        longest = max(longest, (at - since) * pace if since is not None else -1.0)
    return longest


@pytest.mark.item("IMO-062")
def test_fewer_than_500_requests_wait(watch: dict[str, Any], day_log: LogView, decided: Decided) -> None:
    """In no sample, and in no heartbeat since the deployment, do 500 requests wait."""
    longest = max(one.json["rateLimiter"]["queueLength"] for one in told(watch["stats"]))
    assert decided(decide_band(longest, QUEUE)) == "pass"
    assert day_log.counts["any heartbeat"] > 0
    assert day_log.counts["queue above 499"] == 0


@pytest.mark.item("IMO-067")
def test_no_queue_above_500_is_found(day_log: LogView) -> None:
    """No heartbeat since the deployment tells of more than 500 waiting requests."""
    assert len(_beats(day_log)) > 0
    assert day_log.counts["queue above 500"] == 0


@pytest.mark.item("IMO-068")
def test_no_usage_above_95_percent_is_found(day_log: LogView, pace: float) -> None:
    """At no time since the deployment is the usage above 95 % for a minute."""
    assert len(_beats(day_log)) > 0
    assert _longest(day_log, "usage above 95", pace) < MINUTE


@pytest.mark.item("IMO-071")
def test_no_queue_above_1000_is_found(day_log: LogView) -> None:
    """No heartbeat since the deployment tells of more than 1000 waiting requests."""
    assert len(_beats(day_log)) > 0
    assert day_log.counts["queue above 1000"] == 0


@pytest.mark.item("IMO-072")
def test_no_usage_stuck_at_100_percent_is_found(day_log: LogView, pace: float) -> None:
    """At no time since the deployment is the usage at 100 % for five minutes."""
    assert len(_beats(day_log)) > 0
    assert _longest(day_log, "usage at 100", pace) < 5 * MINUTE


@pytest.mark.item("IMO-110")
def test_the_statistics_are_healthy_throughout(day_log: LogView, watch: dict[str, Any]) -> None:
    """Every sample and every heartbeat since the deployment shows a queue below 500 and a usage of at most 95 %."""
    said = [one.json["health"] for one in told(watch["stats"])]
    assert said == [{"queueHealthy": True, "rpmHealthy": True}] * len(said)
    assert len(said) >= 5
    assert len(_beats(day_log)) > 0
    assert (day_log.counts["queue above 499"], day_log.counts["usage above 95"]) == (0, 0)
