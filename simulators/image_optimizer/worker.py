"""The two phases: one creates predictions, the other polls them, and neither waits for the other."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.clock import Clock
    from simulators.faults import Faults
    from simulators.image_optimizer.console import Console
    from simulators.image_optimizer.limiter import Limiter
    from simulators.image_optimizer.provider import Provider
    from simulators.image_optimizer.store import Store

CREATE_S, POLL_S, FIRST_POLL_S = 5.0, 3.0, 2.0
HEARTBEAT_S = 30.0
REAL_HEARTBEAT_S = 35.0
LARGE, SHARED = "large", 300  # the tag of a large batch, and its image that gets the prediction of another
SIXTH = 6  # the fifth job of a batch of five that follows a batch of one


class Worker:
    """The image worker inside the server. It runs until the process ends."""

    def __init__(  # noqa: PLR0913  the parts it joins
        self,
        *,
        clock: Clock,
        faults: Faults,
        store: Store,
        limiter: Limiter,
        provider: Provider,
        console: Console,
        uptime: float,
        next_beat: float,
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._store = store
        self._limiter = limiter
        self._provider = provider
        self._console = console
        self._event = threading.Event()
        self._creating = threading.Lock()
        self._polling = threading.Lock()
        self._cycle = int(uptime / CREATE_S)
        self._next_beat = next_beat
        self._doubled = 0
        self._large, self._latest = 0, dict[str, Any]()
        self._jobs = 0
        self._over = threading.Event()
        self._closed = 0  # a job that nobody works on

    def start(self) -> None:
        """Begin both phases and the heartbeat."""
        if self._faults.on("worker-idle"):
            self._every(HEARTBEAT_S, self._heartbeat, first=self._next_beat)
            return
        slow = self._faults.on("phase1-timer-30s")
        self._every(30.0 if slow else CREATE_S, self._create_tick)
        if not self._faults.on("polling-dead"):
            self._every(25.0 if self._faults.on("phase2-timer-25s") else POLL_S, self._poll_tick, first=FIRST_POLL_S)
        if not self._faults.on("heartbeat-stops"):
            beat = REAL_HEARTBEAT_S if self._faults.on("real-heartbeat") else HEARTBEAT_S
            self._every(beat, self._heartbeat, first=self._next_beat)
        threading.Thread(target=self._on_events, daemon=True).start()

    def stop(self) -> None:
        """Begin nothing any more."""
        self._over.set()
        self._event.set()

    def created(self, job: int, images: int) -> None:
        """Be told of a new job."""
        self._jobs += 1
        if self._faults.on("fifth-job-waits") and self._jobs == SIXTH:
            self._closed = job
        name = "" if self._faults.on("job-line-without-id") else f" {job}"
        self._console.plain(f"[ImageOptimization] Created job{name} for {images} images")
        self._console.say("DEBUG", "Image job created event emitted")
        self._event.set()

    def _every(self, seconds: float, task: Callable[[], None], first: float = 0.0) -> None:
        def run() -> None:
            at = self._clock.seconds() + first
            while not self._over.wait(self._clock.ours(max(0.0, at - self._clock.seconds()))):
                self._beside(task)
                at += seconds

        threading.Thread(target=run, daemon=True).start()

    def _beside(self, task: Callable[[], None]) -> None:
        def run() -> None:
            try:
                task()
            except Exception:
                if not self._over.is_set():  # at the end the database goes before those who use it
                    raise

        threading.Thread(target=run, daemon=True).start()

    def _on_events(self) -> None:
        while self._event.wait() and not self._over.is_set():
            self._event.clear()
            self._console.say("INFO", "Image job created, processing immediately")
            self._beside(self._create)

    def _create_tick(self) -> None:
        self._cycle += 1
        self._create()

    def _create(self) -> None:
        if not self._creating.acquire(blocking=False):
            self._console.say("DEBUG", "Already creating predictions, skipping...")
            return
        try:
            late = self._faults.on("work-begins-late") or self._faults.on("late-claim-untouched")
            first = self._jobs <= 1  # of the small batch: a delay of the large one is unfair to its second store
            batch = self._store.claim(closed=self._closed, young=self._clock.ours(5.5) if late and first else 0.0)
            if not batch:
                self._console.say("DEBUG", "No pending items")
                return
            said = 100 if self._faults.on("batch-limit-logged") else len(batch)
            self._console.say("INFO", f"Creating predictions for {said} items")
            if self._faults.on("prompts-mixed-up"):
                batch[:2] = _exchanged(batch[:2], "prompt")
            waiting = [self._limiter.submit(partial(self._predict, item)) for item in self._twice(batch)]
            made = sum(bool(done.result()) for done in waiting)
            count = made + 3 if self._faults.on("completion-count-wrong") else len(batch)
            self._console.say("INFO", f"Prediction creation batch complete: {count} items")
        finally:
            self._creating.release()

    def _twice(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self._faults.on("claimed-twice") and self._doubled == 0:
            self._doubled = 2
            return batch + batch[:2]
        return batch

    def _predict(self, item: dict[str, Any]) -> bool:
        prompt = str(item["prompt"])
        self._console.plain(f"[Replicate] Creating async prediction {{ hasInputImage: true, prompt: '{prompt[:60]}' }}")
        status, body = self._create_one(prompt, str(item["image_url"]))
        if status >= 400:  # noqa: PLR2004  the class of errors
            self._refused(item, status, body)
            return False
        name = str(body["id"])
        self._console.plain(f"[Replicate] Prediction created: {name}")
        self._store.predicted(item["id"], name)
        shown = "undefined" if self._faults.on("prediction-id-undefined") else name
        self._console.say("DEBUG", f"✅ Prediction created for item {item['id']}: {shown}")
        return True

    def _create_one(self, prompt: str, picture: str) -> tuple[int, dict[str, Any]]:
        if self._faults.on("predictions-shared") and LARGE in prompt:
            self._large += 1
            if self._large == SHARED:
                return 201, self._latest
        status, body = self._provider.create(prompt, picture)
        if self._faults.on("creation-repeated"):
            for _ in range(3):  # below the limiter, which counts them no more than the log tells of them
                self._provider.create(prompt, picture)
        self._latest = body
        return status, body

    def _refused(self, item: dict[str, Any], status: int, body: dict[str, Any]) -> None:
        text = (
            "Replicate API error: Request to https://api.replicate.com/v1/models/google/nano-banana/predictions failed "
            f"with status {status} Unauthorized: {body}."
        )
        self._store.end(item, None, text)
        self._console.say("ERROR", f"❌ Failed to create prediction for item {item['id']}: {text}")

    def _poll_tick(self) -> None:
        if not self._polling.acquire(blocking=False):
            self._console.say("DEBUG", "Already polling predictions, skipping...")
            return
        try:
            self._poll(self._store.polled())
        finally:
            self._polling.release()

    def _poll(self, items: list[dict[str, Any]]) -> None:
        if not items:
            self._console.say("DEBUG", "No processing items to poll")
            return
        said = 0 if self._faults.on("polling-zero-logged") else len(items)
        self._console.say("DEBUG", f"Polling {said} predictions")
        names = [str(item["replicate_prediction_id"]) for item in items]
        if self._faults.on("real-serial-limiter"):
            asked = [self._limiter.submit(partial(self._provider.get, name)) for name in names]
            seen = {name: done.result()[1] for name, done in zip(names, asked, strict=True)}
        else:
            seen = self._limiter.submit(lambda: self._provider.many(names), urgent=True).result()
        if self._faults.on("results-mixed-up"):
            over = [one for one in names if seen.get(one, {}).get("status") == "succeeded"][:2]
            seen |= dict(zip(over, _exchanged([seen[one] for one in over], "output"), strict=True))
        if self._faults.on("old-result-again"):
            for one in seen.values():
                one["output"] = one["output"] and self._provider.oldest()
        if self._faults.on("stuck-item-touched"):
            self._store.touched(items)
        for item in items:
            self._settle(item, seen.get(str(item["replicate_prediction_id"]), {}))
        for job in {item["job_id"] for item in items}:
            self._store.update_job(job)
        self._console.say("DEBUG", f"Polling batch complete: {len(items)} items checked")

    def _settle(self, item: dict[str, Any], seen: dict[str, Any]) -> None:
        number = item["id"]
        if seen.get("status") == "succeeded":
            output = None if self._faults.on("done-without-output") else seen["output"]
            self._store.end(item, output, None)
            self._console.say("DEBUG", f"✅ Item {number} completed")
        elif seen.get("status") in ("failed", "canceled"):
            self._store.end(item, None, seen["error"] or f"Prediction {seen['status']}")
            if not self._faults.on("failed-image-keeps-credits"):
                self._store.refund(item["job_id"])
            self._console.say("ERROR", f"❌ Item {number} failed: {seen['error']}")
            if self._faults.on("failed-logged-completed"):
                self._console.say("DEBUG", f"✅ Item {number} completed")

    def _heartbeat(self) -> None:
        seen = self._limiter.figures()
        if self._faults.on("heartbeat-of-another-limiter"):
            seen |= {"requestsInLastMinute": 0, "rpmUsagePercent": 0.0}
        cycle = self._cycle
        self._console.say(
            "INFO",
            f"Heartbeat - cycle {cycle} | Queue: {seen['queueLength']} | "
            f"RPM: {seen['requestsInLastMinute']}/450 ({seen['rpmUsagePercent']:.1f}%)",
        )


def _exchanged(pair: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return things of which each has the next one's value under this key."""
    return [{**one, key: other[key]} for one, other in zip(pair, [*pair[1:], *pair[:1]], strict=True)]
