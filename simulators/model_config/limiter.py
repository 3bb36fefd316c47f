"""The worker's own rate limiter: a rolling window of 60 s per instance and provider."""

from __future__ import annotations

import collections
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.clock import Clock

WINDOW_S = 60.0
REQUESTS_PER_MINUTE = 100


class Limiter:
    """Counts requests by key, in the target's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Count one request under `key`; return 0, or the seconds after which the next one is allowed."""
        with self._lock:
            now, seen = self._clock.seconds(), self._seen[key]
            while seen and seen[0] <= now - WINDOW_S:
                seen.popleft()
            if len(seen) >= REQUESTS_PER_MINUTE:
                return seen[0] + WINDOW_S - now
            seen.append(now)
            return 0.0
