"""Shares against a limit: exact at every sample size, never green on nothing, monotone in every bad trial."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from judging.binomial import at_least, at_most, lower_bound, upper_bound
from judging.decision import Decision, figure, satisfies
from judging.proportions import ShareLimit, decide_census, decide_share, fixed_design, more_samples, wilson

ERRORS = ShareLimit(value=0.05, comparison="<", name="error rate")
SUCCESS = ShareLimit(value=0.95, comparison=">", name="success rate")
RANK = {"pass": 0, "inconclusive": 1, "fail": 2}

GRID = [(x, n) for n in (1, 2, 7, 20, 59, 100, 1000, 25_000) for x in sorted({0, 1, n // 50, n // 3, n - 1, n})]


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.93])
def test_the_tails_are_those_of_scipy(share: float) -> None:
    for x, n in GRID:
        assert float(at_most(x, n, share)) == pytest.approx(stats.binom.cdf(x, n, share), abs=1e-9)
        assert float(at_least(x, n, share)) == pytest.approx(stats.binom.sf(x - 1, n, share), abs=1e-9)


@pytest.mark.parametrize("alpha", [0.001, 0.025, 0.05, 0.2])
def test_the_bounds_are_those_of_scipy_and_statsmodels(alpha: float) -> None:
    for x, n in GRID:
        exact = stats.binomtest(x, n).proportion_ci(1 - 2 * alpha, method="exact")
        other = proportion_confint(x, n, alpha=2 * alpha, method="beta")
        ours = (float(lower_bound(x, n, alpha)), float(upper_bound(x, n, alpha)))
        assert ours == pytest.approx((exact.low, exact.high), abs=1e-9)
        assert ours == pytest.approx(other, abs=1e-9)


def test_the_displayed_interval_is_wilsons() -> None:
    for x, n in GRID:
        exact = stats.binomtest(x, n).proportion_ci(0.95, method="wilson")
        assert wilson(x, n) == pytest.approx((exact.low, exact.high), abs=1e-9)
        assert wilson(x, n) == pytest.approx(proportion_confint(x, n, alpha=0.05, method="wilson"), abs=1e-9)


def test_the_decision_is_the_exact_one_sided_test() -> None:
    for x, n in GRID:
        decision = decide_share(x, n, ERRORS)
        keeps = stats.binomtest(x, n, 0.05, alternative="less").pvalue <= 0.05
        breaks = stats.binomtest(x, n, 0.05, alternative="greater").pvalue <= 0.05
        assert decision.outcome == ("pass" if keeps else "fail" if breaks else "inconclusive")


@pytest.mark.parametrize(
    "limit", [ERRORS, SUCCESS, ShareLimit(value=0, comparison="=="), ShareLimit(value=0.5, comparison=">=")]
)
def test_nothing_seen_is_inconclusive(limit: ShareLimit) -> None:
    decision = decide_share(0, 0, limit)
    assert decision.outcome == "inconclusive"
    assert decision.needed is not None
    assert decision.needed > 0
    assert "more samples needed" in decision.statement
    assert (decision.measured, decision.low, decision.high) == (None, None, None)
    assert decide_census(0, 0, limit).outcome == "inconclusive"


def test_the_sentence_says_it_all() -> None:
    decision = decide_share(12, 1000, ERRORS)
    assert decision.statement == (
        "error rate is 1.2 % (0.694 % to 1.94 %, each bound at 95 %), allowed < 5 %, 1000 samples"
    )
    assert decision.outcome == "pass"


def test_a_decision_is_plain_json_and_has_no_truth_value() -> None:
    decision = decide_share(12, 1000, ERRORS)
    form = json.loads(json.dumps(dataclasses.asdict(decision)))
    assert Decision(**{**form, "notes": tuple(form["notes"])}) == decision
    with pytest.raises(TypeError, match="compare its outcome"):
        bool(decision)


@settings(deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))), st.floats(0.01, 0.99))
def test_one_more_bad_trial_never_helps(counts: tuple[int, int], limit: float) -> None:
    x, n = counts
    less = ShareLimit(value=limit, comparison="<")
    assert RANK[decide_share(x, n, less).outcome] <= RANK[decide_share(x + 1, n, less).outcome]
    more = ShareLimit(value=limit, comparison=">")
    assert RANK[decide_share(x, n, more).outcome] >= RANK[decide_share(x + 1, n, more).outcome]


@settings(deadline=None)
@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.99))
def test_hits_and_misses_are_two_sides_of_one_figure(counts: tuple[int, int], limit: float) -> None:
    x, n = counts
    below = decide_share(x, n, ShareLimit(value=limit, comparison="<="))
    above = decide_share(n - x, n, ShareLimit(value=1 - limit, comparison=">="))
    assert below.outcome == above.outcome


@settings(deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.99))
def test_the_interval_agrees_with_the_outcome(counts: tuple[int, int], limit: float) -> None:
    decision = decide_share(*counts, ShareLimit(value=limit, comparison="<"))
    assert decision.low is not None
    assert decision.high is not None
    assert decision.low <= counts[0] / counts[1] <= decision.high
    assert (decision.outcome == "pass") == (decision.high <= limit)
    assert (decision.outcome == "fail") == (decision.low >= limit)


def test_a_false_pass_and_a_false_fail_are_rare_at_every_sample_size() -> None:
    for n in (5, 20, 59, 60, 100, 317, 1000):
        chance = stats.binom.pmf(np.arange(n + 1), n, 0.05)
        outcomes = [decide_share(x, n, ERRORS).outcome for x in range(n + 1)]
        assert sum(chance[x] for x in range(n + 1) if outcomes[x] == "pass") <= 0.05
        assert sum(chance[x] for x in range(n + 1) if outcomes[x] == "fail") <= 0.05


@pytest.mark.parametrize(("value", "margin"), [(0.05, 0.025), (0.05, 0.03), (0.2, 0.1), (0.5, 0.1), (0.3, 0.29)])
def test_the_design_is_the_smallest_that_keeps_both_errors(value: float, margin: float) -> None:
    limit = ShareLimit(value=value, comparison="<", margin=margin)
    design = fixed_design(limit)
    assert stats.binom.cdf(design.allowed, design.samples, value) <= 0.05
    assert stats.binom.cdf(design.allowed, design.samples, value - margin) >= 0.95
    for n in range(1, design.samples):
        most = int(stats.binom.ppf(0.05, n, value))
        allowed = most if stats.binom.cdf(most, n, value) <= 0.05 else most - 1
        assert stats.binom.cdf(allowed, n, value - margin) < 0.95


def test_the_design_without_failures_is_the_rule_of_three() -> None:
    assert fixed_design(ShareLimit(value=0.05, comparison="<", margin=0.05)).samples == 59
    assert decide_share(0, 59, ERRORS).outcome == "pass"
    assert decide_share(0, 58, ERRORS).outcome == "inconclusive"


def test_below_the_minimum_nothing_is_decided() -> None:
    limit = ShareLimit(value=0.05, comparison="<=", minimum=20)
    decision = decide_share(19, 19, limit)
    assert decision.outcome == "inconclusive"
    assert "19 samples, at least 20 are asked for" in decision.notes
    assert decide_share(20, 20, limit).outcome == "fail"


def test_what_more_samples_would_bring_is_said() -> None:
    design = fixed_design(ERRORS).samples
    assert decide_share(1, 30, ERRORS).needed == design - 30
    assert more_samples(25, design, ERRORS) not in (None, 0)
    more = more_samples(27, 700, ERRORS)
    assert more is not None
    share = 27 / 700
    assert decide_share(round(share * (700 + more)), 700 + more, ERRORS).outcome == "pass"
    assert more_samples(50, 1000, ERRORS) is None


def test_a_sample_never_shows_perfection_and_a_census_does() -> None:
    never = ShareLimit(value=0, comparison="==", name="failed look-ups")
    assert decide_share(0, 10**6, never).outcome == "inconclusive"
    assert decide_share(0, 10**6, never).needed is None
    assert decide_share(1, 10**6, never).outcome == "fail"
    assert decide_census(0, 10, never).outcome == "pass"
    assert decide_census(1, 10**6, never).outcome == "fail"
    assert decide_census(100, 100, ShareLimit(value=1, comparison="==")).outcome == "pass"
    assert decide_census(99, 100, ShareLimit(value=1, comparison="==")).outcome == "fail"
    with pytest.raises(ValueError, match="no sample can show"):
        fixed_design(never)


@pytest.mark.parametrize(
    ("hits", "trials", "words"),
    [(-1, 5, "hits: found -1"), (6, 5, "hits: found 6, allowed at most the 5 trials"), (math.nan, 5, "hits: found nan"),
     (1, math.inf, "trials: found inf"), (1.5, 5, "hits: found 1.5"), (True, 5, "hits: found True")],
)  # fmt: skip
def test_counts_that_cannot_be_are_refused(hits: float, trials: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decide_share(hits, trials, ERRORS)  # type: ignore[arg-type]  # what a careless caller would pass
    with pytest.raises(ValueError, match=words):
        decide_census(hits, trials, ERRORS)  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"value": 5.0}, "limit: found < 5"), ({"value": 0.0}, "limit: found < 0"),
     ({"value": math.nan}, "limit: found nan"), ({"margin": 0.06}, "margin: found 0.06"),
     ({"margin": 0.0}, "margin: found 0"), ({"alpha": 0.0}, "alpha: found 0"),
     ({"beta": 1.0}, "beta: found 1"), ({"minimum": -1}, "minimum: found -1"),
     ({"comparison": "=<"}, "comparison: found '=<'"), ({"comparison": "=="}, "limit: found == 0.05")],
)  # fmt: skip
def test_limits_that_say_nothing_are_refused(fields: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ShareLimit(**{"value": 0.05, "comparison": "<", **fields})  # type: ignore[arg-type]  # wrong on purpose


def test_a_decision_refuses_what_is_no_number() -> None:
    sound = decide_share(1, 10, ERRORS)
    with pytest.raises(ValueError, match="high: found inf"):
        dataclasses.replace(sound, high=math.inf)
    with pytest.raises(ValueError, match="outcome: found 'ok'"):
        dataclasses.replace(sound, outcome="ok")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="comparison: found 'x'"):
        dataclasses.replace(sound, comparison="x")  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="comparison: found 'x'"):
        satisfies(1, "x", 2)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [(0.0123, "share", "1.23 %"), (12345.6, "s", "12,346 s"), (3.14159, "s", "3.14 s"), (None, "s", "unbounded"),
     (0.0, "", "0"), (2e-7, "s", "2.00e-07 s"), (math.inf, "s", "beyond the timeout")],
)  # fmt: skip
def test_numbers_are_written_for_people(number: float | None, unit: str, text: str) -> None:
    assert figure(number, unit) == text


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 0.4), st.floats(0.1, 1.0))
def test_a_design_exists_for_every_margin(value: float, part: float) -> None:
    design = fixed_design(ShareLimit(value=value, comparison="<", margin=value * part))
    assert float(at_most(design.allowed, design.samples, value)) <= 0.05
    assert float(at_most(design.allowed, design.samples, value * (1 - part))) >= 0.95


def test_importing_the_judge_loads_no_numerics() -> None:
    root = Path(__file__).parent.parent
    names = sorted(path.stem for path in (root / "judging").glob("*.py") if path.stem != "__init__")
    code = "import sys\n" + "".join(f"import judging.{name}\n" for name in names) + "print('numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
