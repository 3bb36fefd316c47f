"""What can be wrong with the first day: each fault changes some of its messages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from simulators.model_fallback.wording import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.faults import Faults
    from simulators.model_fallback.history import Message

    Day = list[Message]

HOUR = 150  # messages


def spoil(day: Day, faults: Faults, models: tuple[str, ...]) -> Day:
    """Return the day after the deployment as the faults leave it."""
    for name, change in _CHANGES.items():
        if faults.on(name):
            change(day, models)
    return day


def _gap(day: Day, _: tuple[str, ...]) -> None:
    for message in day[50:80]:  # twelve minutes
        message.told = False


def _traceback(day: Day, _: tuple[str, ...]) -> None:
    text = 'Unhandled\nTraceback (most recent call last):\n  File "views.py", line 1\nKeyError: 0'
    day[70].extra = (Line(at=day[70].at, level="INFO", text=text, module="views"),)


def _untold(day: Day, _: tuple[str, ...]) -> None:
    for message in day[20:HOUR:10]:
        message.told = False


def _third_model(day: Day, models: tuple[str, ...]) -> None:
    for message in day[30:HOUR]:
        message.tried = min(2, len(models) - 1)


def _limited_at_first(day: Day, _: tuple[str, ...]) -> None:
    for message in day[5:HOUR:10]:
        message.retried = True


def _error_at_the_end(day: Day, _: tuple[str, ...]) -> None:
    day[-12].kind = "failed"


def _last_model(day: Day, models: tuple[str, ...]) -> None:
    for message in day[-21:]:
        message.tried, message.wall_s = len(models) - 1, 1.9


def _slow_share(day: Day, _: tuple[str, ...]) -> None:
    for message in day[6::12]:
        message.wall_s = 3.0


def _slow_tail(day: Day, _: tuple[str, ...]) -> None:
    for message in day[25::50]:
        message.wall_s = 6.0


def _slow_quarter_of_an_hour(day: Day, _: tuple[str, ...]) -> None:
    start = 12 * HOUR
    for window in range(3):  # of five minutes: twelve or thirteen messages
        for message in day[start + window * 25 // 2 : start + window * 25 // 2 + 8]:
            message.wall_s = 7.0


def _silent_since_noon(day: Day, _: tuple[str, ...]) -> None:
    for message in day[12 * HOUR :]:
        message.told = False


def _becoming(kind: str, step: int) -> Callable[[Day, tuple[str, ...]], None]:
    def change(day: Day, _: tuple[str, ...]) -> None:
        for message in day[HOUR:-HOUR:step]:
            message.kind = kind

    return change


def _failing(step: int, first: int, last: int) -> Callable[[Day, tuple[str, ...]], None]:
    def change(day: Day, _: tuple[str, ...]) -> None:
        for message in day[first:last:step]:
            message.kind = "failed"

    return change


def _failing_every_hour(day: Day, _: tuple[str, ...]) -> None:
    """Let one message fail in each hour but the first and the last, where none has failed yet."""
    for start in range(HOUR, len(day) - HOUR, HOUR):
        hour = day[start : start + HOUR]
        if all(message.kind == "answered" for message in hour):
            hour[HOUR // 2].kind = "failed"


def _falling(step: int, first: int = 0, last: int | None = None) -> Callable[[Day, tuple[str, ...]], None]:
    def change(day: Day, models: tuple[str, ...]) -> None:
        for message in day[first:last:step]:
            message.tried = min(1, len(models) - 1)

    return change


def _exhausted_now_and_then(day: Day, _: tuple[str, ...]) -> None:
    for message in day[2 * HOUR : -2 * HOUR : 180]:
        message.kind = "exhausted"


def _exhausted_for_a_while(day: Day, _: tuple[str, ...]) -> None:
    start = 10 * HOUR
    end = day[start].at + dt.timedelta(minutes=5)
    day[start].kind = "exhausted"
    for message in day[start + 1 : start + HOUR]:
        if message.at < end:
            message.kind, message.wall_s = "refused", 0.01


_CHANGES: dict[str, Callable[[Day, tuple[str, ...]], None]] = {
    "log-gap-in-first-hour": _gap,
    "traceback-at-level-info": _traceback,
    "second-path-does-not-log": _untold,
    "first-hour-from-third-model": _third_model,
    "first-model-limited-at-first": _limited_at_first,
    "log-ends-with-an-error": _error_at_the_end,
    "last-model-answers-alone": _last_model,
    "every-twelfth-answer-slow": _slow_share,
    "every-fiftieth-answer-very-slow": _slow_tail,
    "slow-quarter-of-an-hour": _slow_quarter_of_an_hour,
    "one-message-in-fifty-fails": _failing(50, HOUR, -HOUR),
    "one-hour-of-errors": _failing(40, 15 * HOUR, 16 * HOUR),
    "errors-become-usual": _failing_every_hour,
    "first-model-misses-its-target": _falling(15, HOUR),
    "first-model-misses-the-gate": _falling(8, HOUR),
    "first-model-gone-for-two-hours": _falling(4, 13 * HOUR, 15 * HOUR),
    "exhausted-now-and-then": _exhausted_now_and_then,
    "exhausted-for-five-minutes": _exhausted_for_a_while,
    "log-silent-since-noon": _silent_since_noon,
    "crashes-after-the-answer": _becoming("crashed", 40),
    "requests-cut-off": _becoming("cut off", 14),
}
