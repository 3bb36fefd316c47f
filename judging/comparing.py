"""Before and after: latencies by ranks, spread by its own test, rates exactly. "Same or better" is shown, not assumed.

A difference that was not found is no proof of sameness. So each comparison states how much worse would still be
accepted, passes when worse than that is refuted, and fails when it is shown; too few samples are inconclusive.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from judging import inputs
from judging.binomial import at_least, at_most
from judging.decision import ALPHA, BETA, Decision, Outcome, figure, interval_text
from judging.numerics import np, special
from judging.ranks import Effect, placements, raised, rank_effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Samples = Sequence[float | None] | NDArray[Any]
    Reals = NDArray[np.float64]

SAME: Final = 0.5  # with no change, one of the two is the slower one half of the time
FEW: Final = 10  # below this on either side the rank test's t approximation is too bold; pairs are compared exactly
WIDEST: Final = 0.25  # a chance of three quarters of being worse is accepted as "the same" by nobody
MOST: Final = 10**7  # more samples than this are no advice


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShiftLimit:
    """How much worse than before is accepted.

    tolerance: two measurements that differ by no more than this part of the smaller one count as equal (0.1: 10 %, what
    a neighbour on the same machine costs). margin: how far the chance that one measured after is worse than one before
    may exceed one half (0.1: a small effect, between Cohen's small and medium). rising: whether more is better.

    Raises ValueError for a negative tolerance or a margin outside 0 to 0.25.
    """

    tolerance: float = 0.1
    margin: float = 0.1
    rising: bool = False
    alpha: float = ALPHA
    beta: float = BETA
    unit: str = "s"
    name: str = "latency"

    def __post_init__(self) -> None:
        if inputs.finite("tolerance", self.tolerance) < 0:
            raise ValueError(f"tolerance: found {self.tolerance}, allowed at least 0")
        if not 0 < inputs.finite("margin", self.margin) <= WIDEST:
            raise ValueError(f"margin: found {self.margin}, allowed above 0 and at most {WIDEST}")
        inputs.probability("alpha", self.alpha)
        inputs.probability("beta", self.beta)

    @property
    def allowed(self) -> float:
        """The largest accepted chance of being worse."""
        return SAME + self.margin


def compare_samples(before: Samples, after: Samples, limit: ShiftLimit | None = None) -> Decision:
    """Decide whether measurements after a change are no worse than before, by ranks. O(n log n).

    before, after: measurements in the limit's unit. None after the change is a measurement that never came back,
    worse than any; before it, it is left out, since counting it would let the change look better. The figure is the
    chance that one after is worse than one before, 50 % for no change. Raises ValueError for NaN and infinities.
    """
    limit = limit or ShiftLimit()
    old, left_out = inputs.measurements("before", before)
    known, missing = inputs.measurements("after", after)
    new = np.concatenate([known, np.full(missing, -np.inf if limit.rising else np.inf)])
    middle = f"; median {_median(old, limit.unit)} before, {_median(new, limit.unit)} after"
    return _decide(old, new, limit, middle, _missing_notes(left_out, missing))


def compare_spread(before: Samples, after: Samples, limit: ShiftLimit | None = None) -> Decision:
    """Decide whether measurements after a change scatter no more than before: the same test on distances to the median.

    A missing measurement after the change is infinitely far from it. Below 10 on either side it is inconclusive,
    since the median is then itself too uncertain. Raises ValueError for NaN and infinities. Source: Brown and
    Forsythe, JASA 69 (1974), for the distances; here their ranks are compared, as in `compare_samples`.
    """
    limit = limit or ShiftLimit(name="spread")
    old, left_out = inputs.measurements("before", before)
    known, missing = inputs.measurements("after", after)
    wide_old = np.abs(old - np.median(old)) if len(old) else old
    wide_new = np.abs(known - np.median(known)) if len(known) else known
    wide_new = np.concatenate([wide_new, np.full(missing, np.inf)])
    middle = f"; median distance {_median(wide_old, limit.unit)} before, {_median(wide_new, limit.unit)} after"
    limit = dataclasses.replace(limit, rising=False)
    if min(len(wide_old), len(wide_new)) < FEW:
        return _shift_decision("inconclusive", limit, (wide_old, wide_new), None, middle, ())
    return _decide(wide_old, wide_new, limit, middle, _missing_notes(left_out, missing))


def _missing_notes(before: int, after: int) -> tuple[str, ...]:
    said = (
        (before, f"{before} missing measurements before are left out"),
        (after, f"{after} missing measurements after count as worse than any"),
    )
    return tuple(text for number, text in said if number)


def _median(numbers: Reals, unit: str) -> str:
    if not len(numbers):
        return "unknown"
    found = float(np.median(numbers))
    return figure(found, unit) if np.isfinite(found) else "missing"


def _decide(old: Reals, new: Reals, limit: ShiftLimit, middle: str, notes: tuple[str, ...]) -> Decision:
    if not len(old) or not len(new):
        side = "before" if not len(old) else "after"
        return _shift_decision("inconclusive", limit, (old, new), None, middle, (*notes, f"no data {side} the change"))
    effect = None
    if min(len(old), len(new)) >= FEW:
        effect = rank_effect(new, old, limit.tolerance) if limit.rising else rank_effect(old, new, limit.tolerance)
    if effect is None or effect.error == 0:
        return _shift_decision(_by_pairs(old, new, limit), limit, (old, new), None, middle, notes)
    if effect.below(limit.allowed, limit.alpha):
        return _shift_decision("pass", limit, (old, new), effect, middle, notes)
    outcome: Outcome = "fail" if effect.above(limit.allowed, limit.beta) else "inconclusive"
    return _shift_decision(outcome, limit, (old, new), effect, middle, notes)


def _by_pairs(old: Reals, new: Reals, limit: ShiftLimit) -> Outcome:
    """Decide by the signs of disjoint pairs, taken in order: exact however few they are, and for ties.

    Where the chance of being worse (ties half) is the one allowed, a pair is worse with at most that chance, better
    with at most the rest, and worse with at least twice the margin; two ways to pass share alpha.
    """
    worse, better = _signs(old, new, limit)
    pairs = min(len(old), len(new))
    if at_least(worse, pairs, limit.allowed) <= limit.beta:
        return "fail"
    never_worse, often_better = at_most(worse, pairs, 2 * limit.margin), at_least(better, pairs, 1 - limit.allowed)
    return "pass" if min(never_worse, often_better) <= limit.alpha / 2 else "inconclusive"


def _signs(old: Reals, new: Reals, limit: ShiftLimit) -> tuple[int, int]:
    pairs = min(len(old), len(new))
    first, second = (new[:pairs], old[:pairs]) if limit.rising else (old[:pairs], new[:pairs])
    worse = np.count_nonzero(second > raised(first, 1 + limit.tolerance))
    return int(worse), int(np.count_nonzero(first > raised(second, 1 + limit.tolerance)))


def _shift_decision(
    outcome: Outcome,
    limit: ShiftLimit,
    sides: tuple[Reals, Reals],
    effect: Effect | None,
    middle: str,
    notes: tuple[str, ...],
) -> Decision:
    old, new = sides
    chance = _chance(old, new, limit)
    low, high = (None, None) if effect is None else effect.bounds(limit.beta, limit.alpha)
    confidence = 1 - max(limit.alpha, limit.beta)
    needed = _more(sides, effect, limit) if outcome == "inconclusive" else None
    wanted = "" if needed is None else f"; {needed:,} more samples needed on each side"
    said = "unknown" if chance is None else figure(chance, "share")
    return Decision(
        outcome=outcome,
        statement=(
            f"{limit.name}: the chance to be worse after than before (by over {figure(limit.tolerance, 'share')}) is "
            f"{said}{interval_text(low, high, 'share', confidence)}, no change is 50 %, allowed <= "
            f"{figure(limit.allowed, 'share')}{middle}, {len(old)} and {len(new)} samples{wanted}"
        ),
        measured=chance,
        low=low,
        high=high,
        limit=limit.allowed,
        comparison="<=",
        unit="share",
        samples=len(old) + len(new),
        method="sign test on pairs" if effect is None else "rank test (Brunner-Munzel)",
        confidence=confidence,
        margin=limit.margin,
        needed=needed,
        notes=notes,
    )


def _chance(old: Reals, new: Reals, limit: ShiftLimit) -> float | None:
    if not len(old) or not len(new):
        return None
    first, second = (new, old) if limit.rising else (old, new)
    exceeds, _ = placements(np.sort(first), np.sort(second), limit.tolerance)
    return float(exceeds.mean())


def _more(sides: tuple[Reals, Reals], effect: Effect | None, limit: ShiftLimit) -> int | None:
    """Return how many more are needed on each side: up to the plan for no change, and past it at the effect seen.

    Source: Noether, JASA 82 (1987): the relative effect of two samples of n has variance 1 / (6 n) without a change.
    """
    smaller = min(len(sides[0]), len(sides[1]))
    reach = float(special.ndtri(1 - limit.alpha) + special.ndtri(1 - limit.beta))
    planned = max(FEW, int(np.ceil((reach / limit.margin) ** 2 / 6)))
    if smaller < planned:
        return planned - smaller
    distance = 0.0 if effect is None else abs(effect.chance - limit.allowed)
    if effect is None or distance == 0:
        return None
    total = smaller * (reach / 2 * effect.error / distance) ** 2
    return max(1, int(np.ceil(total)) - smaller) if total < MOST else None
