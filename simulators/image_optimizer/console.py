"""What the server prints, kept in a file line by line, each stamped as a container's runtime stamps it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from simulators.clock import iso

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

    from simulators.clock import Clock

LEVELS = {"ERROR": 0, "WARN": 1, "INFO": 2, "DEBUG": 3, "TRACE": 4}


class Console:
    """The server's standard output.

    level: LOG_LEVEL, the highest level that is printed. worker_kept: the worker's lines are part of it.
    """

    def __init__(self, path: Path, clock: Clock, level: int, *, worker_kept: bool) -> None:
        self.path = path
        self.level = level
        self.worker_kept = worker_kept
        self._clock = clock
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def past(self, lines: Iterable[tuple[dt.datetime, str]]) -> None:
        """Write the lines of the past, in order of time."""
        ordered = sorted(lines, key=lambda line: line[0])
        self._file.write("".join(f"{iso(moment)} {text}\n" for moment, text in ordered))
        self._file.flush()

    def plain(self, text: str) -> None:
        """Print a line that no level hides."""
        with self._lock:
            self._file.write(f"{iso(self._clock.now())} {text}\n")
            self._file.flush()

    def say(self, level: str, text: str) -> None:
        """Print a line of the image worker, unless its level is hidden."""
        if LEVELS[level] <= self.level and self.worker_kept:
            self.plain(f"[ImageOptWorker] {text}")
