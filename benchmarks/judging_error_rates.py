"""How often a decision is wrong: ours beside the gate that compares a point estimate with the limit, on the same data.

    python -m benchmarks.judging_error_rates [--runs 10000] [--seed 20260101]

A false GO is a pass of a service that breaks its limit, a false NO-GO a fail of one that keeps it. Ours states 5 %
each.
"""

from __future__ import annotations

import argparse
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from judging.boundaries import boundaries
from judging.comparing import ShiftLimit, compare_samples, compare_spread
from judging.comparing_rates import RateChange, compare_rates
from judging.families import Family, decide_together
from judging.proportions import ShareLimit, decide_share
from judging.ranks import rank_effect

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from judging.decision import Decision

    Reals = NDArray[np.float64]
    Random = np.random.Generator

LIMIT = ShareLimit(value=0.05, comparison="<", margin=0.025)
BELOW_TEN = 10.0  # the limit of every latency below, in seconds; timeouts are at 30 s


def row(*cells: object) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |")


def head(title: str, *cells: str) -> None:
    """Print a title and the head of a table."""
    print(f"\n### {title}\n")
    row(*cells)
    row(*["---"] * len(cells))


def proportions(runs: int, random: Random) -> None:
    """Show the errors of shares at a fixed number of samples."""
    head("Shares: error rate < 5 %", "samples", "true share", "ours passes", "ours fails", "gate passes", "gate fails")
    for size in (20, 100, 624):
        outcomes = np.array([decide_share(x, size, LIMIT).outcome for x in range(size + 1)])
        for share in (0.025, 0.0499, 0.05, 0.055, 0.075):
            bad = random.binomial(size, share, runs)
            gate = bad / size < 0.05
            found = outcomes[bad]
            row(size, share, rate(found == "pass"), rate(found == "fail"), rate(gate), rate(~gate))


def rate(hits: Any) -> float:
    """Return the share of runs for which something holds."""
    return float(np.mean(hits))


def lognormal(random: Random, size: tuple[int, int], share: float) -> Reals:
    """Latencies with one peak, of which `share` take 10 s or longer."""
    return BELOW_TEN * np.exp(0.5 * (random.standard_normal(size) + stats.norm.ppf(share)))


def bimodal(random: Random, size: tuple[int, int], share: float) -> Reals:
    """Hits and misses of a cache: around 2 s, and `share` around 12 s."""
    slow = random.random(size) < share
    return np.where(slow, random.normal(12, 0.3, size), random.normal(2, 0.3, size))


def ties(random: Random, size: tuple[int, int], share: float) -> Reals:
    """Latencies in whole steps, of which `share` are exactly 10 s."""
    return np.where(random.random(size) < share, 10.0, random.integers(1, 10, size).astype(float))


def stuck(random: Random, size: tuple[int, int], share: float) -> Reals:
    """Latencies that are fine or end at the timeout of 30 s, for `share` of them."""
    return np.where(random.random(size) < share, 30.0, random.lognormal(0, 0.5, size).clip(max=9.9))


SHAPES: dict[str, Callable[[Random, tuple[int, int], float], Reals]] = {
    "lognormal": lognormal,
    "bimodal": bimodal,
    "ties": ties,
    "stuck at a timeout": stuck,
}


def percentiles(runs: int, random: Random) -> None:
    """Show the errors of a percentile, for four shapes of latency."""
    over = float(stats.norm.sf(stats.norm.isf(0.05) - np.log(1.1) / 0.5))  # lognormal, p95 10 % over the limit
    head(
        "Percentiles: p95 < 10 s",
        "shape",
        "samples",
        "share of 10 s or more",
        "ours passes",
        "ours fails",
        "gate passes",
    )
    for size in (20, 120, 624):
        outcomes = np.array([decide_share(x, size, LIMIT).outcome for x in range(size + 1)])
        for name, shape in SHAPES.items():
            for share in (0.025, 0.05, over):
                drawn = shape(random, (runs, size), share)
                found = outcomes[np.count_nonzero(drawn >= BELOW_TEN, axis=1)]
                gate = np.quantile(drawn, 0.95, axis=1) < BELOW_TEN
                row(name, size, share, rate(found == "pass"), rate(found == "fail"), rate(gate))


