"""Decisions sample by sample: they stop early, never sample past the fixed design, and keep both errors exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.boundaries import Boundaries, boundaries
from judging.percentiles import PercentileLimit
from judging.proportions import ShareLimit, fixed_design
from judging.sequential import METHODS, PercentileWatch, ShareWatch, anytime_evidence, anytime_interval

ERRORS = ShareLimit(value=0.05, comparison="<", margin=0.03, name="error rate")
GOOD, BAD = False, True  # a trial that is no error, and one that is
LIMITS = [
    ShareLimit(value=value, comparison="<", margin=margin)
    for value, margin in ((0.05, 0.025), (0.05, 0.03), (0.05, 0.05), (0.2, 0.1), (0.5, 0.1), (0.01, 0.006))
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.value}-{limit.margin}")
def test_both_errors_hold_exactly_at_every_share(limit: ShareLimit) -> None:
    plan = boundaries(limit)
    for share in np.linspace(limit.bad, 1, 40):
        assert plan.chances(float(share))[0] <= limit.alpha + 1e-12
    for share in np.linspace(0, limit.bad, 40):
        assert plan.chances(float(share))[1] <= limit.beta + 1e-12


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.value}-{limit.margin}")
def test_it_never_takes_more_than_the_fixed_design(limit: ShareLimit) -> None:
    plan = boundaries(limit)
    assert plan.size == fixed_design(limit).samples
    assert plan.stops[:, 0].max() <= plan.size


@pytest.mark.parametrize(
    "limit", [limit for limit in LIMITS if limit.slack < limit.bad], ids=lambda limit: f"{limit.value}-{limit.margin}"
)
def test_a_healthy_service_costs_a_part_of_the_fixed_design(limit: ShareLimit) -> None:
    plan = boundaries(limit)
    healthy = limit.bad - limit.slack
    assert plan.expected_samples(healthy) <= 0.65 * plan.size
    assert plan.expected_samples(healthy / 4) <= 0.5 * plan.size
    assert plan.expected_samples(min(limit.bad + 3 * limit.slack, 0.99)) <= 0.5 * plan.size
    assert plan.chances(healthy)[0] >= 0.9
    assert plan.chances(healthy)[1] <= 0.001


def test_the_exact_chances_are_those_of_simulated_runs() -> None:
    random = np.random.default_rng(20)
    plan = boundaries(ERRORS)
    for share in (0.02, 0.05, 0.08):
        bad = np.cumsum(random.random((4000, plan.size)) < share, axis=1)
        passed, failed = bad <= plan.passes[1:], bad >= plan.fails[1:]
        stop = np.where((passed | failed).any(axis=1), (passed | failed).argmax(axis=1), plan.size - 1)
        rows = np.arange(len(bad))
        seen = (passed[rows, stop].mean(), failed[rows, stop].mean(), (stop + 1).mean() / plan.size)
        exact = (*plan.chances(share), plan.expected_samples(share) / plan.size)
        assert seen == pytest.approx(exact, abs=0.03)  # four standard errors of 4,000 runs


def test_the_ways_to_stop_are_all_of_them() -> None:
    plan = boundaries(ERRORS)
    for share in (0.001, 0.02, 0.05, 0.3):
        assert float(plan._probabilities(share).sum()) == pytest.approx(1, abs=1e-9)


def coverage(plan: Boundaries, share: float) -> tuple[float, float]:
    """Return how often the upper and the lower bound miss the true share."""
    above = below = 0.0
    for (samples, bad), chance in zip(plan.stops, plan._probabilities(share), strict=True):
        if chance > 1e-6:
            low, high = plan.interval(int(samples), int(bad), 0.05, 0.05) or (0.0, 1.0)
            above += chance * (high < share)
            below += chance * (low > share)
    return above, below


@pytest.mark.parametrize("share", [0.03, 0.2, 0.35])
def test_the_interval_after_a_stop_is_exact_in_spite_of_the_stop(share: float) -> None:
    above, below = coverage(boundaries(ShareLimit(value=0.2, comparison="<", margin=0.12)), share)
    assert above <= 0.05 + 1e-3
    assert below <= 0.05 + 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_a_watch_stops_and_says_what_it_saw(method: str) -> None:
    watch = ShareWatch(ERRORS, method)  # type: ignore[arg-type]  # the parameters are the methods
    first = watch.add(GOOD)
    assert first.outcome == "inconclusive"
    assert first.needed == watch.size - 1
    while not watch.done:
        decision = watch.add(GOOD)
    assert decision.outcome == "pass"
    assert decision.samples < watch.size
    assert decision.high is not None
    assert decision.high <= 0.05
    assert decision.notes == (f"stopped after {decision.samples} of at most {watch.size} samples",)
    assert decision.method == method


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("comparison", ["<", ">"])
def test_a_broken_service_fails_within_a_few_samples(method: str, comparison: str) -> None:
    value = 0.05 if comparison == "<" else 0.95
    watch = ShareWatch(ShareLimit(value=value, comparison=comparison), method)  # type: ignore[arg-type]  # parameters
    decision = watch.add(*[comparison == "<"] * 20)
    assert decision.outcome == "fail"
    assert watch.done
    assert decision.samples < 12


def test_what_comes_after_the_decision_changes_nothing() -> None:
    watch = ShareWatch(ERRORS)
    decided = watch.add(*[True] * 10)
    assert decided.outcome == "fail"
    later = watch.add(*[False] * 5000)
    assert (later.outcome, later.samples, later.measured) == (decided.outcome, decided.samples, decided.measured)
    assert any("came after the decision" in note for note in later.notes)


def test_an_answer_that_never_came_is_bad_on_either_side() -> None:
    for limit in (ERRORS, ShareLimit(value=0.95, comparison=">", margin=0.03)):
        decision = ShareWatch(limit).add(*[None] * 10)
        assert decision.outcome == "fail"
        assert any("never answered" in note for note in decision.notes)


def test_nothing_is_decided_before_the_minimum() -> None:
    for method in METHODS:
        watch = ShareWatch(ShareLimit(value=0.05, comparison="<", minimum=50), method)
        assert watch.add(*[BAD] * 49).outcome == "inconclusive"
        assert watch.add(BAD).outcome == "fail"
    late = ShareWatch(ShareLimit(value=0.05, comparison="<", margin=0.05, minimum=100))
    assert late.size == 100
    assert late.add(*[False] * 99).outcome == "inconclusive"
    assert late.add(GOOD).outcome == "pass"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=386), st.data())
def test_one_more_failure_never_turns_a_fail_into_a_pass(hits: list[bool], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(hits) - 1))
    worse = [*hits[:at], True, *hits[at + 1 :]]
    rank = {"pass": 0, "inconclusive": 1, "fail": 2}
    for method in METHODS:
        before = ShareWatch(ERRORS, method)
        after = ShareWatch(ERRORS, method)
        before.add(*hits)
        after.add(*worse)
        assert rank[before.outcome] <= rank[after.outcome]


def test_the_evidence_is_a_fair_bet_at_the_share_itself() -> None:
    for share in (0.02, 0.5, 0.9):
        for trials in (1, 7, 40):
            chances = [math.comb(trials, x) * share**x * (1 - share) ** (trials - x) for x in range(trials + 1)]
            stakes = [math.exp(anytime_evidence(x, trials, share)) for x in range(trials + 1)]
            assert sum(c * s for c, s in zip(chances, stakes, strict=True)) == pytest.approx(1, abs=1e-9)


def test_the_sequence_of_intervals_may_be_watched() -> None:
    random = np.random.default_rng(3)
    missed = 0
    for _ in range(400):
        bad = np.cumsum(random.random(200) < 0.1)
        evidence = [anytime_evidence(int(x), n, 0.1) for n, x in enumerate(bad, start=1)]
        missed += max(evidence) >= math.log(1 / 0.05)
    assert missed / 400 <= 0.05
    assert anytime_interval(0, 0, 0.05) == (0.0, 1.0)
    low, high = anytime_interval(20, 200, 0.05)
    assert anytime_evidence(20, 200, low) == pytest.approx(math.log(20), abs=1e-6)
    assert anytime_evidence(20, 200, high) == pytest.approx(math.log(20), abs=1e-6)


def test_a_percentile_is_watched_through_what_lies_beyond() -> None:
    watch = PercentileWatch(PercentileLimit(percentile=95, value=10, comparison="<"))
    random = np.random.default_rng(1)
    while not watch.done:
        decision = watch.add(float(random.lognormal(1, 0.4)))
    assert decision.outcome == "pass"
    assert decision.samples < watch.size
    assert decision.measured is not None
    assert decision.low is not None
    assert decision.high is not None
    assert decision.low <= decision.measured <= decision.high <= 10


def test_a_percentile_stuck_at_its_timeout_fails() -> None:
    watch = PercentileWatch(PercentileLimit(percentile=50, value=10, comparison="<", timeout=8))
    decision = watch.add(*[8.0] * 40)
    assert decision.outcome == "fail"
    assert "beyond the timeout" in decision.statement
    assert PercentileWatch(watch.limit).add(*[None] * 40).outcome == "fail"


def test_what_is_no_number_is_refused_and_not_taken_in() -> None:
    watch = PercentileWatch(PercentileLimit(percentile=95, value=10, comparison="<"))
    with pytest.raises(ValueError, match="found nan at position 1"):
        watch.add(1.0, math.nan)
    assert watch.decision.samples == 0


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample can show"):
        ShareWatch(ShareLimit(value=0, comparison="=="))
    with pytest.raises(ValueError, match="design: found 1026897 samples, allowed 200000"):
        boundaries(ShareLimit(value=0.001, comparison="<", margin=0.0001))
    with pytest.raises(ValueError, match="method: found 'peeking', allowed sequential test, confidence sequence"):
        ShareWatch(ERRORS, "peeking")  # type: ignore[arg-type]  # wrong on purpose
