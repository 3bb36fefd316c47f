"""Several figures at once: which error is held, for whom, and what it costs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from judging.families import Family, all_of, cost, decide_together, holm
from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import ShareLimit, decide_share

if TYPE_CHECKING:
    from judging.decision import Decision


@functools.cache
def judge(alpha: float, beta: float, hits: int, trials: int) -> Decision:
    return decide_share(hits, trials, ShareLimit(value=0.05, comparison="<", alpha=alpha, beta=beta))


def decide(counts: list[int], family: Family, trials: int = 624) -> list[str]:
    judges = {str(at): functools.partial(judge, hits=hits, trials=trials) for at, hits in enumerate(counts)}
    return [decision.outcome for decision in decide_together(judges, family).values()]


@pytest.mark.parametrize("figures", [1, 2, 5, 20])
def test_holm_is_that_of_statsmodels(figures: int) -> None:
    p_values = (np.random.default_rng(figures).random(figures) ** 3).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)


def test_the_steps_decide_as_holms_p_values_do() -> None:
    random = np.random.default_rng(11)
    family = Family(hold="every figure")
    for _ in range(100):
        counts = random.binomial(624, random.choice([0.02, 0.05, 0.09], 6)).tolist()
        rises = [stats_p(hits) for hits in counts]
        falls = [stats_p(hits, greater=False) for hits in counts]
        expected = [
            "pass" if low <= 0.05 else "fail" if high <= 0.05 else "inconclusive"
            for low, high in zip(holm(falls), holm(rises), strict=True)
        ]
        assert decide(counts, family) == expected


def stats_p(hits: int, *, greater: bool = True) -> float:
    from scipy import stats  # noqa: PLC0415 - used by this one comparison

    return float(stats.binomtest(hits, 624, 0.05, alternative="greater" if greater else "less").pvalue)


def test_a_verdict_needs_no_correction_for_passing() -> None:
    alone = decide([22], Family())
    among = decide([22] * 20, Family())
    assert alone == ["pass"]
    assert among == ["pass"] * 20
    assert decide([22] * 20, Family(hold="every figure")) == ["inconclusive"] * 20


def test_a_fail_has_to_be_clearer_among_many() -> None:
    assert decide([42], Family()) == ["fail"]
    assert decide([42] + [15] * 19, Family())[0] == "inconclusive"
    assert decide([60] + [15] * 19, Family())[0] == "fail"


def test_false_answers_of_a_family_of_twenty_are_rare() -> None:
    random = np.random.default_rng(12)
    at_limit = random.binomial(624, 0.05, (1500, 20)).tolist()
    failed = sum("fail" in decide(counts, Family()) for counts in at_limit)
    passed = sum("pass" in decide(counts, Family(hold="every figure")) for counts in at_limit)
    gone = sum("fail" not in outcomes and "inconclusive" not in outcomes for outcomes in
               (decide([counts[0], *[5] * 19], Family()) for counts in at_limit))  # fmt: skip
    for wrong in (failed, passed, gone):
        assert wrong / 1500 <= 0.05 + 0.017  # three standard errors of 1,500 runs


def test_each_decision_says_what_it_was_judged_at() -> None:
    judges = {"a": functools.partial(judge, hits=0, trials=1000), "b": functools.partial(judge, hits=0, trials=0)}
    found = decide_together(judges, Family())
    assert list(found) == ["a", "b"]
    assert found["a"].notes[-1] == "judged at alpha 0.05 and beta 0.025, as one of several figures"
    assert found["b"].outcome == "inconclusive"
    assert decide_together({}, Family()) == {}


def test_the_cost_is_stated() -> None:
    limit = ShareLimit(value=0.05, comparison="<")
    every = cost(limit, Family(hold="every figure"), 20)
    assert every.alone == 624
    assert every.shared > 2 * every.alone
    assert every.statement == f"{every.shared:,} samples in place of 624: {every.shared / 624:.2f} times as many"
    assert cost(limit, Family(), 20).shared < every.shared
    assert Family().statement(20).startswith("20 figures: a GO with a bad figure has probability at most 0.05")
    assert Family().each(20) == (0.05, 0.0025)


def test_a_range_passes_when_both_ends_do() -> None:
    def between(median: float) -> Decision:
        sample = np.random.default_rng(3).normal(median, 5, 200)
        low = decide_percentile(sample, PercentileLimit(percentile=50, value=400, comparison=">=", unit="/min"))
        high = decide_percentile(sample, PercentileLimit(percentile=50, value=450, comparison="<=", unit="/min"))
        return all_of("throughput from 400 to 450 /min", [low, high])

    assert between(425).outcome == "pass"
    assert between(460).outcome == "fail"
    assert between(390).outcome == "fail"
    assert between(450).outcome == "inconclusive"
    assert between(425).statement.count("p50 is") == 2


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="found no parts"):
        all_of("range", [])
    with pytest.raises(ValueError, match="hold: found 'all'"):
        Family(hold="all")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="p-value: found 2"):
        holm([2])
