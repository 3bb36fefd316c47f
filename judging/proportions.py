"""Shares against a limit: success, error, fallback, violation, uptime. Exact at every number of samples.

A claim passes when the share is shown to keep its limit and fails when it is shown to break it, each by an exact
one-sided test; in between it is inconclusive. So a false pass has at most probability alpha at every share that
breaks the limit, and a false fail at most beta at every share that keeps it, whatever the number of samples. The
margin says how far inside the limit a healthy service is: it sets how many samples are needed, never what counts as
bad.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from judging import inputs
from judging.binomial import at_least, at_most, lower_bound, upper_bound
from judging.decision import ALPHA, BETA, COMPARISONS, Comparison, Decision, Outcome, figure, interval_text, satisfies
from judging.numerics import np, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNIT: Final = "share"
HEALTHY: Final = 0.5  # of the allowance: a service using half of its error budget is one that nobody is called for
MOST_SAMPLES: Final = 10**9  # above this no deployment is sampled, and "more samples" stops being advice


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShareLimit:
    """What is allowed of a share, and how sure a decision about it has to be.

    value: the limit, a fraction of 1. comparison: `<`, `<=`, `>`, `>=`, or `==` for exactly 0 or exactly 1. margin: a
    share this far inside the limit is healthy (default: half of the way to perfect). alpha: the chance of a false
    pass. beta: of a false fail, and of a healthy service not passing the planned design. minimum: below it nothing is
    decided.

    Raises ValueError for a limit that nothing or everything satisfies, and for a margin beyond the perfect share.
    """

    value: float
    comparison: Comparison
    margin: float | None = None
    alpha: float = ALPHA
    beta: float = BETA
    minimum: int = 1
    name: str = "share"

    def __post_init__(self) -> None:
        if self.comparison not in COMPARISONS:
            raise ValueError(f"comparison: found {self.comparison!r}, allowed {', '.join(COMPARISONS)}")
        value = inputs.finite("limit", self.value)
        edges = {"<": 0 < value <= 1, "<=": 0 <= value < 1, ">": 0 <= value < 1, ">=": 0 < value <= 1}
        if not edges.get(self.comparison, value in (0, 1)):
            raise ValueError(f"limit: found {self.comparison} {value}, allowed one that can be kept and broken")
        inputs.probability("alpha", self.alpha)
        inputs.probability("beta", self.beta)
        inputs.count("minimum", self.minimum)
        if self.margin is not None and self.bad > 0 and not 0 < inputs.finite("margin", self.margin) <= self.bad:
            raise ValueError(f"margin: found {self.margin}, allowed above 0 and at most {self.bad}")

    @property
    def falling(self) -> bool:
        """Whether less is better."""
        return self.comparison in ("<", "<=") or (self.comparison == "==" and self.value == 0)

    @property
    def bad(self) -> float:
        """The limit as a share of bad trials: of hits where less is better, of misses where more is."""
        return self.value if self.falling else 1 - self.value

    @property
    def slack(self) -> float:
        """The margin that is in force."""
        return self.bad * HEALTHY if self.margin is None else self.margin


@dataclasses.dataclass(frozen=True, kw_only=True)
class Design:
    """The smallest fixed sample that decides: `samples` trials, passed with at most `allowed` bad ones."""

    samples: int
    allowed: int


def fixed_design(limit: ShareLimit) -> Design:
    """Return the smallest exact design for a limit: pass when at most `allowed` of `samples` trials are bad.

    It passes a service at the limit with probability at most alpha, and one at the margin inside it with at least
    1 - beta. Raises ValueError when the limit allows nothing bad, since no sample can show that, and when more than
    10^9 samples would be needed. Source: Guenther, Journal of Quality Technology 1 (1969), searched exactly.
    """
    if limit.bad == 0:
        raise ValueError("limit: found one that allows nothing bad, which no sample can show; allowed above that")
    return _design(limit.bad, limit.bad - limit.slack, limit.alpha, limit.beta)


@lru_cache(maxsize=256)
def _design(bad: float, good: float, alpha: float, beta: float) -> Design:
    start, width = 0, 64  # most designs allow fewer than 64; the width doubles until one fits
    while start < MOST_SAMPLES * bad:
        allowed = np.arange(start, start + width, dtype=float)
        enough = _fewest(allowed, bad, alpha)
        fits = at_most(allowed, enough, good) >= 1 - beta
        if fits.any():
            first = int(np.argmax(fits))
            return Design(samples=int(enough[first]), allowed=int(allowed[first]))
        start, width = start + width, width * 2
    raise ValueError(f"margin: found {bad - good}, allowed one that {MOST_SAMPLES} samples can resolve")


def _fewest(allowed: NDArray[np.float64], bad: float, alpha: float) -> NDArray[np.float64]:
    """For each number allowed, return the fewest trials at which seeing so few has probability at most alpha."""
    short, enough = allowed.copy(), 2 * allowed + 2
    while (common := at_most(allowed, enough, bad) > alpha).any():
        enough = np.where(common, 2 * enough, enough)
    while (enough - short > 1).any():
        middle = np.floor((short + enough) / 2)
        rare = at_most(allowed, middle, bad) <= alpha
        short, enough = np.where(rare, short, middle), np.where(rare, middle, enough)
    return enough


def decide_share(hits: int, trials: int, limit: ShareLimit, *, notes: tuple[str, ...] = ()) -> Decision:
    """Decide whether the share that `hits` of `trials` come from keeps a limit. O(1) in the number of trials.

    Passes when a share at the limit would show so few bad trials with probability at most alpha, fails when it would
    show so many with at most beta: the tests that the Clopper-Pearson bounds of the decision invert. No trials are
    inconclusive, always. Raises ValueError for negative counts and more hits than trials.
    """
    seen, total = inputs.part("hits", hits, "trials", trials)
    bad = seen if limit.falling else total - seen
    outcome = _outcome(bad, total, limit)
    needed = more_samples(bad, total, limit) if outcome == "inconclusive" else None
    low, high = bounds(seen, total, limit)
    return share_decision(
        outcome,
        limit,
        (seen, total),
        (low, high),
        needed=needed,
        method="exact binomial (Clopper-Pearson)",
        notes=notes,
    )


def _outcome(bad: int, total: int, limit: ShareLimit) -> Outcome:
    if total == 0 or total < limit.minimum:
        return "inconclusive"
    if at_most(bad, total, limit.bad) <= limit.alpha:
        return "pass"
    return "fail" if at_least(bad, total, limit.bad) <= limit.beta else "inconclusive"


def bounds(hits: int, trials: int, limit: ShareLimit) -> tuple[float | None, float | None]:
    """Return the Clopper-Pearson bounds of the share: alpha at the end that decides a pass, beta at the other."""
    if trials == 0:
        return None, None
    above, below = (limit.alpha, limit.beta) if limit.falling else (limit.beta, limit.alpha)
    return float(lower_bound(hits, trials, below)), float(upper_bound(hits, trials, above))


def share_decision(  # noqa: PLR0913 - the parts of one sentence
    outcome: Outcome,
    limit: ShareLimit,
    seen: tuple[int, int],
    interval: tuple[float | None, float | None],
    *,
    method: str,
    needed: int | None = None,
    notes: tuple[str, ...] = (),
) -> Decision:
    """Return the decision about a share, with its sentence. seen: hits and trials."""
    hits, trials = seen
    measured = hits / trials if trials else None
    confidence = 1 - max(limit.alpha, limit.beta)
    said = f"{limit.name} is {figure(measured, UNIT)}" if trials else f"{limit.name} is unknown"
    allowed = f"allowed {limit.comparison} {figure(limit.value, UNIT)}"
    spread = interval_text(*interval, UNIT, confidence)
    if trials < limit.minimum:
        notes = (*notes, f"{trials} samples, at least {limit.minimum} are asked for")
    if limit.bad == 0 and outcome == "inconclusive" and trials:
        notes = (*notes, "a sample cannot show that something never happens; a census can")
    return Decision(
        outcome=outcome,
        statement=f"{said}{spread}, {allowed}, {trials} samples{more_text(needed)}",
        measured=measured,
        low=interval[0],
        high=interval[1],
        limit=float(limit.value),
        comparison=limit.comparison,
        unit=UNIT,
        samples=trials,
        method=method,
        confidence=confidence,
        margin=limit.slack,
        needed=needed,
        notes=notes,
    )


def more_text(needed: int | None) -> str:
    """Return how a sentence ends that has to say how many more samples are needed."""
    return "" if needed is None else f"; {needed:,} more samples needed"


def more_samples(bad: int, trials: int, limit: ShareLimit) -> int | None:
    """Return how many more samples would be needed to decide: up to the fixed design, and past it at the share seen.

    None when none would do: nothing bad is allowed and nothing bad was seen, or the share seen is the limit itself.
    """
    if limit.bad == 0:
        return max(limit.minimum - trials, 1) if trials < max(limit.minimum, 1) else None
    planned = max(fixed_design(limit).samples, limit.minimum)
    if trials < planned:
        return planned - trials
    totals = np.unique(np.floor(trials * np.geomspace(1, MOST_SAMPLES / trials, 2000)))  # steps of about 1 %
    likely = np.round(totals * (bad / trials))
    decided = (at_most(likely, totals, limit.bad) <= limit.alpha) | (at_least(likely, totals, limit.bad) <= limit.beta)
    decided &= totals > trials
    return int(totals[np.argmax(decided)]) - trials if decided.any() else None


def decide_census(hits: int, trials: int, limit: ShareLimit, *, notes: tuple[str, ...] = ()) -> Decision:
    """Decide a share of which every single case was seen: it is compared as it is, and says nothing about the future.

    For statements about a window that is over ("no failed key lookup since the deployment"), where the database holds
    all of it. An empty window is inconclusive. Raises ValueError as `decide_share` does.
    """
    seen, total = inputs.part("hits", hits, "trials", trials)
    if total == 0 or total < limit.minimum:
        needed = max(limit.minimum, 1) - total
        return share_decision(
            "inconclusive", limit, (seen, total), (None, None), method="census", needed=needed, notes=notes
        )
    holds = satisfies(seen / total, limit.comparison, limit.value)
    return share_decision("pass" if holds else "fail", limit, (seen, total), (None, None), method="census", notes=notes)


def wilson(hits: int, trials: int, confidence: float = 1 - ALPHA) -> tuple[float, float]:
    """Return Wilson's two-sided score interval of a share, for plots: right on average, but not a guarantee.

    Raises ValueError for no trials. Source: Wilson, JASA 22 (1927).
    """
    seen, total = inputs.part("hits", hits, "trials", trials)
    if total == 0:
        raise ValueError("trials: found 0, allowed at least 1")
    z = float(special.ndtri(0.5 + inputs.probability("confidence", confidence) / 2))
    share, weight = seen / total, 1 + z * z / total
    centre = (share + z * z / (2 * total)) / weight
    reach = z / weight * float(np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)))
    return max(0.0, centre - reach), min(1.0, centre + reach)
