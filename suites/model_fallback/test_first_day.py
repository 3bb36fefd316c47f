"""The first day: figures of the log since the deployment, decided with their uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError
from judging.comparing_rates import RateChange, compare_rates
from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import decide_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.thresholds import Limit
    from judging.decision import Decision

    Decided = Callable[[Decision], str]
    Threshold = Callable[..., Limit]
    Facts = dict[str, Any]
    Day = dict[str, Any]

# Fewer samples cannot show a percentile's tail, and no share is judged by a handful of answers.
FEWEST = {95: 100, 99: 500}
CALLS = PercentileLimit(percentile=95, value=2, comparison="<", minimum=100, name="95th percentile of the model's time")
NO_WORSE = RateChange(margin=0.005, name="error rate")  # half of what the red flag allows in any hour


def _ended(first_day: Day, how: str) -> int:
    return sum(kind == how for _, kind in first_day["ended"])


def _by_first(first_day: Day, facts: Facts) -> int:
    return sum(model == facts["hierarchy"][0] for _, model in first_day["answered"])


@pytest.mark.item("MMF-088")
def test_responses_meet_their_95th_percentile(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """Since the deployment 95 % of the messages took less than 2 s from the first attempt to their end."""
    limit = threshold().percentile(95, minimum=FEWEST[95])
    assert decided(decide_percentile([seconds for _, seconds in first_day["lasted"]], limit)) == "pass"


@pytest.mark.item("MMF-089")
def test_responses_meet_their_99th_percentile(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """Since the deployment 99 % of the messages took less than 5 s from the first attempt to their end."""
    limit = threshold().percentile(99, minimum=FEWEST[99])
    assert decided(decide_percentile([seconds for _, seconds in first_day["lasted"]], limit)) == "pass"


@pytest.mark.item("MMF-090")
def test_messages_succeed(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """Since the deployment more than 99 % of the messages were answered by a model."""
    assert decided(decide_share(_ended(first_day, "processed"), len(first_day["ended"]), threshold().share())) == "pass"


@pytest.mark.item("MMF-091")
def test_the_first_model_meets_its_target(first_day: Day, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """Since the deployment more than 95 % of the answers come from model 1."""
    assert decided(decide_share(_by_first(first_day, facts), len(first_day["answered"]), threshold().share())) == "pass"


@pytest.mark.item("MMF-092")
def test_fallbacks_meet_their_target(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """Since the deployment a second model was asked for fewer than 5 % of the messages."""
    fell = [one for _, one in first_day["fell"]]
    assert decided(decide_share(sum(fell), len(fell), threshold().share())) == "pass"


@pytest.mark.item("MMF-093")
def test_exhaustion_meets_its_target(first_day: Day, decided: Decided, threshold: Threshold) -> None:
    """Since the deployment fewer than 0.1 % of the messages found every model exhausted."""
    assert decided(decide_share(_ended(first_day, "gave up"), len(first_day["ended"]), threshold().share())) == "pass"


@pytest.mark.item("MMF-112")
def test_the_provider_answers_in_time(first_day: Day, facts: Facts, decided: Decided) -> None:
    """For each model with a hundred calls, model 1 among them, 95 % of them took less than 2 s."""
    calls = {model: [seconds for _, seconds in found] for model, found in first_day["calls"].items()}
    judged = {model: seconds for model, seconds in calls.items() if len(seconds) >= 100}
    if facts["hierarchy"][0] not in judged:
        raise UndecidedError(f"model 1 was asked {len(calls[facts['hierarchy'][0]])} times, 100 are needed")
    assert {decided(decide_percentile(seconds, CALLS)) for seconds in judged.values()} == {"pass"}


@pytest.mark.item("MMF-120")
def test_the_error_rate_did_not_rise(first_day: Day, decided: Decided) -> None:
    """The share of messages that break is not more than half a percentage point above that before the deployment."""
    after, before = (_ended(first_day, "failed"), len(first_day["ended"])), first_day["before"]
    assert decided(compare_rates(after, (before.count("failed"), len(before)), NO_WORSE)) == "pass"


@pytest.mark.item("MMF-121")
def test_the_first_model_passes_the_release_gate(
    first_day: Day, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """From the deployment until now more than 90 % of the answers come from model 1."""
    assert (
        decided(decide_share(_by_first(first_day, facts), len(first_day["answered"]), threshold().share(minimum=100)))
        == "pass"
    )
