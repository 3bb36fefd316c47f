"""No critical condition was met and no critical alert fired: in two hours, in the night, and until now."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from judging.alerts import decide_alert

from .windows import HOUR, begun, failures, over, start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView
    from fixtures.thresholds import Limit
    from judging.alerts import AlertRule

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Fired = dict[str, list[float]]
    Rows = list[dict[str, Any]]
    Threshold = Callable[..., Limit]


ENDS_S = 900  # what began so short a time ago may not have ended


def _critical_rules(threshold: Threshold) -> tuple[AlertRule, AlertRule]:
    """Return the conditions of the two critical alerts on failures."""
    high = threshold("high error rate").alert(window=900, minimum=5, severity="critical")
    return high, threshold("all failing").alert(window=300, minimum=3, severity="critical")


def _logged(since_release: LogView, start: float, end: float) -> list[str]:
    """Return what the log holds between two moments that is critical: a missing key, or an entry of that level."""
    events = [one for one in since_release.events if one.time and start <= one.time.timestamp() <= end]
    missing = [one for one in events if "key refused" in one.names and "probed" not in one.names]
    return [str(one.time) for one in (*missing, *(one for one in events if one.level == "critical"))]


@pytest.mark.item("MDE-086")
def test_the_first_two_hours_had_no_critical_error(
    finished: Rows, since_release: LogView, alerts_fired: Fired, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In two hours from the release no critical condition was met, nothing critical logged, and no such alert fired."""
    start = start_of(facts)
    for rule in _critical_rules(threshold):
        assert decided(decide_alert(failures(finished, rule, start, start + 2 * HOUR), rule)) == "pass"
    assert _logged(since_release, start, start + 2 * HOUR) == []
    assert [at for at in alerts_fired["critical"] if at <= start + 2 * HOUR] == []


@pytest.mark.item("MDE-089")
def test_the_night_stayed_in_bounds(
    finished: Rows, records: Snapshot, since_release: LogView, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """From the 8th to the 24th hour no ten minutes are without a record, and no condition is met in any window."""
    start, morning = start_of(facts) + 8 * HOUR, start_of(facts) + 24 * HOUR
    over(records, start + HOUR)
    end = min(morning, records.clock.timestamp() - ENDS_S)
    times = [start, *sorted(at for at in begun(finished) if start <= at <= end), end]
    assert max(after - before for before, after in pairwise(times)) <= 600
    hourly = threshold("hour of the night").alert(window=HOUR, step=HOUR, minimum=20)
    for rule in (hourly, *_critical_rules(threshold)):
        assert decided(decide_alert(failures(finished, rule, start, end), rule)) == "pass"
    assert _logged(since_release, start, end) == []
    over(records, morning)


@pytest.mark.item("MDE-148")
def test_nothing_critical_happened_until_now(  # noqa: PLR0913, PLR0917  likewise
    finished: Rows, since_release: LogView, alerts_fired: Fired, records: Snapshot, facts: Facts, decided: Decided,
    threshold: Threshold,
) -> None:  # fmt: skip
    """From the release until now no critical condition was met in any window, and no critical alert has fired."""
    start, now = start_of(facts), records.clock.timestamp()
    for rule in _critical_rules(threshold):
        assert decided(decide_alert(failures(finished, rule, start, now), rule)) == "pass"
    assert _logged(since_release, start, now) == []
    assert alerts_fired["critical"] == []
