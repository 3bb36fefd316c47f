"""What is looked at to verify image_optimizer: batches followed by API, tables, limiter and log at once, and the past.

A difference of two moments is the target's time: it is multiplied by the run's speed, which is 1 but for simulators.
All jobs are tagged: their product's id begins with the run's marker. The API cannot remove jobs, so they stay.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from fixtures.browser import Answer
from fixtures.observing import observation
from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.browser import Browser, PageView, Visit
    from fixtures.confidential import Confidential
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Run
    from fixtures.waiting import Patience

STATS = "/api/replicate-rate-limiter/stats"
IMAGES = 10
WATCH_S = 45.0  # nine rounds of phase 1, fifteen of phase 2, one heartbeat at least
STALLED_S = 75.0  # a batch in which nothing changes for so long is not waited for any longer
PAGES = 60  # of Replicate's list, 100 predictions each: more than 450 a minute give in ten minutes
PROMPT = "Remove the background of picture"

WORKER = r"\[ImageOptWorker\] "
BEAT = WORKER + r"Heartbeat - cycle (\d+) \| Queue: (\d+) \| RPM: (\d+)/450 \((\d+(?:\.\d)?)%\)$"
STARTING = {
    "two-phase": WORKER + r"Starting two-phase image optimization worker\.\.\.$",
    "phase one": WORKER + r"- Phase 1: Create predictions",
    "phase two": WORKER + r"- Phase 2: Poll predictions",
    "started": WORKER + r"Worker started successfully$",
}
WORDING = {
    "every 5s": WORKER + r"- Phase 1: Create predictions \(every 5s\)$",
    "every 3s": WORKER + r"- Phase 2: Poll predictions \(every 3s\)$",
    "limiter": r"\[ReplicateRateLimiter\] Initialized with \d+ RPM",
    "limiter 450": r"\[ReplicateRateLimiter\] Initialized with 450 RPM$",
    "level": r"\[Logger\] Log level: \w+ \((\d)\)",
}
WORK = {
    "created job": r"\[ImageOptimization\] Created job (\d+) for (\d+) images",
    "creating": WORKER + r"Creating predictions for (\d+) items$",
    "batch complete": WORKER + r"Prediction creation batch complete: (\d+) items$",
    "predicted": WORKER + r"(?:\S+ )?Prediction created for item (\d+): (\S+)$",
    "prediction": r"\[Replicate\] Prediction created: (\S+)",
    "not predicted": WORKER + r"(?:\S+ )?Failed to create prediction for item (\d+)",
    "polling": WORKER + r"Polling (\d+) predictions$",
    "polled": WORKER + r"Polling batch complete: (\d+) items checked$",
    "completed": WORKER + r"(?:\S+ )?Item (\d+) completed$",
    "failed": WORKER + r"(?:\S+ )?Item (\d+) failed: (.*)",
    "round of phase 1": WORKER + r"(?:Creating predictions for \d|No pending items|Already creating predictions)",
    "round of phase 2": WORKER + r"(?:Polling \d+ predictions|No processing items to poll|Already polling)",
    "heartbeat": BEAT,
    "any heartbeat": WORKER + "Heartbeat",
    "worker": WORKER,
}
TROUBLES = {
    "error": r"❌|\[ImageOptWorker\] (?:Error |R2 upload failed)|\[DB\] Query error|(?i:unhandled|uncaught)|Error: "
    r"|\s\s+at \S+ \(",
    "429": r"(?i:status(?: code)?:? 429\b|\b429 too many|too many requests)",
}
# Of a day of heartbeats only the times are kept, so what they say of the limiter is asked for here.
FIGURES = {
    "queue above 499": r"Heartbeat .*Queue: (?:[5-9]\d\d|\d{4,}) ",
    "queue above 500": r"Heartbeat .*Queue: (?:50[1-9]|5[1-9]\d|[6-9]\d\d|\d{4,}) ",
    "queue above 1000": r"Heartbeat .*Queue: (?:100[1-9]|10[1-9]\d|1[1-9]\d\d|[2-9]\d{3}|\d{5,}) ",
    "usage above 95": r"Heartbeat .*\((?:95\.[1-9]|9[6-9](?:\.\d)?|\d{3,}(?:\.\d)?)%",
    "usage at 100": r"Heartbeat .*\(\d{3,}(?:\.\d)?%",
    "usage 80 to 95": r"Heartbeat .*\((?:8\d(?:\.\d)?|9[0-4](?:\.\d)?|95(?:\.0)?)%",
    "usage 85 to 95": r"Heartbeat .*\((?:8[5-9](?:\.\d)?|9[0-4](?:\.\d)?|95(?:\.0)?)%",
}
LIVE = {**WORK, **TROUBLES, "level": WORDING["level"]}
PAST = {
    **STARTING,
    **WORDING,
    **TROUBLES,
    **FIGURES,
    **{name: WORK[name] for name in ("any heartbeat", "worker", "prediction")},
}


def token(secrets: Confidential, store: str) -> str:
    """Return the signed token of a store, as the platform gives it to the dashboard."""

    def mint() -> str:
        body = {"instanceId": store, "siteHost": f"{store}.example.com", "appDefId": "shakedown"}
        payload = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
        digest = hmac.new(secrets["wix_app_secret"].encode(), payload.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=") + "." + payload

    return secrets.once(f"token of {store}", mint)


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
        images = [
            {
                "imageId": f"{self.tag}-{number}-{image}",
                "imageUrl": self.facts["picture"],
                "prompt": f"{PROMPT} {image} of job {number}, {self.tag}",
            }
            for image in range(IMAGES)
        ]
        body = {"productId": self.tag, "productName": f"Shakedown {self.tag}", "images": images}
        return self.api.post("/api/image-optimization", json=body, headers=self.headers(store), within=30)

    def follow(self, stores: list[str], *, within: float) -> dict[str, Any]:
        """Send one job for each of the named stores, and follow all of them to their end, or until nothing moves."""
        before = {store: self.credits(store) for store in dict.fromkeys(stores)}
        started, samples, log = time.monotonic(), list[dict[str, Any]](), self.worker

        def see() -> dict[str, Any]:
            seen = self.jobs.read(PROGRESS, {"tag": self.tag, "speed": self.run.speed})
            counts = {row["status"]: row["n"] for row in seen["statuses"]}
            stats = self.api.get(STATS, within=10)
            samples.append(
                {
                    "at": (time.monotonic() - started) * self.run.speed,
                    "statuses": counts,
                    "predicted": sum(row["predicted"] for row in seen["statuses"]),
                    "first_s": seen["first"].only["seconds"],
                    "stats": stats,
                    "logged": counts_of(log.since(self.attached, LIVE)),
                }
            )
            return samples[-1]

        def over(sample: dict[str, Any]) -> bool:
            return ended(sample) == IMAGES * len(stores) and queue_of(sample["stats"]) in (0, None)

        def stalled(sample: dict[str, Any]) -> bool:
            return bool(sample["at"] - changed_at(samples) > STALLED_S)

        posted = []
        for number, store in enumerate(stores):
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
        "SELECT i.id, i.job_id, j.instance_id, i.prompt, i.status::text AS status, "
        "i.replicate_prediction_id AS prediction, "
        "i.optimized_image_url AS url, i.error, "
        "extract(epoch FROM i.updated_at - min(j.created_at) OVER ())::float8 * :speed AS seconds "
        "FROM image_optimization_items i JOIN image_optimization_jobs j ON j.id = i.job_id "
        "WHERE j.product_id = :tag ORDER BY i.id"
    ),
}


def ended(sample: dict[str, Any]) -> int:
    """Return how many items have ended."""
    return int(sample["statuses"].get("DONE", 0) + sample["statuses"].get("FAILED", 0))


def counts_of(view: LogView) -> dict[str, int]:
    """Return how many lines match each pattern; none while nothing was logged yet."""
    return view.counts if view.trouble is None else dict.fromkeys(LIVE, 0)


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


@observation()
def pace(run: Run) -> float:
    """How many seconds pass at the target in one of ours."""
    return run.speed


@observation()
def attached(worker: Log) -> LogMark:
    """The end of the log, before the run's first request."""
    return worker.attach()


