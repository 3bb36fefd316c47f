"""What happened before the simulators were started: a day of jobs, what the server printed of it, and Replicate's part.

All lengths are the target's: a day ago is a day of the target's time ago, as every difference of two moments is.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from typing import TYPE_CHECKING

from simulators.image_optimizer.provider import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.clock import Clock
    from simulators.faults import Faults

DAY_S, HOUR_S, MINUTE_S = 86_400.0, 3600.0, 60.0
SHORT_DAY_S = 20 * HOUR_S
YOUNG_S = 90.0
QUIET_EVERY_S, QUIET_IMAGES = 1200.0, 4
BUSY_FROM_S, BUSY_S = -3 * HOUR_S, 720.0
BUSY_PER_MINUTE = 402.0  # images: with twenty polls a minute they use 94 % of the limit
REAL_PER_MINUTE = 67.0  # as measured: one request at a time, polls included
BACKLOG = 500
RECENT_FROM_S, RECENT_S, RECENT_PER_MINUTE = -1500.0, 720.0, 50.0
UNEVEN_S, SLOW_S, SLOW_RATE = 220.0, 130.0, 0.4
GENERATION_S = 4.0
FAILING_EVERY = 1250  # a few images of the day fail, as in the checklist's example
JOB_IMAGES = 10


@dataclasses.dataclass(kw_only=True)
class PastItem:
    """One item of the past; times in the target's seconds before the start, which is 0."""

    created: float
    started: float
    ended: float
    status: str = "DONE"
    error: str | None = None
    logged: str | None = None
    canceled: bool = False


@dataclasses.dataclass(kw_only=True)
class PastJob:
    """One job of the past."""

    store: str
    created: float
    items: list[PastItem]
    status: str = ""

    @property
    def ended(self) -> float:
        """When its last item ended."""
        return max(item.ended for item in self.items)


