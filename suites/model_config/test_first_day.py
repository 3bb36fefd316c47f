"""The first day: figures of the log since the deployment, decided with their uncertainty."""

from __future__ import annotations

import datetime as dt
import functools
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from judging.alerts import AlertRule, decide_alert
from judging.comparing_rates import RateChange, compare_rates
from judging.kinds import decide_kinds
from judging.proportions import decide_share
from judging.readings import percentile_readings, share_readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.baselines import Before
    from fixtures.log_lines import LogEvent
    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit
    from judging.decision import Decision

    Decided = Callable[..., str]
    Estimated = Callable[[Callable[[float, float], Decision]], str]
    Facts = dict[str, str]
    Threshold = Callable[..., Limit]

# Windows are five minutes long, and one counts from the number of requests that the checklist asks for.
BUSY = {"minimum": 20, "coverage": 0}
HOURLY = AlertRule(name="hourly error rate", comparison=">", limit=0.05, window=3600, step=3600, coverage=1)
MARGIN = 0.005  # half a percentage point: a tenth of what the alert allows
GENERATION = {"fetch", "mapping", "legacy"}


def _since(two_days: LogView, facts: Facts) -> tuple[float, list[LogEvent]]:
    """Return the deployment's moment, and the events of others than this run after it."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    return deployed.timestamp(), [
        one for one in two_days.events if one.time and one.time >= deployed and not one.tagged
    ]


def _times(events: list[LogEvent]) -> list[float]:
    return [one.time.timestamp() for one in events if one.time]


def _broke(one: LogEvent) -> bool:
    return (one.status or 0) >= 500 or one.level in ("error", "critical") or one.outcome not in ("ok", "")


def _errors(events: list[LogEvent]) -> tuple[int, int]:
    return sum(map(_broke, events)), len(events)


@pytest.mark.item("MCI-094")
def test_the_error_rate_stays_below_its_alert(
    two_days: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes with twenty requests since the deployment do more than 5 % of the requests break."""
    start, events = _since(two_days, facts)
    rule, times = threshold().alert(action="rollback (full)", **BUSY), _times(events)
    readings = share_readings(times, [_broke(one) for one in events], rule.over(start, max(times)))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MCI-096")
def test_the_response_time_stays_below_its_alert(
    two_days: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes since the deployment is the 95th percentile of the generation time above 15 s."""
    start, events = _since(two_days, facts)
    made = [one for one in events if GENERATION & set(one.names)]
    rule, times = threshold().alert(name="p95 of the generation time", coverage=0), _times(made)
    readings = percentile_readings(times, [one.duration_s for one in made], rule.over(start, max(times)), 95)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MCI-098")
def test_the_config_service_stays_available(
    two_days: LogView, facts: Facts, estimated: Estimated, threshold: Threshold
) -> None:
    """Since the deployment at least 99 % of the worker's config fetches were answered."""
    _, events = _since(two_days, facts)
    fetches = [one for one in events if "fetch" in one.names]
    answered = [one for one in fetches if "fetch failed" not in one.names]
    available = len(answered), len(fetches)
    assert estimated(lambda alpha, beta: decide_share(*available, threshold().share(alpha=alpha, beta=beta))) == "pass"


@pytest.mark.item("MCI-100")
def test_the_fallback_rate_stays_below_its_alert(
    two_days: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no five minutes with twenty generations since the deployment fall more than 10 % back to legacy mode."""
    start, events = _since(two_days, facts)
    made = [one for one in events if GENERATION & set(one.names)]
    rule, times = threshold().alert(**BUSY), _times(made)
    readings = share_readings(times, ["legacy" in one.names for one in made], rule.over(start, max(times)))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MCI-103")
def test_the_error_rate_is_no_higher_than_before(
    two_days: LogView, facts: Facts, estimated: Estimated, before: Before
) -> None:
    """The error rate since the deployment is at most half a percentage point above the baseline's or day before's."""
    start, after = _since(two_days, facts)
    day_before = [one for one in two_days.events if one.time and one.time.timestamp() < start]

    def no_worse(alpha: float, beta: float) -> Decision:
        change = RateChange(margin=MARGIN, alpha=alpha, beta=beta)
        compare = functools.partial(compare_rates, change=change)
        return before.compared("error rate", _errors(after), compare, otherwise=_errors(day_before))

    assert estimated(no_worse) == "pass"


@pytest.mark.item("MCI-104")
def test_the_first_day_is_recorded_without_a_gap(two_days: LogView, facts: Facts) -> None:
    """From the deployment to 24 h after it no fifteen minutes pass without a record."""
    start, events = _since(two_days, facts)
    times = [start, *_times(events)]
    assert times[-1] - start >= 23.75 * 3600
    assert max(after - before for before, after in pairwise(times)) <= 15 * 60


@pytest.mark.item("MCI-105")
def test_the_first_day_shows_no_new_kind_of_problem(
    two_days: LogView, facts: Facts, decided: Decided, before: Before
) -> None:
    """No warning or error appears since the deployment that was not there in the baseline or the day before."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    after = [one.text for one in two_days.signatures if one.last and one.last >= deployed]
    day_before = [one.text for one in two_days.signatures if one.first and one.first < deployed]
    assert two_days.first is not None
    assert two_days.first < deployed - dt.timedelta(hours=23)
    assert decided(before.compared("log signatures", after, decide_kinds, otherwise=day_before)) == "pass"


@pytest.mark.item("MCI-106")
def test_the_error_rate_of_every_hour_is_within_limits(two_days: LogView, facts: Facts, decided: Decided) -> None:
    """For each of the 24 hours since the deployment an error rate is recorded, and it is at most 5 %."""
    start, events = _since(two_days, facts)
    readings = share_readings(_times(events), [_broke(one) for one in events], HOURLY.over(start, start + 24 * 3600))
    assert decided(decide_alert(readings, HOURLY), over=(readings, HOURLY)) == "pass"
