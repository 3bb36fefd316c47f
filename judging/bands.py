"""Bands such as healthy, warning and critical, as a checklist draws them, with the gaps it leaves between them.

A checklist that calls 80 to 90 % healthy and above 95 % a warning says nothing about 92 %. What happens then is
stated with the bands, and the decision says that it was a gap and how it was read.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Final, Literal

from judging import inputs
from judging.decision import OUTCOMES, Decision, Outcome, figure

if TYPE_CHECKING:
    from collections.abc import Sequence

Gap = Literal["worse", "better", "inconclusive"]
GAPS: Final = ("worse", "better", "inconclusive")
WORSE_FIRST: Final = ("fail", "inconclusive", "pass")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Band:
    """A range of values with a name and what it means. An end of None is open without limit.

    low_open, high_open: whether that end itself is outside ("above 500" leaves 500 out). Raises ValueError for an empty
    range and an unknown outcome.
    """

    name: str
    outcome: Outcome
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome: found {self.outcome!r}, allowed {', '.join(OUTCOMES)}")
        ends = [inputs.finite(f"end of {self.name}", end) for end in (self.low, self.high) if end is not None]
        if ends != sorted(ends):
            raise ValueError(f"{self.name}: found {self.low} to {self.high}, allowed a low end below the high end")

    def holds(self, value: float) -> bool:
        """Return whether the band contains this value."""
        low, high = self.bottom, self.top
        above = value > low or (value == low and not self.low_open)
        return above and (value < high or (value == high and not self.high_open))

    @property
    def bottom(self) -> float:
        """The low end, minus infinity where it is open."""
        return -math.inf if self.low is None else self.low

    @property
    def top(self) -> float:
        """The high end, infinity where it is open."""
        return math.inf if self.high is None else self.high


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bands:
    """The bands of one figure. gap: how a value that none of them contains is read, as its worse or better neighbour.

    Raises ValueError for no bands and for an unknown reading.
    """

    name: str
    bands: tuple[Band, ...]
    unit: str = ""
    gap: Gap = "worse"

    def __post_init__(self) -> None:
        if not self.bands:
            raise ValueError(f"bands of {self.name}: found none, allowed at least 1")
        if self.gap not in GAPS:
            raise ValueError(f"gap: found {self.gap!r}, allowed {', '.join(GAPS)}")

    def read(self, value: float) -> tuple[Outcome, str]:
        """Return what a value means and the words for it. In several bands at once, the worst of them counts."""
        inside = [band for band in self.bands if band.holds(value)]
        if inside:
            worst = _worst(inside)
            return worst.outcome, worst.name
        near = self._neighbours(value)
        between = " and ".join(band.name for band in near)
        where = f"between {between}" if len(near) > 1 else f"beyond {between}"
        if self.gap == "inconclusive":
            return "inconclusive", f"{where}, which the bands leave open"
        taken = _worst(near) if self.gap == "worse" else _worst(near, best=True)
        return taken.outcome, f"{where}, read as {taken.name} (the {self.gap} neighbour)"

    def _neighbours(self, value: float) -> tuple[Band, ...]:
        below = [band for band in self.bands if band.top <= value]
        above = [band for band in self.bands if band.bottom >= value]
        near = (
            max(below, key=lambda band: band.top, default=None),
            min(above, key=lambda band: band.bottom, default=None),
        )
        return tuple(band for band in near if band is not None)


def _worst(bands: Sequence[Band], *, best: bool = False) -> Band:
    ordered = sorted(bands, key=lambda band: WORSE_FIRST.index(band.outcome))
    return ordered[-1 if best else 0]


def decide_band(value: float | None, bands: Bands, *, low: float | None = None, high: float | None = None) -> Decision:
    """Decide which band a figure lies in. low, high: its interval, where it has one.

    No value is inconclusive, and so is an interval over bands that mean different things. Raises ValueError for NaN.
    """
    if value is None:
        return _band_decision("inconclusive", bands, None, (low, high), "unknown", ())
    outcome, words = bands.read(inputs.finite("value", value))
    reached = {bands.read(point)[0] for point in _probes(value, low, high, bands)}
    if len(reached) > 1:
        note = f"the interval reaches bands that mean {', '.join(sorted(reached))}"
        return _band_decision("inconclusive", bands, value, (low, high), words, (note,))
    return _band_decision(outcome, bands, value, (low, high), words, ())


def _probes(value: float, low: float | None, high: float | None, bands: Bands) -> list[float]:
    """Return a point of every stretch of the interval on which the reading cannot change."""
    bottom = value if low is None else inputs.finite("low", low)
    top = value if high is None else inputs.finite("high", high)
    edges = [end for band in bands.bands for end in (band.low, band.high) if end is not None and bottom < end < top]
    points = sorted({bottom, value, top, *edges})
    return [*points, *((one + other) / 2 for one, other in itertools.pairwise(points))]


def _band_decision(
    outcome: Outcome,
    bands: Bands,
    value: float | None,
    interval: tuple[float | None, float | None],
    words: str,
    notes: tuple[str, ...],
) -> Decision:
    good = next((band for band in bands.bands if band.outcome == "pass"), bands.bands[0])
    limit = good.high if good.high is not None else good.low
    said = "unknown" if value is None else figure(value, bands.unit)
    return Decision(
        outcome=outcome,
        statement=(
            f"{bands.name} is {said}{_spread(interval, bands.unit)}: {words}; {good.name} is {_range(good, bands.unit)}"
        ),
        measured=value,
        low=interval[0],
        high=interval[1],
        limit=0.0 if limit is None else float(limit),
        comparison=("<" if good.high_open else "<=") if good.high is not None else (">" if good.low_open else ">="),
        unit=bands.unit,
        samples=0 if value is None else 1,
        method="bands",
        confidence=1.0,
        notes=notes,
    )


def _spread(interval: tuple[float | None, float | None], unit: str) -> str:
    low, high = interval
    return "" if low is None and high is None else f" ({figure(low, unit)} to {figure(high, unit)})"


def _range(band: Band, unit: str) -> str:
    if band.low is None:
        return f"{'below' if band.high_open else 'at most'} {figure(band.high, unit)}"
    if band.high is None:
        return f"{'above' if band.low_open else 'at least'} {figure(band.low, unit)}"
    return f"{figure(band.low, unit)} to {figure(band.high, unit)}"
