"""Rehearsals on the spare instance: models refuse, all models refuse, five minutes pass, the service is restarted."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation, removal

from .asking import AVAILABILITY, Chat, available, remove_chats
from .looks_log import PATTERNS
from .looks_page import comes, sign_in
from .page_scripts import DISABLED, ENABLED, STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fixtures.browser import Browser, PageView, Visit
    from fixtures.confidential import Confidential
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Ledger, Run
    from fixtures.waiting import Patience

    Facts = dict[str, Any]
    Reply = dict[str, Any]

POLL_S = 60  # the page asks for availability at least as often


def switch(controls: Http, part: str, **how: object) -> None:
    """Use one of the rehearsal's switches."""
    answer = controls.post(part, json=how)
    if answer.status != 200:
        raise RuntimeError(f"the rehearsal's switch {part} answered {answer.status}: {answer.text}")


@contextmanager
def refusing(controls: Http, models: Sequence[str], words: str) -> Iterator[None]:
    """Make these models refuse, by their rate limit, the messages that carry `words`."""
    try:
        for model in models:
            switch(controls, f"/{model}", mode="429", only=words)
        yield
    finally:
        for model in models:
            switch(controls, f"/{model}", mode="ok", only=words)


@observation(within="60 s")
def spare_attached(spare_log: Log) -> LogMark:
    """The spare instance's log, attached before the first rehearsal."""
    return spare_log.attach()


@observation(permit="destructive", spends={"generations": 5}, within="800 s", alone=("spare",))
def rehearsal(  # noqa: PLR0913, PLR0917  what it looks through
    spare: Http, controls: Http, spare_page: Browser, spare_log: Log, secrets: Confidential, facts: Facts, marker: str,
    run: Run, patience: Patience, ledger: Ledger, spare_attached: LogMark,
) -> dict[str, Any]:  # fmt: skip
    """Ever more models refuse, in the end all: what is said then, and how time and a restart heal it."""
    ledger.own("leftover_rehearsals", "spare", f"{facts['chat_user']} {marker}")
    said, words = Chat(spare, secrets, facts), f"{marker} While all models refuse"
    fallbacks = fallen_back(said, controls, facts["hierarchy"], marker)
    mark, before = spare_log.attach(), said.get(AVAILABILITY)
    with refusing(controls, facts["hierarchy"], words):
        exhausted = said.say(words)
        passing = Passing(said, controls, run.speed)
        polls = [said.get(AVAILABILITY) for _ in range(20)]
        refused = said.say(f"{marker} Now that no model refuses")
        view = recovered_page(spare_page, secrets, facts, said, passing, patience)
        after = said.say(f"{marker} After the outage")
        again = said.say(words)
    return {
        "fallbacks": fallbacks, "mark": mark, "before": before, "exhausted": exhausted, "polls": polls,
        "refused": refused, "page": view, "samples": passing.samples, "after": after,
        "restart": restarted(said, controls, patience, again),
    }  # fmt: skip


def fallen_back(said: Chat, controls: Http, models: Sequence[str], marker: str) -> list[Reply]:
    """Return the answers to messages while the first one, two, three and four models refuse."""
    replies = []
    for number in range(1, min(5, len(models))):
        words = f"{marker} While {number} models refuse"
        with refusing(controls, models[:number], words):
            replies.append(said.say(words))
    return replies


def recovered_page(
    page: Browser, secrets: Confidential, facts: Facts, said: Chat, passing: Passing, patience: Patience
) -> PageView:
    """Return a page that is opened during the outage, while five minutes pass and then one of its polling intervals.

    Its own clock is set forward by that interval, so that what it does then need not be waited for.
    """

    def steps(visit: Visit) -> dict[str, object]:
        visit.page.clock.install()
        sign_in(visit, secrets, facts)
        visit.saw(disabled=comes(visit, DISABLED), state=visit.page.evaluate(STATE))
        passing.recover(patience)
        visit.page.clock.fast_forward(round(POLL_S * 1000 / passing.speed))
        return {"enabled_again": comes(visit, ENABLED)}

    return page.visit(f"/accounts/login/?next=/chat/{said.number}/", steps=steps, name="recovered")


def restarted(said: Chat, controls: Http, patience: Patience, exhausted: Reply) -> dict[str, Any]:
    """Return what the endpoint says of an exhaustion before and after a restart."""
    before = said.get(AVAILABILITY)
    switch(controls, "/restart")
    after = patience.eventually(
        lambda: said.get(AVAILABILITY), lambda seen: seen.trouble is None and available(seen) is True, within=60
    )
    return {"exhausted": exhausted, "before": before, "after": after}


class Passing:
    """The time since an exhaustion, in the target's seconds, and what the endpoint said in it."""

    def __init__(self, said: Chat, controls: Http, speed: float) -> None:
        self._said, self._controls, self.speed = said, controls, speed
        self._start, self._advanced = time.monotonic(), 0.0
        self.samples: list[dict[str, Any]] = []

    def elapsed(self) -> float:
        """Return the seconds that have passed."""
        return (time.monotonic() - self._start) * self.speed + self._advanced

    def recover(self, patience: Patience) -> None:
        """Let five minutes pass in steps, asking at each."""
        for moment in (100.0, 200.0, 285.0, 305.0):
            ahead = max(0.0, moment - self.elapsed())
            switch(self._controls, "/clock", advance=ahead)
            self._advanced += ahead
            last = self.sample()
        if last["available"] is not True:
            patience.eventually(self.sample, lambda seen: seen["available"] is True, within=50)

    def sample(self) -> dict[str, Any]:
        """Ask once, and keep the answer with the time before and after it."""
        before = self.elapsed()
        answer = self._said.get(AVAILABILITY)
        self.samples.append({"from_s": before, "to_s": self.elapsed(), "available": available(answer)})
        return self.samples[-1]


@observation(within="120 s")
def fallbacks_logged(spare_log: Log, spare_attached: LogMark, rehearsal: dict[str, Any]) -> LogView:
    """What the log holds of the messages whose first models refused."""
    return spare_log.since(spare_attached, PATTERNS, until=ended(len(rehearsal["fallbacks"])), within=30)


@observation(within="120 s")
def outage_logged(spare_log: Log, rehearsal: dict[str, Any]) -> LogView:
    """What the log holds of the outage."""
    return spare_log.since(rehearsal["mark"], PATTERNS, until=ended(3), within=30)


def ended(number: int) -> Callable[[LogView], bool]:
    """Return the condition that a log holds the ends of so many messages."""
    return lambda view: view.counts["processed"] + view.counts["gave up"] + view.counts["failed"] >= number


@removal
def leftover_rehearsals(spare: Http, secrets: Confidential, key: str) -> None:
    """Remove the run's conversations from the spare instance."""
    remove_chats(spare, secrets, key)
