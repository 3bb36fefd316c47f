"""Before and after: ranks, spread and exact rates; sameness is shown or not claimed."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.proportion import test_proportions_2indep as statsmodels_test

from judging.comparing import ShiftLimit, compare_samples, compare_spread
from judging.comparing_rates import RateChange, _likeliest, compare_rates, exact_p, score, score_interval
from judging.ranks import Effect, rank_effect

RANK = {"pass": 0, "inconclusive": 1, "fail": 2}
TABLES = [(5, 100, 7, 90), (3, 30, 0, 25), (10, 30, 9, 25), (0, 30, 4, 30), (55, 60, 40, 70)]


@pytest.mark.parametrize(("n", "m"), [(10, 10), (12, 37), (200, 150)])
@pytest.mark.parametrize("digits", [0, 1, 6])
def test_the_rank_test_is_scipys_brunner_munzel(n: int, m: int, digits: int) -> None:
    random = np.random.default_rng([n, m, digits])
    before, after = random.lognormal(1, 0.6, n).round(digits), random.lognormal(1.3, 0.9, m).round(digits)
    effect = rank_effect(before, after)
    less = stats.brunnermunzel(before, after, alternative="less")
    greater = stats.brunnermunzel(before, after, alternative="greater")
    assert (effect.chance - 0.5) / effect.error == pytest.approx(less.statistic, abs=1e-9)
    assert (effect.p_below(0.5), effect.p_above(0.5)) == pytest.approx((less.pvalue, greater.pvalue), abs=1e-9) or (
        effect.p_above(0.5),
        effect.p_below(0.5),
    ) == pytest.approx((less.pvalue, greater.pvalue), abs=1e-9)
    assert effect.chance * n * m == pytest.approx(stats.mannwhitneyu(after, before).statistic, abs=1e-6)


def test_the_chance_of_being_worse_counts_pairs() -> None:
    random = np.random.default_rng(4)
    before, after = random.lognormal(0, 1, 20).round(1), random.lognormal(0, 1, 30).round(1)
    for tolerance in (0.0, 0.1, 0.5):
        worse = sum(y > x * (1 + tolerance) for x in before for y in after)
        better = sum(x > y * (1 + tolerance) for x in before for y in after)
        expected = (worse + (600 - worse - better) / 2) / 600
        assert rank_effect(before, after, tolerance).chance == pytest.approx(expected, abs=1e-12)


def test_the_published_ten_ones_against_seven_hundreds_and_three_ones_fail() -> None:
    decision = compare_samples([1.0] * 10, [100.0] * 7 + [1.0] * 3)
    assert decision.outcome == "fail"
    assert decision.measured == pytest.approx(0.85)
    assert compare_samples([100.0] * 7 + [1.0] * 3, [1.0] * 10).outcome == "pass"
    assert compare_samples([100.0] * 7 + [1.0] * 3, [10.0, 1.0]).outcome == "inconclusive"


@pytest.mark.parametrize("after", [[0.0, 1, 2, 1, 0, 0], [1.0, 4, 2, 3, 1], [0.0, 0, 0, 0, 1], [0.0, 0, 0, 2, 0, 1]])
def test_errors_where_there_were_none_are_never_a_pass(after: list[float]) -> None:
    assert compare_samples([0.0] * 6, after).outcome != "pass"
    rate = RateChange(margin=0.01)
    assert compare_rates((int(sum(after)), 10_000), (0, 10_000), rate).outcome == "pass"
    assert compare_rates((int(sum(after)), 20), (0, 20), rate).outcome != "pass"
    assert compare_rates((10 * int(sum(after)), 200), (0, 200), rate).outcome in ("fail", "inconclusive")


def test_many_errors_where_there_were_none_fail() -> None:
    assert compare_samples([0.0] * 30, [0.0, 1.0, 2.0] * 10).outcome == "fail"
    assert compare_rates((11, 25), (0, 25), RateChange(margin=0.01)).outcome == "fail"


def test_650_percent_slower_with_few_points_fails_or_asks_for_more() -> None:
    few = compare_samples([1.0, 1.1, 0.9], [7.5, 7.4, 7.6])
    assert few.outcome == "inconclusive"
    assert few.needed is not None
    assert compare_samples([1.0] * 6, [7.5] * 6).outcome == "fail"
    assert compare_samples([1.0, 1.1, 0.9] * 5, [7.5, 7.4, 7.6] * 5).outcome == "fail"


def test_a_shift_in_spread_with_equal_medians_is_seen_by_its_own_test() -> None:
    random = np.random.default_rng(8)
    before = random.normal(10, 1, 200)
    after = 10 + 3 * (random.normal(10, 1, 200) - 10)
    assert compare_samples(before, after).outcome == "pass"
    assert compare_spread(before, after).outcome == "fail"
    assert compare_spread(after, before).outcome == "pass"
    assert stats.levene(before, after, center="median").pvalue < 0.001


@pytest.mark.parametrize(("before", "after", "side"), [([], [1.0] * 50, "before"), ([1.0] * 50, [], "after")])
def test_no_data_on_one_side_is_inconclusive(before: list[float], after: list[float], side: str) -> None:
    decision = compare_samples(before, after)
    assert decision.outcome == "inconclusive"
    assert f"no data {side} the change" in decision.notes
    assert compare_spread(before, after).outcome == "inconclusive"
    rates = compare_rates((0, len(after)), (0, len(before)), RateChange(margin=0.05))
    assert rates.outcome == "inconclusive"
    assert f"no data {side} the change" in rates.notes
    assert rates.measured is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused_on_either_side(bad: float) -> None:
    with pytest.raises(ValueError, match="before: found"):
        compare_samples([1.0, bad], [1.0])
    with pytest.raises(ValueError, match="after: found"):
        compare_spread([1.0], [1.0, bad])


def test_what_never_came_back_is_worse_than_any_after_and_left_out_before() -> None:
    decision = compare_samples([1.0] * 40 + [None] * 5, [1.0] * 20 + [None] * 20)
    assert decision.outcome == "fail"
    assert decision.notes == (
        "5 missing measurements before are left out",
        "20 missing measurements after count as worse than any",
    )
    assert compare_samples([1.0] * 40, [1.0] * 20 + [None] * 20, ShiftLimit(rising=True)).outcome == "fail"


def test_the_same_constant_is_the_same_and_more_can_be_better() -> None:
    assert compare_samples([5.0] * 50, [5.0] * 50).outcome == "pass"
    assert compare_samples([5.0] * 50, [9.0] * 50).outcome == "fail"
    assert compare_samples([5.0] * 50, [9.0] * 50, ShiftLimit(rising=True)).outcome == "pass"
    assert compare_samples([5.0] * 50, [5.4] * 50).outcome == "pass"


def test_two_ways_to_pass_by_pairs_share_alpha() -> None:
    assert compare_samples([5.0] * 16, [5.0] * 16).outcome == "inconclusive"
    assert compare_samples([5.0] * 17, [5.0] * 17).outcome == "pass"


def test_an_effect_is_shown_on_both_scales_or_not_at_all() -> None:
    high = Effect(chance=0.85, error=0.12, freedom=9)
    assert high.p_above(0.6) < 0.05
    assert not high.above(0.6, 0.05)
    assert high.bounds(0.05, 0.05)[0] < 0.6
    low = Effect(chance=0.4, error=0.1075, freedom=9)
    assert low.p_below(0.6) < 0.05
    assert not low.below(0.6, 0.05)
    assert low.bounds(0.05, 0.05)[1] > 0.6


def test_many_trials_are_judged_by_the_score_with_whole_counts_in_mind() -> None:
    steps = []
    for before in range(0, 60, 6):
        tables = [(x, 1500, before, 1500) for x in range(before, before + 75)]
        plain = max(table[0] for table in tables if float(score(table, 0.05)) <= -1.6448536)
        ours = [compare_rates((x, 1500), (before, 1500), RateChange(margin=0.05)).outcome for x, *_ in tables]
        steps.append(plain - (before + ours.count("pass") - 1))
    assert set(steps) == {0, 1}


def test_too_few_say_how_many_are_needed() -> None:
    random = np.random.default_rng(2)
    decision = compare_samples(random.lognormal(0, 1, 30), random.lognormal(0, 1, 30))
    assert decision.outcome == "inconclusive"
    assert decision.needed == 181 - 30
    assert "more samples needed on each side" in decision.statement


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 20), min_size=10, max_size=40),
    st.lists(st.floats(0, 20), min_size=10, max_size=40),
    st.floats(1.2, 5),
)
def test_slower_by_any_factor_never_helps(before: list[float], after: list[float], factor: float) -> None:
    slower = [value * factor for value in after]
    measured = (compare_samples(before, after).measured, compare_samples(before, slower).measured)
    assert measured[0] is not None
    assert measured[1] is not None
    assert measured[0] <= measured[1] + 1e-12


@pytest.mark.parametrize("table", TABLES)
def test_the_score_is_that_of_statsmodels_without_a_difference(table: tuple[int, int, int, int]) -> None:
    with np.errstate(divide="ignore"):
        theirs: Any = statsmodels_test(*table, value=0, method="score", compare="diff", correction=False)
    assert float(score(table, 0.0)) == pytest.approx(theirs.statistic, abs=1e-9)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("difference", [0.02, 0.1, 0.3, -0.1])
def test_the_likeliest_rates_are_those_a_search_finds(table: tuple[int, int, int, int], difference: float) -> None:
    x, n, y, m = table

    def unlikely(rate: float) -> float:
        prior = rate - difference
        return float(-stats.binom.logpmf(x, n, rate) - stats.binom.logpmf(y, m, prior))

    span = (max(0.0, difference) + 1e-12, min(1.0, 1 + difference) - 1e-12)
    found = optimize.minimize_scalar(unlikely, bounds=span, method="bounded", options={"xatol": 1e-12})
    counts = tuple(np.asarray(float(part)) for part in table)
    ours = float(_likeliest(counts[0], counts[1], counts[2], counts[3], np.asarray(difference)))
    assert ours == pytest.approx(found.x, abs=1e-6)


@pytest.mark.parametrize("table", [(5, 10, 1, 12), (3, 30, 0, 25), (8, 15, 3, 14)])
def test_without_a_margin_the_exact_test_is_scipys_barnard(table: tuple[int, int, int, int]) -> None:
    x, n, y, m = table
    theirs = stats.barnard_exact([[x, y], [n - x, m - y]], alternative="greater")
    other = stats.barnard_exact([[x, y], [n - x, m - y]], alternative="less")
    assert exact_p(table, 0.0, lower=False) == pytest.approx(min(theirs.pvalue, other.pvalue), abs=1e-9)


def test_the_exact_test_sums_every_table() -> None:
    x, n, y, m, difference = 2, 9, 1, 7, 0.15
    seen = float(score((x, n, y, m), difference))
    extreme = [
        (i, j) for i in range(n + 1) for j in range(m + 1) if float(score((i, n, j, m), difference)) <= seen + 1e-9
    ]
    prior = np.linspace(0, 1 - difference, 2001)
    chances = sum(stats.binom.pmf(i, n, prior + difference) * stats.binom.pmf(j, m, prior) for i, j in extreme)
    worst = float(np.max(chances))
    assert exact_p((x, n, y, m), difference, lower=True) >= worst - 1e-9
    assert exact_p((x, n, y, m), difference, lower=True) == pytest.approx(worst, abs=1e-6)


def test_the_bounds_are_where_the_score_test_decides() -> None:
    low, high = score_interval((5, 100, 7, 90), 0.05, 0.05)
    assert float(score((5, 100, 7, 90), low)) == pytest.approx(1.6448536, abs=1e-6)
    assert float(score((5, 100, 7, 90), high)) == pytest.approx(-1.6448536, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 39), st.integers(0, 40), st.sampled_from([0.0, 0.05, 0.2]))
def test_one_more_error_after_never_helps(after: int, before: int, margin: float) -> None:
    change = RateChange(margin=margin)
    fewer, more = compare_rates((after, 40), (before, 40), change), compare_rates((after + 1, 40), (before, 40), change)
    assert RANK[fewer.outcome] <= RANK[more.outcome]


def test_a_rate_comparison_says_what_it_saw() -> None:
    decision = compare_rates((5, 1000), (7, 1000), RateChange(margin=0.02))
    assert decision.outcome == "pass"
    assert decision.statement == (
        "error rate is 0.5 % after and 0.7 % before (5 of 1000, 7 of 1000), difference -0.2 % "
        "(-0.844 % to 0.409 %, each bound at 95 %), allowed <= 2 %, 2000 samples"
    )
    large = compare_rates((5_000, 1_000_000), (5_000, 1_000_000), RateChange(margin=0.001))
    assert (large.outcome, large.method) == ("pass", "score test of two shares, score interval")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="bad after: found 6, allowed at most the 5 trials after"):
        compare_rates((6, 5), (0, 5), RateChange(margin=0.1))
    with pytest.raises(ValueError, match="margin: found 1"):
        RateChange(margin=1)
    with pytest.raises(ValueError, match="margin: found 0, allowed above 0"):
        ShiftLimit(margin=0)
    with pytest.raises(ValueError, match="tolerance: found -1"):
        ShiftLimit(tolerance=-1)
    with pytest.raises(ValueError, match="trials: found 0 after"):
        score_interval((0, 0, 1, 2), 0.05, 0.05)


def test_nothing_here_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compare_rates((0, 30), (0, 30), RateChange(margin=0)).outcome == "inconclusive"
        assert compare_rates((30, 30), (30, 30), RateChange(margin=0.1)).outcome in RANK
