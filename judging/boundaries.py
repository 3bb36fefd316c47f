"""Where a sequential test of a share stops: Wald's boundaries, cut off at the fixed design, worked out exactly.

Two of Wald's tests run side by side: the share at the margin inside the limit against the limit (it can pass), and
the limit against the share at the margin beyond it (it can fail). Truncation would add error, so what Wald's
boundaries leave of alpha and beta is worked out exactly, by following the number of bad trials sample by sample at
the limit itself, and only that much is spent on the last look. Sources: Wald, Sequential Analysis (1947); Sobel and
Wald, Annals of Mathematical Statistics 20 (1949), for the pair; Jennison and Turnbull, Group Sequential Methods
(2000), chapters 8 and 12, for the ordering of outcomes behind the interval.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from judging.numerics import np
from judging.proportions import ShareLimit, fixed_design

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Reals = NDArray[np.float64]
    Stop = tuple[int, int, float]  # samples, bad ones, probability at the limit

# Of each error probability, this part may go before the last look. At 0.8 a healthy service at the margin stops after
# 54 to 61 % of the fixed design, and its chance to pass stays within 0.03 of the fixed design's; at 1 it stops a little
# sooner and loses twice as much of that chance, at 0.4 it needs 67 %.
EARLY: Final = 0.8
LONGEST: Final = 200_000  # following the count sample by sample takes about a second at this size
EDGE: Final = 1e-12  # a share of exactly 0 or 1 has no likelihood ratio


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Boundaries:
    """When to stop, and what each way of stopping says.

    size: no more samples than this are ever taken. passes[n], fails[n]: after n samples the test has passed with at
    most that many bad ones, failed with at least that many. stops: the ways it can end, as (samples, bad) from the
    best evidence to the worst; weight: the logarithm of each one's probability at the limit. passing, failing: how
    many of them, from either end, are passes and fails.
    """

    size: int
    limit: float
    passes: Counts
    fails: Counts
    stops: Counts
    weight: Reals
    passing: int
    failing: int

    def chances(self, share: float) -> tuple[float, float]:
        """Return the exact probabilities of a pass and of a fail when the share of bad trials is `share`."""
        each = self._probabilities(share)
        return float(each[: self.passing].sum()), float(each[len(each) - self.failing :].sum())

    def expected_samples(self, share: float) -> float:
        """Return the exact mean number of samples when the share of bad trials is `share`."""
        return float((self._probabilities(share) * self.stops[:, 0]).sum())

    def interval(self, samples: int, bad: int, alpha: float, beta: float) -> tuple[float, float] | None:
        """Return the bounds of the share of bad trials after a stop, exact in spite of the stopping; None before one.

        The upper bound is the share at which a stop as good as this one has probability alpha, the lower the share at
        which one as bad has probability beta; so a pass has its upper bound at or below the limit.
        """
        found = np.flatnonzero((self.stops[:, 0] == samples) & (self.stops[:, 1] == bad))
        if not len(found):
            return None
        at = int(found[0])
        upper = _root(lambda share: float(self._probabilities(share)[: at + 1].sum()) - alpha)
        lower = _root(lambda share: beta - float(self._probabilities(share)[at:].sum()))
        return lower, upper

    def _probabilities(self, share: float) -> Reals:
        """Return the stops' probabilities at another share: the paths are the same, each merely weighs differently."""
        inside = min(max(share, EDGE), 1 - EDGE)
        bad = self.stops[:, 1]
        good = self.stops[:, 0] - bad
        moved = bad * np.log(inside / self.limit) + good * np.log((1 - inside) / (1 - self.limit))
        chances: Reals = np.exp(self.weight + moved)
        return chances


def _root(falling: Callable[[float], float]) -> float:
    """Return where a falling function of a share crosses zero; the nearer edge where it does not."""
    low, high = 0.0, 1.0
    for _ in range(50):  # 2**-50 of the range: below any digit that is shown
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def boundaries(limit: ShareLimit) -> Boundaries:
    """Return the truncated sequential test of a limit; it takes no more samples than `fixed_design(limit)`.

    A false pass has probability at most alpha and a false fail at most beta, exactly, at every share. Raises ValueError
    where `fixed_design` does, and for a design above 200,000 samples. Cost: O(size * bad samples at its end), once.
    """
    size = max(fixed_design(limit).samples, limit.minimum)
    if size > LONGEST:
        raise ValueError(
            f"design: found {size} samples, allowed {LONGEST} for a test after every sample; widen the margin"
        )
    return _boundaries(limit.bad, limit.slack, limit.alpha, limit.beta, (limit.minimum, size))


