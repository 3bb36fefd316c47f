"""The past, written down: rows of the tables, what the server printed, and what Replicate keeps of it."""

from __future__ import annotations

import bisect
import dataclasses
import functools
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.image_optimizer.history import (
    BUSY_FROM_S,
    BUSY_S,
    HOUR_S,
    MINUTE_S,
    RECENT_FROM_S,
    RECENT_PER_MINUTE,
    RECENT_S,
    History,
    hides_debug_lines,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from simulators.faults import Faults
    from simulators.image_optimizer.store import Store

Line = tuple[float, str]
STUCK = "of-an-item-that-never-ends"
BEAT_S, REAL_BEAT_S = 30.0, 35.0
TEXT = "[ImageOptWorker]"
USAGE = 422.0  # requests of a busy minute
POLLS = 20.0  # and those of them that poll
LONG_RUN_S, LONG_RUN_ITEMS = BUSY_FROM_S + 301, 100  # when a batch is created whose items take a second each

_JOB_LEFT: LiteralString = """
    INSERT INTO image_optimization_jobs (instance_id, product_id, product_name, status, total_images,
        created_at, started_at, finished_at, completed_images)
    VALUES ((SELECT min(instance_id) FROM app_instances), 'past', 'Left over', %s{cast}, 1, %s, %s, %s, %s) RETURNING id
"""
_ITEM_LEFT: LiteralString = """
    INSERT INTO image_optimization_items (job_id, image_id, image_url, prompt, status, replicate_prediction_id,
        created_at, updated_at) VALUES (%s, 'left', 'left', 'left', %s{cast}, %s, %s, %s)
"""


@dataclasses.dataclass(kw_only=True)
class Past:
    """The rows and lines of a history."""

    history: History
    faults: Faults
    picture: str

    def fill(self, store: Store) -> None:
        """Write the day's jobs and items."""
        moment = self.history.moment
        jobs: list[tuple[object, ...]] = []
        items: list[tuple[object, ...]] = []
        made = self.history.predictions(self.picture)
        for number, job in enumerate(self.history.jobs, start=1):
            failed = sum(item.status == "FAILED" for item in job.items)
            done = len(job.items) - failed
            ended = moment(job.ended)
            status = "DONE" if done else "FAILED"
            jobs.append(
                (job.store, "past", "A past product", status, len(job.items), done, failed, moment(job.created),
                 moment(job.items[0].started), ended, None if done else "All images failed to optimize")
            )  # fmt: skip
            for item, prediction in (next(made) for _ in job.items):
                url = f"https://replicate.example/{prediction.id}.png" if item.status == "DONE" else None
                items.append(
                    (number, "past", self.picture, prediction.prompt, item.status, prediction.id, url, item.error,
                     moment(item.created), moment(item.ended))
                )  # fmt: skip
        store.copy(
            "image_optimization_jobs",
            "instance_id, product_id, product_name, status, total_images, completed_images, failed_images, created_at, "
            "started_at, finished_at, error",
            jobs,
        )
        store.copy(
            "image_optimization_items",
            "job_id, image_id, image_url, prompt, status, replicate_prediction_id, optimized_image_url, error, "
            "created_at, updated_at",
            items,
        )
        self._spoil(store)

    def _spoil(self, store: Store) -> None:
        """Leave the rows of the faults that only show in the tables."""
        at = self.history.moment
        row: dict[str, Any] = {
            "status": "PENDING",
            "created": at(-7200.0),
            "started": None,
            "finished": None,
            "item": None,
        }
        kinds: dict[str, dict[str, Any]] = {
            "job-left-pending": {},
            "job-left-running": {"status": "RUNNING", "started": at(-7190.0), "item": "DONE"},
            "real-job-stays-pending": {"item": "FAILED"},
            "real-claimed-orphan": {"status": "RUNNING", "started": at(-7190.0), "item": store.working},
            "job-finished-early": {
                "status": "DONE",
                "started": at(-7190.0),
                "finished": at(-7100.0),
                "item": store.working,
            },
            "status-in-lower-case": {"status": "DONE", "started": at(-7190.0), "finished": at(-7100.0), "item": "done"},
            "both-names-of-working": {
                "status": "RUNNING",
                "started": at(-20.0),
                "created": at(-21.0),
                "item": "RUNNING",
            },
        }
        for name, kind in kinds.items():
            if self.faults.on(name):
                self._leave(store, {**row, **kind})
        if self.faults.on("both-names-of-working"):
            self._leave(store, {**row, **kinds["both-names-of-working"], "item": "PROCESSING"})
        if self.faults.on("stuck-item-touched"):
            stuck = {"status": "RUNNING", "created": at(-2400.0), "started": at(-2399.0), "item": store.working}
            self._leave(store, {**row, **stuck}, STUCK)
        if self.faults.on("polling-starved"):
            for _ in range(50):
                self._leave(store, {**row, "status": "RUNNING", "started": at(-7190.0), "item": store.working}, "gone")
        if self.faults.on("times-in-two-zones"):
            store.run(
                "UPDATE image_optimization_items SET updated_at = updated_at - interval '1 hour' WHERE job_id IN "
                "(SELECT id FROM image_optimization_jobs ORDER BY created_at DESC LIMIT 3)"
            )

    def _leave(self, store: Store, row: dict[str, Any], prediction: str | None = None) -> None:
        casts = {"job": "::job_status", "item": "::item_status"} if store.typed else {"job": "", "item": ""}
        ended = int(bool(row["finished"]))
        times = (row["created"], row["started"], row["finished"])
        (job,) = store.run(_JOB_LEFT.format(cast=casts["job"]).encode(), (row["status"], *times, ended))
        if row["item"]:
            touched = row["started"] or row["created"]
            values = (job["id"], row["item"], prediction, row["created"], touched)
            store.run(_ITEM_LEFT.format(cast=casts["item"]).encode(), values)

    @functools.cached_property
    def _starts(self) -> list[float]:
        return sorted(item.started for job in self.history.jobs for item in job.items)

    @property
    def beat(self) -> float:
        """The target's seconds between two heartbeats."""
        return REAL_BEAT_S if self.faults.on("real-heartbeat") else BEAT_S

    def next_beat(self, until: float) -> float:
        """Return after how many of the target's seconds the heart beats again."""
        return self.beat - (until + self.history.up_s - BEAT_S) % self.beat

    def lines(self, until: float) -> Iterator[tuple[dt.datetime, str]]:
        """Yield what the server printed, each line with its moment, in no order; its heart beats `until` then."""
        every = (*self._start(), *self._beats(until), *self._work(), *self._troubles())
        gap = (-5 * HOUR_S, -5 * HOUR_S + 400.0) if self.faults.on("log-gap") else (0.0, 0.0)
        if self.faults.on("hours-unrecorded"):
            gap = (-self.history.age_s + 2 * HOUR_S, -self.history.age_s + 5 * HOUR_S)
        for at, text in every:
            if not gap[0] <= at < gap[1]:
                yield self.history.moment(at), text

    def _start(self) -> Iterator[Line]:
        at, faults = -self.history.up_s + 1.0, self.faults
        rpm = 600 if faults.on("limiter-says-600") else 450
        if faults.on("banner-of-the-process-before"):
            yield at - 1800.0, f"{TEXT} Starting two-phase image optimization worker..."
        if not faults.on("level-untold"):
            yield at, f"[Logger] Log level: {'INFO (2)' if hides_debug_lines(faults) else 'DEBUG (3)'}"
        yield at + 0.01, "[DB Pool] Configuration: { max: 100, min: 10 }"
        yield at + 0.02, "[RateLimiter] Initialized with 450 RPM, 450000 TPM"
        for again in range(2 if faults.on("limiter-starts-twice") else 1):
            yield at + 0.03 + again, f"[ReplicateRateLimiter] Initialized with {rpm} RPM"
        yield at + 0.04, "[ReplicateRateLimiter] Min delay between requests: 134ms"
        yield at + 0.5, "Server running on port 3000"
        yield from self._banner(at + 1.0)

    def _banner(self, at: float) -> Iterator[Line]:
        faults = self.faults
        create = 30 if faults.on("phase1-banner-30s") else 5
        poll = 10 if faults.on("phase2-banner-10s") else 3
        early = faults.on("success-before-phases")
        if not faults.on("banner-of-the-process-before"):
            yield at, f"{TEXT} Starting two-phase image optimization worker..."
        yield at + (0.3 if early else 0.1), f"{TEXT} - Phase 1: Create predictions (every {create}s)"
        yield at + (0.4 if early else 0.2), f"{TEXT} - Phase 2: Poll predictions (every {poll}s)"
        for again in range(2 if faults.on("worker-starts-twice") else 1):
            yield at + (0.2 if early else 0.5) + again, f"{TEXT} Worker started successfully"
        if faults.on("error-at-start"):
            yield at + 5.0, "Unhandled Promise Rejection: TypeError: Cannot read properties of undefined"

    def _beats(self, until: float) -> Iterator[Line]:
        yield from self._beats_of(-self.history.up_s, until)
        if self.history.up_s < self.history.age_s:
            yield from self._beats_of(-self.history.age_s, -self.history.up_s)

    def _beats_of(self, start: float, until: float) -> Iterator[Line]:
        """Yield the heartbeats of one process."""
        number, faults = 0, self.faults
        at = start + 30.0
        while at < until:
            number += 1
            queue, requests = self._figures(at)
            late = faults.on("heartbeats-late") and BUSY_FROM_S <= at < BUSY_FROM_S + 180
            stopped = faults.on("heartbeat-stops") or faults.on("worker-lines-elsewhere")
            late = late or (stopped and at > until - 20)  # a run alone lasts no whole minute
            if not late and not (faults.on("real-no-beat-while-creating") and 0 <= at - LONG_RUN_S <= LONG_RUN_ITEMS):
                share = 90.0 if faults.on("heartbeat-percent-wrong") else 100 * requests / 450
                cycle = 1 if faults.on("cycle-stuck") else number * 6
                yield at, f"{TEXT} Heartbeat - cycle {cycle} | Queue: {queue} | RPM: {requests}/450 ({share:.1f}%)"
            at += self.beat

    def _figures(self, at: float) -> tuple[int, int]:
        """Return queue and requests of the last minute at some moment of the past."""
        faults, starts = self.faults, self._starts
        window = 10 * MINUTE_S if faults.on("ten-minutes-counted") else MINUTE_S
        made = bisect.bisect_right(starts, at) - bisect.bisect_right(starts, at - window)
        queue, requests = 0, min(made, int(USAGE - POLLS))
        if BUSY_FROM_S <= at < BUSY_FROM_S + BUSY_S + MINUTE_S:  # the backlog outlasts the last job
            queue, requests = 60, int(min(1.0, (at - BUSY_FROM_S) / MINUTE_S) * USAGE)
            requests = 180 if faults.on("usage-at-forty") or faults.on("real-serial-limiter") else requests
        elif RECENT_FROM_S <= at < RECENT_FROM_S + RECENT_S + MINUTE_S:
            queue, requests = 3, int(RECENT_PER_MINUTE + POLLS)
        return self._spoilt(at, queue, requests)

    def _spoilt(self, at: float, queue: int, requests: int) -> tuple[int, int]:
        faults = self.faults
        inside = -2 * HOUR_S <= at < -2 * HOUR_S + 600
        if inside and (faults.on("queue-at-700") or faults.on("queue-at-1200")):
            queue = 1200 if faults.on("queue-at-1200") else 700
        if inside and (faults.on("usage-at-98") or faults.on("usage-at-100")):
            requests = 450 if faults.on("usage-at-100") else 441
        if faults.on("queue-grows") and at >= -HOUR_S:
            queue += int((at + HOUR_S) / MINUTE_S * 2)
        return queue, requests

    def _work(self) -> Iterator[Line]:
        number = 0
        if self.faults.on("real-no-beat-while-creating"):
            yield from self._long_run()
        for name, job in enumerate(self.history.jobs, start=1):
            yield job.created, f"[ImageOptimization] Created job {name} for {len(job.items)} images"
            for item in job.items:
                number += 1
                if item.error:
                    said = item.logged or item.error
                    yield item.ended, f"{TEXT} ❌ Item {number} failed: {said}"
                elif not hides_debug_lines(self.faults):
                    yield item.ended, f"{TEXT} ✅ Item {number} completed"

    def _long_run(self) -> Iterator[Line]:
        """Yield what the creation of a full batch prints while one request a second leaves the limiter."""
        yield LONG_RUN_S, f"{TEXT} Creating predictions for {LONG_RUN_ITEMS} items"
        for number in range(1, LONG_RUN_ITEMS):
            yield LONG_RUN_S + number, f"[Replicate] Prediction created: long{number:022d}"
        yield LONG_RUN_S + LONG_RUN_ITEMS, f"{TEXT} Prediction creation batch complete: {LONG_RUN_ITEMS} items"

    def _troubles(self) -> Iterator[Line]:
        faults = self.faults
        yield -900.0, "[Worker] OpenAI answered 429 Too Many Requests, once more in 2 s"  # of another worker's provider
        if faults.on("errors-in-a-spike"):
            for number in range(40):
                yield -1800.0 + number, f"{TEXT} Error polling item {number}: socket hang up at attempt {number % 7}"
        if faults.on("one-error-all-night"):
            for number in range(12):
                yield (
                    -20 * HOUR_S + number * HOUR_S,
                    f"{TEXT} Error polling item {number}: nothing of {number:x}k{number}fq",
                )
        if faults.on("a-429-retried"):
            yield -1000.0, "[Replicate] Request failed with status 429 Too Many Requests, retrying"
