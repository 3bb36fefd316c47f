"""Bands, clocks and baselines: what a figure means, by which clock, and against what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging.bands import Band, Bands, decide_band
from judging.baselines import DAY, Baseline, Now, against
from judging.clocks import Offset, Probe, decide_offset, measure_offset, under_skew
from judging.comparing import compare_samples
from judging.proportions import ShareLimit, decide_census

if TYPE_CHECKING:
    from judging.decision import Decision

HEALTHY = Band(name="healthy", low=0.8, high=0.9, outcome="pass")
WARNING = Band(name="warning", low=0.95, low_open=True, high=1, high_open=True, outcome="inconclusive")
CRITICAL = Band(name="critical", low=1, outcome="fail")
USAGE = Bands(name="RPM usage", bands=(HEALTHY, WARNING, CRITICAL), unit="share")


@pytest.mark.parametrize(
    ("value", "outcome", "words"),
    [
        (0.85, "pass", "RPM usage is 85 %: healthy; healthy is 80 % to 90 %"),
        (0.9, "pass", "healthy"),
        (0.92, "inconclusive", "between healthy and warning, read as warning (the worse neighbour)"),
        (0.95, "inconclusive", "between healthy and warning"),
        (0.97, "inconclusive", "warning"),
        (1.0, "fail", "critical"),
        (0.1, "pass", "beyond healthy, read as healthy (the worse neighbour)"),
    ],
)
def test_a_value_is_read_as_the_bands_say(value: float, outcome: str, words: str) -> None:
    decision = decide_band(value, USAGE)
    assert decision.outcome == outcome
    assert words in decision.statement


def test_a_gap_is_read_as_stated() -> None:
    better = Bands(name="usage", bands=USAGE.bands, unit="share", gap="better")
    assert decide_band(0.92, better).outcome == "pass"
    assert "read as healthy (the better neighbour)" in decide_band(0.92, better).statement
    unread = Bands(name="usage", bands=(HEALTHY, CRITICAL), unit="share", gap="inconclusive")
    assert decide_band(0.92, unread).outcome == "inconclusive"
    assert "between healthy and critical, which the bands leave open" in decide_band(0.92, unread).statement
    assert decide_band(0.92, Bands(name="usage", bands=(HEALTHY, CRITICAL))).outcome == "fail"


def test_an_interval_over_bands_is_inconclusive() -> None:
    assert decide_band(0.85, USAGE, low=0.82, high=0.89).outcome == "pass"
    wide = decide_band(0.85, USAGE, low=0.82, high=1.2)
    assert wide.outcome == "inconclusive"
    assert wide.notes == ("the interval reaches bands that mean fail, inconclusive, pass",)
    narrow = Bands(name="x", bands=(Band(name="a", outcome="pass"), Band(name="b", low=5, high=5, outcome="fail")))
    assert decide_band(4, narrow, low=3, high=7).outcome == "inconclusive"


def test_no_value_is_inconclusive_and_nan_is_refused() -> None:
    assert decide_band(None, USAGE).outcome == "inconclusive"
    with pytest.raises(ValueError, match="value: found nan"):
        decide_band(math.nan, USAGE)
    with pytest.raises(ValueError, match="bands of x: found none"):
        Bands(name="x", bands=())
    with pytest.raises(ValueError, match="found 2 to 1, allowed a low end below"):
        Band(name="x", low=2, high=1, outcome="pass")
    with pytest.raises(ValueError, match="gap: found 'best'"):
        Bands(name="x", bands=(HEALTHY,), gap="best")  # type: ignore[arg-type]  # wrong on purpose


@settings(deadline=None)
@given(st.floats(-5, 5), st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=8))
def test_the_true_offset_is_always_within_the_bounds(offset: float, ways: list[tuple[float, float]]) -> None:
    probes = [
        Probe(sent=10.0 * at, told=10.0 * at + there + offset, received=10.0 * at + there + back)
        for at, (there, back) in enumerate(ways)
    ]
    found = measure_offset(probes)
    assert found is not None
    assert found.low - 1e-9 <= offset <= found.high + 1e-9
    assert found.high - found.low <= min(there + back for there, back in ways) + 1e-6


def test_clocks_agree_disagree_or_it_is_not_known() -> None:
    def offset(seconds: float, trip: float) -> Offset | None:
        return measure_offset([Probe(sent=0, told=trip / 2 + seconds, received=trip)])

    assert decide_offset(offset(0.01, 0.002)).outcome == "pass"
    assert decide_offset(offset(0.2, 0.002)).outcome == "fail"
    assert decide_offset(offset(-0.2, 0.002)).outcome == "fail"
    assert decide_offset(offset(0.01, 0.5)).outcome == "inconclusive"
    assert decide_offset(measure_offset([])).outcome == "inconclusive"
    assert decide_offset(offset(0.2, 0.002)).statement == (
        "the database's clock is 0.2 s ahead of ours (0.199 s to 0.201 s), allowed at most 0.05 s either way"
    )


def test_a_clock_that_was_set_is_said() -> None:
    found = measure_offset([Probe(sent=0, told=0, received=0.01), Probe(sent=1, told=5, received=1.01)])
    assert found is not None
    assert found.low <= 0
    assert found.high >= 4
    assert found.notes == ("the probes contradict each other: a clock was set or drifts",)
    with pytest.raises(ValueError, match="received: found 0"):
        Probe(sent=1, told=1, received=0)


def errors_since(moment: float) -> Decision:
    """Decide that no error happened since a moment, with an error at 100 s and traffic throughout."""
    return decide_census(int(moment <= 100), 50, ShareLimit(value=0, comparison="=="))


def test_a_skew_that_could_change_the_verdict_leaves_it_open() -> None:
    small = Offset(measured=0.0, low=-0.01, high=0.01, probes=3)
    assert under_skew(lambda skew: errors_since(150 + skew), small).outcome == "pass"
    assert under_skew(lambda skew: errors_since(50 + skew), small).outcome == "fail"
    open_verdict = under_skew(lambda skew: errors_since(100 + skew), small)
    assert open_verdict.outcome == "inconclusive"
    assert "could change the verdict: fail, pass" in open_verdict.notes[-1]
    assert under_skew(lambda skew: errors_since(150 + skew), None).outcome == "inconclusive"


SAVED = Baseline(name="v1", environment="prod", release="1.0", saved=0.0, figures={"latency": [1.0] * 200})
NOW = Now(environment="prod", release="1.1", moment=DAY)


def compare(before: list[float]) -> Decision:
    return compare_samples(before, [1.0] * 200)


def test_a_fresh_baseline_is_compared_with() -> None:
    decision = against(SAVED, "latency", NOW, compare)
    assert decision.outcome == "pass"
    assert decision.notes == ("against baseline v1 of release 1.0",)


@pytest.mark.parametrize(
    ("baseline", "figure_name", "now", "words"),
    [
        (None, "latency", NOW, "there is no baseline"),
        (
            SAVED,
            "latency",
            Now(environment="prod", release="1.1", moment=8 * DAY),
            "found an age of 8.0 days, allowed 7.0",
        ),
        (
            SAVED,
            "latency",
            Now(environment="stage", release="1.1", moment=DAY),
            "found environment prod, allowed stage",
        ),
        (SAVED, "latency", Now(environment="prod", release="1.0", moment=DAY), "found release 1.0, the one to judge"),
        (SAVED, "latency", Now(environment="prod", release="1.1", moment=-60), "found one saved 60 s in the future"),
        (SAVED, "errors", NOW, "found no figure errors, known are latency"),
    ],
    ids=["missing", "stale", "elsewhere", "same", "future", "unknown"],
)
def test_without_a_usable_baseline_it_is_inconclusive(
    baseline: Baseline | None, figure_name: str, now: Now, words: str
) -> None:
    decision = against(baseline, figure_name, now, compare)
    assert decision.outcome == "inconclusive"
    assert words in decision.statement
