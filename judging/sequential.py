"""Decisions taken sample by sample, for looks that cost money or time: they stop once the answer is known.

Two methods. `sequential test` is Wald's test cut off at the fixed design's size (see `boundaries`): the fewest samples.
`confidence sequence` gives bounds that hold at every moment at once, so that it may be watched, and stopped, whenever
one likes; it needs more samples. Neither ever takes more than the fixed design would.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from judging import inputs
from judging.boundaries import boundaries
from judging.numerics import np
from judging.percentiles import PercentileLimit, censored, count_beyond, percentile_decision, ranked
from judging.proportions import ShareLimit, fixed_design, share_decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from judging.decision import Decision, Outcome

Method = Literal["sequential test", "confidence sequence"]
METHODS: Final = ("sequential test", "confidence sequence")

# The mixture's prior, Beta(1/2, 1/2): the bounds are then within a few percent of the narrowest at every sample size.
PRIOR: Final = 0.5


def anytime_evidence(bad: int, trials: int, share: float) -> float:
    """Return the logarithm of the evidence against `share` after any number of trials, watched at any time.

    Under `share` it exceeds log(1 / alpha) at any moment with probability at most alpha. Source: Robbins, Annals of
    Mathematical Statistics 41 (1970), the mixture over a Beta(1/2, 1/2) prior, with Ville's inequality.
    """
    good = trials - bad
    if (share <= 0 and bad) or (share >= 1 and good):
        return math.inf
    mixed = _log_beta(bad + PRIOR, good + PRIOR) - _log_beta(PRIOR, PRIOR)
    plain = (bad * math.log(share) if bad else 0.0) + (good * math.log1p(-share) if good else 0.0)
    return mixed - plain


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def anytime_interval(bad: int, trials: int, alpha: float) -> tuple[float, float]:
    """Return bounds that contain the share at every moment at once with probability at least 1 - alpha.

    Raises ValueError for counts that cannot be. Source: as `anytime_evidence`; the bounds are where it reaches 1 /
    alpha.
    """
    seen, total = inputs.part("bad", bad, "trials", trials)
    if total == 0:
        return 0.0, 1.0
    enough = -math.log(inputs.probability("alpha", alpha))
    point = seen / total
    lower = 0.0 if seen == 0 else _edge(0.0, point, lambda share: anytime_evidence(seen, total, share) >= enough)
    upper = 1.0 if seen == total else _edge(1.0, point, lambda share: anytime_evidence(seen, total, share) >= enough)
    return lower, upper


def _edge(outside: float, inside: float, refuted: Callable[[float], bool]) -> float:
    """Return the outermost share that is not refuted, between one that is and one that is not."""
    for _ in range(40):  # 2**-40 of the range: below any digit that is shown
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if refuted(middle) else (outside, middle)
    return outside


class ShareWatch:
    """A decision about a share, taken sample by sample.

    size: the most samples it will ask for. Raises ValueError for an unknown method, and where `fixed_design` or
    `boundaries` do.
    """

    def __init__(self, limit: ShareLimit, method: Method = "sequential test") -> None:
        if method not in METHODS:
            raise ValueError(f"method: found {method!r}, allowed {', '.join(METHODS)}")
        self.limit: Final = limit
        self.method: Final = method
        self.size: Final = max(fixed_design(limit).samples, limit.minimum)
        self._plan = boundaries(limit) if method == "sequential test" else None
        self._trials = self._bad = self._missing = self._late = 0
        self._outcome: Outcome = "inconclusive"
        self._done = False

    @property
    def done(self) -> bool:
        """Whether further samples would change nothing: decided, or the fixed design's size is reached."""
        return self._done

    @property
    def outcome(self) -> Outcome:
        """The outcome so far."""
        return self._outcome

    def add(self, *hits: bool | None) -> Decision:
        """Take in further trials and return the decision so far. O(1) each, once the boundaries are known.

        None is a trial whose result never came; it counts as bad. Trials that come in after the decision (they were
        under way) are counted in a note and change nothing: a test that has stopped has stopped.
        """
        for hit in hits:
            self.take(hit)
        return self.decision

    def take(self, hit: bool | None) -> None:  # noqa: FBT001 - a trial's result is a truth value
        """Take in one trial, without the cost of a decision; otherwise as `add`."""
        if self._done:
            self._late += 1
            return
        self._trials += 1
        self._missing += hit is None
        self._bad += hit is None or bool(hit) == self.limit.falling
        self._outcome = self._look()
        self._done = self._outcome != "inconclusive" or self._trials >= self.size

    def _look(self) -> Outcome:
        if self._plan is not None:
            if self._bad <= self._plan.passes[self._trials]:
                return "pass"
            return "fail" if self._bad >= self._plan.fails[self._trials] else "inconclusive"
        below = self._bad / self._trials < self.limit.bad
        error = self.limit.alpha if below else self.limit.beta
        known = anytime_evidence(self._bad, self._trials, self.limit.bad) >= -math.log(error)
        if not known or self._trials < self.limit.minimum:
            return "inconclusive"
        return "pass" if below else "fail"

    @property
    def decision(self) -> Decision:
        """The decision so far. Its interval takes the stopping into account."""
        low, high = self.interval
        hits = self._bad if self.limit.falling else self._trials - self._bad
        return share_decision(
            self._outcome,
            self.limit,
            (hits, self._trials),
            (low, high) if self.limit.falling else (1 - high, 1 - low),
            needed=self.needed,
            method=self.method,
            notes=self.notes,
        )

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the share of bad trials: of the stopped test once it has stopped, valid at any time before."""
        exact = None
        if self._plan is not None and self._done:
            exact = self._plan.interval(self._trials, self._bad, self.limit.alpha, self.limit.beta)
        return exact or anytime_interval(self._bad, self._trials, min(self.limit.alpha, self.limit.beta))

    @property
    def needed(self) -> int | None:
        """How many more samples may be taken; None once done."""
        return None if self._done else self.size - self._trials

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the decision has to know besides."""
        said = (
            (self._done and self._trials < self.size, f"stopped after {self._trials} of at most {self.size} samples"),
            (self._missing > 0, f"{self._missing} trials never answered: counted as bad"),
            (self._late > 0, f"{self._late} samples came after the decision and are not in it"),
        )
        return tuple(text for holds, text in said if holds)


