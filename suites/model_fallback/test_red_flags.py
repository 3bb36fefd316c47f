"""The red flags: the checklist's alert conditions, recomputed for every window since the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import AlertRule, decide_alert
from judging.readings import percentile_readings, share_readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from judging.decision import Decision
    from judging.readings import Reading

    Decided = Callable[[Decision], str]
    Facts = dict[str, Any]
    Day = dict[str, Any]

PRIMARY = AlertRule(name="share of model 1", comparison="<", limit=0.80, window=3600, step=3600, minimum=50)
FALLS = AlertRule(name="share of fallbacks", comparison=">", limit=0.20, window=3600, step=3600, minimum=50)
REFUSED = AlertRule(name="share of exhaustion", comparison=">", limit=0.01, window=3600, step=3600, minimum=100)
ERRORS = AlertRule(name="error rate", comparison=">", limit=0.01, window=3600, step=3600, minimum=100)
# Three windows of five minutes in a row: the third ends 600 s after the first.
SLOW = AlertRule(name="median response time", comparison=">", limit=5, unit="s", step=300, hold=600)
RESET_S = 300  # how long each exhaustion lasts


def _shares(first_day: Day, cases: list[tuple[float, bool]], rule: AlertRule) -> tuple[Reading, ...]:
    times, hits = [at for at, _ in cases], [hit for _, hit in cases]
    return share_readings(times, hits, rule.over(first_day["since"], first_day["until"]))


def _ended(first_day: Day, how: str) -> list[tuple[float, bool]]:
    return [(at, kind == how) for at, kind in first_day["ended"]]


@pytest.mark.item("MMF-094")
def test_slowness_does_not_persist(first_day: Day, decided: Decided) -> None:
    """In no three consecutive five minutes since the deployment is the median response time above 5 s."""
    times, seconds = [at for at, _ in first_day["lasted"]], [took for _, took in first_day["lasted"]]
    readings = percentile_readings(times, seconds, SLOW.over(first_day["since"], first_day["until"]), 50)
    assert decided(decide_alert(readings, SLOW)) == "pass"


@pytest.mark.item("MMF-095")
def test_the_first_model_raises_no_red_flag(first_day: Day, facts: Facts, decided: Decided) -> None:
    """In no hour since the deployment with fifty answers do fewer than 80 % of them come from model 1."""
    cases = [(at, model == facts["hierarchy"][0]) for at, model in first_day["answered"]]
    assert decided(decide_alert(_shares(first_day, cases, PRIMARY), PRIMARY)) == "pass"


@pytest.mark.item("MMF-096")
def test_fallbacks_raise_no_red_flag(first_day: Day, decided: Decided) -> None:
    """In no hour since the deployment with fifty messages is a second model asked for more than 20 % of them."""
    assert decided(decide_alert(_shares(first_day, first_day["fell"], FALLS), FALLS)) == "pass"


@pytest.mark.item("MMF-097")
def test_exhaustion_raises_no_red_flag(first_day: Day, decided: Decided) -> None:
    """In no hour with a hundred messages are more than 1 % refused, and at most 1 % of the day is spent exhausted."""
    assert decided(decide_alert(_shares(first_day, _ended(first_day, "gave up"), REFUSED), REFUSED)) == "pass"
    assert first_day["exhaustions"] * RESET_S <= 0.01 * (first_day["until"] - first_day["since"])


@pytest.mark.item("MMF-098")
def test_errors_raise_no_red_flag(first_day: Day, decided: Decided) -> None:
    """In no hour with a hundred messages do more than 1 % of them break, whatever status they were answered with."""
    assert decided(decide_alert(_shares(first_day, _ended(first_day, "failed"), ERRORS), ERRORS)) == "pass"
