"""How many samples a decision takes, sample by sample, beside the fixed exact design at the same error probabilities.

    python -m benchmarks.judging_samples [--runs 10000] [--seed 20260102]

The fixed design is the smallest number of samples with which an exact test passes a service at the limit with at most
5 % and a healthy one, at the margin inside it, with at least 95 %. `equal power` is the smallest fixed design whose
healthy service passes as often as with the sequential test.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from judging.boundaries import Boundaries, boundaries
from judging.proportions import ShareLimit, fixed_design
from judging.sequential import ShareWatch

LIMITS = ((0.5, 0.1), (0.2, 0.1), (0.1, 0.02), (0.05, 0.025), (0.05, 0.03), (0.01, 0.005), (0.001, 0.0005))


def row(*cells: object) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |")


def stops(plan: Boundaries, share: float, runs: int, random: np.random.Generator) -> tuple[float, float, float]:
    """Return the mean number of samples of simulated runs, and how many passed and failed."""
    taken, passed, failed = 0, 0, 0
    batch = max(1, 20_000_000 // plan.size)  # about 100 MB at once
    for start in range(0, runs, batch):
        bad = np.cumsum(
            random.random((min(batch, runs - start), plan.size), np.float32) < share, axis=1, dtype=np.int32
        )
        passing, failing = bad <= plan.passes[1:], bad >= plan.fails[1:]
        ended = passing | failing
        last = np.where(ended.any(axis=1), ended.argmax(axis=1), plan.size - 1)
        rows = np.arange(len(bad))
        taken += int((last + 1).sum())
        passed += int(passing[rows, last].sum())
        failed += int(failing[rows, last].sum())
    return taken / runs, passed / runs, failed / runs


def equal_power(limit: ShareLimit, power: float) -> int:
    """Return the smallest fixed sample that keeps alpha and passes the healthy service with probability `power`."""
    sizes = np.arange(1, fixed_design(limit).samples + 1)
    allowed = stats.binom.ppf(limit.alpha, sizes, limit.bad)
    allowed = np.where(stats.binom.cdf(allowed, sizes, limit.bad) <= limit.alpha, allowed, allowed - 1)
    enough = np.asarray(stats.binom.cdf(allowed, sizes, limit.bad - limit.slack)) >= power
    return int(sizes[np.argmax(enough)]) if enough.any() else int(sizes[-1])


def tests(runs: int, random: np.random.Generator) -> None:
    """Show the sequential test, at the margin and far from the limit on either side."""
    print("\n### Sequential test: mean samples as a part of the fixed design\n")
    row(
        "limit",
        "margin",
        "fixed design",
        "true share",
        "which is",
        "exact",
        "simulated",
        "passes",
        "fails",
        "equal power",
    )
    row(*["---"] * 10)
    for value, margin in LIMITS:
        limit = ShareLimit(value=value, comparison="<", margin=margin)
        plan = boundaries(limit)
        healthy = value - margin
        cases = {
            "at the margin": healthy,
            "far inside": healthy / 4,
            "at the limit": value,
            "far beyond": value + 3 * margin,
        }
        for words, share in cases.items():
            mean, passed, failed = stops(plan, share, runs, random)
            power = plan.expected_samples(share) / equal_power(limit, plan.chances(healthy)[0])
            exact = plan.expected_samples(share) / plan.size
            row(value, margin, plan.size, share, words, exact, mean / plan.size, passed, failed,
                power if words == "at the margin" else "")  # fmt: skip


def sequences(runs: int, random: np.random.Generator) -> None:
    """Show the confidence sequence, which may be watched at any time; fewer runs, as each is taken sample by sample."""
    some = max(1, runs // 20)
    print(f"\n### Confidence sequence: mean samples as a part of the fixed design ({some} runs)\n")
    row("limit", "margin", "true share", "mean", "passes", "fails")
    row(*["---"] * 6)
    for value, margin in ((0.2, 0.1), (0.05, 0.025)):
        limit = ShareLimit(value=value, comparison="<", margin=margin)
        for share in (value - margin, (value - margin) / 4, value + 3 * margin):
            taken, outcomes = 0, []
            for _ in range(some):
                watch = ShareWatch(limit, "confidence sequence")
                for hit in (random.random(watch.size) < share).tolist():
                    watch.take(hit)
                    if watch.done:
                        break
                taken += watch.decision.samples
                outcomes.append(watch.outcome)
            mean = taken / some / fixed_design(limit).samples
            row(value, margin, share, mean, outcomes.count("pass") / some, outcomes.count("fail") / some)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20_260_102)
    options = parser.parse_args()
    print(f"{options.runs} simulated runs a cell, seed {options.seed}; errors stated: 5 % each")
    tests(options.runs, np.random.default_rng([options.seed, 0]))
    sequences(options.runs, np.random.default_rng([options.seed, 1]))


if __name__ == "__main__":
    main()
