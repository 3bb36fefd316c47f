"""Waiting: attempts are counted, an end is an end, and nothing outlives its deadline."""

from __future__ import annotations

import threading
import time
from itertools import count
from typing import TYPE_CHECKING

from fixtures.waiting import Patience
from tests.looks import make_look

if TYPE_CHECKING:
    from pathlib import Path


def patience(
    tmp_path: Path, *, seconds: float = 5, speed: float = 10, stopping: threading.Event | None = None
) -> Patience:
    return Patience(make_look(tmp_path, seconds=seconds, speed=speed), stopping or threading.Event())


def test_what_becomes_true_is_returned_with_its_attempts(tmp_path: Path) -> None:
    numbers, waiting = count(1), patience(tmp_path)
    assert waiting.eventually(lambda: next(numbers), lambda number: number == 4) == 4
    assert waiting.attempts == 4


def test_what_never_becomes_true_ends_with_its_time_and_is_returned_as_seen(tmp_path: Path) -> None:
    began = time.monotonic()
    assert patience(tmp_path).eventually(lambda: "no", lambda seen: seen == "yes", within=5) == "no"
    assert 0.3 < time.monotonic() - began < 3  # 5 s of a target ten times as fast


def test_a_hopeless_answer_ends_the_wait_at_once(tmp_path: Path) -> None:
    waiting = patience(tmp_path)
    assert waiting.eventually(lambda: "gone", lambda _: False, hopeless=lambda seen: seen == "gone") == "gone"
    assert waiting.attempts == 1


def test_a_stop_ends_the_wait(tmp_path: Path) -> None:
    stopping = threading.Event()
    threading.Timer(0.2, stopping.set).start()
    began = time.monotonic()
    patience(tmp_path, seconds=30, stopping=stopping).eventually(lambda: 0, lambda _: False)
    assert time.monotonic() - began < 5


def test_what_stays_true_is_looked_at_every_time(tmp_path: Path) -> None:
    assert patience(tmp_path).consistently(lambda: 200, lambda status: status == 200, times=3, pause=0.1) == (
        200,
        200,
        200,
    )


def test_what_stops_being_true_is_the_last_thing_seen(tmp_path: Path) -> None:
    answers = iter((200, 200, 503, 200))
    assert patience(tmp_path).consistently(lambda: next(answers), lambda status: status == 200, times=4) == (
        200,
        200,
        503,
    )
