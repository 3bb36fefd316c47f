"""Batches of ten, fifty and five hundred images, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

from .asking import IMAGES, WORK, token
from .following import Bench, submit

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.confidential import Confidential
    from fixtures.database import Database
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.load.driver import Load
    from fixtures.log import Log
    from fixtures.log_view import LogMark
    from fixtures.look import Run
    from fixtures.waiting import Patience

JOBS, FIRST_STORE = 50, 40  # of the large batch: all, and those of the first store


@observation(spends={"generations": IMAGES}, within="10 min")
def small_batch(  # noqa: PLR0913, PLR0917  what a batch is followed through
    api: Http, jobs: Database, worker: Log, attached: LogMark, run: Run, patience: Patience, facts: dict[str, str],
    secrets: Confidential, marker: str,
) -> dict[str, Any]:  # fmt: skip
    """One job of ten images, followed from the request to its end."""
    bench = Bench(
        api=api, jobs=jobs, worker=worker, attached=attached, run=run, patience=patience, facts=facts, secrets=secrets,
        tag=f"{marker}small",
    )  # fmt: skip
    batch = bench.follow([facts["store"]], within=400)
    return {**batch, "job": bench.shown(facts["store"], batch["posted"][0])}


@observation()
def results(api: Http, small_batch: dict[str, Any]) -> list[Exchange]:
    """The optimized pictures of the small batch, as anybody can fetch them."""
    return [api.fetch(row["url"]) for row in small_batch["rows"]["items"] if row["url"]]


@observation()
def source(api: Http, facts: dict[str, str]) -> Exchange:
    """The picture that the batches optimize."""
    return api.fetch(facts["picture"])


@observation(within="120 s")
def in_flight(
    jobs: Database, replicate: Http, patience: Patience, run: Run, attached: LogMark, marker: str
) -> list[dict[str, Any]]:
    """Up to five items of the small batch that are being worked on, each with its prediction as Replicate knows it."""
    query = (
        "SELECT i.id, i.replicate_prediction_id AS prediction FROM image_optimization_items i "
        "JOIN image_optimization_jobs j ON j.id = i.job_id WHERE j.product_id = :tag "
        "AND i.status::text IN ('PROCESSING', 'RUNNING') AND i.replicate_prediction_id IS NOT NULL "
        "ORDER BY i.id LIMIT 5"
    )
    rows = patience.eventually(
        lambda: jobs.read({"working": query}, {"tag": f"{marker}small"})["working"],
        lambda seen: len(seen) > 0,
        within=60,
    )
    return [{**row, "known": replicate.get(f"/predictions/{row['prediction']}")} for row in rows]


@observation(spends={"generations": 5 * IMAGES}, within="20 min")
def medium_batch(  # noqa: PLR0913, PLR0917  what a batch is followed through
    api: Http, jobs: Database, worker: Log, attached: LogMark, run: Run, patience: Patience, facts: dict[str, str],
    secrets: Confidential, marker: str, small_batch: dict[str, Any], watch: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Five jobs of ten images each, of two stores, followed to their end."""
    bench = Bench(
        api=api, jobs=jobs, worker=worker, attached=attached, run=run, patience=patience, facts=facts, secrets=secrets,
        tag=f"{marker}medium",
    )  # fmt: skip
    return bench.follow([facts["store"]] * 3 + [facts["second_store"]] * 2, within=900)


@observation(spends={"generations": IMAGES})
def large_job(api: Http, facts: dict[str, str], secrets: Confidential, marker: str, turn: int) -> Exchange:
    """One of fifty jobs of ten images each: forty are of one store, then ten of another."""
    store = facts["store"] if turn < FIRST_STORE else facts["second_store"]
    return submit(api, facts["picture"], {"X-Wix-Instance": token(secrets, store)}, f"{marker}large", turn)


@observation(spends={"generations": JOBS * IMAGES, "requests": JOBS}, within="2 h", load=True)
def large_batch(  # noqa: PLR0913, PLR0917  what a batch is followed through
    api: Http, jobs: Database, worker: Log, attached: LogMark, run: Run, patience: Patience, facts: dict[str, str],
    secrets: Confidential, marker: str, medium_batch: dict[str, Any], load: Load,
) -> dict[str, Any]:  # fmt: skip
    """Fifty jobs of ten images each: forty of one store, then ten of another, followed to their end."""
    bench = Bench(
        api=api, jobs=jobs, worker=worker, attached=attached, run=run, patience=patience, facts=facts, secrets=secrets,
        tag=f"{marker}large",
    )  # fmt: skip

    mark = worker.attach()  # of each pattern a limited number of lines is kept: of these, not of earlier batches

    def send(see: Callable[[], object]) -> list[Exchange]:
        # One after the other: the second store comes when hundreds of the first one's images wait.
        return load.drive("large_job", at_most=JOBS, within=30, answers=True, meanwhile=see).answers

    stores = [facts["store"]] * FIRST_STORE + [facts["second_store"]] * (JOBS - FIRST_STORE)
    batch = bench.follow(stores, within=6000, send=send)
    view = worker.since(mark, {"step": f"{WORK['created job']}|{WORK['prediction']}"})
    return {**batch, "steps": view}
