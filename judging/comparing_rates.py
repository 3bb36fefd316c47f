"""Rates before and after a change: an exact test of "not higher by more than a stated margin".

No errors before and two after is no proof of anything, and so is a p-value above 0.05. The rate after is compared
with the rate before plus a margin; both rates are unknown, so the worst case over the rate before is taken.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from judging import inputs
from judging.binomial import at_least, at_most
from judging.decision import ALPHA, BETA, Decision, Outcome, figure, interval_text
from judging.numerics import np, special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Table = tuple[int, int, int, int]  # bad after, trials after, bad before, trials before

EXACT_UP_TO: Final = 1000  # trials on either side: the worst case over the rate before takes 0.2 s there
GRIDS: Final = (129, 33, 33, 33)  # rates tried, then refined around the highest: it is then known to about 1e-6
ROUNDING: Final = 1e-14  # a gap of two shares below this is rounding
MOST: Final = 10**9  # more trials than this are no advice


@dataclasses.dataclass(frozen=True, kw_only=True)
class RateChange:
    """How much higher than before a share of bad trials may be, as a difference of shares (0.01: one percentage point).

    Raises ValueError for a margin outside 0 to 1.
    """

    margin: float
    alpha: float = ALPHA
    beta: float = BETA
    name: str = "error rate"

    def __post_init__(self) -> None:
        if not 0 <= inputs.finite("margin", self.margin) < 1:
            raise ValueError(f"margin: found {self.margin}, allowed from 0 to below 1")
        inputs.probability("alpha", self.alpha)
        inputs.probability("beta", self.beta)


def score(table: tuple[Any, Any, Any, Any], difference: Any) -> Reals:
    """Return the score statistic of "rate after - rate before = difference"; below zero the data are lower. Vectorised.

    Source: Farrington and Manning, Statistics in Medicine 9 (1990): the variance is that of the likeliest pair of rates
    with exactly this difference, from the closed solution of a cubic.
    """
    x, n, y, m = (np.asarray(part, dtype=float) for part in table)
    delta = np.asarray(difference, dtype=float)
    after = _likeliest(x, n, y, m, delta)
    prior = np.clip(after - delta, 0, 1)
    variance = after * (1 - after) / n + prior * (1 - prior) / m
    gap = x / n - y / m - delta
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Reals = np.where(np.abs(gap) < ROUNDING, 0.0, gap / np.sqrt(variance))
    return found


def _likeliest(x: Reals, n: Reals, y: Reals, m: Reals, delta: Reals) -> Reals:
    """Return the likeliest rate after, given its difference from the rate before."""
    ratio = m / n
    a = 1 + ratio
    b = -(1 + ratio + x / n + ratio * y / m + delta * (ratio + 2))
    c = delta**2 + delta * (2 * x / n + ratio + 1) + x / n + ratio * y / m
    d = -x / n * delta * (1 + delta)
    v = b**3 / (3 * a) ** 3 - b * c / (6 * a**2) + d / (2 * a)
    root = np.sqrt(np.clip((b / (3 * a)) ** 2 - c / (3 * a), 0, None))
    u = np.where(v >= 0, root, -root)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = (np.pi + np.arccos(np.clip(np.where(u == 0, 0, v / u**3), -1, 1))) / 3
    found: Reals = np.clip(2 * u * np.cos(angle) - b / (3 * a), np.clip(delta, 0, 1), np.clip(1 + delta, 0, 1))
    return found


def exact_p(table: Table, difference: float, *, lower: bool) -> float:
    """Return the p-value of a table, exact for any rate before: the worst case over it.

    lower: the tail where the rate after is lower than "before + difference" (evidence for a pass); else the upper
    tail. O(trials * rates tried). Source: Chan, Statistics in Medicine 17 (1998), with the statistic of Farrington
    and Manning.
    """
    _, n, _, m = table
    after = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(after + 1) - special.gammaln(n - after + 1)
    edge = _edges(table, difference, lower=lower)

    def chance(rates: Reals) -> Reals:
        raised = np.clip(rates + difference, 0, 1)[:, None]
        exactly = np.exp(ways + special.xlogy(after, raised) + special.xlog1py(n - after, -raised))
        tail = at_least(edge, m, rates[:, None]) if lower else at_most(edge, m, rates[:, None])
        total: Reals = (exactly * tail).sum(axis=1)
        return total

    return min(1.0, _highest(chance, max(0.0, -difference), min(1.0, 1 - difference)))


def _highest(chance: Callable[[Reals], Reals], low: float, high: float) -> float:
    best = 0.0
    for size in GRIDS:
        rates = np.linspace(low, high, size)
        found = chance(rates)
        at = int(np.argmax(found))
        best = max(best, float(found[at]))
        low, high = float(rates[max(0, at - 1)]), float(rates[min(size - 1, at + 1)])
    return best


def _edges(table: Table, difference: float, *, lower: bool) -> Reals:
    """Return, for each number of bad trials after, those before from which (or to which) a table is as extreme."""
    x, n, y, m = table
    seen = float(score((x, n, y, m), difference))
    slack = 1e-9 * max(1.0, abs(seen))  # tables with the same statistic belong together, whatever the rounding
    after = np.arange(n + 1)
    low, high = np.full(n + 1, -1.0), np.full(n + 1, m + 1.0)
    while (high - low > 1).any():
        middle = np.clip(np.floor((low + high) / 2), 0, m)
        value = score((after, n, middle, m), difference)
        enough = value <= seen + slack if lower else value < seen - slack
        moving = high - low > 1
        high, low = np.where(moving & enough, middle, high), np.where(moving & ~enough, middle, low)
    return high if lower else high - 1


def compare_rates(after: tuple[int, int], before: tuple[int, int], change: RateChange) -> Decision:
    """Decide whether a share of bad trials has risen by no more than the margin. after, before: bad ones and trials.

    Up to 1,000 trials on each side the test is exact, above it is the score test, corrected for continuity. No trials
    on either side are inconclusive. The figure is the difference of the two shares. Raises ValueError for counts that
    cannot be.
    """
    x, n = inputs.part("bad after", after[0], "trials after", after[1])
    y, m = inputs.part("bad before", before[0], "trials before", before[1])
    table = (x, n, y, m)
    if n == 0 or m == 0:
        side = "before" if m == 0 else "after"
        return _rate_decision("inconclusive", table, change, "exact", (f"no data {side} the change",))
    exact = max(n, m) <= EXACT_UP_TO
    method = "exact test" if exact else "score test"
    if _p(table, change.margin, exact=exact, lower=True) <= change.alpha:
        return _rate_decision("pass", table, change, method, ())
    failed = _p(table, change.margin, exact=exact, lower=False) <= change.beta
    return _rate_decision("fail" if failed else "inconclusive", table, change, method, ())


def _p(table: Table, difference: float, *, exact: bool, lower: bool) -> float:
    normal = float(score(table, difference)) * _continuity(table, difference)
    near = float(special.ndtr(normal if lower else -normal))
    hopeless = 0.5  # a statistic on the other side of the difference refutes nothing
    return exact_p(table, difference, lower=lower) if exact and near < hopeless else near


def _continuity(table: Table, difference: float) -> float:
    """Return how far counts that are whole numbers weaken the score: by half a step on either side.

    Without it the score test errs in 5.7 of 100 tables instead of 5 when nothing failed before. Source: Yates (1934).
    """
    x, n, y, m = table
    gap = abs(x / n - y / m - difference)
    return max(0.0, 1 - (1 / n + 1 / m) / 2 / gap) if gap > ROUNDING else 0.0


def score_interval(table: Table, below: float, above: float) -> tuple[float, float]:
    """Return the bounds of the difference of rates at which the score test has these one-sided p-values.

    Raises ValueError for no trials on either side. Source: Mee, Biometrics 40 (1984).
    """
    if not table[1] or not table[3]:
        raise ValueError(f"trials: found {table[1]} after and {table[3]} before, allowed at least 1 each")
    return _crossing(table, -float(special.ndtri(below))), _crossing(table, float(special.ndtri(above)))


def _crossing(table: Table, target: float) -> float:
    """Return the difference at which the score, which falls as the difference grows, takes this value."""
    low, high = -1.0, 1.0
    for _ in range(50):  # 2**-49: below any digit that is shown
        middle = (low + high) / 2
        low, high = (middle, high) if float(score(table, middle)) > target else (low, middle)
    return (low + high) / 2


def _rate_decision(outcome: Outcome, table: Table, change: RateChange, method: str, notes: tuple[str, ...]) -> Decision:
    x, n, y, m = table
    known = n > 0 and m > 0
    low, high = score_interval(table, change.beta, change.alpha) if known else (None, None)
    confidence = 1 - max(change.alpha, change.beta)
    needed = _more(table, change) if outcome == "inconclusive" else None
    wanted = "" if needed is None else f"; {needed:,} more samples needed on each side"
    rates = f"{_rate(x, n)} after and {_rate(y, m)} before ({x} of {n}, {y} of {m})"
    return Decision(
        outcome=outcome,
        statement=(
            f"{change.name} is {rates}, difference {_difference(table)}"
            f"{interval_text(low, high, 'share', confidence)}, allowed <= {figure(change.margin, 'share')}, "
            f"{n + m} samples{wanted}"
        ),
        measured=x / n - y / m if known else None,
        low=low,
        high=high,
        limit=float(change.margin),
        comparison="<=",
        unit="share",
        samples=n + m,
        method=f"{method} of two shares, score interval",
        confidence=confidence,
        margin=float(change.margin),
        needed=needed,
        notes=notes,
    )


def _rate(bad: int, trials: int) -> str:
    return figure(bad / trials, "share") if trials else "unknown"


def _difference(table: Table) -> str:
    x, n, y, m = table
    return figure(x / n - y / m, "share") if n and m else "unknown"


def _more(table: Table, change: RateChange) -> int | None:
    """Return how many more trials each side needs to show that an unchanged rate is no more than the margin higher.

    Source: Farrington and Manning (1990), their simplest approximation; the rate is taken as at least half of the
    margin.
    """
    x, n, y, m = table
    if change.margin == 0:
        return None
    rate = max((x + y) / (n + m) if n + m else 0.0, change.margin / 2)
    reach = float(special.ndtri(1 - change.alpha) + special.ndtri(1 - change.beta))
    planned = np.ceil(2 * rate * (1 - rate) * (reach / change.margin) ** 2)
    return int(planned) - min(n, m) if min(n, m) < planned < MOST else None