class History:
    """The past of one deployment."""

    def __init__(self, *, now: dt.datetime, clock: Clock, faults: Faults, stores: tuple[str, ...]) -> None:
        self._now = now
        self._clock = clock
        self.faults = faults
        self._stores = stores
        self._made = 0
        self.age_s = SHORT_DAY_S if faults.on("first-day-not-over") else DAY_S
        # A release that has just come finds a day of the one before it: its rows, its lines and its predictions.
        self.up_s = YOUNG_S if faults.on("deployed-just-now") else self.age_s
        self.deployed = self.moment(-self.up_s)
        self.jobs = sorted(self._jobs(), key=lambda job: job.created)

    def moment(self, seconds: float) -> dt.datetime:
        """Return the moment that lies so many of the target's seconds from the start."""
        return self._now + dt.timedelta(seconds=self._clock.ours(seconds))

    def _jobs(self) -> Iterator[PastJob]:
        yield from self._quiet()
        yield from self._busy()
        yield from self._recent()

    def _quiet(self) -> Iterator[PastJob]:
        slow = self.faults.on("one-job-in-four-slow")
        for number in range(int((self.age_s - 600) / QUIET_EVERY_S)):
            created = -self.age_s + 300 + number * QUIET_EVERY_S
            if BUSY_FROM_S - 300 < created < BUSY_FROM_S + BUSY_S + 900:
                continue
            longer = 300.0 if slow else 0.0
            yield self._job(number, created, [created + 0.4 + n * 0.15 + longer for n in range(QUIET_IMAGES)])

    def _busy(self) -> Iterator[PastJob]:
        """Yield the jobs of a busy quarter of an hour: a backlog of 500 images, kept up while it is worked on."""
        rate = 80.0 if self.faults.on("slow-completion") else BUSY_PER_MINUTE
        rate = REAL_PER_MINUTE if self.faults.on("real-serial-limiter") else rate
        images = int(BACKLOG + rate * BUSY_S / MINUTE_S)
        for job in range(images // JOB_IMAGES):
            first = job * JOB_IMAGES
            created = BUSY_FROM_S + max(0, first - BACKLOG) * MINUTE_S / rate
            starts = [self._paced(BUSY_FROM_S + (first + n) * MINUTE_S / rate) for n in range(JOB_IMAGES)]
            yield self._job(job, created, starts)

    def _paced(self, start: float) -> float:
        """Return when an image is really begun: with a fault, minutes go by in which nothing is, or little."""
        if self.faults.on("completions-in-bursts"):
            return BUSY_FROM_S + math.ceil((start - BUSY_FROM_S) / 240.0) * 240.0
        if self.faults.on("throughput-uneven"):
            return BUSY_FROM_S + _unevenly(start - BUSY_FROM_S)
        return start

    def _recent(self) -> Iterator[PastJob]:
        burst = self.faults.on("burst-over-the-limit")
        for job in range(int(RECENT_PER_MINUTE * RECENT_S / MINUTE_S / JOB_IMAGES)):
            created = RECENT_FROM_S + (0.0 if burst else job * JOB_IMAGES * MINUTE_S / RECENT_PER_MINUTE)
            starts = [created + 0.4 + n * (0.05 if burst else 0.15) for n in range(JOB_IMAGES)]
            yield self._job(job, created, starts)

    def _job(self, number: int, created: float, starts: list[float]) -> PastJob:
        items = [self._item(created, start) for start in starts]
        return PastJob(store=self._stores[number % len(self._stores)], created=created, items=items)

    def _item(self, created: float, started: float) -> PastItem:
        self._made += 1
        item = PastItem(created=created, started=started, ended=started + GENERATION_S + (self._made * 7 % 30) / 10)
        if self._made % FAILING_EVERY == 0:
            item.status, item.error = "FAILED", "model exploded"
        self._spoil(item)
        return item

    def _spoil(self, item: PastItem) -> None:
        since = item.started - RECENT_FROM_S
        if not 0 <= since < RECENT_S:
            return
        if self.faults.on("predictions-canceled") and self._made % 20 == 0:
            item.status, item.error = "FAILED", "Prediction canceled"
        if self.faults.on("failures-rise") and self._made % (100, 33, 11)[int(since // 300)] == 0:
            item.status, item.error = "FAILED", "model exploded"
        if self.faults.on("all-items-fail") and since < 300:  # noqa: PLR2004  five minutes
            item.status, item.error = "FAILED", "model exploded"
        if self.faults.on("rate-limit-fails-an-item") and self._made % 600 == 0:
            item.status, item.error = "FAILED", "Replicate API error: Request failed with status 429 Too Many Requests"
        if self.faults.on("canceled-counts-as-done") and self._made % 600 == 0:
            item.canceled = True
        if self.faults.on("rate-limit-in-the-log") and self._made % 600 == 0:
            item.status, item.error, item.logged = "FAILED", "failed", "429 Too Many Requests"

    def predictions(self, picture: str) -> Iterator[tuple[PastItem, Prediction]]:
        """Yield each item of the past with its prediction."""
        number = 0
        for job in self.jobs:
            for item in job.items:
                number += 1
                ends = "succeeded" if item.status == "DONE" else "failed"
                ends = "canceled" if item.canceled or item.error == "Prediction canceled" else ends
                yield (
                    item,
                    Prediction(
                        id=f"past{number:022d}", prompt="A past picture", picture=picture, ends=ends,
                        created=self.moment(item.started), ready=self.moment(item.ended - 1), error=item.error,
                    ),
                )  # fmt: skip


def hides_debug_lines(faults: Faults) -> bool:
    """Say whether the server runs at a level that hides its debug lines."""
    return faults.on("real-debug-hidden") or faults.on("level-untold")


def _unevenly(even: float) -> float:
    """Return when something is begun that would be begun at `even`: slowly for 130 s, then fast, thrice.

    A slow stretch is longer than two minutes, so that it holds a whole one, wherever the minutes are thought to begin.
    """
    if even >= 3 * UNEVEN_S:
        return even
    rounds, within = divmod(even, UNEVEN_S)
    few = SLOW_S * SLOW_RATE
    fast = (UNEVEN_S - SLOW_S) / (UNEVEN_S - few)
    return rounds * UNEVEN_S + (within / SLOW_RATE if within < few else SLOW_S + (within - few) * fast)
