"""The limiter's statistics as an endpoint: it answers each time, soon, and in the documented shape."""

from __future__ import annotations

import statistics
from itertools import pairwise
from typing import Any

import pytest

from .asking import answers, told

Watch = dict[str, Any]


@pytest.mark.item("IMO-044")
def test_the_statistics_are_json(watch: Watch) -> None:
    """The endpoint answers 200 with JSON, and within 1 s in the median of its samples."""
    seen = told(watch["stats"])
    assert {one.is_json for one in seen} == {True}
    assert statistics.median(one.elapsed_s for one in seen) < 1


@pytest.mark.item("IMO-045")
def test_the_statistics_have_the_documented_fields(watch: Watch) -> None:
    """In every sample every field is there with its type, and none is null."""
    bodies = [one.json for one in told(watch["stats"])]
    assert {type(body["status"]) for body in bodies} == {str}
    limiters = [body["rateLimiter"] for body in bodies]
    assert {type(one[name]) for one in limiters for name in ("queueLength", "requestsInLastMinute", "maxRPM")} == {int}
    assert {type(one["rpmUsagePercent"]) for one in limiters} - {int, float} == set()
    assert {type(body["health"][name]) for body in bodies for name in ("queueHealthy", "rpmHealthy")} == {bool}


@pytest.mark.item("IMO-053")
def test_the_statistics_can_be_watched(watch: Watch) -> None:
    """Asked every 5 s, the endpoint answers each time, with JSON, and with what is true then."""
    assert answers(watch["stats"]) == [200] * len(watch["stats"])
    assert len(watch["stats"]) >= 5
    moments = [one.json.get("timestamp") for one in told(watch["stats"][:-1])]  # the last but one is as old as it
    assert [(one, two) for one, two in pairwise(moments) if one is not None and one == two] == []
