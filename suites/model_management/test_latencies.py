"""Lookups, registrations, log writes, verdicts and fallbacks keep their times, on an idle system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from judging.percentiles import decide_percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.python import Call
    from fixtures.thresholds import Limit
    from judging.decision import Decision

    Estimated = Callable[[Callable[[float, float], Decision]], str]
    Sampled = Callable[[Sequence[float]], Sequence[float]]
    Threshold = Callable[..., Limit]


@pytest.fixture
def in_time(latencies: Call, estimated: Estimated, sampled: Sampled, threshold: Threshold) -> Callable[[str], str]:
    """Return what judges the 95th percentile of one kind of times by the checklist's number."""

    def judge(kind: str) -> str:
        taken = latencies.result[kind]
        sampled([seconds for seconds in taken if seconds is not None])
        limit, name = threshold(), f"p95 of {kind}"
        return estimated(
            lambda alpha, beta: decide_percentile(taken, limit.percentile(95, name=name, alpha=alpha, beta=beta))
        )

    return judge


@pytest.mark.item("MMS-086")
@pytest.mark.parametrize("kind", ["lookups", "fresh lookups"])
def test_a_lookup_takes_less_than_100_ms(in_time: Callable[[str], str], kind: str) -> None:
    """The 95th percentile of 400 lookups on one registry, and of 200 on fresh ones, is below 100 ms."""
    assert in_time(kind) == "pass"


@pytest.mark.item("MMS-087")
def test_a_registration_takes_less_than_500_ms(in_time: Callable[[str], str]) -> None:
    """The 95th percentile of 100 registrations, until another connection reads the row, is below 500 ms."""
    assert in_time("registrations") == "pass"


@pytest.mark.item("MMS-088")
def test_a_log_write_takes_less_than_50_ms(in_time: Callable[[str], str]) -> None:
    """The 95th percentile of 400 log writes, every tenth with 50 kB, until the row is stored, is below 50 ms."""
    assert in_time("log writes") == "pass"


@pytest.mark.item("MMS-089")
def test_a_verdict_takes_less_than_200_ms(in_time: Callable[[str], str]) -> None:
    """The 95th percentile of 100 verdicts on outputs of real length is below 200 ms."""
    assert in_time("verdicts") == "pass"


@pytest.mark.item("MMS-090")
def test_fallback_content_takes_less_than_100_ms(in_time: Callable[[str], str]) -> None:
    """The 95th percentile of 100 times from a critical verdict to the fallback content is below 100 ms."""
    assert in_time("fallbacks") == "pass"