@observation()
def account(replicate: Http) -> Exchange:
    """The account that the Replicate token belongs to."""
    return replicate.get("/account")


@observation()
def model(replicate: Http, facts: dict[str, str]) -> Exchange:
    """The model that pictures are made with, as Replicate knows it."""
    return replicate.get(f"/models/{facts['model']}")


@observation(within="300 s", alone=True)
def replicate_times(replicate: Http) -> list[float | None]:
    """How long Replicate takes to answer each of a hundred and twenty requests, None where it did not within 20 s."""
    seen = [replicate.get("/account", within=20) for _ in range(120)]
    return [one.elapsed_s if one.trouble is None else None for one in seen]


@observation(within="120 s")
def watch(api: Http, worker: Log, run: Run, patience: Patience, attached: LogMark) -> dict[str, Any]:
    """Three quarters of a minute of the server: its statistics every 5 s, and when its log grew by what."""
    started, stats, counts = time.monotonic(), list[dict[str, Any]](), list[dict[str, Any]]()

    def see() -> float:
        at = (time.monotonic() - started) * run.speed
        counts.append({"at": at, **counts_of(worker.since(attached, LIVE))})
        if at >= 5.0 * len(stats):
            stats.append({"at": at, "stats": api.get(STATS, within=10)})
        return at

    patience.consistently(see, lambda at: at < WATCH_S, times=1000, pause=0.5)
    view = worker.since(attached, LIVE)
    return {"stats": stats, "view": view, "arrivals": {name: arrivals(view, counts, name, run.speed) for name in LIVE}}


