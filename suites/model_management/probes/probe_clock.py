"""A clock for deployments: what waits for minutes goes on at once, and the minutes are counted."""

from __future__ import annotations

import asyncio
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from probe_endpoints import MONOTONIC, SLEEP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_TIME = time.time
_SHORTEST_S = 1.0  # what waits less than this really waits
_MOST_IDLE_S = 2.0  # real seconds without a wait after which nothing in the background is expected to wait again
_SETTLING_S = 30.0  # real seconds in which background work of twenty counted minutes is over


class Clock:
    """Seconds that passed for one deployment: the real ones, and those that were waited for without waiting."""

    def __init__(self, at_wait: Callable[[float], Awaitable[None]]) -> None:
        self._at_wait = at_wait
        self._began = MONOTONIC()
        self._paused = 0.0
        self.waited = 0.0
        self._over = False
        self._last = MONOTONIC()

    def now(self) -> float:
        """Return the seconds since the deployment began, those of our own looks left out."""
        return MONOTONIC() - self._began - self._paused + self.waited

    async def wait(self, seconds: float) -> None:
        """Take note of the state of things, then let `seconds` have passed; once all is over, let time stand still."""
        if self._over:
            await SLEEP(3600)
        began = MONOTONIC()
        await self._at_wait(seconds)
        self.waited += seconds
        self._last = MONOTONIC()
        self._paused += self._last - began

    async def settle(self, minutes: float) -> None:
        """Let what goes on in the background go on, until nothing waits any more or `minutes` have passed."""
        end, until = MONOTONIC() + _SETTLING_S, self.now() + minutes * 60
        while MONOTONIC() < min(end, self._last + _MOST_IDLE_S) and self.now() < until:
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


def _monotonic() -> float:
    return MONOTONIC() + _counted()


def _time() -> float:
    return _TIME() + _counted()


def _counted() -> float:
    clock = CLOCK.get()
    return 0.0 if clock is None or HURRIED.get() else clock.waited


def install() -> None:
    """Put the counting clock in the place of `asyncio.sleep`, and of the time, for tasks that have one."""
    asyncio.get_running_loop().time = MONOTONIC  # type: ignore[method-assign]  # the loop itself keeps the real time
    places = ((asyncio, "sleep", _sleep), (time, "monotonic", _monotonic), (time, "time", _time))
    ours = {id(vars(module)[name]): double for module, name, double in places}
    for module, name, double in places:
        setattr(module, name, double)
    for name, module in list(sys.modules.items()):  # what the installation has taken under names of its own before
        if name.partition(".")[0] == "services":
            vars(module).update({own: ours[id(thing)] for own, thing in vars(module).items() if id(thing) in ours})
