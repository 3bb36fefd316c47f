"""Counts over time: windows cut by the database's clock, with the gaps and the cut-off windows named.

Times are seconds since the epoch as the database tells them. A window contains its start and not its end.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from judging import inputs
from judging.decision import ALPHA, BETA, COMPARISONS, Comparison, Decision, Outcome, figure, interval_text
from judging.numerics import np, special
from judging.percentiles import PercentileLimit, decide_percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Times = Sequence[float] | NDArray[Any]

MOST_WINDOWS: Final = 1_000_000  # a month of windows of three seconds; more is a mistake in the length
SHORT: Final = 1e-6  # seconds: databases keep microseconds, so a shorter remainder is rounding


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of time and how many events fell into it. whole: False where observation began late or ended early."""

    start: float
    end: float
    count: int
    whole: bool = True

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """What was observed of time, by the database's clock: from `start` to `end`, in windows of `length` seconds.

    Raises ValueError for an end before the start, a length of 0 or below, and for more than a million windows.
    """

    start: float
    end: float
    length: float

    def __post_init__(self) -> None:
        if inputs.finite("end", self.end) < inputs.finite("start", self.start):
            raise ValueError(f"end: found {self.end}, allowed at least the start {self.start}")
        if (self.end - self.start) / inputs.positive("length", self.length) > MOST_WINDOWS:
            raise ValueError(
                f"length: found {self.length} s over {self.end - self.start} s, allowed {MOST_WINDOWS} windows"
            )


def cut(times: Times, span: Span) -> tuple[Window, ...]:
    """Return the windows of a span with their counts, the last one cut off where the span ends inside it. O(n log n).

    times: seconds since the epoch, in any order. Events outside the span are not counted. Raises ValueError for NaN.
    """
    array, missing = inputs.measurements("times", times)
    if missing:
        raise ValueError(f"times: found {missing} missing, allowed a time for every event")
    edges = np.arange(span.start, span.end, span.length)
    if len(edges) > 1 and span.end - edges[-1] < SHORT:
        edges = edges[:-1]
    ends = np.append(edges[1:], span.end) if len(edges) else edges
    ordered = np.sort(array)
    counts = np.searchsorted(ordered, ends, "left") - np.searchsorted(ordered, edges, "left")
    return tuple(
        Window(start=float(start), end=float(end), count=int(count), whole=bool(end - start > span.length - SHORT))
        for start, end, count in zip(edges, ends, counts, strict=True)
    )


def clock(seconds: float) -> str:
    """Return a moment as `12:03:30` (seconds only where there are any), in UTC."""
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    return f"{moment:%H:%M}" if moment.second == 0 else f"{moment:%H:%M:%S}"


