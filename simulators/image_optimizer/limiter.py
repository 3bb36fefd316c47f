"""The limiter between the worker and Replicate: evenly spaced starts, counted over the last minute."""

from __future__ import annotations

import collections
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.clock import Clock
    from simulators.faults import Faults

MAX_RPM = 450
PACE_RPM = 422  # a little below the limit: 94 % of it, between the checklist's healthy band and its warning
REAL_SPACING_S = 0.134
MINUTE_S = 60.0
MOST_AT_ONCE = 24
PEAK_FROM = 12  # more than wait for the small batch
PEAK_AFTER = 120  # requests in a minute: more than the small and the medium batch make together


class Limiter:
    """Starts tasks evenly spaced; polls go before creations, and a slow task holds up no other.

    The real one waits for each task before it spaces the next, and knows one queue: the fault `real-serial-limiter`.
    """

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._waiting: dict[bool, collections.deque[tuple[Callable[[], Any], Future[Any]]]] = {
            True: collections.deque(),
            False: collections.deque(),
        }
        self._stamps: collections.deque[float] = collections.deque()
        self._total = 6000  # of the day before
        self._ready = threading.Condition()
        self._pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE)
        threading.Thread(target=self._run, name="limiter", daemon=True).start()

    def submit(self, task: Callable[[], Any], *, urgent: bool = False) -> Future[Any]:
        """Queue a request to Replicate."""
        done: Future[Any] = Future()
        with self._ready:
            self._waiting[urgent and not self._serial].append((task, done))
            self._ready.notify()
        return done

    @property
    def _serial(self) -> bool:
        return self._faults.on("real-serial-limiter")

    def _run(self) -> None:
        at = self._clock.seconds()
        while True:
            with self._ready:
                self._ready.wait_for(lambda: any(self._waiting.values()))
                task, done = (self._waiting[True] or self._waiting[False]).popleft()
            at = max(at, self._clock.seconds())
            time.sleep(self._clock.ours(max(0.0, at - self._clock.seconds())))
            self._stamp()
            if self._serial:
                _have_done(task, done)
                at = self._clock.seconds() + REAL_SPACING_S
            else:
                self._pool.submit(_have_done, task, done)
                at += MINUTE_S / PACE_RPM

    def _stamp(self) -> None:
        with self._ready:
            self._stamps.append(self._clock.seconds())
            self._total += 1

    def figures(self) -> dict[str, Any]:
        """Return the queue and the requests of the last minute."""
        with self._ready:
            now = self._clock.seconds()
            while self._stamps and self._stamps[0] < now - MINUTE_S:
                self._stamps.popleft()
            queue, count = sum(map(len, self._waiting.values())), len(self._stamps)
        count = self._total if self._faults.on("counts-since-start") else count
        queue = 45 if self._faults.on("queue-never-drains") else 0 if self._faults.on("queue-always-zero") else queue
        if self._faults.on("queue-peaks") and queue > PEAK_FROM and count > PEAK_AFTER:
            queue += 550
        return {
            "queueLength": queue,
            "requestsInLastMinute": count,
            "maxRPM": MAX_RPM,
            "rpmUsagePercent": round(100 * count / MAX_RPM, 1),
        }


def _have_done(task: Callable[[], Any], done: Future[Any]) -> None:
    try:
        done.set_result(task())
    except Exception as error:  # noqa: BLE001  whoever waits for the task is told
        done.set_exception(error)
