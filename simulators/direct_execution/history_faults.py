"""What may have gone wrong in the past: which generations a fault changes, and how."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.registry import FILM, SYNCHRONOUS, output_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.direct_execution.history import Happened


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where a generation stands among those since the release: its number, and the minute."""

    n: int
    minute: int

    def one_in(self, share: int, rest: int = 0) -> bool:
        """Whether it is the one of `share` that is meant."""
        return self.n % share == rest

    def between(self, start: int, end: int) -> bool:
        """Whether it began in these minutes."""
        return start <= self.minute < end


@dataclasses.dataclass(frozen=True, kw_only=True)
class Defect:
    """One fault of the past. fits: which generations it changes; changed: what of them."""

    fault: str
    fits: Callable[[Happened, Place], bool]
    changed: dict[str, Any]


_FAILED: dict[str, Any] = {"failed": True}


def _kind(one: Happened) -> str:
    return output_type(one.model["contentType"])


DEFECTS = (
    Defect(fault="burst-of-failures", fits=lambda _, at: at.between(20, 30) and at.one_in(4), changed=_FAILED),
    Defect(fault="hour-of-failures", fits=lambda _, at: at.between(300, 360) and at.one_in(13), changed=_FAILED),
    Defect(fault="quarter-of-failures", fits=lambda _, at: at.between(600, 615) and at.one_in(3), changed=_FAILED),
    Defect(fault="early-quarter-of-failures", fits=lambda _, at: at.between(80, 95) and at.one_in(3), changed=_FAILED),
    *(
        Defect(fault=fault, fits=lambda _, at: at.between(300, 315) and at.one_in(3), changed=_FAILED)
        for fault in ("afternoon-quarter-of-failures", "error-alert-slept")
    ),
    Defect(fault="everything-failed", fits=lambda _, at: at.between(700, 712), changed=_FAILED),
    Defect(
        fault="one-model-fails",
        fits=lambda one, at: at.between(540, 600) and "nano-banana" in one.model["modelId"],
        changed=_FAILED,
    ),
    Defect(
        fault="small-provider-fails",
        fits=lambda one, at: one.model["recordId"] == SYNCHRONOUS and not at.between(0, 61) and at.one_in(60, 4),
        changed=_FAILED,
    ),
    Defect(fault="first-hours-fail", fits=lambda _, at: at.between(60, 240) and at.one_in(12), changed=_FAILED),
    Defect(fault="night-fails", fits=lambda _, at: at.between(720, 840) and at.one_in(5), changed=_FAILED),
    Defect(
        fault="slow-model",
        fits=lambda one, at: one.model["provider"] == "runware" and at.one_in(10, 5),
        changed={"seconds": 50.0},
    ),
    Defect(
        fault="videos-with-a-tail",
        fits=lambda one, at: _kind(one) == "video" and one.model["recordId"] != FILM and at.one_in(3),
        changed={"seconds": 540.0},
    ),
    Defect(
        fault="slow-hour",
        fits=lambda one, at: _kind(one) == "image" and at.between(360, 420),
        changed={"seconds": 70.0},
    ),
    Defect(
        fault="images-nearly-slow",
        fits=lambda one, at: _kind(one) == "image" and at.one_in(5),
        changed={"seconds": 29.0},
    ),
)
