"""The webhook lets a provider's callbacks through, once each, and nobody else's."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.log_view import LogView

    Rows = list[dict[str, Any]]
    Callbacks = dict[str, dict[str, Any]]

AGREE = 5  # seconds that a logged duration may be from the record's
LAG = 120  # seconds that an entry may take from a function to the end of a log drain
TURNED_AWAY = (400, 401, 403, 404)
REFUSED = {
    "forged address": TURNED_AWAY,
    "bare address": TURNED_AWAY,
    "forged verification": TURNED_AWAY,
    "without verification": TURNED_AWAY,
    "forged success": TURNED_AWAY,
    "without a task": TURNED_AWAY,
    "of an unknown task": TURNED_AWAY,
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


@pytest.mark.item("MDE-047")
def test_each_finished_video_has_one_success_entry(
    finished_log: LogView, told_finished: Rows, finished: Rows, records: Snapshot
) -> None:
    """For every completed asynchronous generation the log has one success with its provider and its duration."""
    since = (finished_log.first or dt.datetime.now(dt.UTC)).timestamp()
    until = records.clock.timestamp() - LAG
    rows = [row for row in finished if row["provider"] == "kie_ai" and row["status"] == "completed"]
    done = {row["id"]: row["seconds"] or 0.0 for row in rows if since <= (row["ended"] or 0) <= until}
    entries = [one for one in told_finished if one["id"] in done]
    if not done and not any(row["ended"] is None for row in rows):
        raise UndecidedError("no asynchronous generation was completed in the time that the log covers")
    assert len(done) > 0
    assert sorted(one["id"] for one in entries) == sorted(done)
    assert [one["id"] for one in entries if "kie" not in one["provider"].lower()] == []
    apart = {one["id"]: [abs(took - done[one["id"]]) for took in one["durations"]] for one in entries}
    assert [name for name, found in apart.items() if min(found, default=AGREE + 1) > AGREE] == []