@lru_cache(maxsize=64)
def _boundaries(bad: float, slack: float, alpha: float, beta: float, span: tuple[int, int]) -> Boundaries:
    first, size = span
    passes = np.floor(_wald(bad, max(bad - slack, EDGE), EARLY * alpha, size)).astype(int)
    fails = np.ceil(_wald(bad, min(bad + slack, 1 - EDGE), EARLY * beta, size)).astype(int)
    passes, fails = _silent(passes, fails, first)
    good_stops, bad_stops, left = _follow(bad, passes, fails)
    last_pass = _affordable(left, alpha - _total(good_stops)) - 1
    last_fail = len(left) - _affordable(left[::-1], beta - _total(bad_stops))
    # Known is known: once the last look cannot come out otherwise, it is not waited for.
    ahead = size - np.arange(size + 1)
    passes, fails = _silent(np.maximum(passes, last_pass - ahead), np.minimum(fails, last_fail), first)
    return _table(bad, passes, fails)


def _wald(limit: float, other: float, error: float, size: int) -> Reals:
    """Return, after each number of samples, the bad ones at which the likelihood ratio is 1 / error for `other`."""
    of_bad = np.log(other / limit)
    of_good = np.log((1 - other) / (1 - limit))
    crossing: Reals = (-np.log(error) - np.arange(size + 1) * of_good) / (of_bad - of_good)
    return crossing


def _silent(passes: Counts, fails: Counts, first: int) -> tuple[Counts, Counts]:
    """Return the boundaries with nothing decided before sample number `first`, and never both at once."""
    early = np.arange(len(passes)) < max(first, 1)
    passes = np.where(early, -1, passes)
    return passes, np.where(early, len(passes), np.maximum(fails, passes + 1))


def _affordable(chances: Reals, left_over: float) -> int:
    """Return how many of these outcomes, taken in order, fit into what is left of an error probability."""
    return int(np.searchsorted(np.cumsum(chances), left_over, side="right"))


def _total(stops: list[Stop]) -> float:
    return sum(chance for _, _, chance in stops)


def _follow(limit: float, passes: Counts, fails: Counts) -> tuple[list[Stop], list[Stop], Reals]:
    """Follow the number of bad trials at the limit: where it passes, where it fails, and what is left at the end."""
    alive = np.zeros(min(int(fails[-1]), len(fails)) + 2)
    alive[0] = 1.0
    good_stops: list[Stop] = []
    bad_stops: list[Stop] = []
    for samples in range(1, len(passes)):
        alive[1:] = alive[1:] * (1 - limit) + alive[:-1] * limit
        alive[0] *= 1 - limit
        edge = passes[samples] + 1
        if edge > 0 and alive[:edge].any():
            good_stops += [(samples, x, float(alive[x])) for x in range(edge) if alive[x] > 0]
            alive[:edge] = 0
        edge = fails[samples]
        if edge < len(alive) and alive[edge:].any():
            bad_stops += [(samples, x, float(alive[x])) for x in range(edge, len(alive)) if alive[x] > 0]
            alive[edge:] = 0
    return good_stops, bad_stops, alive


def _table(limit: float, passes: Counts, fails: Counts) -> Boundaries:
    good_stops, bad_stops, left = _follow(limit, passes, fails)
    size = len(passes) - 1
    open_stops = [(size, x, float(chance)) for x, chance in enumerate(left) if chance > 0]
    worst = sorted(bad_stops, key=lambda stop: (-stop[0], stop[1]))
    ordered = [*good_stops, *open_stops, *worst]
    return Boundaries(
        size=size,
        limit=limit,
        passes=passes,
        fails=fails,
        stops=np.array([stop[:2] for stop in ordered]),
        weight=np.log([stop[2] for stop in ordered]),
        passing=len(good_stops),
        failing=len(bad_stops),
    )
