"""Looks at the log: the run's own messages as they are written, and the two days behind it."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

from .flows import notable

if TYPE_CHECKING:
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Run

    Facts = dict[str, Any]
    Reply = dict[str, Any]

    from collections.abc import Sequence

PATTERNS = {
    "attempt": r"Attempting model (\d+)/(\d+): (\S+)",
    "begun": r"Attempting model 1/\d+: ",
    "fallback": r"Attempting model 2/\d+: ",
    "success": r"Success with (\S+) on attempt (\d+)",
    "limited": r"Rate limit hit for (\S+) \(attempt (\d+)/\d+\)",
    "retry": r"Retrying (\S+) in ",
    "moving on": r"Max retries reached for (\S+), moving to next model",
    "exhausted": r"All \d+ models exhausted",
    "rejected": r"All models exhausted, rejecting request",
    "processed": r"Chat message processed for session (\d+) using (\S+)",
    "gave up": r"All models exhausted: ",
    "failed": r"Chat message processing failed",
}


BEGINS, ENDS = {"begun", "rejected"}, {"processed", "gave up", "failed"}  # of a message, as the log tells it
PENDING_S = 120  # what began so shortly before the run may still be under way


def own_patterns(models: Sequence[str]) -> dict[str, str]:
    """Return the patterns, and for each model those of its own attempts, refusals and answers."""
    found = dict(PATTERNS)
    for model in models:
        name = re.escape(model)
        found[f"attempt {model}"] = rf"Attempting model \d+/\d+: {name}$"
        found[f"limited {model}"] = rf"Rate limit hit for {name} \(attempt 1/"
        found[f"success {model}"] = rf"Success with {name} on attempt "
        found[f"broken {model}"] = rf"Model {name} not available |[Ee]rror with {name}: "
    return found


@observation(within="60 s")
def attached(debug: Log) -> LogMark:
    """The log, attached before the run's first message."""
    return debug.attach()


@observation(within="120 s")
def message_logged(debug: Log, attached: LogMark, message: Reply) -> LogView:
    """What the log holds up to the end of the first message."""
    number = str(message["conversation"])

    def processed(view: LogView) -> bool:
        return any(one.groups[0] == number for one in view.matches["processed"])

    return debug.since(attached, PATTERNS, until=processed, within=30)


@observation(within="300 s")
def two_days(history: Log, facts: Facts) -> LogView:
    """The log from a day before the deployment until now."""
    since = dt.datetime.fromisoformat(facts["deployed"]) - dt.timedelta(hours=24)
    window = (dt.datetime.now(dt.UTC) - since).total_seconds()
    return history.past(own_patterns(facts["hierarchy"]), window_s=window)


@observation(within="300 s")
def first_day(two_days: LogView, facts: Facts, run: Run) -> dict[str, Any]:
    """The messages from the deployment until this run began, as the log tells them, in columns by time."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    past = [(one.time.timestamp(), set(one.names)) for one in notable(two_days) if one.time and one.time < run.started]
    day = [(at, names) for at, names in past if at >= deployed.timestamp()]
    models, until = facts["hierarchy"], run.started.timestamp()
    return {
        "since": deployed.timestamp(),
        "until": until,
        "before": [kind for _, kind in ending([one for one in past if one[0] < deployed.timestamp()], until)],
        "exhaustions": sum("exhausted" in names for _, names in day),
        "ended": ending(day, until),
        "lasted": lasting(day, BEGINS, ENDS, until),
        "fell": fallen(day),
        "answered": [
            (at, next((model for model in models if f"success {model}" in names), ""))
            for at, names in day
            if "success" in names
        ],
        "calls": {
            model: lasting(
                day, {f"attempt {model}"}, {f"success {model}", f"limited {model}", f"broken {model}"}, until
            )
            for model in models
        },
    }


def lasting(
    lines: list[tuple[float, set[str]]], begins: set[str], ends: set[str], until: float
) -> list[tuple[float, float | None]]:
    """Return when each thing ended and the seconds it took; None, and when it began, where no end was logged.

    The log pairs no lines. What began last ends first: so one whose end is missing disturbs no other, and where two
    overlap the longer one looks longer than it was, never shorter.
    """
    begun: list[float] = []
    found: list[tuple[float, float | None]] = []
    for at, names in lines:
        if names & begins:
            begun.append(at)
        if names & ends and begun:
            found.append((at, at - begun.pop()))
    return sorted([*found, *((at, None) for at in begun if until - at > PENDING_S)], key=lambda one: one[0])


def ending(lines: list[tuple[float, set[str]]], until: float) -> list[tuple[float, str]]:
    """Return when and how each message ended; one that began and has no end was cut off: it failed."""
    cut_off = [(at, "failed") for at, seconds in lasting(lines, BEGINS, ENDS, until) if seconds is None]
    return sorted([*((at, min(names & ENDS)) for at, names in lines if names & ENDS), *cut_off])


def fallen(lines: list[tuple[float, set[str]]]) -> list[tuple[float, bool]]:
    """Return when each message began, and whether a second model was asked: for the latest that it may have been."""
    found: list[tuple[float, bool]] = []
    single: list[int] = []  # which of these a second model has not been asked for
    for at, names in lines:
        if "begun" in names:
            single.append(len(found))
            found.append((at, False))
        elif "fallback" in names and single:
            last = single.pop()
            found[last] = (found[last][0], True)
    return found


@observation(within="120 s")
def log_end(history: Log, message_logged: LogView) -> LogView:
    """Every line of the past hour."""
    return history.past({"line": "."}, window_s=3600)
