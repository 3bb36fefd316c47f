"""What the functions log of their errors in the first hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError
from judging.proportions import decide_census

from .looks_log import FUNCTIONS
from .windows import HOUR, start_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Threshold = Callable[..., Limit]

ALWAYS = ("get-api-key", "kie-ai-webhook")
ENOUGH = 20  # calls from which a share of errors is taken


def _errors(events: Sequence[Any], name: str) -> tuple[int, int]:
    """Return how many errors a function has in the log, and how many calls; the suite's own are left out.

    A call that fails is one error, whether it was also written about or not.
    """
    calls = [one for one in events if f"call of {name}" in one.names]
    probes = [one for one in calls if "probed" in one.names]
    refused = sum("turned away" in one.names or one.level == "error" for one in probes)
    told = sum(f"error of {name}" in one.names for one in events) - refused
    ended = sum(one.level == "error" for one in calls) - sum(one.level == "error" for one in probes)
    others = len(calls) - len(probes)
    return min(others, max(told, ended, 0)), others


def _before(events: Sequence[Any], name: str) -> float:
    """Return a function's share of errors before the release, or that of all where it was hardly called."""
    own = _errors(events, name)
    errors, calls = (
        own if own[1] >= ENOUGH else map(sum, zip(*(_errors(events, one) for one in FUNCTIONS), strict=True))
    )
    if calls < ENOUGH:
        raise UndecidedError(f"the log has {calls} calls of the functions from the day before the release")
    return errors / calls


@pytest.mark.item("MDE-040")
def test_the_functions_log_few_errors_in_the_first_hour(
    function_calls: LogView, facts: dict[str, str], decided: Decided, threshold: Threshold
) -> None:
    """Of each function's calls fewer than 5 % log an error, and at most two points more than before the release."""
    start, limit, more = start_of(facts), threshold(role="gate"), threshold(role="parameter")
    dated = [(one.time.timestamp(), one) for one in function_calls.events if one.time]
    hour = [one for at, one in dated if start <= at <= start + HOUR]
    before = [one for at, one in dated if at < start]
    found = {name: _errors(hour, name) for name in FUNCTIONS}
    busy = {name for name, (_, calls) in found.items() if calls >= ENOUGH}
    # The rarely called come last, so that what cannot be said of them hides no failure of the others.
    judged = sorted(busy | set(ALWAYS), key=lambda name: -found[name][1])
    for name in judged:
        assert (name, decided(decide_census(*found[name], limit.share(minimum=ENOUGH)))) == (name, "pass")
    for name in judged:
        rise = more.share(value=more.value + _before(before, name), minimum=ENOUGH)
        assert (name, decided(decide_census(*found[name], rise))) == (name, "pass")
