"""What the records say window by window since the release: shares of failures, and mean times."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from statistics import fmean
from typing import TYPE_CHECKING, Any

from fixtures.values import UndecidedError
from judging.readings import Reading, share_readings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fixtures.database import Snapshot
    from judging.alerts import AlertRule

    Rows = list[dict[str, Any]]
    Readings = Sequence[Reading]

HOUR = 3600


def start_of(facts: dict[str, str]) -> float:
    """Return the moment of the release."""
    return dt.datetime.fromisoformat(facts["deployed"]).timestamp()


def over(records: Snapshot, end: float) -> None:
    """Raise UndecidedError while a time has not passed by the database's clock; what is bad before that is bad."""
    left = end - records.clock.timestamp()
    if left > 0:
        raise UndecidedError(f"the time that is judged goes on for another {left / 60:.0f} min")


def begun(rows: Rows) -> list[float]:
    """Return when each generation began."""
    return [row["begun"] for row in rows]


def failed(rows: Rows) -> list[bool]:
    """Return which generations failed."""
    return [row["status"] == "failed" for row in rows]


def parted(rows: Rows, by: str) -> dict[str, Rows]:
    """Return the records of each value of a column."""
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(str(row[by]), []).append(row)
    return found


def failures(rows: Rows, rule: AlertRule, start: float, end: float) -> tuple[Reading, ...]:
    """Return the share of failures in each of a rule's windows."""
    return share_readings(begun(rows), failed(rows), rule.over(start, end))


def successes(rows: Rows, rule: AlertRule, start: float, end: float) -> tuple[Reading, ...]:
    """Return the share of completed generations in each of a rule's windows."""
    return share_readings(begun(rows), [not bad for bad in failed(rows)], rule.over(start, end))


def mean_times(rows: Rows, rule: AlertRule, start: float, end: float, normal: float = 1.0) -> tuple[Reading, ...]:
    """Return the mean time of the completed generations in each of a rule's windows, in multiples of `normal`."""
    known = sorted((row["begun"], row["seconds"]) for row in rows if row["seconds"] is not None)
    times = [at for at, _ in known]
    readings = []
    for n in range(int((end - start - rule.window) // rule.step) + 1):
        begin = start + n * rule.step
        inside = slice(bisect_left(times, begin), bisect_left(times, begin + rule.window))
        took = [seconds / normal for _, seconds in known[inside]]
        value = fmean(took) if took else None
        readings.append(Reading(start=begin, end=begin + rule.window, value=value, samples=len(took)))
    return tuple(readings)


def worst(parts: Iterable[Readings], rule: AlertRule) -> tuple[Reading, ...]:
    """Return, for each window, the reading of the part that is worst of those with enough data."""
    found = []
    for window in zip(*parts, strict=True):
        enough = [one for one in window if one.value is not None and one.samples >= rule.minimum] or window[:1]
        found.append(max(enough, key=lambda one: -1.0 if one.value is None else one.value))
    return tuple(found)
