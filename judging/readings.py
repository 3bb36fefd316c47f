"""The value of a figure in every sliding window since a moment: shares, percentiles, counts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from judging import inputs
from judging.numerics import np
from judging.windows import MOST_WINDOWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = Sequence[float] | NDArray[Any]
    Reals = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """The value of a figure over one window; None where nothing was recorded. Times: seconds since the epoch."""

    start: float
    end: float
    value: float | None
    samples: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sliding:
    """Windows of `window` seconds, one every `step` seconds, that lie whole between `start` and `end`.

    Raises ValueError for lengths that are not positive and for more than a million windows.
    """

    start: float
    end: float
    window: float
    step: float

    def __post_init__(self) -> None:
        length = inputs.finite("end", self.end) - inputs.finite("start", self.start)
        inputs.positive("window", self.window)
        if length / inputs.positive("step", self.step) > MOST_WINDOWS:
            raise ValueError(f"step: found {self.step} s over {length} s, allowed {MOST_WINDOWS} windows")

    def slices(self, ordered: Reals) -> list[tuple[float, float, int, int]]:
        """Return start and end of every window, and where its events begin and end among those ordered by time."""
        room = self.end - self.start - self.window
        steps = int(room / self.step + 1e-9) + 1 if room >= 0 else 0  # 1e-9: a window that just fits, fits
        starts = self.start + self.step * np.arange(steps)
        ends = starts + self.window
        first, last = np.searchsorted(ordered, starts, "left"), np.searchsorted(ordered, ends, "left")
        return list(zip(starts.tolist(), ends.tolist(), first.tolist(), last.tolist(), strict=True))


def share_readings(times: Numbers, bad: Sequence[bool], sliding: Sliding) -> tuple[Reading, ...]:
    """Return the share of bad events in every window. times: seconds since the epoch, one per event, in any order.

    O(n log n). Raises ValueError for NaN and for lists of different length.
    """
    ordered, flags = _ordered(times, np.asarray(bad, dtype=float))
    sums = np.concatenate([[0.0], np.cumsum(flags)])
    return tuple(
        Reading(
            start=start,
            end=end,
            value=float(sums[last] - sums[first]) / (last - first) if last > first else None,
            samples=last - first,
        )
        for start, end, first, last in sliding.slices(ordered)
    )


def percentile_readings(
    times: Numbers, values: Sequence[float | None], sliding: Sliding, percentile: float
) -> tuple[Reading, ...]:
    """Return a percentile of the values in every window; otherwise as `share_readings`.

    The percentile is the smallest value that is not below that part of the values. None among them is a measurement
    that never came back: it is larger than any, and a window whose percentile it is has an infinite value.
    """
    inputs.probability("percentile / 100", percentile / 100)
    inputs.measurements("values", values)
    known = np.array([np.inf if value is None else value for value in values], dtype=float)
    ordered, measured = _ordered(times, known)
    return tuple(
        Reading(start=start, end=end, value=_percentile(measured[first:last], percentile), samples=last - first)
        for start, end, first, last in sliding.slices(ordered)
    )


def count_readings(times: Numbers, sliding: Sliding) -> tuple[Reading, ...]:
    """Return the number of events in every window of a span; an empty window counts 0 and is one sample."""
    ordered, _ = _ordered(times, np.zeros(len(times)))
    return tuple(
        Reading(start=start, end=end, value=float(last - first), samples=max(1, last - first))
        for start, end, first, last in sliding.slices(ordered)
    )


def _ordered(times: Numbers, values: Reals) -> tuple[Reals, Reals]:
    moments, missing = inputs.measurements("times", times)
    if missing or len(moments) != len(values):
        raise ValueError(
            f"times: found {len(moments)} and {missing} missing, allowed one for each of {len(values)} values"
        )
    order = np.argsort(moments, kind="stable")
    return moments[order], values[order]


def _percentile(values: Reals, percentile: float) -> float | None:
    if not len(values):
        return None
    rank = max(0, int(np.ceil(len(values) * percentile / 100 - 1e-9)) - 1)
    return float(np.partition(values, rank)[rank])
