"""The requests of the first day, as the log tells of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from fixtures.values import UndecidedError
from judging.kinds import decide_kinds

from .asking import enough

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fixtures.log_lines import LogEvent
    from fixtures.log_view import LogView
    from judging.decision import Decision

GENERATION = {"fetch", "mapping", "legacy"}
LEFT = ("canceled", "responseStreamDisconnected")  # how the platform says that the client hung up


def deployed_at(facts: Mapping[str, str]) -> dt.datetime:
    """Return when the release went live; a time without a zone is UTC."""
    moment = dt.datetime.fromisoformat(facts["deployed"])
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def since(two_days: LogView, facts: Mapping[str, str]) -> tuple[float, list[LogEvent]]:
    """Return the deployment's moment, and the events of others than this suite after it."""
    deployed = deployed_at(facts)
    return deployed.timestamp(), [
        one for one in two_days.events if one.time and one.time >= deployed and not one.tagged
    ]


def kinds(two_days: LogView, facts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the kinds of problems after and before the deployment: warnings, errors, and requests that ended badly."""
    deployed = deployed_at(facts)
    endings = [(one.time >= deployed, f"outcome {one.outcome}") for one in two_days.events if one.time and _cut(one)]
    after = [one.text for one in two_days.signatures if one.last and one.last >= deployed]
    earlier = [one.text for one in two_days.signatures if one.first and one.first < deployed]
    return (
        [*after, *(kind for late, kind in endings if late)],
        [*earlier, *(kind for late, kind in endings if not late)],
    )


def _cut(one: LogEvent) -> bool:
    """Return whether the platform ended a request of others than this suite, and the client had not hung up."""
    return one.outcome not in ("ok", "", *LEFT) and not one.tagged


def first_day_over(looked_at: dt.datetime, facts: Mapping[str, str]) -> None:
    """Raise UndecidedError until the first day after the deployment is over: what is fine so far may not stay so."""
    hours = (looked_at - deployed_at(facts)).total_seconds() / 3600
    if hours < 24:
        raise UndecidedError(f"{hours:.1f} hours have passed since the deployment, and the item is about its first 24")


def compare_kinds(two_days: LogView, facts: Mapping[str, str], known: list[str]) -> Callable[..., Decision]:
    """Return how kinds of problems are compared: with `known` of a log that began late, what is new is undecided."""
    deployed = deployed_at(facts)
    late = two_days.first is None or two_days.first > deployed - dt.timedelta(hours=23)

    def compare(found: list[str], before: list[str]) -> Decision:
        decision = decide_kinds(found, before)
        if late and before is known and decision.outcome == "fail":
            return dataclasses.replace(decision, outcome="inconclusive")
        return decision

    return compare


def times_of(events: list[LogEvent]) -> list[float]:
    """Return when they began, in seconds since 1970."""
    return [one.time.timestamp() for one in events if one.time]


def dated(events: list[LogEvent]) -> list[float]:
    """Return when they began. Raises UndecidedError when there are none: then there is nothing to judge."""
    return enough(times_of(events), "requests of others since the deployment")


def broke(one: LogEvent) -> bool:
    """Return whether a request broke: by its status, by its level, or by how it ended."""
    ended = one.outcome in ("ok", "", *LEFT)
    return (one.status or 0) >= 500 or one.level in ("error", "critical") or not ended


def outages_s(fetches: list[LogEvent]) -> float:
    """Return how long config fetches failed one after the other: from the first failure to the last, all such times."""
    total, begun = 0.0, None
    for one in sorted(fetches, key=lambda one: one.time.timestamp() if one.time else 0.0):
        at = one.time.timestamp() if one.time else 0.0
        failed = "fetch failed" in one.names
        total += at - begun if failed and begun is not None else 0.0
        begun = at if failed else None
    return total


def errors(events: list[LogEvent]) -> tuple[int, int]:
    """Return how many requests broke, and how many there were."""
    return sum(map(broke, events)), len(events)
