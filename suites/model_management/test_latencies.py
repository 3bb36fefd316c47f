"""Lookups, registrations, log writes, verdicts and fallbacks keep their times, on an idle system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from judging.percentiles import PercentileLimit, decide_percentile

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.python import Call
    from judging.decision import Decision

    Decided = Callable[[Decision], str]


def _limit(seconds: float, name: str) -> PercentileLimit:
    return PercentileLimit(percentile=95, value=seconds, comparison="<", name=name)


@pytest.mark.item("MMS-086")
def test_a_lookup_takes_less_than_100_ms(latencies: Call, decided: Decided) -> None:
    """The 95th percentile of 400 lookups on one registry, and of 200 on fresh ones, is below 100 ms."""
    seen = latencies.result
    assert decided(decide_percentile(seen["lookups"], _limit(0.1, "p95 of a lookup"))) == "pass"
    assert decided(decide_percentile(seen["fresh lookups"], _limit(0.1, "p95 of a fresh lookup"))) == "pass"


@pytest.mark.item("MMS-087")
def test_a_registration_takes_less_than_500_ms(latencies: Call, decided: Decided) -> None:
    """The 95th percentile of 100 registrations, until another connection reads the row, is below 500 ms."""
    assert decided(decide_percentile(latencies.result["registrations"], _limit(0.5, "p95 of a registration"))) == "pass"


@pytest.mark.item("MMS-088")
def test_a_log_write_takes_less_than_50_ms(latencies: Call, decided: Decided) -> None:
    """The 95th percentile of 400 log writes, every tenth with 50 kB, until the row is stored, is below 50 ms."""
    assert decided(decide_percentile(latencies.result["log writes"], _limit(0.05, "p95 of a log write"))) == "pass"


@pytest.mark.item("MMS-089")
def test_a_verdict_takes_less_than_200_ms(latencies: Call, decided: Decided) -> None:
    """The 95th percentile of 100 verdicts on outputs of real length is below 200 ms."""
    assert decided(decide_percentile(latencies.result["verdicts"], _limit(0.2, "p95 of a verdict"))) == "pass"


@pytest.mark.item("MMS-090")
def test_fallback_content_takes_less_than_100_ms(latencies: Call, decided: Decided) -> None:
    """The 95th percentile of 100 times from a critical verdict to the fallback content is below 100 ms."""
    assert decided(decide_percentile(latencies.result["fallbacks"], _limit(0.1, "p95 of a fallback"))) == "pass"