class PercentileWatch:
    """A decision about a percentile, taken measurement by measurement, by watching the share beyond the limit.

    Raises ValueError as `ShareWatch` does.
    """

    def __init__(self, limit: PercentileLimit, method: Method = "sequential test") -> None:
        self.limit: Final = limit
        self._share = ShareWatch(limit.beyond, method)
        self._measured: list[float] = []

    @property
    def size(self) -> int:
        """The most samples it will ask for."""
        return self._share.size

    @property
    def done(self) -> bool:
        """Whether further samples would change nothing: decided, or the fixed design's size is reached."""
        return self._share.done

    @property
    def outcome(self) -> Outcome:
        """The outcome so far."""
        return self._share.outcome

    def add(self, *measurements: float | None) -> Decision:
        """Take in further measurements, in the limit's unit, and return the decision so far.

        None is one that never came back, and counts as beyond any limit. Raises ValueError for NaN and infinities, and
        has then taken in none of them.
        """
        for measured in censored(measurements, self.limit):
            if not self.done:
                self._measured.append(float(measured))
            self._share.add(count_beyond(np.array([measured]), self.limit) == 1)
        return self.decision

    @property
    def decision(self) -> Decision:
        """The decision so far. Its interval may be watched at any time; a decided side is bounded by the limit."""
        measured = np.array(self._measured)
        return percentile_decision(
            self.outcome,
            self.limit,
            measured,
            self._interval(measured),
            method=self._share.method,
            needed=self._share.needed,
            notes=self._share.notes,
        )

    def _interval(self, measured: NDArray[np.float64]) -> tuple[float | None, float | None]:
        """Return the order statistics whose share below cannot be told from the percentile at any time.

        Source: Howard and Ramdas, Bernoulli 28 (2022), with the bounds of `anytime_evidence`.
        """
        enough = -math.log(min(self.limit.alpha, self.limit.beta))
        share, size = self.limit.percentile / 100, len(measured)
        open_ranks = [rank for rank in range(size + 1) if anytime_evidence(rank, size, share) < enough]
        low, high = ranked(measured, open_ranks[0]), ranked(measured, open_ranks[-1] + 1)
        if self.outcome == "inconclusive":
            return low, high
        if (self.outcome == "pass") == self.limit.falling:
            return low, float(self.limit.value if high is None else min(high, self.limit.value))
        return float(self.limit.value if low is None else max(low, self.limit.value)), high
