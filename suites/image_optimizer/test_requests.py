"""The requests of the last minute: they are those that were sent, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

from .asking import told

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

Watch = dict[str, Any]
MINUTE = 60.0
APART = 3.0  # seconds that the clocks of log and database may be apart
NEAR = 2  # requests: counts that are so near to each other agree
ROUND = 10.0  # seconds: phase 2 may ask once more, and its end may be written down later


def _figures(watch: Watch) -> list[dict[str, Any]]:
    return [one.json["rateLimiter"] for one in told(watch["stats"])]


@pytest.mark.item("IMO-048")
def test_the_requests_of_the_last_minute_are_those_that_were_sent(debug: LogView, watch: Watch) -> None:
    """The count is from 0 to 450 and, within 5 %, that of the logged requests: a poll is one, or one per item."""
    counts, figures = watch["view"].counts, [one["requestsInLastMinute"] for one in _figures(watch)]
    created = counts["prediction"] + counts["not predicted"]
    polled = sum(int(one.groups[0] or 0) for one in watch["view"].matches["polling"])
    assert [one for one in figures if not 0 <= one <= 450] == []
    assert created >= 10
    done = counts["completed"] + counts["failed"] >= created and counts["polled"] >= counts["polling"]
    slack = (
        max(int(one.groups[0] or 0) for one in watch["view"].matches["polling"]) if not done else 1
    )  # half of a poll
    sent = (created + counts["polling"], created + polled)
    more = [figures[-1] - one for one in sent]  # the first sample may count requests of before the watch
    assert [one for one in more if -max(slack, 0.05 * sent[0]) <= one <= max(slack, 0.05 * sent[0]) + figures[0]] != []


@pytest.mark.item("IMO-048")
def test_the_requests_of_the_last_minute_hold_what_replicate_received(
    watch: Watch, predictions: Watch, pace: float
) -> None:
    """During the watch the count reaches at least the predictions of this run that Replicate received in it.

    It needs no debug lines. What else the limiter let through, the polls, is in no list.
    """
    before = watch["ended"] * pace - 5  # the newest sample may be 5 s old
    received = [one["id"] for one in predictions["found"] if one["ours"] and one["at"] < before]
    if not received:
        raise UndecidedError("Replicate lists no prediction of this run that was made during the watch")
    assert max(one["requestsInLastMinute"] for one in _figures(watch)) >= len(received)


@pytest.mark.item("IMO-048")
def test_without_work_a_heartbeat_counts_no_request(hour_log: LogView, tables: Snapshot, pace: float) -> None:
    """In the past hour a heartbeat counts no request where for more than a minute no image was worked on."""
    work = [(row["began"] - APART, row["ended"] + MINUTE + ROUND) for row in tables["work"]]
    newest = tables["clock"].only["now"].timestamp() * pace
    beats = [one for one in hour_log.matches["heartbeat"] if one.line.time]
    assert len(work) >= 1
    idle = [
        one.line.text
        for one in beats
        if one.line.time and (at := one.line.time.timestamp() * pace) < newest - APART
        if not any(began <= at <= ended for began, ended in work) and int(one.groups[2] or 0) > NEAR
    ]
    assert idle == []
