"""Another store at work: it sends a small job every few seconds, as live stores do while a deployment is verified."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.clock import Clock
    from simulators.image_optimizer.store import Store
    from simulators.image_optimizer.worker import Worker

STORE = "store-of-others"
EVERY_S = 2.5  # more often than phase 1 looks for itself
IMAGES = 2


class Others:
    """Jobs of a store that the observer knows nothing of."""

    def __init__(self, *, clock: Clock, store: Store, worker: Worker, picture: str) -> None:
        self._clock = clock
        self._store = store
        self._worker = worker
        self._picture = picture
        self._over = threading.Event()

    def start(self) -> None:
        """Begin to send jobs."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Send no further one."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._clock.ours(EVERY_S)):
            (job,) = self._store.run(
                "INSERT INTO image_optimization_jobs (instance_id, product_id, product_name, total_images) "
                "VALUES (%s, 'of others', 'Of others', %s) RETURNING id",
                (STORE, IMAGES),
            )
            self._store.copy(
                "image_optimization_items",
                "job_id, image_id, image_url, prompt",
                [(job["id"], str(number), self._picture, f"Another picture {number}") for number in range(IMAGES)],
            )
            self._worker.created(int(job["id"]), IMAGES)
