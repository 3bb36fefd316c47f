"""The first day: no alert's limit is passed, window by window since the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from judging.alerts import AlertRule, decide_alert
from judging.readings import percentile_readings, share_readings

from .first_day import GENERATION, broke, dated, since, times_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Threshold = Callable[..., Limit]

# Windows are five minutes long, and one counts from the number of requests that the checklist asks for.
BUSY = {"minimum": 20, "coverage": 0}
HOURLY = AlertRule(name="hourly error rate", comparison=">", limit=0.05, window=3600, step=3600, coverage=1)


@pytest.mark.item("MCI-094")
def test_the_error_rate_stays_below_its_alert(
    two_days: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes with twenty requests since the deployment do more than 5 % of the requests break."""
    start, events = since(two_days, facts)
    rule, times = threshold().alert(action="rollback (full)", **BUSY), dated(events)
    readings = share_readings(times, [broke(one) for one in events], rule.over(start, max(times)))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MCI-096")
def test_the_response_time_stays_below_its_alert(
    two_days: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes since the deployment is the 95th percentile of the generation time above 15 s."""
    start, events = since(two_days, facts)
    made = [one for one in events if GENERATION & set(one.names)]
    rule, times = threshold().alert(name="p95 of the generation time", coverage=0), dated(made)
    readings = percentile_readings(times, [one.duration_s for one in made], rule.over(start, max(times)), 95)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MCI-100")
def test_the_fallback_rate_stays_below_its_alert(
    two_days: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes with twenty generations since the deployment fall more than 10 % back to legacy mode."""
    start, events = since(two_days, facts)
    made = [one for one in events if GENERATION & set(one.names)]
    rule, times = threshold().alert(**BUSY), dated(made)
    readings = share_readings(times, ["legacy" in one.names for one in made], rule.over(start, max(times)))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MCI-106")
def test_the_error_rate_of_every_hour_is_within_limits(two_days: LogView, facts: Facts, decided: Decided) -> None:
    """For each of the 24 hours since the deployment an error rate is recorded, and it is at most 5 %."""
    start, events = since(two_days, facts)
    readings = share_readings(times_of(events), [broke(one) for one in events], HOURLY.over(start, start + 24 * 3600))
    assert decided(decide_alert(readings, HOURLY), over=(readings, HOURLY)) == "pass"
