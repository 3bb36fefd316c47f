"""The deployments a run makes: the three strategies, and what becomes of models that are no good."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from probe_clock import install
from probe_ground import opened_pool
from probe_rollout import Rollout

if TYPE_CHECKING:
    from probe_rollout import Manner

_QUICK_S = 0.03
_SLOW_S = 0.3  # ten times as long
_CANARY_REQUESTS = 1000


def _good(_: int) -> tuple[int, float]:
    return 200, 0.0


def _steady(_: int) -> tuple[int, float]:
    return 200, _QUICK_S


def _cold(number: int) -> tuple[int, float]:
    """Answer from the third request on, as a model that is still being loaded."""
    return (200 if number > 1 else 503), 0.0


def _flaky(number: int) -> tuple[int, float]:
    """Fail one request in five, after the first ten: it looks good when it is validated."""
    return (500 if number > 12 and number % 5 == 0 else 200), _QUICK_S


def _slowing(number: int) -> tuple[int, float]:
    """Take ten times as long after the first ten requests."""
    return 200, (_SLOW_S if number > 12 else _QUICK_S)


def _dead(_: int) -> tuple[int, float]:
    return 500, 0.0


async def _one(marker: str, what: str, strategy: str | None, new: Manner, **more: Any) -> dict[str, Any]:
    old = _steady if new in (_flaky, _slowing) else _good
    rollout = Rollout(marker, what, new=new, old=old, first=more.get("first", 40))
    await rollout.prepare()
    seen = await rollout.deploy(strategy, bare=more.get("bare", False))
    if more.get("back"):
        seen["back"] = await rollout.go_back()
    await rollout.close()
    return seen


async def _all(**work: Any) -> dict[str, Any]:
    """Do all at once; what raises is told in the place of what was to be seen."""
    await opened_pool()  # before several ask for it at the same moment, as a service does when it starts
    done = await asyncio.gather(*work.values(), return_exceptions=True)
    return {
        name: {"raised": f"{type(one).__name__}: {one}"} if isinstance(one, BaseException) else one
        for name, one in zip(work, done)  # noqa: B905 - Python 3.9 knows no strict, and gather returns as many
    }


async def strategies(marker: str) -> dict[str, Any]:
    """Deploy a good model that starts cold, by each strategy; the first is rolled back by hand afterwards."""
    install()
    return await _all(
        blue_green=_one(marker, "blue_green", "blue_green", _cold, back=True),
        canary=_one(marker, "canary", "canary", _cold, first=_CANARY_REQUESTS),
        all_at_once=_one(marker, "all_at_once", "all_at_once", _cold),
    )


async def refused_deployment(marker: str) -> dict[str, Any]:
    """Deploy a model whose endpoint answers nothing but errors."""
    install()
    return await _one(marker, "refused", "blue_green", _dead)


async def default_deployment(marker: str) -> dict[str, Any]:
    """Deploy without naming a strategy, with a manager built as the guide shows, and go back."""
    install()
    return await _one(marker, "default", None, _good, bare=True, back=True)


async def disappointments(marker: str) -> dict[str, Any]:
    """Deploy models that turn out bad: with errors, with slowness, and a minute after the switch."""
    install()
    late = Rollout(marker, "late", new=_good, old=_good, first=40)
    return await _all(
        errors=_one(marker, "errors", "canary", _flaky),
        slowness=_one(marker, "slowness", "canary", _slowing),
        late=_late(late),
    )


async def _late(rollout: Rollout) -> dict[str, Any]:
    def failing(_: int) -> tuple[int, float]:
        return (500 if rollout.seconds_since_switch() > 60 else 200), 0.0

    rollout.manners["new"] = failing
    await rollout.prepare()
    seen = await rollout.deploy("all_at_once")
    await rollout.close()
    return seen
