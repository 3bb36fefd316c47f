"""Percentiles against a limit: through the number beyond it, for any distribution, ties and timeouts included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import decide_share

P95 = PercentileLimit(percentile=95, value=10, comparison="<")
RANK = {"pass": 0, "inconclusive": 1, "fail": 2}
LATENCIES = st.lists(st.floats(0, 30) | st.sampled_from([10.0, 9.9, 30.0]) | st.none(), max_size=150)


@pytest.mark.parametrize("percentile", [50, 90, 95, 99])
@pytest.mark.parametrize("size", [5, 20, 59, 120, 1000])
def test_the_decision_is_that_of_scipys_quantile_test(percentile: float, size: int) -> None:
    random = np.random.default_rng([int(percentile), size])
    for shift in (0.5, 0.9, 1.0, 1.1, 2.0):
        sample = random.lognormal(0, 0.5, size)
        value = float(np.quantile(np.random.default_rng(1).lognormal(0, 0.5, 10_000), percentile / 100)) * shift
        limit = PercentileLimit(percentile=percentile, value=value, comparison="<=")
        passes = stats.quantile_test(sample, q=value, p=percentile / 100, alternative="less").pvalue <= 0.05
        fails = stats.quantile_test(sample, q=value, p=percentile / 100, alternative="greater").pvalue <= 0.05
        assert decide_percentile(sample, limit).outcome == ("pass" if passes else "fail" if fails else "inconclusive")


@pytest.mark.parametrize("percentile", [10, 50, 95])
@pytest.mark.parametrize("size", [3, 59, 120, 1000])
def test_the_interval_is_scipys(percentile: float, size: int) -> None:
    sample = np.random.default_rng(size).lognormal(0, 1, size).round(1)
    decision = decide_percentile(sample, PercentileLimit(percentile=percentile, value=1, comparison="<"))
    upper: Any = stats.quantile_test(sample, q=1, p=percentile / 100, alternative="less").confidence_interval(0.95)
    lower: Any = stats.quantile_test(sample, q=1, p=percentile / 100, alternative="greater").confidence_interval(0.95)
    low, high = lower.low, upper.high
    assert decision.low == (None if math.isnan(low) else pytest.approx(low, abs=1e-9))
    assert decision.high == (None if math.isnan(high) else pytest.approx(high, abs=1e-9))


def test_the_sentence_says_it_all() -> None:
    decision = decide_percentile([float(second) for second in range(1, 101)], PercentileLimit(
        percentile=50, value=80, comparison="<"))  # fmt: skip
    assert decision.statement == "p50 is 50 s (42 s to 59 s, each bound at 95 %), allowed < 80 s, 100 samples"
    assert decision.outcome == "pass"
    assert decision.method.startswith("exact binomial")


def test_a_value_at_the_limit_breaks_below_and_keeps_at_most() -> None:
    stuck = [10.0] * 100
    assert decide_percentile(stuck, P95).outcome == "fail"
    assert decide_percentile(stuck, PercentileLimit(percentile=95, value=10, comparison="<=")).outcome == "pass"
    assert decide_percentile(stuck, PercentileLimit(percentile=5, value=10, comparison=">=")).outcome == "pass"
    assert decide_percentile(stuck, PercentileLimit(percentile=5, value=10, comparison=">")).outcome == "fail"


def test_what_never_came_back_is_beyond_any_limit() -> None:
    decision = decide_percentile([1.0] * 90 + [None] * 10, P95)
    assert decision.outcome == "fail"
    assert decision.measured is None
    assert "beyond the timeout" in decision.statement
    assert "10 of 100 measurements are missing" in decision.notes[0]
    rising = PercentileLimit(percentile=5, value=0.5, comparison=">=")
    assert decide_percentile([1.0] * 90 + [None] * 10, rising).outcome == "fail"


def test_stuck_at_a_timeout_below_the_limit_is_no_pass() -> None:
    generous = PercentileLimit(percentile=95, value=10, comparison="<", timeout=5)
    assert decide_percentile([5.0] * 200, generous).outcome == "fail"
    assert decide_percentile([4.9] * 200, generous).outcome == "pass"


def test_nothing_seen_is_inconclusive() -> None:
    decision = decide_percentile([], P95)
    assert decision.outcome == "inconclusive"
    assert decision.needed == 624
    assert decision.statement == "p95 is unknown, allowed < 10 s, 0 samples; 624 more samples needed"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_with_its_place(bad: float) -> None:
    with pytest.raises(ValueError, match=r"samples: found -?(nan|inf) at position 1, allowed finite numbers"):
        decide_percentile([1.0, bad, 2.0], P95)
    with pytest.raises(ValueError, match="at position 1"):
        decide_percentile(np.array([1.0, bad]), P95)


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"percentile": 100}, "percentile / 100: found 1"), ({"comparison": "=="}, "comparison: found '=='"),
     ({"value": math.inf}, "limit: found inf"), ({"timeout": 0}, "timeout: found 0"),
     ({"margin": 0.2}, "margin: found 0.2")],
)  # fmt: skip
def test_limits_that_say_nothing_are_refused(fields: dict[str, Any], words: str) -> None:
    sound: dict[str, Any] = {"percentile": 95, "value": 10, "comparison": "<"}
    with pytest.raises(ValueError, match=words):
        PercentileLimit(**(sound | fields))


@settings(deadline=None)
@given(LATENCIES)
def test_the_decision_is_that_of_the_share_beyond(sample: list[float | None]) -> None:
    beyond = sum(value is None or value >= 10 for value in sample)
    decision = decide_percentile(sample, P95)
    assert decision.outcome == decide_share(beyond, len(sample), P95.beyond).outcome
    if decision.high is not None:
        assert (decision.outcome == "pass") == (decision.high < 10)
    if decision.low is not None:
        assert (decision.outcome == "fail") == (decision.low >= 10)


@settings(deadline=None)
@given(LATENCIES.filter(bool), st.data())
def test_one_slower_measurement_never_helps(sample: list[float | None], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sample) - 1))
    before = decide_percentile(sample, P95).outcome
    slower = [*sample[:at], None, *sample[at + 1 :]]
    assert RANK[before] <= RANK[decide_percentile(slower, P95).outcome]


@settings(deadline=None)
@given(LATENCIES)
def test_the_order_of_the_measurements_is_nothing(sample: list[float | None]) -> None:
    shuffled = sorted(sample, key=lambda value: (value is None, -(value or 0)))
    assert decide_percentile(shuffled, P95) == decide_percentile(sample, P95)
