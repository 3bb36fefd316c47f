"""Percentiles against a limit, without assuming any distribution: a percentile is a statement about a share.

"p95 is below 10 s" says that at most 5 % of the measurements take 10 s or longer. So the number beyond the limit is
counted and judged as a share; the interval comes from the order statistics that belong to the same exact tests. Ties,
several peaks and a pile of timeouts change nothing in that. Source: Conover, Practical Nonparametric Statistics,
section 3.2.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from judging import inputs
from judging.binomial import at_least, at_most
from judging.decision import ALPHA, BETA, Comparison, Decision, Outcome, figure, interval_text
from judging.numerics import np
from judging.proportions import ShareLimit, decide_share, more_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Samples = Sequence[float | None] | NDArray[Any]
    Interval = tuple[float | None, float | None]

METHOD: Final = "exact binomial on the number beyond the limit, order-statistic interval"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PercentileLimit:
    """What is allowed of a percentile, and how sure a decision about it has to be.

    percentile: between 0 and 100. value: the limit, in `unit`. comparison: `<`, `<=`, `>` or `>=`. margin: how much
    smaller than allowed the share beyond the limit is in a healthy service (default: half of it; 0.025 at p95).
    timeout: measurements that reach it are known only to be at least so long, and count as beyond any limit. minimum:
    below it nothing is decided.

    Raises ValueError as `ShareLimit` does, and for a percentile outside 0 to 100.
    """

    percentile: float
    value: float
    comparison: Comparison
    unit: str = "s"
    margin: float | None = None
    alpha: float = ALPHA
    beta: float = BETA
    minimum: int = 1
    timeout: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        inputs.finite("limit", self.value)
        inputs.probability("percentile / 100", self.percentile / 100)
        if self.comparison == "==":
            raise ValueError("comparison: found '==', allowed <, <=, >, >=: a percentile is never exactly a number")
        if self.timeout is not None:
            inputs.positive("timeout", self.timeout)
        _ = self.beyond

    @property
    def falling(self) -> bool:
        """Whether less is better."""
        return self.comparison in ("<", "<=")

    @cached_property
    def beyond(self) -> ShareLimit:
        """The same limit, as one on the share of measurements beyond it."""
        share = self.percentile / 100
        return ShareLimit(
            value=1 - share if self.falling else share,
            comparison="<=",
            margin=self.margin,
            alpha=self.alpha,
            beta=self.beta,
            minimum=self.minimum,
            name=f"share of measurements not {self.comparison} {figure(self.value, self.unit)}",
        )

    @property
    def title(self) -> str:
        """What a sentence calls the figure."""
        return self.name or f"p{self.percentile:g}"


def decide_percentile(samples: Samples, limit: PercentileLimit, *, notes: tuple[str, ...] = ()) -> Decision:
    """Decide whether the percentile that these measurements come from keeps its limit. O(number of samples).

    samples: measurements in the limit's unit, None for one that never came back; such a one is beyond any limit. The
    error probabilities are those of `decide_share`, for any distribution. Raises ValueError for NaN and infinities.
    """
    ordered = censored(samples, limit)
    hits = count_beyond(ordered, limit)
    share = decide_share(hits, len(ordered), limit.beyond)
    return percentile_decision(
        share.outcome, limit, ordered, order_interval(ordered, limit), needed=share.needed, notes=notes, method=METHOD
    )


def censored(samples: Samples, limit: PercentileLimit) -> NDArray[np.float64]:
    """Return all measurements, those unknown or stuck at the timeout as infinite on the bad side."""
    known, missing = inputs.measurements("samples", samples)
    worst = np.inf if limit.falling else -np.inf
    if limit.timeout is not None:
        known = np.where(known >= limit.timeout, worst, known)
    return np.concatenate([known, np.full(missing, worst)])


def count_beyond(measured: NDArray[np.float64], limit: PercentileLimit) -> int:
    """Return how many measurements do not satisfy the limit; one that equals it breaks `<` and keeps `<=`."""
    keeps = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[limit.comparison]
    return len(measured) - int(np.count_nonzero(keeps(measured, limit.value)))


def order_interval(measured: NDArray[np.float64], limit: PercentileLimit) -> Interval:
    """Return the order statistics that bound the percentile: alpha at the end that decides a pass, beta at the other.

    A bound is None where the samples are too few for one, or where it lies beyond the timeout. Source: Conover (3.2).
    """
    above, below = (limit.alpha, limit.beta) if limit.falling else (limit.beta, limit.alpha)
    share, size = limit.percentile / 100, len(measured)
    lower = _last(lambda rank: bool(at_most(rank - 1, size, share) <= below), size)
    upper = size - _last(lambda left: bool(at_least(size - left + 1, size, share) <= above), size) + 1
    return ranked(measured, lower), ranked(measured, upper)


def _last(holds: Callable[[int], bool], size: int) -> int:
    """Return the largest rank in 1..size at which `holds`, which is true up to some rank and false after; 0 if none."""
    low, high = 0, size + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def ranked(measured: NDArray[np.float64], rank: int) -> float | None:
    """Return the measurement of this rank, counted from 1; None outside the sample or where it is not known."""
    if not 1 <= rank <= len(measured):
        return None
    found = float(np.partition(measured, rank - 1)[rank - 1])
    return found if np.isfinite(found) else None


def percentile_decision(  # noqa: PLR0913 - the parts of one sentence
    outcome: Outcome,
    limit: PercentileLimit,
    measured: NDArray[np.float64],
    interval: Interval,
    *,
    method: str,
    needed: int | None = None,
    notes: tuple[str, ...] = (),
) -> Decision:
    """Return the decision about a percentile, with its sentence. measured: as `censored` returns them."""
    size = len(measured)
    point = ranked(measured, max(1, int(np.ceil(size * limit.percentile / 100 - 1e-9)))) if size else None
    unknown = int(np.count_nonzero(np.isinf(measured)))
    if unknown:
        notes = (*notes, f"{unknown} of {size} measurements are missing or stuck at the timeout: beyond any limit")
    if size < limit.minimum:
        notes = (*notes, f"{size} samples, at least {limit.minimum} are asked for")
    confidence = 1 - max(limit.alpha, limit.beta)
    said = figure(point, limit.unit) if point is not None else ("beyond the timeout" if unknown else "unknown")
    spread = interval_text(*interval, limit.unit, confidence)
    allowed = f"allowed {limit.comparison} {figure(limit.value, limit.unit)}"
    return Decision(
        outcome=outcome,
        statement=f"{limit.title} is {said}{spread}, {allowed}, {size} samples{more_text(needed)}",
        measured=point,
        low=interval[0],
        high=interval[1],
        limit=float(limit.value),
        comparison=limit.comparison,
        unit=limit.unit,
        samples=size,
        method=method,
        confidence=confidence,
        margin=limit.beyond.slack,
        needed=needed,
        notes=notes,
    )
