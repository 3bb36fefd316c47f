"""The worker's log in the format `wrangler tail --format json` prints: pretty-printed objects, one after the other."""

from __future__ import annotations

import dataclasses
import json
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from simulators.clock import milliseconds

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from simulators.clock import Clock
    from simulators.model_config.wording import Line, Lines

SCRIPT = "image-gen"
LAG_S = 0.5  # how long an event takes to reach an attached tail
_SECRET_WORDS = ("auth", "cookie", "key", "secret", "token")
_CF = {
    "colo": "AMS",
    "country": "NL",
    "asn": 64512,
    "httpProtocol": "HTTP/2",
    "tlsVersion": "TLSv1.3",
    "clientTcpRtt": 9,
}


@dataclasses.dataclass(kw_only=True)
class Invocation:
    """One run of the worker, from the request it received to the status it answered.

    wall_s and cpu_s are the target's. lines hold the moment of each console call. status: 0 where nobody was answered.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    at: dt.datetime
    lines: list[tuple[dt.datetime, Line]] = dataclasses.field(default_factory=list)
    exceptions: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    outcome: str = "ok"
    status: int = 200
    wall_s: float = 0.0
    cpu_s: float = 0.004

    def say(self, lines: Lines, at: dt.datetime) -> None:
        """Write `lines` to the console."""
        self.lines += [(at, line) for line in lines]

    def event(self) -> dict[str, Any]:
        """Return the event as the platform sends it to a tail; it masks headers that look like secrets."""
        headers = {
            name.lower(): "REDACTED" if any(word in name.lower() for word in _SECRET_WORDS) else text
            for name, text in self.headers.items()
        }
        logs = [
            {"message": list(line.message), "level": line.level, "timestamp": milliseconds(at)}
            for at, line in self.lines
        ]
        request = {"url": self.url, "method": self.method, "headers": headers, "cf": _CF}
        return {
            "wallTime": round(self.wall_s * 1000),
            "cpuTime": round(self.cpu_s * 1000),
            "truncated": False,
            "executionModel": "stateless",
            "outcome": self.outcome,
            "scriptName": SCRIPT,
            "diagnosticsChannelEvents": [],
            "exceptions": self.exceptions,
            "logs": logs,
            "eventTimestamp": milliseconds(self.at),
            "event": {"request": request, "response": {"status": self.status} if self.status else None},
            "id": 0,
        }


class Tail:
    """Two files of events, which arrive a little after they ended and in their order.

    live: what a tail attached from the start prints. stored: the same, after all that was before.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.live = folder / "tail.json"
        self.stored = folder / "history.json"
        self._clock = clock
        self._lag = clock.ours(LAG_S)
        self._pending: queue.SimpleQueue[tuple[float, Invocation, bool]] = queue.SimpleQueue()

    def start(self, past: Iterable[Invocation]) -> None:
        """Store the events of the `past` at once, and write whatever is emitted as it comes."""
        self.live.touch()
        self.stored.write_text("".join(map(_printed, past)), encoding="utf-8")
        threading.Thread(target=self._write, name="tail", daemon=True).start()

    def emit(self, invocation: Invocation, *, attached: bool = True) -> None:
        """Let the event of `invocation` appear; in the stored file alone when no tail is `attached`."""
        self._pending.put((time.monotonic() + self._lag, invocation, attached))

    def _write(self) -> None:
        with self.live.open("a", encoding="utf-8") as live, self.stored.open("a", encoding="utf-8") as stored:
            while True:
                due, invocation, attached = self._pending.get()
                time.sleep(max(0.0, due - time.monotonic()))
                for file in (live, stored) if attached else (stored,):
                    file.write(_printed(invocation))
                    file.flush()


def _printed(invocation: Invocation) -> str:
    return json.dumps(invocation.event(), indent=2, ensure_ascii=False) + "\n"
