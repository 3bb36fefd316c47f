"""Two days of messages before an observer comes: one before the deployment and one after it.

Failures are rare, and none lies in the first hour after the deployment or in the last one, which the checklist wants
clean. Nothing was exhausted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import random
from typing import TYPE_CHECKING

from simulators.model_fallback import wording
from simulators.model_fallback.history_faults import spoil
from simulators.model_fallback.wording import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from simulators.faults import Faults

DAY = dt.timedelta(hours=24)
HOUR = dt.timedelta(hours=1)
# 150 messages an hour: 3,600 a day, of which none may be exhausted to show fewer than 0.1 % with 95 % confidence.
EVERY = dt.timedelta(seconds=24)
EVERY_BEFORE = 2 * EVERY
FALLBACK_EVERY = 70  # about 1.4 % of the messages are answered by the second model
FAILED = (1000, 2400)  # the two messages of a day that fail, far from its first and its last hour
_MEDIAN_S, _SPREAD = 0.8, 0.3  # the 99th percentile stays at 1.6 s
_SEED = 20260128
_FIRST_SESSION = 100


@dataclasses.dataclass(kw_only=True)
class Message:
    """One message of the past.

    kind: `answered`, `failed` (the provider broke), `exhausted` (every model refused), `refused` (while exhausted),
    `crashed` (after the answer, outside of what the view catches) or `cut off` (its worker was killed).
    tried: how many models refused before. retried: the answer came on the second attempt. told: whether its lines are
    in the log.
    """

    at: dt.datetime
    session: int
    wall_s: float
    kind: str = "answered"
    tried: int = 0
    retried: bool = False
    told: bool = True
    extra: tuple[Line, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """The messages up to `now`; the deployment took place a day ago. models: the hierarchy in force."""

    now: dt.datetime
    models: tuple[str, ...]
    faults: Faults

    @property
    def deployed(self) -> dt.datetime:
        """The moment of the deployment."""
        return self.now - DAY

    def messages(self) -> list[Message]:
        """Return all messages in their order, as the faults leave them."""
        dice = random.Random(_SEED)  # noqa: S311  the same past each time
        before = _day(self.deployed, EVERY_BEFORE, dice)
        after = _day(self.now, EVERY, dice)
        for day in (before, after):
            for message in day[FALLBACK_EVERY // 2 :: FALLBACK_EVERY]:
                message.tried = min(1, len(self.models) - 1)
            for index in FAILED:
                day[index * len(day) // len(after)].kind = "failed"
        return before + spoil(after, self.faults, self.models)

    def write(self, path: Path) -> None:
        """Write the log of these messages."""
        with path.open("w", encoding="utf-8") as file:
            for line in sorted(self._lines(self.messages()), key=lambda one: one.at):
                file.write(str(line))

    def first_hour(self) -> list[Message]:
        """Return the messages of the hour after the deployment that were answered."""
        end = self.deployed + HOUR
        return [one for one in self.messages() if self.deployed <= one.at < end and one.kind == "answered"]

    def _lines(self, messages: Iterable[Message]) -> Iterator[Line]:
        for message in messages:
            if message.told:
                yield from self._told(message)
            yield from message.extra

    def _told(self, message: Message) -> Iterator[Line]:
        begin, end = message.at, message.at + dt.timedelta(seconds=message.wall_s)
        if message.kind == "refused":
            yield Line(at=begin, level="WARNING", text="All models exhausted, rejecting request")
            yield Line(at=end, level="ERROR", text=f"All models exhausted: {wording.REFUSED}", module="views")
            return
        count = len(self.models)
        refusing = count if message.kind == "exhausted" else message.tried
        for number, model in enumerate(self.models[:refusing], 1):
            yield from _refusal(begin, number, count, model)
        if message.kind == "exhausted":
            yield Line(at=end, level="ERROR", text=f"All {count} models exhausted")
            yield Line(at=end, level="ERROR", text=f"All models exhausted: {wording.EXHAUSTED}", module="views")
            return
        model = self.models[refusing]
        yield Line(at=begin, level="INFO", text=wording.attempting(refusing + 1, count, model))
        yield Line(at=begin, level="INFO", text="AFC is enabled with max remote calls: 10.", module="models")
        yield from _ending(message, model, end)


def _refusal(at: dt.datetime, number: int, count: int, model: str) -> Iterator[Line]:
    found = "429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'status': 'RESOURCE_EXHAUSTED'}}"
    yield Line(at=at, level="INFO", text=wording.attempting(number, count, model))
    yield Line(at=at, level="WARNING", text=wording.limited(model, 1, found))
    yield Line(at=at, level="INFO", text=f"Retrying {model} in 0.5s...")
    yield Line(at=at, level="WARNING", text=wording.limited(model, 2, found))
    yield Line(at=at, level="WARNING", text=wording.moving_on(model))


def _ending(message: Message, model: str, end: dt.datetime) -> Iterator[Line]:
    if message.kind == "cut off":
        return
    if message.kind == "failed":
        found = "500 INTERNAL. {'error': {'code': 500, 'status': 'INTERNAL'}}"
        yield Line(at=end, level="ERROR", text=f"Non-recoverable error with {model}: {found}")
        yield Line(at=end, level="ERROR", text=f"Chat message processing failed: {found}", module="views")
        return
    if message.retried:
        found = "429 RESOURCE_EXHAUSTED. {'error': {'code': 429}}"
        yield Line(at=message.at, level="WARNING", text=wording.limited(model, 1, found))
        yield Line(at=message.at, level="INFO", text=f"Retrying {model} in 0.5s...")
    answered = message.at + (end - message.at) * 0.95  # storing takes the rest
    yield Line(at=answered, level="INFO", text=wording.succeeded(model, 2 if message.retried else 1))
    if message.kind == "crashed":
        trace = 'Traceback (most recent call last):\n  File "views.py", line 1\nOperationalError: gone'
        yield Line(
            at=end, level="ERROR", text=f"Internal Server Error: /chat/{message.session}/\n{trace}", module="log"
        )
        return
    yield Line(at=end, level="INFO", text=wording.processed(message.session, model), module="views")


def _day(end: dt.datetime, every: dt.timedelta, dice: random.Random) -> list[Message]:
    """Return the messages of the day before `end`, each a little early or late."""
    count = int(DAY / every)
    return [
        Message(
            at=end - DAY + every * (index + dice.uniform(0.1, 0.7)),
            session=_FIRST_SESSION + index // 6,
            wall_s=dice.lognormvariate(math.log(_MEDIAN_S), _SPREAD),
        )
        for index in range(count)
    ]
