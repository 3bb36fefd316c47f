"""The server has started its worker and its limiter, once each, and has said so."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.log_view import LogView

ORDER = ("two-phase", "phase one", "phase two", "started")


def _times(day_log: LogView, name: str) -> list[dt.datetime]:
    return [one.line.time for one in day_log.matches[name] if one.line.time]


@pytest.mark.item("IMO-019")
def test_the_start_is_logged_in_order(day_log: LogView, pace: float) -> None:
    """The worker's four start lines come in their order within 30 s, and the limiter's before the first prediction."""
    assert [name for name in (*ORDER, "limiter") if not _times(day_log, name)] == []
    first = [_times(day_log, name)[0] for name in ORDER]
    assert first == sorted(first)
    assert (first[-1] - first[0]).total_seconds() * pace <= 30
    assert _times(day_log, "limiter")[0] < min([*_times(day_log, "prediction"), dt.datetime.now(dt.UTC)])


@pytest.mark.item("IMO-020")
def test_the_two_phase_start_is_announced_once(day_log: LogView) -> None:
    """Since the deployment the worker announces its two-phase start exactly once."""
    assert day_log.counts["two-phase"] == 1


@pytest.mark.item("IMO-021")
def test_phase_1_is_announced_with_its_interval(day_log: LogView) -> None:
    """Since the deployment the worker announces phase 1, every 5 s, exactly once."""
    assert (day_log.counts["phase one"], day_log.counts["every 5s"]) == (1, 1)


@pytest.mark.item("IMO-023")
def test_phase_2_is_announced_with_its_interval(day_log: LogView) -> None:
    """Since the deployment the worker announces phase 2, every 3 s, exactly once."""
    assert (day_log.counts["phase two"], day_log.counts["every 3s"]) == (1, 1)


@pytest.mark.item("IMO-025")
def test_one_worker_has_started(day_log: LogView) -> None:
    """Since the deployment exactly one worker reports that it has started."""
    assert day_log.counts["started"] == 1


@pytest.mark.item("IMO-026")
def test_one_limiter_has_started_with_its_limit(day_log: LogView) -> None:
    """Since the deployment exactly one limiter reports that it is initialized, with 450 RPM."""
    assert (day_log.counts["limiter"], day_log.counts["limiter 450"]) == (1, 1)


@pytest.mark.item("IMO-085")
def test_the_start_shows_no_error(day_log: LogView, pace: float) -> None:
    """From the first line to 60 s after the worker has started no error and no stack trace is logged."""
    assert _times(day_log, "started") != []
    until = _times(day_log, "started")[0] + dt.timedelta(seconds=60 / pace)
    early = [one for one in day_log.events if one.time and one.time <= until]
    assert len(early) >= 4
    assert [one.names for one in early if "error" in one.names or one.level in ("error", "critical")] == []
