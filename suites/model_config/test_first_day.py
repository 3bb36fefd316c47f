"""The first day: figures of the log since the deployment, decided with their uncertainty."""

from __future__ import annotations

import functools
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from judging.comparing_rates import RateChange, compare_rates
from judging.proportions import decide_share

from .first_day import compare_kinds, errors, first_day_over, kinds, outages_s, since, times_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from fixtures.baselines import Before
    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit
    from judging.decision import Decision

    Decided = Callable[..., str]
    Estimated = Callable[[Callable[[float, float], Decision]], str]
    Facts = dict[str, str]
    Threshold = Callable[..., Limit]

MARGIN = 0.005  # half a percentage point: a tenth of what the alert allows


@pytest.mark.item("MCI-098")
def test_the_config_service_stays_available(
    two_days: LogView, facts: Facts, estimated: Estimated, threshold: Threshold
) -> None:
    """Since the deployment 99 % of the worker's config fetches were answered, and for 99 % of a day's time."""
    _, events = since(two_days, facts)
    fetches = [one for one in events if "fetch" in one.names]
    answered = [one for one in fetches if "fetch failed" not in one.names]
    available = len(answered), len(fetches)
    assert outages_s(fetches) <= (1 - threshold().value) * 24 * 3600
    assert estimated(lambda alpha, beta: decide_share(*available, threshold().share(alpha=alpha, beta=beta))) == "pass"


@pytest.mark.item("MCI-103")
def test_the_error_rate_is_no_higher_than_before(
    two_days: LogView, facts: Facts, estimated: Estimated, before: Before
) -> None:
    """The error rate since the deployment is at most half a percentage point above the baseline's or day before's."""
    start, after = since(two_days, facts)
    day_before = [one for one in two_days.events if one.time and one.time.timestamp() < start and not one.tagged]

    def no_worse(alpha: float, beta: float) -> Decision:
        change = RateChange(margin=MARGIN, alpha=alpha, beta=beta)
        compare = functools.partial(compare_rates, change=change)
        return before.compared("error rate", errors(after), compare, otherwise=errors(day_before))

    assert estimated(no_worse) == "pass"


@pytest.mark.item("MCI-104")
def test_the_first_day_is_recorded_without_a_gap(two_days: LogView, day_looked_at: dt.datetime, facts: Facts) -> None:
    """From the deployment to 24 h after it no fifteen minutes pass without a record."""
    start, events = since(two_days, facts)
    end = min(start + 24 * 3600, day_looked_at.timestamp())
    times = sorted([start, *(time for time in times_of(events) if time < end), end])
    assert max(after - before for before, after in pairwise(times)) <= 15 * 60
    first_day_over(day_looked_at, facts)


@pytest.mark.item("MCI-105")
def test_the_first_day_shows_no_new_kind_of_problem(
    two_days: LogView, facts: Facts, decided: Decided, before: Before
) -> None:
    """No kind of warning, error or bad ending is new since the deployment: the baseline or the day before had it."""
    after, day_before = kinds(two_days, facts)
    compare = compare_kinds(two_days, facts, day_before)
    assert decided(before.compared("log signatures", after, compare, otherwise=day_before)) == "pass"
