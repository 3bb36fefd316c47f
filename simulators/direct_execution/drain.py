"""The log drain: what the functions print and what the platform notes of each call, one JSON object a line."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from simulators.clock import Clock, iso

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

_FIRST_FAILURE = 500


class Drain:
    """The file that the project's log drain writes."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()

    def begin(self, past: Iterable[dict[str, Any]]) -> None:
        """Write what happened before the start, oldest first."""
        ordered = sorted(past, key=lambda line: str(line["timestamp"]))
        self.path.write_text("".join(json.dumps(line) + "\n" for line in ordered), encoding="utf-8")

    def write(self, line: dict[str, Any]) -> None:
        """Append one line, with the present moment unless it has its own."""
        text = json.dumps({"timestamp": iso(self._clock.now()), **line}) + "\n"
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(text)


def said(function: str, level: str, message: str, **fields: Any) -> dict[str, Any]:
    """Return a line of the functions' EdgeLogger."""
    return {"level": level, "function": function, "message": message, **fields}


def called(function: str, status: int, url: str, agent: str, took_ms: float) -> dict[str, Any]:
    """Return what the platform notes of one call of a function."""
    return {
        "level": "error" if status >= _FIRST_FAILURE else "info",
        "function": function,
        "message": f"POST | {status} | {url}",
        "status": status,
        "execution_time_ms": round(took_ms),
        "user_agent": agent,
    }


def at(moment: dt.datetime, line: dict[str, Any]) -> dict[str, Any]:
    """Return a line as if it had been written at `moment`."""
    return {"timestamp": iso(moment), **line}
