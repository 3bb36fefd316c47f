"""What was measured before a deployment, and whether it may still be compared with."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from judging import inputs
from judging.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY: Final = 86_400.0  # seconds
FRESH: Final = 7 * DAY  # traffic repeats by the week; an older baseline describes other users and another load


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baseline:
    """Figures saved under a name. saved: seconds since the epoch. figures: samples or counts, by the figure's name."""

    name: str
    environment: str
    release: str
    saved: float
    figures: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Now:
    """The run that asks. moment: seconds since the epoch. fresh: the age in seconds above which a baseline is stale."""

    environment: str
    release: str
    moment: float
    fresh: float = FRESH

    def __post_init__(self) -> None:
        inputs.finite("moment", self.moment)
        inputs.positive("fresh", self.fresh)


def unusable(baseline: Baseline | None, figure_name: str, now: Now) -> str | None:
    """Return why this figure cannot be compared with a baseline, None where it can."""
    if baseline is None:
        return "there is no baseline: save one before the deployment"
    age = now.moment - inputs.finite("saved", baseline.saved)
    known = ", ".join(sorted(baseline.figures)) or "none"
    reasons = (
        (baseline.environment != now.environment, f"environment {baseline.environment}, allowed {now.environment}"),
        (baseline.release == now.release, f"release {baseline.release}, the one to judge, allowed an earlier one"),
        (age < 0, f"one saved {-age:.0f} s in the future, allowed the past"),
        (age > now.fresh, f"an age of {age / DAY:.1f} days, allowed {now.fresh / DAY:.1f}"),
        (figure_name not in baseline.figures, f"no figure {figure_name}, known are {known}"),
    )
    return next((f"baseline {baseline.name}: found {text}" for holds, text in reasons if holds), None)


def against(baseline: Baseline | None, figure_name: str, now: Now, compare: Callable[[Any], Decision]) -> Decision:
    """Decide a figure against its baseline; inconclusive where the baseline is missing, stale or of something else.

    compare: gets the figure as it was saved and decides; it is not called without one. Raises what `compare` raises.
    """
    reason = unusable(baseline, figure_name, now)
    if baseline is None or reason is not None:
        return _without(figure_name, reason or "")
    decision = compare(baseline.figures[figure_name])
    note = f"against baseline {baseline.name} of release {baseline.release}"
    return dataclasses.replace(decision, notes=(*decision.notes, note))


def _without(figure_name: str, reason: str) -> Decision:
    return Decision(
        outcome="inconclusive",
        statement=f"{figure_name} has nothing to be compared with: {reason}",
        measured=None,
        low=None,
        high=None,
        limit=0.0,
        comparison="<=",
        unit="",
        samples=0,
        method="baseline",
        confidence=1.0,
        notes=(reason,),
    )
