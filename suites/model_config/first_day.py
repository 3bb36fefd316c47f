"""The requests of the first day, as the log tells of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.log_lines import LogEvent
    from fixtures.log_view import LogView

GENERATION = {"fetch", "mapping", "legacy"}


def since(two_days: LogView, facts: Mapping[str, str]) -> tuple[float, list[LogEvent]]:
    """Return the deployment's moment, and the events of others than this run after it."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    return deployed.timestamp(), [
        one for one in two_days.events if one.time and one.time >= deployed and not one.tagged
    ]


def kinds(two_days: LogView, facts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the kinds of problems after and before the deployment: warnings, errors, and requests that ended badly."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    endings = [(one.time >= deployed, f"outcome {one.outcome}") for one in two_days.events if one.time and _cut(one)]
    after = [one.text for one in two_days.signatures if one.last and one.last >= deployed]
    earlier = [one.text for one in two_days.signatures if one.first and one.first < deployed]
    return (
        [*after, *(kind for late, kind in endings if late)],
        [*earlier, *(kind for late, kind in endings if not late)],
    )


def _cut(one: LogEvent) -> bool:
    """Return whether the platform ended a request of others than this run, and did not call that well."""
    return one.outcome not in ("ok", "") and not one.tagged


def times_of(events: list[LogEvent]) -> list[float]:
    """Return when they began, in seconds since 1970."""
    return [one.time.timestamp() for one in events if one.time]


def broke(one: LogEvent) -> bool:
    """Return whether a request broke: by its status, by its level, or by how it ended."""
    return (one.status or 0) >= 500 or one.level in ("error", "critical") or one.outcome not in ("ok", "")


def errors(events: list[LogEvent]) -> tuple[int, int]:
    """Return how many requests broke, and how many there were."""
    return sum(map(broke, events)), len(events)
