"""Errors since the deployment: no spike, no rise, no rate limit, nothing that keeps coming back."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from fixtures.values import UndecidedError

from .asking import first_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

Minutes = list[dict[str, int]]
RATE_LIMIT = re.compile(r"\b429\b|rate.?limit|too many requests|throttl", re.IGNORECASE)

ELSEWHERE = re.compile(r"openai|\[(?:Worker|RateLimiter|Blog\w*|Wix\w*)\]", re.IGNORECASE)
VARIABLE = re.compile(r"\b(?=\w*\d)\w+")  # numbers, and ids of predictions and jobs


def _windows(minutes: Minutes) -> list[tuple[int, int]]:
    """Return failed and finished items of every five minutes since the deployment."""
    return _sums([minutes[n : n + 5] for n in range(0, len(minutes), 5)])


def _sums(chunks: list[Minutes]) -> list[tuple[int, int]]:
    return [(sum(one["failed"] for one in c), sum(one["done"] + one["failed"] for one in c)) for c in chunks]


@pytest.mark.item("IMO-065")
def test_errors_show_no_spike(day_log: LogView, minutes: Minutes, pace: float) -> None:
    """In no minute are there more than three errors or thrice the usual, and at most 1 % of the items bring one."""
    times = [one.time.timestamp() * pace for one in day_log.events if one.time and "error" in one.names]
    counts = Counter(int(at // 60) for at in times)
    usual = statistics.median([*counts.values(), *[0] * max(0, len(minutes) - len(counts))])
    finished = sum(one["done"] + one["failed"] for one in minutes)
    assert max(counts.values(), default=0) <= max(3, 3 * usual)
    assert finished > 0
    assert len(times) / finished <= 0.01


@pytest.mark.item("IMO-070")
def test_the_error_rate_does_not_rise(minutes: Minutes) -> None:
    """The share of failed items does not rise three times in a row beyond 1 %, five minutes by five minutes."""
    shares = [failed / finished for failed, finished in _windows(minutes) if finished]
    rises = [after > before for before, after in pairwise(shares)]
    assert len(shares) >= 1
    runs = [shares[n + 3] for n in range(len(rises) - 2) if all(rises[n : n + 3])]
    assert [round(share, 3) for share in runs if share > 0.01] == []


@pytest.mark.item("IMO-074")
def test_not_every_item_fails(minutes: Minutes) -> None:
    """In no five minutes in which ten items ended have all of them failed."""
    every = _sums([minutes[n : n + 5] for n in range(max(1, len(minutes) - 4))])
    full = [(failed, finished) for failed, finished in every if finished >= 10]
    if not full:
        raise UndecidedError("in no five minutes since the deployment have ten items ended")
    assert [failed for failed, finished in full if failed == finished] == []


@pytest.mark.item("IMO-092")
def test_replicate_never_answers_429(day_log: LogView) -> None:
    """Since the deployment no line tells of too many requests, but of those that other workers send elsewhere."""
    assert day_log.total > 0
    told = [one.line.text for one in day_log.matches["429"] if not ELSEWHERE.search(one.line.text)]
    assert told == []


@pytest.mark.item("IMO-093")
def test_no_item_fails_because_of_the_rate_limit(tables: Snapshot, day_log: LogView) -> None:
    """No item has failed with an error of the rate limit, neither by its own text nor by its lines in the log."""
    failed = {str(row["id"]): str(row["error"]) for row in tables["failures"]}
    lines = [one.line.text for one in day_log.matches["429"]]
    said = {number for number in failed for line in lines if re.search(rf"\bitem {number}\b", line, re.IGNORECASE)}
    assert day_log.total > 0
    assert sorted({number for number, text in failed.items() if RATE_LIMIT.search(text)} | said) == []


@pytest.mark.item("IMO-114")
def test_no_error_keeps_coming_back(day_log: LogView, tables: Snapshot, pace: float, facts: Mapping[str, str]) -> None:
    """In the first day no kind of error occurs ten times, and the log has no gap of more than a minute."""
    kinds = Counter(
        VARIABLE.sub("#", one.line.text.partition("[")[2] or one.line.text) for one in day_log.matches["error"]
    )
    times = [one.time.timestamp() for one in day_log.events if one.time]
    assert [(kind, count) for kind, count in kinds.items() if count >= 10] == []
    assert max(after - before for before, after in pairwise(sorted(times))) * pace <= 60
    first_day(tables["clock"].only["now"], facts["deployed"], pace)
