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


def times_of(events: list[LogEvent]) -> list[float]:
    """Return when they began, in seconds since 1970."""
    return [one.time.timestamp() for one in events if one.time]


def broke(one: LogEvent) -> bool:
    """Return whether a request broke: by its status, by its level, or by how it ended."""
    return (one.status or 0) >= 500 or one.level in ("error", "critical") or one.outcome not in ("ok", "")


def errors(events: list[LogEvent]) -> tuple[int, int]:
    """Return how many requests broke, and how many there were."""
    return sum(map(broke, events)), len(events)
