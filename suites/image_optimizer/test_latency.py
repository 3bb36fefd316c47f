"""How soon work on a new job begins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError
from judging.bands import Band, Bands, decide_band

from .asking import ordered

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.log_view import LogView
    from judging.decision import Decision

    Decided = Callable[[Decision], str]

Batch = dict[str, Any]
LIMIT_S = 5
LATENCY = Bands(
    name="time from a job's creation to its first work", unit="s", gap="worse",
    bands=(
        Band(name="in time", outcome="pass", low=0, high=LIMIT_S, high_open=True),
        Band(name="late", outcome="fail", low=LIMIT_S),
        Band(name="before its creation", outcome="fail", high=0, high_open=True),
    ),
)  # fmt: skip


def _job_of(small_batch: Batch) -> str:
    return str(small_batch["posted"][0].json["job"]["id"])


def _begun(small_batch: Batch, logged: LogView, pace: float) -> list[float]:
    """Return when work was seen to have begun, in seconds after the job's creation: by the tables, and by the log.

    Each by its own clock: a log may be stamped on another machine than the database's.
    """
    number = _job_of(small_batch)
    made = [one.line.time for one in logged.matches["created job"] if one.groups[0] == number and one.line.time]
    ours = {row["prediction"] for row in small_batch["rows"]["items"]}
    lines = [one.line.time for one in logged.matches["prediction"] if one.groups[0] in ours and one.line.time]
    waiting = [one["at"] for one in small_batch["samples"] if one["first_s"] is None]
    waited = waiting[-1] - waiting[0] if waiting else 0.0
    first = [one["first_s"] for one in small_batch["samples"] if one["first_s"] is not None]
    read = [one for one in first[:1] if one >= waited]  # else a claim leaves updated_at as it was
    said = [(line - created).total_seconds() * pace for created, line in zip(made[:1], lines[:1], strict=False)]
    return [*read, *said] or ([waited] if first else [])


def _others_before(small_batch: Batch, logged: LogView) -> int:
    """Return how many predictions of other jobs were created between the job's line and the job's first prediction."""
    number, ours = _job_of(small_batch), {row["prediction"] for row in small_batch["rows"]["items"]}
    lines = ordered(logged, "created job", "prediction")
    start = next((n for n, one in enumerate(lines) if (one.name, one.groups[0]) == ("created job", number)), len(lines))
    made = [one.groups[0] for one in lines[start:] if one.name == "prediction"]
    return next((n for n, name in enumerate(made) if name in ours), 0)


@pytest.mark.item("IMO-081")
def test_work_begins_within_five_seconds(
    small_batch: Batch, logged: LogView, tables: Snapshot, pace: float, decided: Decided
) -> None:
    """The first prediction is made, or the first item leaves PENDING, less than 5 s after the job's creation.

    Where other jobs' images came first it cannot be said: while a batch is created a new job waits.
    The checklist's own query, run after the end, tells when the first item ended: it is shown beside.
    """
    number = int(_job_of(small_batch))
    said = [f"{row['latency_seconds']:.1f} s" for row in tables["latency"] if row["id"] == number]
    told = said[0] if said else "nothing: ten jobs are newer"
    own = f"the checklist's own query, which tells when the first item ended, says {told}"
    begun = min(_begun(small_batch, logged, pace), default=None)
    before = _others_before(small_batch, logged)
    if begun is not None and begun >= LIMIT_S and before:
        raise UndecidedError(f"{begun:.1f} s passed, and in them {before} predictions of other jobs were created first")
    decision = decide_band(begun, LATENCY)
    assert decided(replace(decision, statement=f"{decision.statement}; {own}", notes=(own,))) == "pass"
