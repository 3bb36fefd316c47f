"""The webhook lets a provider's callbacks through, once each, and nobody else's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

    Rows = list[dict[str, Any]]
    Callbacks = dict[str, dict[str, Any]]

LAG = 120  # seconds that an entry may take from a function to the end of a log drain
REFUSED = {
    "forged address": (404,),
    "forged verification": (403,),
    "without a task": (400,),
    "of an unknown task": (404,),
    "too early": (429,),
}


@pytest.mark.item("MDE-018")
def test_callbacks_are_taken_once_and_forged_ones_refused(callbacks: Callbacks) -> None:
    """Forged and hasty callbacks change nothing, a repeated one does nothing twice, a good one ends the record."""
    refused = {name: callbacks[name]["status"] for name in REFUSED}
    assert [name for name, allowed in REFUSED.items() if refused[name] not in allowed] == []
    assert {tuple(callbacks[name]["row"]) for name in REFUSED} == {("processing",)}
    assert (callbacks["in part"]["status"], callbacks["in part"]["row"]) == (200, ["processing"])
    assert "already" in callbacks["repeated"]["text"]
    assert (callbacks["at the end"]["status"], callbacks["at the end"]["row"]) == (200, ["failed"])
    assert (callbacks["after the end"]["status"], callbacks["after the end"]["row"]) == (400, ["failed"])


def _agrees(duration: str, seconds: float) -> bool:
    """Whether a logged duration, in seconds or in milliseconds, is that of the record, give or take five seconds."""
    try:
        return min(abs(float(duration) - seconds), abs(float(duration) / 1000 - seconds)) <= 5
    except ValueError:
        return False


@pytest.mark.item("MDE-047")
def test_each_finished_video_has_one_success_entry(finished_log: LogView, finished: Rows, records: Snapshot) -> None:
    """For every completed asynchronous generation the log has one success with its provider and its duration."""
    since = (finished_log.first or dt.datetime.now(dt.UTC)).timestamp()
    until = records.clock.timestamp() - LAG
    rows = [row for row in finished if row["provider"] == "kie_ai" and row["status"] == "completed"]
    done = {row["id"]: row["seconds"] or 0.0 for row in rows if since <= (row["ended"] or 0) <= until}
    entries = [one.line.labels for one in finished_log.matches["webhook success"]]
    assert finished_log.counts["webhook success"] == len(entries)
    logged = [labels.get("generationId", "") for labels in entries if labels.get("generationId") in done]
    assert len(done) > 0
    assert sorted(logged) == sorted(done)
    told = {labels.get("generationId", ""): labels for labels in entries}
    assert [name for name in done if not told[name].get("provider")] == []
    assert [name for name, took in done.items() if not _agrees(told[name].get("duration", ""), took)] == []
