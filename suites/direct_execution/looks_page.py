"""Looks at the Custom Creation page: opened, and used to make an image, a video, and one that fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fixtures.browser import Answer
from fixtures.observing import observation

from .asking import IMAGE, SYNCHRONOUS
from .studio import Trace, choose, offered, place_of, ready, rest, shown_output, sign_in, start

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fixtures.browser import Browser, PageView, Visit
    from fixtures.confidential import Confidential
    from fixtures.database import Database
    from fixtures.http import Http
    from fixtures.look import Ledger, Run
    from fixtures.waiting import Patience

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]

VIDEO = ("Text to Video", "Seedance", "V1 Lite")
OUTPUT = """
    SELECT output_url FROM generations WHERE prompt LIKE :tag AND output_url IS NOT NULL
    ORDER BY created_at DESC LIMIT 1
"""
VIDEO_ROW = """
    SELECT status, provider_task_id IS NOT NULL AS has_task,
        tokens_used::float8 AS used, coalesce(tokens_charged, 0)::float8 AS charged
    FROM generations WHERE prompt LIKE :tag ORDER BY created_at DESC LIMIT 1
"""


@observation(permit="probes", within="300 s")
def opened_page(page: Browser, models: Models, facts: Facts, secrets: Confidential) -> PageView:
    """The Custom Creation page on a desktop: opened, left to itself for five seconds, and its model menus read."""

    def read(visit: Visit) -> dict[str, object]:
        if not sign_in(visit, facts, secrets):
            return {"studio": False}
        visit.page.reload()
        opened = visit.appears("button:has-text('Text to Image')", within=15)
        rest(visit)
        visit.page.wait_for_timeout(visit.ms(5))
        visit.saw(studio=opened, **ready(visit, place_of(models, IMAGE)))
        return {"offered": offered(visit)}

    return page.visit(steps=read, name="opened")


@observation(permit="probes", within="300 s")
def phone_page(page: Browser, models: Models, facts: Facts, secrets: Confidential) -> PageView:
    """The Custom Creation page on a phone."""

    def read(visit: Visit) -> dict[str, object]:
        studio = sign_in(visit, facts, secrets)
        return {"studio": studio, **(ready(visit, place_of(models, IMAGE)) if studio else {})}

    return page.visit(device="phone", steps=read, name="opened")


def readable(project: Http, patience: Patience, address: str) -> bool:
    """Wait until an address can be read."""
    last = patience.eventually(lambda: project.fetch(address), lambda answer: answer.status == 200, within=60)
    return last.status == 200


@observation(spends={"generations": 2}, permit="costs", within="480 s")
def smoke_page(  # noqa: PLR0913, PLR0917  a page, who uses it, and what it is judged by
    page: Browser,
    project: Http,
    app: Database,
    models: Models,
    facts: Facts,
    secrets: Confidential,
    marker: str,
    run: Run,
    ledger: Ledger,
    patience: Patience,
    balance_before: float,
) -> PageView:
    """An image of Flux.1 Schnell and one of Nano Banana, made on the page and watched for half a minute after."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")

    def output_of(words: str) -> Callable[[], str]:
        known: list[str] = []

        def output() -> str:
            if not known:
                known.extend(app.read({"made": OUTPUT}, {"tag": f"{marker} {words}%"})["made"].column("output_url"))
            return next(iter(known), "")

        return output

    def make(visit: Visit) -> dict[str, object]:
        sign_in(visit, facts, secrets)
        choose(visit, *place_of(models, IMAGE))
        trace = Trace(visit, secrets)
        started, pressed = start(visit, f"{marker} A red apple on a table"), time.monotonic()
        first = shown_output(visit, output_of("A red apple"), within=120) if started else ""
        began = time.monotonic()
        image_there = bool(first) and readable(project, patience, first)
        visit.saw(image_there=image_there, readable_s=(time.monotonic() - began) * run.speed, image_calls=trace.phase())
        visit.saw(shown_s=(began - pressed) * run.speed)
        visit.saw(handed_keys=trace.handed, left_behind=trace.left_behind())
        choose(visit, *place_of(models, SYNCHRONOUS))
        started = start(visit, f"{marker} Simple test image")
        visit.saw(instant=shown_output(visit, output_of("Simple"), within=120) if started else "")
        visit.page.wait_for_timeout(visit.ms(30) if started else 0)
        return {"instant_calls": trace.phase(), "instant_made": trace.made}

    return page.visit(steps=make, name="made")


@observation(permit="writes", within="300 s")
def failing_page(
    page: Browser, models: Models, facts: Facts, secrets: Confidential, marker: str, ledger: Ledger
) -> PageView:
    """A generation whose provider answer the browser replaces by an error, so that nothing is spent."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")

    def make(visit: Visit) -> dict[str, object]:
        sign_in(visit, facts, secrets)
        choose(visit, *place_of(models, IMAGE))
        trace = Trace(visit, secrets)
        told = start(visit, f"{marker} A refused picture") and visit.appears("text=Generation Failed", within=30)
        visit.page.wait_for_timeout(visit.ms(2))
        return {"told": told, "calls": trace.phase()}

    error = Answer(status=500, json={"errors": [{"message": "answered by us"}]})
    # In later states of the project the page asks the server, which would pay the provider.
    replaced = {f"{facts['runware_api']}*": error, "*/functions/v1/generate-content": error}
    return page.visit(steps=make, answer=replaced, name="refused")


@observation(spends={"generations": 1}, permit="costs", within="600 s")
def video_page(  # noqa: PLR0913, PLR0917  likewise
    page: Browser,
    app: Database,
    facts: Facts,
    secrets: Confidential,
    marker: str,
    run: Run,
    ledger: Ledger,
    balance_before: float,
) -> PageView:
    """A video of Seedance V1 Lite, made on the page and watched until its record has ended."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")
    course: list[dict[str, Any]] = []  # the states of its record, in their order

    def over(began: float) -> bool:
        rows = list(app.read({"video": VIDEO_ROW}, {"tag": f"{marker} Ocean%"})["video"])
        course.extend(row for row in rows if row not in course[-1:])
        lived = (time.monotonic() - began) * run.speed
        hopeless = lived > 30 and not (rows and rows[0]["has_task"])  # no task, so nobody will ever call back
        return hopeless or bool(rows and rows[0]["status"] in ("completed", "failed"))

    def make(visit: Visit) -> dict[str, object]:
        sign_in(visit, facts, secrets)
        choose(visit, *VIDEO)
        trace, began = Trace(visit, secrets), time.monotonic()
        started = start(visit, f"{marker} Ocean waves crashing")
        while started and visit.ms(20) > visit.ms(15) and not over(began):  # until fifteen seconds are left
            visit.page.wait_for_timeout(visit.ms(1))
        visit.saw(course=course)
        if course and course[-1]["status"] == "completed":
            visit.appears("[href*='generated-content'], [src*='generated-content']", within=10)
        return {"calls": trace.phase(), "pushed": trace.subscribed and trace.told}

    return page.visit(steps=make, name="filmed")
