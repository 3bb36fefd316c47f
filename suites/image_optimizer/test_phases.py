"""Both phases keep their rounds, and log each of their runs with its numbers."""

from __future__ import annotations

import statistics
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from .asking import numbers, ordered

if TYPE_CHECKING:
    from fixtures.log_lines import LogMatch
    from fixtures.log_view import LogView

Batch = dict[str, Any]


def _whole(view: LogView, began: str, ended: str, *within: str) -> list[LogMatch]:
    """Return the lines from the first beginning of a run to the last end of one.

    Runs of a phase never overlap. One may have been under way when the view began, and one when it ended.
    """
    found = ordered(view, began, ended, *within)
    names = [one.name for one in found]
    first = names.index(began) if began in names else len(names)
    return found[first : len(names) - names[::-1].index(ended) if ended in names else 0]


def _gap(times: list[float]) -> float:
    """Return the median time between two rounds; lines of one moment are one round."""
    return float(statistics.median(after - before for before, after in pairwise(times) if after - before > 0.2))


def _of_the_timer(watch: Batch) -> list[float]:
    """Return when the timer's rounds of phase 1 came: a new job begins one at once, in the line after its event."""
    timed, called = list[bool](), 0
    for one in ordered(watch["view"], "event", "round of phase 1"):
        if one.name == "event":
            called += 1
        else:
            timed.append(called == 0)
            called = max(0, called - 1)
    return list(compress(sorted(watch["arrivals"]["round of phase 1"]), timed))


@pytest.mark.item("IMO-022")
def test_phase_1_runs_every_five_seconds(debug: LogView, watch: Batch) -> None:
    """The median time between two rounds of phase 1, those of new jobs left out, is 5 s, give or take one."""
    rounds = _of_the_timer(watch)
    assert len(rounds) >= 3
    assert 4 <= _gap(rounds) <= 6


@pytest.mark.item("IMO-024")
def test_phase_2_runs_every_three_seconds(debug: LogView, watch: Batch) -> None:
    """The median time between two rounds of phase 2 is 3 s, give or take one."""
    assert len(watch["arrivals"]["round of phase 2"]) >= 3
    assert 2 <= _gap(sorted(watch["arrivals"]["round of phase 2"])) <= 4


@pytest.mark.item("IMO-056")
def test_each_creation_run_logs_how_many_items_it_takes(logged: LogView) -> None:
    """The creation runs log from 1 to 100 items each, as many as predictions were asked for until their end."""
    runs = _whole(logged, "creating", "batch complete", "prediction", "not predicted")
    taken, asked = numbers(runs, "creating"), [one for one in runs if "predict" in one.name]
    assert len(taken) >= 1
    assert 1 <= min(taken) <= max(taken) <= 100
    assert sum(taken) == len(asked)


@pytest.mark.item("IMO-058")
def test_each_creation_run_logs_its_end(logged: LogView) -> None:
    """Each creation run logs its end, with the number of its beginning."""
    runs = _whole(logged, "creating", "batch complete")
    assert len(runs) >= 2
    assert numbers(runs, "batch complete") == numbers(runs, "creating")


@pytest.mark.item("IMO-059")
def test_each_poll_run_logs_how_many_predictions_it_takes(debug: LogView) -> None:
    """Each poll run logs from 1 to 50 predictions, and at its end as many."""
    runs = _whole(debug, "polling", "polled")
    started, ended = numbers(runs, "polling"), numbers(runs, "polled")
    assert len(ended) >= 1
    assert 1 <= min(started) <= max(started) <= 50
    assert started == ended


@pytest.mark.item("IMO-090")
def test_the_polling_worker_runs(debug: LogView, watch: Batch) -> None:
    """From the first prediction to the last completion, or to the end of the watch, no 10 s pass without a poll."""
    first = min(watch["arrivals"]["predicted"])
    rounds = [at for at in watch["arrivals"]["round of phase 2"] if at >= first]
    last = max(watch["arrivals"]["completed"] or rounds)
    times = sorted([first, *[at for at in rounds if at <= last], last])
    assert len(rounds) >= 1
    assert max(after - before for before, after in pairwise(times)) <= 10
