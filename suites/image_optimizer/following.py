"""Batches of jobs, followed by API, tables, limiter and log at once."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from .asking import IMAGES, LIVE, PROMPT, STATS, counts_of, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.confidential import Confidential
    from fixtures.database import Database
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark
    from fixtures.look import Run
    from fixtures.waiting import Patience

    Send = Callable[[Callable[[], object]], list[Exchange]]

STATS_S = 5.0  # between two readings of the limiter: seventy minutes of them are 840 requests
STALLED_S = 75.0  # a batch in which nothing changes for so long is not waited for any longer


def submit(api: Http, picture: str, headers: dict[str, str], tag: str, number: int) -> Exchange:
    """Ask for one job of ten images, each with a prompt of its own."""
    images = [
        {
            "imageId": f"{tag}-{number}-{image}",
            "imageUrl": picture,
            "prompt": f"{PROMPT} {image} of job {number}, {tag}",
        }
        for image in range(IMAGES)
    ]
    body = {"productId": tag, "productName": f"Shakedown {tag}", "images": images}
    return api.post("/api/image-optimization", json=body, headers=headers, within=30)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bench:
    """What a batch is sent and followed through. tag: the id of its product."""

    api: Http
    jobs: Database
    worker: Log
    attached: LogMark
    run: Run
    patience: Patience
    facts: dict[str, str]
    secrets: Confidential
    tag: str

    def headers(self, store: str) -> dict[str, str]:
        """Return what signs a request of a store."""
        return {"X-Wix-Instance": token(self.secrets, store)}

    def credits(self, store: str) -> Exchange:
        """Return what a store has left."""
        return self.api.get("/api/me", headers=self.headers(store))

    def submit(self, store: str, number: int) -> Exchange:
        """Ask for one job of ten images, each with a prompt of its own."""
        return submit(self.api, self.facts["picture"], self.headers(store), self.tag, number)

    def shown(self, store: str, posted: Exchange) -> Exchange:
        """Return a job as the API shows it to its store; job 0, which nobody has, where none was made."""
        made = posted.trouble is None and posted.status == 201 and posted.is_json
        number = posted.json["job"]["id"] if made else "0"
        return self.api.get(f"/api/image-optimization/jobs/{number}", headers=self.headers(store))

    def follow(self, stores: list[str], *, within: float, send: Send | None = None) -> dict[str, Any]:
        """Send one job for each of the named stores, and follow all of them to their end, or until nothing moves.

        send: sends them in place of the bench and returns the answers; it gets what it shall call meanwhile.
        """
        before = {store: self.credits(store) for store in dict.fromkeys(stores)}
        started, samples, log = time.monotonic(), list[dict[str, Any]](), self.worker
        posted: list[Exchange] = []

        def see() -> dict[str, Any]:
            seen = self.jobs.read(PROGRESS, {"tag": self.tag, "speed": self.run.speed})
            counts = {row["status"]: row["n"] for row in seen["statuses"]}
            at = (time.monotonic() - started) * self.run.speed
            due = not samples or at - samples[-1]["asked_at"] >= STATS_S or ended(counts) == IMAGES * len(stores)
            asked_at, stats = (at, self.api.get(STATS, within=10)) if due else latest(samples)
            shown = self.shown(stores[0], posted[0]) if len(stores) == 1 and posted else None
            samples.append(
                {
                    "at": at,
                    "statuses": counts,
                    "predicted": sum(row["predicted"] for row in seen["statuses"]),
                    "first_s": seen["first"].only["seconds"],
                    "asked_at": asked_at,
                    "stats": stats,
                    "shown": shown,
                    "logged": counts_of(log.since(self.attached, LIVE)),
                }
            )
            return samples[-1]

        def over(sample: dict[str, Any]) -> bool:
            return ended(sample["statuses"]) == IMAGES * len(stores) and queue_of(sample["stats"]) in (0, None)

        def stalled(sample: dict[str, Any]) -> bool:
            return bool(sample["at"] - changed_at(samples) > STALLED_S)

        posted += send(see) if send is not None else []
        for number, store in enumerate(stores if send is None else ()):
            posted.append(self.submit(store, number))
            if number % 5 == 0:
                see()
        self.patience.eventually(see, over, within=within, hopeless=stalled)
        after = {store: self.credits(store) for store in before}
        rows = self.jobs.read(OUTCOME, {"tag": self.tag, "speed": self.run.speed})
        return {"before": before, "posted": posted, "samples": samples, "after": after, "rows": rows}


PROGRESS = {
    "statuses": (
        "SELECT i.status::text AS status, count(*) AS n, count(i.replicate_prediction_id) AS predicted "
        "FROM image_optimization_items i JOIN image_optimization_jobs j ON j.id = i.job_id "
        "WHERE j.product_id = :tag GROUP BY i.status"
    ),
    "first": (
        "SELECT extract(epoch FROM min(i.updated_at - j.created_at))::float8 * :speed AS seconds "
        "FROM image_optimization_items i JOIN image_optimization_jobs j ON j.id = i.job_id "
        "WHERE j.product_id = :tag AND i.status::text <> 'PENDING'"
    ),
}
OUTCOME = {
    "jobs": (
        "SELECT id, instance_id, created_at, status::text AS status, total_images, completed_images, failed_images, "
        "extract(epoch FROM finished_at - created_at)::float8 * :speed AS seconds "
        "FROM image_optimization_jobs WHERE product_id = :tag ORDER BY id"
    ),
    "items": (
        "SELECT i.id, i.job_id, j.instance_id, i.image_id, i.prompt, i.status::text AS status, "
        "i.replicate_prediction_id AS prediction, "
        "i.optimized_image_url AS url, i.error, "
        "extract(epoch FROM i.updated_at - min(j.created_at) OVER ())::float8 * :speed AS seconds "
        "FROM image_optimization_items i JOIN image_optimization_jobs j ON j.id = i.job_id "
        "WHERE j.product_id = :tag ORDER BY i.id"
    ),
}


def ended(statuses: dict[str, int]) -> int:
    """Return how many items have ended."""
    return int(statuses.get("DONE", 0) + statuses.get("FAILED", 0))


def latest(samples: list[dict[str, Any]]) -> tuple[float, Exchange]:
    """Return the newest statistics, and when they were asked for."""
    return samples[-1]["asked_at"], samples[-1]["stats"]


def queue_of(stats: Exchange) -> int | None:
    """Return the length of the limiter's queue, None where it was not told."""
    if stats.trouble is not None or not stats.is_json or stats.status != 200:
        return None
    return int(stats.json["rateLimiter"]["queueLength"])


def changed_at(samples: list[dict[str, Any]]) -> float:
    """Return when a batch was seen to change last."""
    latest, at = None, 0.0
    for sample in samples:
        now = (sample["statuses"], sample["predicted"])
        if now != latest:
            latest, at = now, sample["at"]
    return at
