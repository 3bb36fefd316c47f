"""The lines that belong to a message, in a log that names no request."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from fixtures.log_lines import LogEvent, LogMatch
    from fixtures.log_view import LogView

    Reply = dict[str, Any]

ENDS = ("processed", "gave up", "failed")
FLOW = ("attempt", "limited", "moving on", "success", "rejected", *ENDS)
CLOCKS = dt.timedelta(seconds=5)  # how far the log's clock may be from ours; a line of another day is far beyond it


def _begins(match: LogMatch) -> bool:
    return match.name == "attempt" and match.groups[0] == "1"


def own_flow(logged: LogView, reply: Reply) -> list[LogMatch]:
    """Return a message's lines, from its first attempt to the line that names its conversation.

    Raises UndecidedError when other messages were under way meanwhile: whose line is whose cannot be told then.
    """
    logged.look()
    stretch: list[LogMatch] = []
    pending = 0
    for match in (one for one in logged.digest.found if one.name in FLOW):
        pending += _begins(match)
        stretch = [*stretch, match] if pending else []
        if match.name == "processed" and match.groups[0] == str(reply["conversation"]):
            if sum(map(_begins, stretch)) > 1:
                raise UndecidedError("another message was being answered; the log does not say whose lines are whose")
            return stretch
        pending = max(0, pending - (match.name in ENDS))
    if "found" in logged.digest.capped:
        raise UndecidedError("so much was logged meanwhile that the message's own lines were not kept")
    return []


def notable(logged: LogView) -> tuple[LogEvent, ...]:
    """Return the lines of a log that matter; none when nothing was logged, as before a service's first message."""
    return () if getattr(logged.trouble, "kind", "") == "silent" else logged.events


def flows(logged: LogView) -> list[list[LogMatch]]:
    """Return the lines of each message of a log that nobody else writes to meanwhile, one message after the other."""
    logged.look()
    found: list[list[LogMatch]] = [[]]
    for match in (one for one in logged.digest.found if one.name in FLOW):
        found[-1].append(match)
        if match.name in ENDS:
            found.append([])
    return found[:-1]
