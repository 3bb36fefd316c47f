"""Windows over the database's clock, rates, throughput and alerts recomputed for every window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from judging.alerts import AlertRule, Episode, decide_alert, episodes
from judging.readings import Reading, Sliding, count_readings, percentile_readings, share_readings
from judging.windows import RateLimit, Span, cut, decide_rate, decide_throughput

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = 1_767_355_200.0  # 2026-01-02 12:00 UTC
RULE = AlertRule(name="error rate", comparison=">", limit=0.05, severity="critical", action="rollback")


def test_a_window_contains_its_start_and_not_its_end() -> None:
    windows = cut([0.0, 59.999, 60.0, 119.0, 120.0, 500.0], Span(start=0, end=150, length=60))
    assert [(window.start, window.end, window.count, window.whole) for window in windows] == [
        (0, 60, 2, True),
        (60, 120, 2, True),
        (120, 150, 1, False),
    ]
    assert cut([1.0], Span(start=5, end=5, length=60)) == ()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1000), max_size=60), st.floats(10, 300), st.floats(0, 1000))
def test_every_event_of_the_span_is_in_one_window(times: list[float], length: float, end: float) -> None:
    windows = cut(times, Span(start=0, end=end, length=length))
    assert sum(window.count for window in windows) == sum(time < end for time in times)
    assert sum(window.seconds for window in windows) == pytest.approx(end, abs=1e-3)


@pytest.mark.parametrize("count", [0, 1, 17, 450, 26_000])
def test_the_bounds_of_a_rate_are_garwoods(count: int) -> None:
    decision = decide_rate(count, 60, RateLimit(value=400, comparison=">="))
    low = stats.gamma.ppf(0.05, count) if count else 0.0
    assert decision.low == pytest.approx(low, rel=1e-9)
    assert decision.high == pytest.approx(stats.gamma.ppf(0.95, count + 1), rel=1e-9)
    assert decision.measured == count


def test_a_rate_is_decided_by_its_bounds() -> None:
    at_least = RateLimit(value=400, comparison=">=")
    assert decide_rate(5 * 450, 300, at_least).outcome == "pass"
    assert decide_rate(5 * 350, 300, at_least).outcome == "fail"
    assert decide_rate(5 * 401, 300, at_least).outcome == "inconclusive"
    at_most = RateLimit(value=450, comparison="<=", unit="requests/min")
    assert decide_rate(5 * 400, 300, at_most).outcome == "pass"
    assert decide_rate(5 * 500, 300, at_most).outcome == "fail"


def test_a_rate_over_no_time_is_inconclusive() -> None:
    decision = decide_rate(5, 0, RateLimit(value=1, comparison="<"))
    assert decision.outcome == "inconclusive"
    assert decision.measured is None
    assert decision.notes == ("a rate over 0 seconds is unknown",)


def steady(per_minute: int, minutes: int) -> list[float]:
    return [NOON + 60 * at / per_minute for at in range(per_minute * minutes)]


def test_throughput_is_the_median_of_whole_windows() -> None:
    span = Span(start=NOON, end=NOON + 40 * 60 + 20, length=60)
    limit = RateLimit(value=400, comparison=">=", unit="items/min")
    good = decide_throughput(steady(430, 41), span, limit)
    assert (good.outcome, good.measured, good.samples) == ("pass", 430.0, 40)
    assert good.notes == ("the window from 12:40 lasted 20 s only: left out",)
    assert decide_throughput(steady(300, 41), span, limit).outcome == "fail"


def test_a_gap_is_named_and_counts_as_nothing_done() -> None:
    span = Span(start=NOON, end=NOON + 40 * 60, length=60)
    times = [time for time in steady(430, 40) if not NOON + 300 <= time < NOON + 480]
    decision = decide_throughput(times, span, RateLimit(value=400, comparison=">="))
    assert decision.notes == ("no events from 12:05 to 12:08",)
    assert decision.low is not None
    assert min(window.count for window in cut(times, span)) == 0


def test_no_events_at_all_is_inconclusive_even_for_at_most() -> None:
    span = Span(start=NOON, end=NOON + 3600, length=60)
    decision = decide_throughput([], span, RateLimit(value=450, comparison="<="))
    assert decision.outcome == "inconclusive"
    assert decision.notes[0] == "no events at all"
    assert decide_throughput(
        [NOON], Span(start=NOON, end=NOON, length=60), RateLimit(value=450, comparison="<=")
    ).outcome == ("inconclusive")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="end: found 0, allowed at least the start 1"):
        Span(start=1, end=0, length=60)
    with pytest.raises(ValueError, match="length: found 0"):
        Span(start=0, end=1, length=0)
    with pytest.raises(ValueError, match="times: found nan"):
        cut([math.nan], Span(start=0, end=1, length=1))
    with pytest.raises(ValueError, match="seconds: found -1"):
        decide_rate(1, -1, RateLimit(value=1, comparison="<"))
    with pytest.raises(ValueError, match="comparison: found '=='"):
        RateLimit(value=1, comparison="==")
    with pytest.raises(ValueError, match="step: found 1e-06 s over 3600"):
        Sliding(start=0, end=3600, window=300, step=1e-6)


def burst(first: int, last: int, share: float = 0.3, minutes: int = 1440) -> tuple[list[float], list[bool]]:
    """Return a day of 60 requests a minute, of which a share fails from minute `first` to minute `last`."""
    times = [NOON + second for second in range(60 * minutes)]
    bad = [first <= second // 60 < last and second % 10 < 10 * share for second in range(60 * minutes)]
    return times, bad


def test_a_burst_of_ten_minutes_does_not_disappear_in_the_day() -> None:
    times, bad = burst(3, 13)
    assert sum(bad) / len(bad) < 0.05
    decision = decide_alert(share_readings(times, bad, RULE.over(NOON, NOON + 86_400)), RULE)
    assert decision.outcome == "fail"
    assert decision.measured == pytest.approx(0.3)
    assert decision.statement == (
        "error rate > 5 % would have fired at 12:05 for 13 min (peak 30 %), 1436 windows of 300 s; critical; rollback"
    )
    assert (decision.comparison, decision.limit) == ("<=", 0.05)


def test_a_silent_day_passes_and_an_unseen_one_does_not() -> None:
    times, bad = burst(0, 0)
    span = RULE.over(NOON, NOON + 86_400)
    assert decide_alert(share_readings(times, bad, span), RULE).outcome == "pass"
    unseen = decide_alert(share_readings([], [], span), RULE)
    assert unseen.outcome == "inconclusive"
    assert unseen.notes[0] == "too little data for a value from 12:04 to 12:00"
    short = decide_alert(share_readings(times, bad, RULE.over(NOON, NOON + 60)), RULE)
    assert short.outcome == "inconclusive"
    assert "no window of 300 s fits" in short.notes[0]


def test_half_a_day_without_data_is_not_silence() -> None:
    times, bad = burst(0, 0, minutes=720)
    decision = decide_alert(share_readings(times, bad, RULE.over(NOON, NOON + 86_400)), RULE)
    assert decision.outcome == "inconclusive"
    assert any("of the windows have data, at least 90 % asked" in note for note in decision.notes)
    assert any(note.startswith("too little data for a value from 00:0") for note in decision.notes)


def readings(values: Sequence[float | None], samples: int = 100) -> list[Reading]:
    return [
        Reading(start=NOON + 60 * at - 300, end=NOON + 60 * at, value=value, samples=samples)
        for at, value in enumerate(values)
    ]


def test_it_fires_after_its_hold_and_clears_below_its_own_limit() -> None:
    rule = AlertRule(name="error rate", comparison=">", limit=0.05, hold=120, clear=0.03)
    found, pending = episodes(readings([0.01, 0.06, 0.07, 0.08, 0.04, 0.04, 0.02, 0.09]), rule)
    assert found == (Episode(start=NOON + 180, end=NOON + 360, peak=0.08, over=True),)
    assert found[0].text("share") == "at 12:03 for 3 min (peak 8 %)"
    assert pending == NOON + 420
    without = AlertRule(name="error rate", comparison=">", limit=0.05, hold=120)
    assert episodes(readings([0.01, 0.06, 0.07, 0.08, 0.04]), without)[0][0].end == NOON + 240


def test_a_condition_that_holds_at_the_end_is_not_silence() -> None:
    rule = AlertRule(name="error rate", comparison=">", limit=0.05, hold=300)
    decision = decide_alert(readings([0.0] * 50 + [0.09]), rule)
    assert decision.outcome == "inconclusive"
    assert decision.notes == ("the condition holds since 12:50, 300 s are needed to fire",)


def test_blind_windows_end_nothing() -> None:
    found, _ = episodes(readings([0.09, None, None, 0.0]), RULE)
    assert found == (Episode(start=NOON, end=NOON + 180, peak=0.09, over=True),)
    still, _ = episodes(readings([0.0, 0.09, None]), RULE)
    assert (still[0].over, still[0].text("share")) == (False, "at 12:01 for 0 min and on (peak 9 %)")
    few = AlertRule(name="error rate", comparison=">", limit=0.05, minimum=101)
    assert episodes(readings([0.09, 0.09]), few) == ((), None)
    assert decide_alert(readings([0.09, 0.09]), few).outcome == "inconclusive"


def test_a_condition_may_be_falling() -> None:
    rule = AlertRule(name="success rate", comparison="<", limit=0.9)
    decision = decide_alert(readings([0.95, 0.8, 0.99]), rule)
    assert (decision.outcome, decision.measured, decision.comparison) == ("fail", 0.8, ">=")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2000), st.booleans()), max_size=80))
def test_the_readings_are_those_counted_by_hand(events: list[tuple[float, bool]]) -> None:
    sliding = Sliding(start=0, end=2000, window=300, step=70)
    times, bad = [time for time, _ in events], [flag for _, flag in events]
    shares = share_readings(times, bad, sliding)
    counts = count_readings(times, sliding)
    assert len(shares) == 25
    for share, count in zip(shares, counts, strict=True):
        inside = [flag for time, flag in events if share.start <= time < share.end]
        assert count.value == share.samples == len(inside)
        assert share.value == (pytest.approx(sum(inside) / len(inside)) if inside else None)


def test_the_percentile_of_a_window_is_numpys_and_a_missing_one_is_beyond() -> None:
    random = np.random.default_rng(5)
    times, values = np.arange(600.0), random.lognormal(0, 1, 600)
    sliding = Sliding(start=0, end=600, window=300, step=60)
    for reading in percentile_readings(times, values.tolist(), sliding, 95):
        part = values[int(reading.start) : int(reading.end)]
        assert reading.value == pytest.approx(np.quantile(part, 0.95, method="inverted_cdf"), abs=1e-12)
    rule = AlertRule(name="p95", comparison=">", limit=15, unit="s")
    stuck = percentile_readings(times, [None] * 600, sliding, 95)
    decision = decide_alert(stuck, rule)
    assert decision.outcome == "fail"
    assert "peak beyond the timeout" in decision.statement


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"comparison": "=="}, "comparison: found '=='"),
        ({"clear": 0.06}, "clear: found 0.06"),
        ({"hold": -1}, "hold: found -1"),
        ({"window": 0}, "window: found 0"),
        ({"coverage": 2}, "coverage: found 2"),
    ],
)
def test_rules_that_make_no_sense_are_refused(fields: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AlertRule(**{"name": "x", "comparison": ">", "limit": 0.05, **fields})  # type: ignore[arg-type]  # wrong on purpose


def test_readings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="value: found NaN at 12:00"):
        decide_alert(readings([math.nan]), RULE)
    with pytest.raises(ValueError, match="times: found 1 and 0 missing, allowed one for each of 2"):
        share_readings([1.0], [True, False], RULE.over(0, 600))
