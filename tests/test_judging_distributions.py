"""Categories against the shares expected of them: exact bounds, unknown categories named, small cells no excuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from judging.distributions import DistanceLimit, decide_distribution, distance_bounds

LIMIT = DistanceLimit(value=0.1, name="status distribution")
EXPECTED = {"completed": 0.95, "failed": 0.04, "pending": 0.01}


def brute_bounds(seen: list[int], shares: list[float], alpha: float, beta: float) -> tuple[float, float]:
    """Return the bounds by looking at every set of categories."""
    total, parts = sum(seen), range(len(seen))
    sets = [chosen for size in parts[1:] for chosen in itertools.combinations(parts, size)]
    low = high = 0.0
    for chosen in sets:
        hits, share = sum(seen[i] for i in chosen), sum(shares[i] for i in chosen)
        upper = stats.beta.ppf(1 - alpha, hits + 1, total - hits) if hits < total else 1.0
        lower = stats.beta.ppf(beta / len(sets), hits, total - hits + 1) if hits else 0.0
        low, high = max(low, lower - share), max(high, upper - share)
    return low, high


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=6).filter(any), st.integers(0, 10**6))
def test_the_bounds_are_those_over_every_set(seen: list[int], seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(seen)))
    ours = distance_bounds(np.array(seen), shares, 0.05, 0.05)
    assert ours == pytest.approx(brute_bounds(seen, shares.tolist(), 0.05, 0.05), abs=1e-9)


def test_as_expected_passes_and_shifted_fails() -> None:
    good = decide_distribution({"completed": 950, "failed": 40, "pending": 10}, EXPECTED, LIMIT)
    assert good.outcome == "pass"
    assert good.measured == pytest.approx(0)
    bad = decide_distribution({"completed": 700, "failed": 290, "pending": 10}, EXPECTED, LIMIT)
    assert bad.outcome == "fail"
    assert bad.measured == pytest.approx(0.25)
    few = decide_distribution({"completed": 19, "failed": 1}, EXPECTED, LIMIT)
    assert few.outcome == "inconclusive"
    assert few.needed is not None
    assert few.needed > 0


def test_unknown_categories_are_named_and_counted() -> None:
    decision = decide_distribution({"completed": 600, "zombie": 400}, EXPECTED, LIMIT)
    assert decision.outcome == "fail"
    assert "not expected: zombie (400)" in decision.statement
    assert "expected and never seen: failed, pending" in decision.notes


def test_nothing_counted_is_inconclusive() -> None:
    for counts in ({}, {"completed": 0}):
        decision = decide_distribution(counts, EXPECTED, LIMIT)
        assert decision.outcome == "inconclusive"
        assert decision.measured is None
        assert decision.needed is not None
    early = decide_distribution({"completed": 9}, EXPECTED, DistanceLimit(value=0.1, minimum=10))
    assert early.outcome == "inconclusive"
    assert early.needed == 1


@pytest.mark.parametrize("true", [{"a": 0.6, "b": 0.3, "c": 0.1}, {"a": 0.5, "b": 0.5, "c": 0.0}])
def test_errors_hold_at_the_limit(true: dict[str, float]) -> None:
    expected = {"a": 0.5, "b": 0.3, "c": 0.2}
    distance = sum(abs(true[name] - expected[name]) for name in true) / 2
    limit = DistanceLimit(value=distance)
    draws = np.random.default_rng(7).multinomial(200, list(true.values()), 1500)
    outcomes = [
        decide_distribution(dict(zip("abc", map(int, draw), strict=True)), expected, limit).outcome for draw in draws
    ]
    assert outcomes.count("pass") / 1500 <= 0.05 + 0.017  # three standard errors of 1,500 runs
    assert outcomes.count("fail") / 1500 <= 0.05 + 0.017


def test_a_hundred_categories_of_a_million_are_no_burden() -> None:
    shares = {f"model {number}": 0.01 for number in range(100)}
    decision = decide_distribution(dict.fromkeys(shares, 10_000), shares, DistanceLimit(value=0.05))
    assert decision.outcome == "pass"
    assert decision.high is not None
    assert decision.high < 0.01


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="count of a: found -1"):
        decide_distribution({"a": -1}, {"a": 1}, LIMIT)
    with pytest.raises(ValueError, match="expected shares: found a sum of"):
        decide_distribution({"a": 1}, {"a": 0.5}, LIMIT)
    with pytest.raises(ValueError, match="expected share of b: found -0"):
        decide_distribution({"a": 1}, {"a": 1.5, "b": -0.5}, LIMIT)
    with pytest.raises(ValueError, match="limit: found 0"):
        DistanceLimit(value=0)
