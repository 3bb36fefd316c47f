"""What is judged, removed and closed while other looks still go on."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

from fixtures.ending import Ending
from fixtures.plan import Test as PlannedTest
from fixtures.readiness import Readiness

if TYPE_CHECKING:
    from fixtures.plan import Key

FRONT, BACK = ("demo", "front"), ("demo", "back")
WITHIN_S = 10


def _planned(name: str, *keys: Key) -> PlannedTest:
    return PlannedTest(
        id=name, system="demo", written=True, items=("DEM-001",), claim="", observations=keys, withheld=None
    )


def test_a_check_is_ready_once_all_its_observations_are_made() -> None:
    readiness = Readiness([_planned("both", FRONT, BACK), _planned("front", FRONT)])
    readiness.made(FRONT)
    assert readiness.take() == ["front"]
    readiness.made(BACK)
    assert readiness.take() == ["both"]
    assert readiness.take() == []


def test_a_check_that_is_withheld_or_needs_no_observation_is_ready_at_once_and_an_unwritten_item_never() -> None:
    withheld = dataclasses.replace(_planned("withheld", FRONT), withheld=("not_permitted", "no"))
    unwritten = dataclasses.replace(_planned("unwritten"), written=False)
    readiness = Readiness([withheld, _planned("plain"), unwritten])
    assert readiness.take() == ["withheld", "plain"]
    assert readiness.take() == []


def test_whoever_asks_too_early_waits() -> None:
    readiness = Readiness([_planned("front", FRONT)])
    taken: list[list[str]] = []
    asking = threading.Thread(target=lambda: taken.append(readiness.take()))
    asking.start()
    asking.join(0.1)
    assert taken == []
    readiness.made(FRONT)
    asking.join(WITHIN_S)
    assert taken == [["front"]]


class _Looks:
    """Looks at two systems, each over when its event is set."""

    def __init__(self) -> None:
        self.over = {"quick": threading.Event(), "slow": threading.Event()}

    def wait(self, system: str) -> None:
        assert self.over[system].wait(WITHIN_S)


class _Removals:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.one = threading.Event()

    def remove_own(self, system: str) -> None:
        self.done.append(system)
        self.one.set()


def _ending(stopping: threading.Event) -> tuple[Ending, _Looks, _Removals, list[str]]:
    looks, removals = _Looks(), _Removals()
    ending = Ending(looks, removals, lambda: removals.done.append("closed"), stopping)  # type: ignore[arg-type]
    ending.begin(("quick", "slow"))
    return ending, looks, removals, removals.done


def test_a_system_is_cleaned_when_its_looks_are_over_and_all_is_closed_after_the_last() -> None:
    ending, looks, removals, done = _ending(threading.Event())
    looks.over["quick"].set()
    assert removals.one.wait(WITHIN_S)
    assert done == ["quick"]
    looks.over["slow"].set()
    ending.finish()
    assert done == ["quick", "slow", "closed"]


def test_nothing_is_ended_behind_the_back_of_whoever_stops_the_run() -> None:
    stopping = threading.Event()
    ending, looks, _, done = _ending(stopping)
    stopping.set()
    for event in looks.over.values():
        event.set()
    ending.finish()
    assert done == []