def arrivals(view: LogView, counts: list[dict[str, Any]], name: str, speed: float) -> list[float]:
    """Return when the lines of a pattern came, in the target's seconds: by their own times, else as they were seen."""
    if view.trouble is not None:
        return []
    times = [one.line.time for one in view.matches[name]]
    if all(times):
        return [moment.timestamp() * speed for moment in times if moment]
    seen: list[float] = []
    for one in counts:
        seen += [one["at"]] * (one[name] - len(seen))
    return seen


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
    answer = batch["posted"][0]
    number = answer.json["job"]["id"] if answer.trouble is None and answer.status == 201 else "0"
    return {**batch, "job": api.get(f"/api/image-optimization/jobs/{number}", headers=bench.headers(facts["store"]))}


@observation(within="60 s")
def logged(worker: Log, attached: LogMark, small_batch: dict[str, Any]) -> LogView:
    """What the log holds of the small batch, once it holds the end of it."""
    return worker.since(attached, LIVE, until=lambda view: view.counts["completed"] >= IMAGES, within=5)


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


@observation(spends={"generations": 50 * IMAGES}, within="2 h")
def large_batch(  # noqa: PLR0913, PLR0917  what a batch is followed through
    api: Http, jobs: Database, worker: Log, attached: LogMark, run: Run, patience: Patience, facts: dict[str, str],
    secrets: Confidential, marker: str, medium_batch: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Fifty jobs of ten images each: forty of one store, then ten of another, followed to their end."""
    bench = Bench(
        api=api, jobs=jobs, worker=worker, attached=attached, run=run, patience=patience, facts=facts, secrets=secrets,
        tag=f"{marker}large",
    )  # fmt: skip
    batch = bench.follow([facts["store"]] * 40 + [facts["second_store"]] * 10, within=6000)
    view = worker.since(attached, {"step": f"{WORK['created job']}|{WORK['prediction']}"})
    return {**batch, "steps": view}


@observation(within="120 s")
def predictions(replicate: Http, run: Run, marker: str, small_batch: dict[str, Any]) -> dict[str, Any]:
    """The predictions of the last hour, as Replicate lists them for the token; times in the target's seconds."""
    begin = time.time() - 3600 / run.speed
    found, page, pages = list[dict[str, Any]](), replicate.get("/predictions"), 1
    while True:
        found += [
            {
                "id": one["id"],
                "status": one["status"],
                "at": seconds_of(one["created_at"]) * run.speed,
                "age": (time.time() - seconds_of(one["created_at"])) * run.speed,
                "ours": f"{marker}small" in json.dumps(one.get("input") or {}),
            }
            for one in page.json["results"]
        ]
        following = page.json["next"]
        if following is None or found[-1]["age"] > 3600 or pages == PAGES:
            break
        page, pages = replicate.fetch(following), pages + 1
    whole = following is None or found[-1]["age"] > 3600
    return {"found": [one for one in found if one["age"] <= 3600], "whole": whole, "begin": begin}


def seconds_of(text: str) -> float:
    """Return an ISO time in seconds since 1970."""
    return dt.datetime.fromisoformat(text).timestamp()


@observation(within="300 s")
def day_log(worker: Log, facts: dict[str, str], small_batch: dict[str, Any]) -> LogView:
    """The log since the deployment."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    return worker.past(PAST, window_s=(dt.datetime.now(dt.UTC) - deployed).total_seconds())


@observation(within="120 s")
def hour_log(worker: Log, run: Run) -> LogView:
    """The heartbeats of the past hour."""
    return worker.past({"heartbeat": BEAT}, window_s=3600 / run.speed)


@observation(within="120 s")
def tables(jobs: Database, run: Run, facts: dict[str, str], marker: str, small_batch: dict[str, Any]) -> Snapshot:
    """The tables of the image worker, and the checklist's own queries over them, in one look."""
    parameters = {
        "speed": run.speed,
        "minute": 60 / run.speed,
        "hour": 3600 / run.speed,
        "since": dt.datetime.fromisoformat(facts["deployed"]),
        "tag": f"{marker}small",
    }
    return jobs.read(QUERIES, parameters)


QUERIES = {
    "column": (
        "SELECT data_type, character_maximum_length AS length FROM information_schema.columns "
        "WHERE table_name = 'image_optimization_items' AND column_name = 'status'"
    ),
    "labels": (
        "SELECT e.enumlabel AS label FROM pg_enum e JOIN pg_attribute a ON a.atttypid = e.enumtypid "
        "JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'image_optimization_items' AND a.attname = 'status'"
    ),
    "constraints": (
        "SELECT pg_get_constraintdef(k.oid) AS definition FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
        "WHERE c.relname = 'image_optimization_items' AND k.contype = 'c'"
    ),
    "triggers": (
        "SELECT g.tgname AS name FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid "
        "WHERE c.relname = 'image_optimization_items' AND NOT g.tgisinternal"
    ),
    "item_status": "SELECT status, COUNT(*) FROM image_optimization_items GROUP BY status",
    "job_status": "SELECT status, COUNT(*) FROM image_optimization_jobs GROUP BY status",
    "totals": (
        "SELECT (SELECT count(*) FROM image_optimization_items) AS items, "
        "(SELECT count(*) FROM image_optimization_jobs) AS jobs"
    ),
    "ours": (
        "SELECT count(*) AS items FROM image_optimization_items i "
        "JOIN image_optimization_jobs j ON j.id = i.job_id WHERE j.product_id = :tag"
    ),
    "working": (
        "SELECT id, replicate_prediction_id AS prediction, "
        "extract(epoch FROM now() - created_at)::float8 * :speed AS age, "
        "extract(epoch FROM now() - updated_at)::float8 * :speed AS untouched "
        "FROM image_optimization_items WHERE status::text IN ('PROCESSING', 'RUNNING')"
    ),
    "disagreeing": (
        "SELECT j.id, j.status::text AS status, j.total_images, j.completed_images, j.failed_images, "
        "count(i.id) AS items, count(i.id) FILTER (WHERE i.status::text = 'DONE') AS done, "
        "count(i.id) FILTER (WHERE i.status::text = 'FAILED') AS failed "
        "FROM image_optimization_jobs j LEFT JOIN image_optimization_items i ON i.job_id = j.id GROUP BY j.id "
        "HAVING coalesce(max(i.updated_at), j.created_at) < now() - make_interval(secs => :minute) AND ("
        "(j.status::text IN ('DONE', 'FAILED')) <> "
        "(count(i.id) FILTER (WHERE i.status::text IN ('DONE', 'FAILED')) = count(i.id) AND count(i.id) > 0) "
        "OR j.status::text IN ('DONE', 'FAILED') AND (j.completed_images, j.failed_images) <> "
        "(count(i.id) FILTER (WHERE i.status::text = 'DONE'), count(i.id) FILTER (WHERE i.status::text = 'FAILED')))"
    ),
    "pending": (
        "SELECT id, extract(epoch FROM now() - created_at)::float8 * :speed AS age FROM image_optimization_jobs "
        "WHERE status::text = 'PENDING'"
    ),
    "latency": (
        "SELECT j.id, j.created_at AS job_created, MIN(i.updated_at) AS first_item_started, "
        "EXTRACT(EPOCH FROM (MIN(i.updated_at) - j.created_at))::float8 * :speed AS latency_seconds "
        "FROM image_optimization_jobs j JOIN image_optimization_items i ON i.job_id = j.id "
        "WHERE j.created_at > NOW() - make_interval(secs => :hour) "
        "GROUP BY j.id, j.created_at ORDER BY j.created_at DESC LIMIT 10"
    ),
    "clock": "SELECT now() AS now",
    "throughput": (
        "SELECT COUNT(*) AS items FROM image_optimization_items WHERE status::text = 'DONE' "
        "AND updated_at > NOW() - make_interval(secs => :minute)"
    ),
    "jobs": (
        "SELECT id, status::text AS status, total_images, "
        "extract(epoch FROM now() - created_at)::float8 * :speed AS age, "
        "extract(epoch FROM finished_at - created_at)::float8 * :speed AS seconds "
        "FROM image_optimization_jobs WHERE created_at >= :since"
    ),
    "failures": (
        "SELECT id, replicate_prediction_id AS prediction, error FROM image_optimization_items "
        "WHERE status::text = 'FAILED' AND updated_at >= :since LIMIT 1000"
    ),
    "known": (
        "SELECT replicate_prediction_id AS prediction, status::text AS status FROM image_optimization_items "
        "WHERE created_at > now() - make_interval(secs => :hour) * 3"
    ),
    "minutes": (
        "SELECT floor(extract(epoch FROM now() - at) * :speed / 60)::int AS ago, sum(made)::int AS created, "
        "sum(done)::int AS done, sum(failed)::int AS failed FROM ("
        "SELECT created_at AS at, 1 AS made, 0 AS done, 0 AS failed "
        "FROM image_optimization_items WHERE created_at >= :since "
        "UNION ALL SELECT updated_at, 0, (status::text = 'DONE')::int, (status::text = 'FAILED')::int "
        "FROM image_optimization_items "
        "WHERE created_at >= :since AND status::text IN ('DONE', 'FAILED')) ends GROUP BY 1"
    ),
}


@observation()
def minutes(tables: Snapshot) -> list[dict[str, int]]:
    """Every minute since the deployment, oldest first: items created, done, failed, and open at its end."""
    rows = tables["minutes"].by("ago")
    empty = {"created": 0, "done": 0, "failed": 0}
    found, backlog = list[dict[str, int]](), 0
    for ago in range(max(rows, default=0), -1, -1):
        row = {**empty, **rows.get(ago, {}), "ago": ago}
        before, backlog = backlog, backlog + row["created"] - row["done"] - row["failed"]
        found.append({**row, "before": before, "after": backlog})
    return found


@observation()
def health(api: Http) -> Exchange:
    """The server's health."""
    return api.get("/health", within=5)


@observation(within="240 s")
def opened_page(page: Browser, secrets: Confidential, facts: dict[str, str]) -> PageView:
    """The Image Optimization page, opened on a desktop."""
    return page.visit(way_in(secrets, facts), steps=look_at(facts), name="opened")


@observation(within="240 s")
def phone_page(page: Browser, secrets: Confidential, facts: dict[str, str]) -> PageView:
    """The Image Optimization page, opened on a phone."""
    return page.visit(way_in(secrets, facts), device="phone", steps=look_at(facts), name="opened on a phone")


def way_in(secrets: Confidential, facts: dict[str, str]) -> str:
    """Return the page's path with the token of the test store."""
    return f"/image-optimization?instance={quote(token(secrets, facts['store']))}"


def look_at(facts: dict[str, str]) -> Callable[[Visit], dict[str, object]]:
    """Return the steps that choose the test product and read what is offered."""

    def steps(visit: Visit) -> dict[str, object]:
        heading, listed = choose(visit, facts)
        shown = visit.page.locator(".image-wrapper img")
        widths = "all => Promise.all(all.map(one => one.decode().catch(() => 0).then(() => one.naturalWidth)))"
        return {"heading": heading, "listed": listed, "widths": shown.evaluate_all(widths)}

    return steps


def choose(visit: Visit, facts: dict[str, str]) -> tuple[bool, bool]:
    """Search the test product; return whether the page's heading and the product were there within 20 s."""
    heading, listed = (
        visit.appears("h1:has-text('Image Optimization')", within=20),
        visit.appears(".product-card", within=20),
    )
    if listed:
        visit.page.locator(".search-input-field").fill(facts["product"])
        visit.appears(".image-wrapper", within=20)
    return heading, listed


@observation(within="240 s")
def typed_page(page: Browser, secrets: Confidential, facts: dict[str, str], marker: str) -> PageView:
    """The page's own request for ten typed prompts, answered in the browser so that nothing is spent."""

    def submit(visit: Visit) -> dict[str, object]:
        choose(visit, facts)
        count = visit.page.locator(".image-wrapper").count()
        for number in range(count):
            visit.page.locator(".image-wrapper").nth(number).click(position={"x": 5, "y": 5})
            visit.page.locator(".image-prompt-input").nth(number).fill(f"{PROMPT} {number}, {marker}")
        label = visit.page.locator(".optimize-button").inner_text()
        with visit.page.expect_request("**/api/image-optimization", timeout=visit.ms(15)):
            visit.page.locator(".optimize-button").click()
        return {"label": label, "images": count}

    answer = Answer(status=402, json={"error": "answered by us", "required": 150, "available": 0})
    return page.visit(way_in(secrets, facts), steps=submit, answer={"*/api/image-optimization": answer}, name="typed")


@pytest.fixture
def debug(logged: LogView, day_log: LogView) -> LogView:
    """The log of the small batch, where the server's level lets debug lines through; else it cannot be said."""
    levels = [match.groups[0] for match in (*day_log.matches["level"], *logged.matches["level"])]
    if levels and levels[-1] is not None and int(levels[-1]) < 3:
        raise UndecidedError(
            f"the server's log level is {levels[-1]}: it hides debug lines, so their absence says nothing"
        )
    return logged