def watched(runs: int, random: Random) -> None:
    """Look after every sample. The gate fails at the first look whose share breaks the limit."""
    plan = boundaries(LIMIT)
    head(
        "A look after every sample, at most 624: error rate < 5 %",
        "true share", "test passes", "test fails", "sequence passes", "sequence fails", "gate from sample 20 fails",
    )  # fmt: skip
    sizes = np.arange(1, plan.size + 1)
    low, high = anytime_edges(plan.size)
    for share in (0.025, 0.04, 0.05, 0.055, 0.075):
        bad = np.cumsum(random.random((runs, plan.size)) < share, axis=1, dtype=np.int32)
        test = first(bad <= plan.passes[1:], bad >= plan.fails[1:])
        sequence = first(bad <= low, bad >= high)
        gate = (bad[:, 19:] >= 0.05 * sizes[19:]).any(axis=1)
        row(share, *test, *sequence, rate(gate))


def first(passed: NDArray[np.bool_], failed: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how many runs meet a pass before any fail, and how many the reverse."""
    never = passed.shape[1]
    pass_at = np.where(passed.any(axis=1), passed.argmax(axis=1), never)
    fail_at = np.where(failed.any(axis=1), failed.argmax(axis=1), never)
    return rate(pass_at < fail_at), rate(fail_at < pass_at)


@functools.cache
def anytime_edges(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for every number of samples, the bad ones to pass with and to fail with, by the confidence sequence."""
    from scipy.special import betaln  # noqa: PLC0415 - the vectorised form of judging.sequential.anytime_evidence

    samples = np.arange(1, size + 1)
    bad = np.arange(size + 1)[:, None]
    good = samples - bad
    with np.errstate(invalid="ignore", divide="ignore"):
        evidence = betaln(bad + 0.5, good + 0.5) - betaln(0.5, 0.5) - bad * np.log(0.05) - good * np.log(0.95)
    known = (evidence >= np.log(1 / 0.05)) & (good >= 0)
    below = bad / samples < 0.05
    passes = np.where(known & below, bad, -1).max(axis=0)
    fails = np.where(known & ~below, bad, size + 1).min(axis=0)
    return passes, fails


@functools.cache
def figure_at(alpha: float, beta: float, bad: int) -> Decision:
    """Return the decision about one figure of a family."""
    return decide_share(bad, 624, ShareLimit(value=0.05, comparison="<", margin=0.025, alpha=alpha, beta=beta))


def families(runs: int, random: Random) -> None:
    """Show the errors of twenty figures judged together."""
    head(
        "Families of 20 figures of 624 samples each: error rate < 5 %",
        "true shares", "held for", "GO", "any false pass", "any fail", "gate: GO", "gate: any fail",
    )  # fmt: skip
    cases = {
        "20 at 2.5 %": [0.025] * 20,
        "20 at 4.99 %": [0.0499] * 20,
        "1 at 5 %, 19 at 1 %": [0.05] + [0.01] * 19,
        "20 at 5 %": [0.05] * 20,
    }
    for name, shares in cases.items():
        drawn = random.binomial(624, shares, (runs, 20))
        gate = drawn / 624 < 0.05
        broken = np.array(shares) >= 0.05
        for family in (Family(), Family(hold="every figure")):
            found = np.array([decided(counts, family) for counts in drawn.tolist()])
            passed, failed = found == "pass", found == "fail"
            row(
                name, family.hold, rate(passed.all(axis=1)), rate((passed & broken).any(axis=1)),
                rate(failed.any(axis=1)), rate(gate.all(axis=1)), rate((~gate).any(axis=1)),
            )  # fmt: skip


def decided(counts: list[int], family: Family) -> list[str]:
    """Return the outcomes of the figures of one run."""
    judges = {str(at): functools.partial(figure_at, bad=bad) for at, bad in enumerate(counts)}
    return [decision.outcome for decision in decide_together(judges, family).values()]


def changes(runs: int, random: Random) -> None:
    """Compare with before. At the edge of what is accepted a pass and a fail are both wrong; elsewhere a fail is."""
    head(
        "Before and after, latency: chance of being worse at most 60 %",
        "shape", "samples each", "true chance", "ours passes", "ours fails", "'p > 0.05' passes",
    )  # fmt: skip
    plain = ShiftLimit(tolerance=0.0)
    for name, pair in PAIRS.items():
        for size in (10, 30, 180):
            for chance in (0.5, 0.6):
                found, same = [], []
                for _ in range(runs):
                    before, after = pair(random, size, chance)
                    found.append(compare_samples(before, after, plain).outcome)
                    same.append(unchanged(before, after))
                row(name, size, chance, found.count("pass") / runs, found.count("fail") / runs, sum(same) / runs)


def unchanged(before: Reals, after: Reals) -> bool:
    """Return what a gate says that takes "p > 0.05" of a two-sided rank test for sameness."""
    effect = rank_effect(before, after)
    return effect.error > 0 and 2 * min(effect.p_below(0.5), effect.p_above(0.5)) > 0.05


def shifted(random: Random, size: int, chance: float) -> tuple[Reals, Reals]:
    """Lognormal before and after, moved so that the chance of being worse is as stated."""
    move = np.sqrt(2) * stats.norm.ppf(chance)
    return random.lognormal(0, 1, size), random.lognormal(move, 1, size)


def widened(random: Random, size: int, chance: float) -> tuple[Reals, Reals]:
    """Lognormal with three times the spread after, moved likewise."""
    move = np.sqrt(10) * stats.norm.ppf(chance)
    return random.lognormal(0, 1, size), random.lognormal(move, 3, size)


def two_peaks(random: Random, size: int, chance: float) -> tuple[Reals, Reals]:
    """Cache hits and misses, tied at 1 s and 9 s; the share of misses is 30 % before."""
    misses = 0.3 + 2 * (chance - 0.5)
    return np.where(random.random(size) < 0.3, 9.0, 1.0), np.where(random.random(size) < misses, 9.0, 1.0)


PAIRS: dict[str, Callable[[Random, int, float], tuple[Reals, Reals]]] = {
    "lognormal": shifted,
    "lognormal, spread tripled": widened,
    "two values, tied": two_peaks,
}


def spreads(runs: int, random: Random) -> None:
    """Show the errors of the comparison of spreads."""
    head("Before and after, spread", "samples each", "spread after", "ours passes", "ours fails", "'p > 0.05' passes")
    edge = float(np.tan(0.6 * np.pi / 2))  # of two normals, the wider is farther out with chance (2 / pi) arctan(ratio)
    for size in (30, 180):
        for ratio in (1.0, edge):
            found, same = [], []
            for _ in range(runs):
                before, after = random.normal(10, 1, size), random.normal(10, ratio, size)
                found.append(compare_spread(before, after, ShiftLimit(tolerance=0.0, name="spread")).outcome)
                same.append(unchanged(before, after))
            row(size, ratio, found.count("pass") / runs, found.count("fail") / runs, sum(same) / runs)


@functools.cache
def rates_decided(after: int, before: int, size: int) -> str:
    """Return the outcome of one table."""
    return compare_rates((after, size), (before, size), RateChange(margin=0.05)).outcome


def rates(runs: int, random: Random) -> None:
    """Show the errors of the comparison of rates."""
    head(
        "Before and after, rates: at most 5 points higher",
        "samples each", "before", "after", "ours passes", "ours fails", "gate passes", "'p > 0.05' passes",
    )  # fmt: skip
    for size in (50, 200, 1500):
        for prior, now in ((0.0, 0.05), (0.02, 0.02), (0.02, 0.07), (0.1, 0.15)):
            before, after = random.binomial(size, prior, runs), random.binomial(size, now, runs)
            found = [rates_decided(int(x), int(y), size) for x, y in zip(after, before, strict=True)]
            gate = (after - before) / size <= 0.05
            pooled = (after + before) / (2 * size)
            error = np.sqrt(np.maximum(pooled * (1 - pooled) * 2 / size, 1e-12))
            same = (after - before) / size / error < stats.norm.isf(0.05)
            row(size, prior, now, found.count("pass") / runs, found.count("fail") / runs, rate(gate), rate(same))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20_260_101)
    options = parser.parse_args()
    print(f"{options.runs} simulated runs a cell, seed {options.seed}")
    for number, part in enumerate((proportions, percentiles, watched, families, changes, spreads, rates)):
        part(options.runs, np.random.default_rng([options.seed, number]))


if __name__ == "__main__":
    main()
