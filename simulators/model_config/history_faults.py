"""What goes wrong in the past: each fault changes the visits of a healthy history."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simulators.model_config.wording import Line

if TYPE_CHECKING:
    from simulators.model_config.history import History, Visit

_MINUTE = dt.timedelta(minutes=1)
_HOUR = dt.timedelta(hours=1)


def spoil(visits: list[Visit], history: History) -> list[Visit]:
    """Return the visits as the faults that are switched on leave them."""
    busy = [visit for visit in visits if visit.at >= history.now - _HOUR]
    thin = [visit for visit in visits if history.deployed <= visit.at < history.now - _HOUR]
    _spoil_busy(busy, history)
    _spoil_thin(thin, history)
    if history.faults.on("recording-gap"):
        start = history.deployed + 5 * _HOUR
        visits = [visit for visit in visits if not start <= visit.at < start + 40 * _MINUTE]
    return visits


def _turn(visits: list[Visit], kind: str, wall_s: float | None = None) -> None:
    for visit in visits:
        visit.kind = kind
        visit.wall_s = visit.wall_s if wall_s is None else wall_s


def _spoil_busy(busy: list[Visit], history: History) -> None:
    """Change the last hour, which has fifty visits in each five minutes."""
    faults = history.faults
    served = [visit for visit in busy if visit.kind == "dynamic"]
    spell = [visit for visit in served if 20 * _MINUTE <= history.now - visit.at < 30 * _MINUTE]
    if faults.on("memory-kills"):
        _turn(served[100::200], "killed")
    if faults.on("uploads-lost"):
        for visit in served[::50]:
            visit.lost = True
    if faults.on("worker-fetches-limited"):
        _turn(served[200:201], "limited")
    if faults.on("failed-fetches-leave-no-line"):
        _turn(served[::40], "untold")
    if faults.on("error-burst"):
        _turn(spell[::3], "failed")
    if faults.on("slow-spell"):
        _turn(spell[::8], "dynamic", wall_s=22.0)
    if faults.on("fallback-share-up"):
        _turn(served[::6], "legacy")
    if faults.on("error-rate-twentyfold"):
        _turn(served[::50], "failed")


def _spoil_thin(thin: list[Visit], history: History) -> None:
    """Change the twenty-three quiet hours after the deployment."""
    faults = history.faults
    if faults.on("config-service-two-hours-out"):
        _turn(_between(thin, history, 8, 10), "outage")
    if faults.on("config-service-half-an-hour-out"):
        _turn(_between(thin, history, 16, 17)[:6], "outage")
    if faults.on("hourly-new-warning"):
        for visit in thin[::10]:
            visit.extra = (Line("warn", ("R2 put took 2 attempts",)),)
    if faults.on("quiet-hour-half-failed"):
        _turn(_between(thin, history, 14, 15)[::2], "failed")
    if faults.on("real-defaults-lost"):
        for visit in thin[::10]:
            visit.extra = history.wording.unfilled("aspect_ratio")


def _between(visits: list[Visit], history: History, first: int, last: int) -> list[Visit]:
    """Return the visits from `first` to `last` hours after the deployment."""
    return [visit for visit in visits if first * _HOUR <= visit.at - history.deployed < last * _HOUR]
