"""A clock for deployments: what waits for minutes goes on at once, and the minutes are counted."""

from __future__ import annotations

import asyncio
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from probe_endpoints import SLEEP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_SHORTEST_S = 1.0  # what waits less than this really waits
_MOST_IDLE_S = 2.0  # real seconds without a wait after which nothing in the background is expected to wait again
_SETTLING_S = 30.0  # real seconds in which background work of twenty counted minutes is over


class Clock:
    """Seconds that passed for one deployment: the real ones, and those that were waited for without waiting."""

    def __init__(self, at_wait: Callable[[float], Awaitable[None]]) -> None:
        self._at_wait = at_wait
        self._began = time.monotonic()
        self._paused = 0.0
        self.waited = 0.0
        self._over = False
        self._last = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the deployment began, those of our own looks left out."""
        return time.monotonic() - self._began - self._paused + self.waited

    async def wait(self, seconds: float) -> None:
        """Take note of the state of things, then let `seconds` have passed; once all is over, let time stand still."""
        if self._over:
            await SLEEP(3600)
        began = time.monotonic()
        await self._at_wait(seconds)
        self.waited += seconds
        self._last = time.monotonic()
        self._paused += self._last - began

    async def settle(self, minutes: float) -> None:
        """Let what goes on in the background go on, until nothing waits any more or `minutes` have passed."""
        end, until = time.monotonic() + _SETTLING_S, self.now() + minutes * 60
        while time.monotonic() < min(end, self._last + _MOST_IDLE_S) and self.now() < until:
            await SLEEP(0.02)
        self._over = True


CLOCK: ContextVar[Clock | None] = ContextVar("clock", default=None)
HURRIED: ContextVar[bool] = ContextVar("hurried", default=False)


async def _sleep(delay: float, result: Any = None) -> Any:
    clock = CLOCK.get()
    if delay < _SHORTEST_S or (clock is None and not HURRIED.get()):
        return await SLEEP(delay, result)
    if clock is not None and not HURRIED.get():
        await clock.wait(delay)
    return await SLEEP(0, result)


def install() -> None:
    """Put the counting clock in the place of `asyncio.sleep`, for tasks that have one."""
    asyncio.sleep = _sleep  # the installation finds it there, unless it has taken it under a name of its own before
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "services":
            vars(module).update({own: _sleep for own, thing in vars(module).items() if thing is SLEEP})