def stretches(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Return neighbouring windows joined into one, so that a person reads one gap and not sixty."""
    joined: list[Window] = []
    for window in windows:
        if joined and abs(joined[-1].end - window.start) < SHORT:
            last = joined.pop()
            window = Window(start=last.start, end=window.end, count=last.count + window.count)  # noqa: PLW2901 - grown
        joined.append(window)
    return tuple(joined)


def gaps(windows: Sequence[Window]) -> tuple[str, ...]:
    """Return a sentence for each stretch without any event and for each window that is not whole."""
    empty = [
        f"no events from {clock(gap.start)} to {clock(gap.end)}"
        for gap in stretches([w for w in windows if not w.count])
    ]
    cut_off = [
        f"the window from {clock(window.start)} lasted {figure(window.seconds, 's')} only: left out"
        for window in windows
        if not window.whole
    ]
    return (*empty, *cut_off)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RateLimit:
    """What is allowed of events per `per` seconds. Raises ValueError for a negative limit and for `==`."""

    value: float
    comparison: Comparison
    per: float = 60.0
    unit: str = "per min"
    alpha: float = ALPHA
    beta: float = BETA
    name: str = "throughput"

    def __post_init__(self) -> None:
        if self.comparison not in COMPARISONS or self.comparison == "==":
            raise ValueError(f"comparison: found {self.comparison!r}, allowed <, <=, >, >=")
        if inputs.finite("limit", self.value) < 0:
            raise ValueError(f"limit: found {self.value}, allowed at least 0")
        inputs.positive("per", self.per)
        inputs.probability("alpha", self.alpha)
        inputs.probability("beta", self.beta)

    @property
    def falling(self) -> bool:
        """Whether less is better."""
        return self.comparison in ("<", "<=")


def decide_rate(count: int, seconds: float, limit: RateLimit, *, notes: tuple[str, ...] = ()) -> Decision:
    """Decide whether the rate of independent events, seen over some time, keeps its limit. Exact.

    A rate over 0 seconds is inconclusive. For arrivals and failures; a saturated worker is steadier than independent
    events, so its throughput is judged more sharply by `decide_throughput`. Raises ValueError for negative input.
    Source: Garwood, Biometrika 28 (1936), exact bounds of a Poisson mean.
    """
    seen = inputs.count("count", count)
    if inputs.finite("seconds", seconds) < 0:
        raise ValueError(f"seconds: found {seconds}, allowed at least 0")
    if seconds == 0:
        return _rate_decision(
            "inconclusive", limit, (None, None, None), seen, (*notes, "a rate over 0 seconds is unknown")
        )
    above, below = (limit.alpha, limit.beta) if limit.falling else (limit.beta, limit.alpha)
    scale = limit.per / seconds
    low = float(special.gammaincinv(seen, below)) * scale if seen else 0.0
    high = float(special.gammainccinv(seen + 1, above)) * scale
    outcome = _side(low, high, limit)
    return _rate_decision(outcome, limit, (seen * scale, low, high), seen, notes)


def _side(low: float, high: float, limit: RateLimit) -> Outcome:
    if high <= limit.value:
        return "pass" if limit.falling else "fail"
    return "inconclusive" if low < limit.value else ("fail" if limit.falling else "pass")


def _rate_decision(
    outcome: Outcome,
    limit: RateLimit,
    found: tuple[float | None, float | None, float | None],
    count: int,
    notes: tuple[str, ...],
) -> Decision:
    measured, low, high = found
    confidence = 1 - max(limit.alpha, limit.beta)
    said = "unknown" if measured is None else figure(measured, limit.unit)
    spread = interval_text(low, high, limit.unit, confidence)
    allowed = f"allowed {limit.comparison} {figure(limit.value, limit.unit)}"
    return Decision(
        outcome=outcome,
        statement=f"{limit.name} is {said}{spread}, {allowed}, {count} events",
        measured=measured,
        low=low,
        high=high,
        limit=float(limit.value),
        comparison=limit.comparison,
        unit=limit.unit,
        samples=count,
        method="exact Poisson (Garwood)",
        confidence=confidence,
        notes=notes,
    )


def decide_throughput(times: Times, span: Span, limit: RateLimit, *, percentile: float = 50.0) -> Decision:
    """Decide whether a percentile of the rates of whole windows keeps its limit; the median unless stated.

    Windows without events count as rate 0 and are named; cut-off ones are named and left out. No whole window, or no
    event at all, is inconclusive: it is not known that anything was running. Raises ValueError as `cut` does.
    """
    windows = cut(times, span)
    whole = [window for window in windows if window.whole]
    rates = np.array([window.count * limit.per / window.seconds for window in whole])
    inner = PercentileLimit(
        percentile=percentile,
        value=limit.value,
        comparison=limit.comparison,
        unit=limit.unit,
        alpha=limit.alpha,
        beta=limit.beta,
        name=f"{limit.name}, p{percentile:g} of windows of {figure(span.length, 's')},",
    )
    if not any(window.count for window in windows):
        return decide_percentile([], inner, notes=("no events at all", *gaps(windows)))
    return decide_percentile(rates, inner, notes=gaps(windows))
