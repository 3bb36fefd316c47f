"""Time as a simulated system lives it: moments are everybody's, durations pass faster."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clock:
    """A clock whose durations run at `speed` target seconds per second of ours.

    Moments (log times, upload times) are the real ones, so that an observer may compare them with its own clock.
    Durations (a generation of 3 s, a time-out of 5 s, the milliseconds an answer reports) are the target's.
    """

    speed: float

    def now(self) -> dt.datetime:
        """Return the present moment, in UTC."""
        return dt.datetime.now(dt.UTC)

    def seconds(self) -> float:
        """Return target seconds since an arbitrary moment; only differences mean something."""
        return time.monotonic() * self.speed

    def ours(self, seconds: float) -> float:
        """Convert target seconds into ours."""
        return seconds / self.speed

    def sleep(self, seconds: float) -> None:
        """Let `seconds` of target time pass."""
        time.sleep(self.ours(seconds))


def milliseconds(moment: dt.datetime) -> int:
    """Return Unix time in milliseconds, as JavaScript counts it."""
    return int(moment.timestamp() * 1000)


def iso(moment: dt.datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds and `Z`, as JavaScript prints it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
