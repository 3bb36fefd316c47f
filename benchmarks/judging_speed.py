"""How long it takes to judge a million samples, and to import the judge.

python -m benchmarks.judging_speed [--samples 1000000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from judging.alerts import AlertRule, decide_alert
from judging.comparing import compare_samples, compare_spread
from judging.comparing_rates import RateChange, compare_rates
from judging.distributions import DistanceLimit, decide_distribution
from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import ShareLimit, decide_share
from judging.readings import percentile_readings, share_readings
from judging.sequential import ShareWatch
from judging.windows import RateLimit, Span, decide_throughput

if TYPE_CHECKING:
    from collections.abc import Callable


def cases(size: int, random: np.random.Generator) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name; every case judges `size` samples."""
    latencies = random.lognormal(0, 0.5, size)
    listed: list[float | None] = [*latencies.tolist()[:-1000], *[None] * 1000]
    before, after = random.lognormal(0, 0.5, size // 2), random.lognormal(0, 0.5, size // 2)
    times = np.sort(random.uniform(0, 86_400, size))
    bad = random.random(size) < 0.02
    rule = AlertRule(name="error rate", comparison=">", limit=0.05)
    shares = {f"model {number}": 0.05 for number in range(20)}
    counts = dict.fromkeys(shares, size // 20)
    p95 = PercentileLimit(percentile=95, value=10, comparison="<")
    errors = ShareLimit(value=0.05, comparison="<")
    return {
        "share, counted from flags": lambda: decide_share(int(bad.sum()), size, errors),
        "p95, from an array": lambda: decide_percentile(latencies, p95),
        "p95, from a list with missing ones": lambda: decide_percentile(listed, p95),
        "latency before and after, ranks": lambda: compare_samples(before, after),
        "spread before and after, ranks": lambda: compare_spread(before, after),
        "rates before and after": lambda: compare_rates(
            (size // 100, size // 2), (size // 100, size // 2), RateChange(margin=0.01)
        ),
        "distribution over 20 categories": lambda: decide_distribution(counts, shares, DistanceLimit(value=0.05)),
        "throughput over windows of 60 s": lambda: decide_throughput(
            times, Span(start=0, end=86_400, length=60), RateLimit(value=1, comparison=">=")
        ),
        "alert on a share, 1,436 windows": lambda: decide_alert(
            share_readings(times, bad.tolist(), rule.over(0, 86_400)), rule
        ),
        "alert on a p95, 1,436 windows": lambda: decide_alert(
            percentile_readings(times, latencies.tolist(), rule.over(0, 86_400), 95), rule
        ),
        "beside: scipy.stats.brunnermunzel": lambda: stats.brunnermunzel(before, after),
        "beside: scipy.stats.quantile_test": lambda: stats.quantile_test(latencies, q=10, p=0.95, alternative="less"),
    }


def watching() -> float:
    """Return the microseconds one sample of a watched share costs, decision and interval included."""
    watch = ShareWatch(ShareLimit(value=0.05, comparison="<", margin=0.005))
    watch.add(False)  # noqa: FBT003 - a trial's result
    started = time.perf_counter()
    taken = 0
    while not watch.done:
        watch.add(taken % 25 == 0)
        taken += 1
    return (time.perf_counter() - started) / taken * 1e6


def importing(module: str) -> float:
    """Return the seconds a fresh interpreter takes to import a module."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{options.samples:,} samples, best of {options.rounds}\n\n| judged | seconds |\n| --- | --- |")
    for name, judge in cases(options.samples, np.random.default_rng(20_260_103)).items():
        best = float("inf")
        for _ in range(options.rounds):
            started = time.perf_counter()
            judge()
            best = min(best, time.perf_counter() - started)
        print(f"| {name} | {best:.3f} |")
    print(f"\none sample of a watched share: {watching():.0f} µs")
    for module in ("judging.sequential", "judging.comparing", "scipy.special", "scipy.stats"):
        print(f"import {module}: {min(importing(module) for _ in range(options.rounds)):.3f} s")


if __name__ == "__main__":
    main()
