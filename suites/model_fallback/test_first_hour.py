"""The first hour after the deployment, as the log and the database hold it."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

from .flows import notable
from .rendering import in_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.log_lines import LogEvent
    from fixtures.log_view import LogView
    from judging.decision import Decision

    Decided = Callable[[Decision], str]
    Facts = dict[str, Any]

CLOCKS = dt.timedelta(seconds=30)  # how far the clocks of log and database may be apart, and an answer from its line
FEWEST = 20  # attempts with a model, or answers, from which a share is judged


def _hour(two_days: LogView, facts: Facts) -> list[LogEvent]:
    """Return what is notable in the first hour. Raises UndecidedError for one that is not over or empty."""
    start = dt.datetime.fromisoformat(facts["deployed"])
    events = [one for one in notable(two_days) if one.time and start <= one.time < start + dt.timedelta(hours=1)]
    if (
        not events
        or two_days.last is None
        or two_days.last < start + dt.timedelta(hours=1)
        or not _count(events, "begun")
    ):
        raise UndecidedError(f"the hour since {start.isoformat()} is not over, or no message was sent in it")
    return events


def _count(events: list[LogEvent], name: str) -> int:
    return sum(name in one.names for one in events)


@pytest.mark.item("MMF-055")
def test_the_first_hour_is_recorded_without_a_gap(
    two_days: LogView, first_day: dict[str, Any], stored: Snapshot, facts: Facts
) -> None:
    """In the hour from the deployment on, no five minutes pass without a line about a message while answers come."""
    start = dt.datetime.fromisoformat(facts["deployed"])
    end = start + dt.timedelta(hours=1)
    lines = [one.time for one in notable(two_days) if one.time and start <= one.time < end]
    gaps = [pair for pair in pairwise([start, *lines, end]) if pair[1] - pair[0] > dt.timedelta(minutes=5)]
    answers = stored["first_hour"].column("created_at")
    assert [at for at in answers for before, after in gaps if before + CLOCKS < at < after - CLOCKS] == []
    if gaps or first_day["until"] < end.timestamp():
        raise UndecidedError(f"nobody wrote for five minutes after {gaps[0][0] if gaps else end}: no line was due")


@pytest.mark.item("MMF-056")
def test_the_first_hour_brings_no_errors(two_days: LogView, facts: Facts) -> None:
    """In the first hour no line is an error, and no traceback stands at any level."""
    start = dt.datetime.fromisoformat(facts["deployed"])
    events = _hour(two_days, facts)
    assert [one.names for one in events if one.level in ("error", "critical")] == []
    end = start + dt.timedelta(hours=1)
    assert [one.text for one in two_days.exceptions if one.time and start <= one.time < end] == []


@pytest.mark.item("MMF-057")
def test_every_answer_leaves_its_line(two_days: LogView, stored: Snapshot, facts: Facts) -> None:
    """In the first hour each answer has one line that names its model, and no stored answer lacks one."""
    events = _hour(two_days, facts)
    assert _count(events, "success") == _count(events, "processed")
    assert _count(events, "success") >= len(stored["first_hour"])
    named = sum(_count(events, f"success {model}") for model in facts["hierarchy"])
    assert named == _count(events, "success")


@pytest.mark.item("MMF-058")
def test_most_answers_come_from_the_first_model(two_days: LogView, facts: Facts) -> None:
    """In the first hour more than half of the answers come from model 1."""
    events = _hour(two_days, facts)
    assert _count(events, f"success {facts['hierarchy'][0]}") > 0.5 * _count(events, "success")


@pytest.mark.item("MMF-063")
def test_a_response_takes_less_than_two_seconds(twenty_messages: dict[str, Any]) -> None:
    """Twenty messages in a row are each answered, by what then stays, in less than two seconds typically."""
    replies = twenty_messages["replies"]
    assert [(one["status"], one["told"], len(one["answers"])) for one in replies] == [(200, "", 1)] * 20
    answers = [answer for one in replies for answer in one["answers"]]
    assert [answer for answer in answers if not in_order(twenty_messages["kept"], [answer])] == []
    assert median(one["elapsed_s"] for one in replies) < 2


@pytest.mark.item("MMF-103")
def test_the_last_model_is_not_the_only_one(two_days: LogView, facts: Facts) -> None:
    """Of the last twenty answers in the log not all come from the last model of the hierarchy."""
    last = [one for one in notable(two_days) if "success" in one.names][-FEWEST:]
    if len(last) < FEWEST:
        raise UndecidedError(f"the log has {len(last)} answers, {FEWEST} are to be looked at")
    assert _count(last, f"success {facts['hierarchy'][-1]}") < FEWEST


@pytest.mark.item("MMF-104")
def test_refusals_stay_rare(two_days: LogView, facts: Facts) -> None:
    """In the first hour no model that was asked twenty times refuses more than 5 % of the requests to it."""
    events = _hour(two_days, facts)
    asked = {model: _count(events, f"attempt {model}") for model in facts["hierarchy"]}
    judged = {model: number for model, number in asked.items() if number >= FEWEST}
    if facts["hierarchy"][0] not in judged:
        raise UndecidedError(f"model 1 was asked {asked[facts['hierarchy'][0]]} times, {FEWEST} are needed")
    shares = {model: _count(events, f"limited {model}") / number for model, number in judged.items()}
    assert {model: share for model, share in shares.items() if share > 0.05} == {}
