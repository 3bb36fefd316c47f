"""The red flags: the checklist's alert conditions, recomputed for every window since the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import decide_alert
from judging.readings import percentile_readings, share_readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.thresholds import Limit
    from judging.alerts import AlertRule
    from judging.readings import Reading

    Decided = Callable[..., str]
    Threshold = Callable[..., Limit]
    Facts = dict[str, Any]
    Day = dict[str, Any]

# The windows of the checklist, and the fewest messages that make one count.
HOUR = {"window": 3600, "step": 3600}
FIFTY, HUNDRED = {**HOUR, "minimum": 50}, {**HOUR, "minimum": 100}
# Three windows of five minutes in a row: the third ends 600 s after the first.
QUARTER = {"step": 300, "hold": 600}
RESET_S = 300  # how long each exhaustion lasts


def _shares(first_day: Day, cases: list[tuple[float, bool]], rule: AlertRule) -> tuple[Reading, ...]:
    times, hits = [at for at, _ in cases], [hit for _, hit in cases]
    return share_readings(times, hits, rule.over(first_day["since"], first_day["until"]))


def _ended(first_day: Day, how: str) -> list[tuple[float, bool]]:
    return [(at, kind == how) for at, kind in first_day["ended"]]


@pytest.mark.item("MMF-094")
def test_slowness_does_not_persist(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """In no three consecutive five minutes since the deployment is the median response time above 5 s."""
    times, seconds = [at for at, _ in first_day["lasted"]], [took for _, took in first_day["lasted"]]
    rule = threshold().alert(name="median response time", **QUARTER)
    readings = percentile_readings(times, seconds, rule.over(first_day["since"], first_day["until"]), 50)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MMF-095")
def test_the_first_model_raises_no_red_flag(
    first_day: Day, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no hour since the deployment with fifty answers do fewer than 80 % of them come from model 1."""
    cases = [(at, model == facts["hierarchy"][0]) for at, model in first_day["answered"]]
    rule = threshold().alert(**FIFTY)
    readings = _shares(first_day, cases, rule)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MMF-096")
def test_fallbacks_raise_no_red_flag(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """In no hour since the deployment with fifty messages is a second model asked for more than 20 % of them."""
    rule = threshold().alert(**FIFTY)
    readings = _shares(first_day, first_day["fell"], rule)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MMF-097")
def test_exhaustion_raises_no_red_flag(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """In no hour with a hundred messages are more than 1 % refused, and at most 1 % of the day is spent exhausted."""
    rule = threshold().alert(**HUNDRED)
    readings = _shares(first_day, _ended(first_day, "gave up"), rule)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"
    assert first_day["exhaustions"] * RESET_S <= 0.01 * (first_day["until"] - first_day["since"])


@pytest.mark.item("MMF-098")
def test_errors_raise_no_red_flag(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """In no hour with a hundred messages do more than 1 % of them break, whatever status they were answered with."""
    rule = threshold().alert(**HUNDRED)
    readings = _shares(first_day, _ended(first_day, "failed"), rule)
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"
