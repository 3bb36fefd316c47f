"""Two days of traffic before an observer comes: one before the deployment and one after it.

Each day is thin, ten generations an hour, but for its last hour, which is busy. Healthy failures are rare and lie
before the deployment only, because the checklist admits none after it. Some clients work in a project or for an
instance of their own, a few hang up before their picture is there, and this suite has been here before.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import random
from typing import TYPE_CHECKING

from simulators.model_config.history_faults import spoil
from simulators.model_config.tail import Invocation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.faults import Faults
    from simulators.model_config.wording import Lines, Wording

DAY = dt.timedelta(hours=24)
HOUR = dt.timedelta(hours=1)
THIN_EVERY = dt.timedelta(minutes=6)
BUSY_EVERY = dt.timedelta(seconds=6)
LEGACY_SHARE = 0.02
REJECTED_SHARE = 0.01
CANCELED_SHARE = 0.005
# A median of 3.6 s whose 95th percentile stays at 5.5 s.
_MEDIAN_S, _SPREAD = 3.6, 0.25
_AGENTS = ("GalleryApp/3.1", "python-requests/2.32.3", "Mozilla/5.0 (X11; Linux x86_64)")
_FOLDERS = (*(("default",) * 8), "production", "default/spring-campaign")
_SEED = 20251204


@dataclasses.dataclass(kw_only=True)
class Visit:
    """One `POST /generate` of the past.

    kind: `dynamic`, `legacy`, `rejected` (400), `failed` (500), `outage` (the Config Service answered 503), `limited`
    (it answered 429), `killed` (out of memory), `untold` (a config fetch that failed without a line), `canceled` (the
    client hung up). folder: where its picture is kept. lost: its upload failed unnoticed, or it was removed since.
    """

    at: dt.datetime
    kind: str
    wall_s: float
    agent: str
    folder: str = "default"
    lost: bool = False
    extra: Lines = ()

    @property
    def delivered(self) -> bool:
        """Whether the client got a picture's address."""
        return self.kind in ("dynamic", "legacy", "outage", "limited", "untold")


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """The traffic up to `now`; the deployment took place a day ago."""

    now: dt.datetime
    url: str
    wording: Wording
    faults: Faults

    @property
    def deployed(self) -> dt.datetime:
        """The moment of the deployment."""
        return self.now - DAY

    def visits(self) -> list[Visit]:
        """Return all visits in their order, as the faults leave them."""
        dice = random.Random(_SEED)  # noqa: S311  # the same past each time
        found = [_visit(at, dice) for end in (self.deployed, self.now) for at in _day(end, dice)]
        baseline = [visit for visit in found if self.deployed - HOUR < visit.at < self.deployed]
        for visit in baseline[100:500:300]:  # two failures an hour: the usual 0.3 %
            visit.kind = "failed"
        return sorted([*spoil(found, self), *self._earlier_runs()], key=lambda visit: visit.at)

    def _earlier_runs(self) -> Iterator[Visit]:
        """Yield the generations of two earlier runs of the suite, whose pictures are removed."""
        for begun in (self.deployed + 14 * HOUR, self.now - HOUR / 2):
            marker = f"sd{begun:%Y%m%dt%H%M%Sz}ab12"
            for number, (kind, looked) in enumerate(_TRIALS):
                agent = f"shakedown ({marker}/{looked})"
                yield Visit(at=begun + number * dt.timedelta(seconds=4), kind=kind, wall_s=3.0, agent=agent, lost=True)

    def invocations(self, visits: Iterable[Visit]) -> Iterator[Invocation]:
        """Yield the event of each visit."""
        for visit in visits:
            yield self._invocation(visit)

    def _invocation(self, visit: Visit) -> Invocation:
        invocation = Invocation(
            method="POST",
            url=f"{self.url}/generate",
            headers={"content-type": "application/json", "user-agent": visit.agent},
            at=visit.at,
            status=_STATUS.get(visit.kind, 200),
            outcome=_OUTCOME.get(visit.kind, "ok"),
            wall_s=visit.wall_s,
        )
        if self.faults.on("wall-time-is-cpu-time"):
            invocation.wall_s = invocation.cpu_s
        invocation.say(self._lines(visit) + visit.extra, visit.at)
        return invocation

    def _lines(self, visit: Visit) -> Lines:
        wording, model = self.wording, "ideogram-v2"
        if visit.kind in ("rejected", "killed"):
            return ()
        if visit.kind == "canceled":
            return wording.fetching(model)
        if visit.kind in ("dynamic", "failed"):
            found = wording.fetching(model) + wording.fetched(model) + wording.chosen(model, "ideogram")
            found += wording.mapping()
            if visit.kind == "failed":
                text = "Image provider failed with status 500"
                return found + wording.answered("ideogram", 500) + wording.generation_error(text)
            return found + wording.answered("ideogram", 200) + wording.succeeded("ideogram", model)
        found, model = self._fall(visit.kind)
        found += wording.falling_back(model, "ideogram") + wording.legacy()
        return found + wording.answered("ideogram", 200) + wording.succeeded("ideogram", "V_2")

    def _fall(self, kind: str) -> tuple[Lines, str]:
        """Return the lines of a fetch that brought no config, and the model it was for."""
        wording = self.wording
        if kind == "legacy":
            return wording.fetching("ideogram-v1") + wording.not_found("ideogram-v1"), "ideogram-v1"
        answered = {"outage": (503, "Service Unavailable"), "limited": (429, "Too Many Requests")}
        told = wording.failed("ideogram-v2", *answered[kind]) if kind in answered else ()
        return wording.fetching("ideogram-v2") + told, "ideogram-v2"


_STATUS = {"rejected": 400, "failed": 500, "killed": 503, "canceled": 0}
_OUTCOME = {"killed": "exceededMemory", "canceled": "canceled"}
_TRIALS = (
    *(("dynamic", "by_model_id"), ("legacy", "by_unknown_model"), ("rejected", "without_prompt")),
    *((("failed", "provider_fails"),) * 4),
)


def _day(end: dt.datetime, dice: random.Random) -> Iterator[dt.datetime]:
    """Yield the moments of the day before `end`: thin, then an hour busy, each a little early or late."""
    at = end - DAY
    while at < end - 2 * THIN_EVERY:
        step = THIN_EVERY if at < end - HOUR - THIN_EVERY else BUSY_EVERY
        at = max(at, end - HOUR) if step is BUSY_EVERY else at
        yield at + step * dice.uniform(0.1, 0.9)
        at += step
    while at < end - BUSY_EVERY:
        yield at + BUSY_EVERY * dice.uniform(0.1, 0.9)
        at += BUSY_EVERY


def _visit(at: dt.datetime, dice: random.Random) -> Visit:
    roll = dice.random()
    kind = "dynamic"
    if roll < LEGACY_SHARE:
        kind = "legacy"
    elif roll < LEGACY_SHARE + REJECTED_SHARE:
        kind = "rejected"
    elif roll < LEGACY_SHARE + REJECTED_SHARE + CANCELED_SHARE:
        kind = "canceled"
    wall_s = 0.01 if kind == "rejected" else dice.lognormvariate(math.log(_MEDIAN_S), _SPREAD)
    return Visit(at=at, kind=kind, wall_s=wall_s, agent=dice.choice(_AGENTS), folder=dice.choice(_FOLDERS))
