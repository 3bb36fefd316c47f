"""Categories against the shares expected of them: how far they are apart, with an interval, exact for small cells too.

The distance is the total variation: the largest difference that the share of any set of categories shows. So a distance
is a statement about shares, and exact bounds of shares bound it. If the true distance reaches the limit, one set of
categories shows it, and it is that set's exact upper bound that a false pass has to beat: alpha needs no correction. A
fail may come from any set, so beta is divided by their number.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from judging import inputs
from judging.binomial import lower_bound, upper_bound
from judging.decision import ALPHA, BETA, Decision, Outcome, figure, interval_text
from judging.numerics import np, special

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

SUM: Final = 1e-6  # expected shares are written with a few digits and still have to add up to one
WIDEST_SPREAD: Final = 0.5  # standard deviation of a share of one half, the worst
MOST: Final = 10**9  # more samples than this are no advice


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistanceLimit:
    """How far the shares of categories may be from the expected ones: total variation, 0 for equal, 1 for disjoint.

    Raises ValueError unless the limit lies between 0 and 1.
    """

    value: float
    alpha: float = ALPHA
    beta: float = BETA
    minimum: int = 1
    name: str = "distribution"

    def __post_init__(self) -> None:
        inputs.probability("limit", self.value)
        inputs.probability("alpha", self.alpha)
        inputs.probability("beta", self.beta)
        inputs.count("minimum", self.minimum)


def decide_distribution(counts: Mapping[str, int], expected: Mapping[str, float], limit: DistanceLimit) -> Decision:
    """Decide whether counts per category come from shares within the limit of the expected ones.

    expected: share by category, adding up to 1. A category that is not expected is named and counts with an expected
    share of 0; an expected one without a count counts 0. No counts at all are inconclusive. O(categories * counts).
    Raises ValueError for negative counts and shares, and for shares that do not add up.
    """
    _check_shares(expected)
    names = sorted({*counts, *expected})
    seen = np.array([inputs.count(f"count of {name}", counts.get(name, 0)) for name in names])
    shares = np.array([expected.get(name, 0.0) for name in names])
    total = int(seen.sum())
    notes = _notes(names, seen, shares)
    if total == 0 or total < limit.minimum:
        return _distance_decision("inconclusive", limit, (None, None, None), total, notes)
    low, high = distance_bounds(seen, shares, limit.alpha, limit.beta)
    measured = float(np.abs(seen / total - shares).sum() / 2)
    outcome: Outcome = "pass" if high < limit.value else "fail" if low > limit.value else "inconclusive"
    return _distance_decision(outcome, limit, (measured, low, high), total, notes)


def distance_bounds(seen: NDArray[np.int64], shares: Reals, alpha: float, beta: float) -> tuple[float, float]:
    """Return bounds of the total variation between the shares behind some counts and the expected ones.

    seen, shares: one entry per category; at least one count in all. Each bound is wrong with probability at most beta
    (lower) and alpha (upper). Source: Clopper-Pearson bounds of every set of categories, found over their counts.
    """
    total = int(seen.sum())
    each = beta / max(2.0 ** len(seen) - 2, 1.0)  # every set of categories but none and all
    hits, least = _cheapest(seen, shares, math.sqrt(-math.log(min(alpha, each)) / (2 * total)))
    high = float(np.max(upper_bound(hits, total, alpha) - least))
    low = float(np.max(lower_bound(hits, total, each) - least))
    return max(low, 0.0), min(max(high, 0.0), 1.0)


def _cheapest(seen: NDArray[np.int64], shares: Reals, reach: float) -> tuple[Reals, Reals]:
    """Return the counts that sets of categories reach, each with the smallest expected share of such a set.

    Only that set can give a bound its extreme. Counts that cannot give the largest bound are left out: an exact bound
    is at most `reach` away from the share seen (Hoeffding's inequality).
    """
    total = int(seen.sum())
    least = np.full(total + 1, np.inf)
    least[0] = 0.0
    for count, share in zip(seen.tolist(), shares.tolist(), strict=True):
        least[count:] = np.minimum(least[count:], least[: total + 1 - count] + share)
    least[0] = shares[seen == 0].min(initial=np.inf)  # the empty set says nothing
    gain = np.arange(total + 1) / total - least
    hits = np.flatnonzero(gain >= gain.max() - reach)
    return hits.astype(float), least[hits]


def _check_shares(expected: Mapping[str, float]) -> None:
    for name, share in expected.items():
        if inputs.finite(f"expected share of {name}", share) < 0:
            raise ValueError(f"expected share of {name}: found {share}, allowed at least 0")
    if abs(sum(expected.values()) - 1) > SUM:
        raise ValueError(f"expected shares: found a sum of {sum(expected.values())}, allowed 1")


def _notes(names: list[str], seen: NDArray[np.int64], shares: Reals) -> tuple[str, ...]:
    strange = [
        f"{name} ({count})" for name, count, share in zip(names, seen, shares, strict=True) if count and not share
    ]
    absent = [name for name, count, share in zip(names, seen, shares, strict=True) if share and not count]
    said = ((strange, "not expected: "), (absent, "expected and never seen: "))
    return tuple(text + ", ".join(found) for found, text in said if found)


def _distance_decision(
    outcome: Outcome,
    limit: DistanceLimit,
    found: tuple[float | None, float | None, float | None],
    total: int,
    notes: tuple[str, ...],
) -> Decision:
    measured, low, high = found
    confidence = 1 - max(limit.alpha, limit.beta)
    needed = _more(limit, found, total) if outcome == "inconclusive" else None
    wanted = "" if needed is None else f"; {needed:,} more samples needed"
    said = "unknown" if measured is None else figure(measured, "share")
    if total < limit.minimum:
        notes = (*notes, f"{total} samples, at least {limit.minimum} are asked for")
    return Decision(
        outcome=outcome,
        statement=(
            f"{limit.name} is {said} away from the expected one{interval_text(low, high, 'share', confidence)}, "
            f"allowed < {figure(limit.value, 'share')}, {total} samples{wanted}{''.join(f'; {note}' for note in notes)}"
        ),
        measured=measured,
        low=low,
        high=high,
        limit=float(limit.value),
        comparison="<",
        unit="share",
        samples=total,
        method="total variation, exact bounds over all sets of categories",
        confidence=confidence,
        needed=needed,
        notes=notes,
    )


def _more(limit: DistanceLimit, found: tuple[float | None, float | None, float | None], total: int) -> int | None:
    """Return about how many more samples would decide: bounds close in as one over the root of their number."""
    measured, low, high = found
    if total < limit.minimum:
        return limit.minimum - total
    if measured is None or low is None or high is None:
        reach, gap, base = WIDEST_SPREAD * float(special.ndtri(1 - limit.alpha)), limit.value / 2, 1
    else:
        reach = high - measured if measured < limit.value else measured - low
        gap, base = abs(limit.value - measured), total
    wanted = base * (reach / gap) ** 2 if gap else math.inf
    return max(1, math.ceil(wanted) - total) if wanted < MOST else None
