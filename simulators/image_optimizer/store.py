"""The tables of the image worker, and every statement the server sends to them."""

from __future__ import annotations

import collections
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.postgres import database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from simulators.faults import Faults

BATCH, PER_STORE, POLLED = 100, 20, 50
CREDITS = 15
COLUMNS: LiteralString = (
    'id, product_id AS "productId", product_name AS "productName", status::text, total_images AS "totalImages", '
    'completed_images AS "completedImages", failed_images AS "failedImages", created_at AS "createdAt", '
    'started_at AS "startedAt", finished_at AS "finishedAt", error'
)
JOBS: LiteralString = "SELECT " + COLUMNS + " FROM image_optimization_jobs "  # noqa: S608  both parts are ours
_ITEMS: LiteralString = (
    'SELECT id, image_id AS "imageId", image_url AS "imageUrl", prompt, status::text, '
    'optimized_image_url AS "optimizedImageUrl", error, created_at AS "createdAt", updated_at AS "updatedAt" '
    "FROM image_optimization_items WHERE job_id = %s ORDER BY id"
)
_FAIR: LiteralString = "row_number() OVER (PARTITION BY j.instance_id ORDER BY i.id)"
_BLIND: LiteralString = "0"
_CLAIM: LiteralString = """
    UPDATE image_optimization_items SET status = '{working}', updated_at = {touched} WHERE id IN (
        SELECT id FROM (
            SELECT i.id, {place} AS place
            FROM image_optimization_items i JOIN image_optimization_jobs j ON j.id = i.job_id
            WHERE i.status = 'PENDING' AND i.job_id <> {closed}
                AND i.created_at <= now() - interval '{young} seconds'
        ) ranked WHERE place <= {share} ORDER BY place, id LIMIT {batch}
    ) RETURNING id, job_id, prompt, image_url
"""
_END: LiteralString = """
    UPDATE image_optimization_items SET status = CASE WHEN %s THEN 'FAILED' ELSE 'DONE' END{cast},
        optimized_image_url = %s, error = %s, updated_at = now() WHERE id = %s
"""
_UPDATE_JOB: LiteralString = """
    UPDATE image_optimization_jobs SET completed_images = c.done, failed_images = c.failed,
        status = CASE WHEN c.done + c.failed < total_images THEN 'RUNNING'
            WHEN c.done > 0 THEN 'DONE' ELSE 'FAILED' END{cast},
        started_at = coalesce(started_at, now()),
        finished_at = CASE WHEN c.done + c.failed >= total_images THEN coalesce(finished_at, now()) END,
        error = CASE WHEN c.failed >= total_images THEN 'All images failed to optimize' END
    FROM (SELECT count(*) FILTER (WHERE status = 'DONE') AS done, count(*) FILTER (WHERE status = 'FAILED') AS failed
          FROM image_optimization_items WHERE job_id = %(job)s) c
    WHERE id = %(job)s
"""


Row = dict[str, Any]


class Store:
    """The server's database."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._idle: collections.deque[psycopg.Connection[Any]] = collections.deque()
        self.database = database("image_optimizer")
        self.typed = faults.on("real-status-enum") or faults.on("enum-without-processing")
        labels = ["PENDING", "RUNNING", "DONE", "FAILED"]
        if not faults.on("enum-without-processing"):
            labels.insert(2, "PROCESSING")
        self.working: LiteralString = (
            "RUNNING" if faults.on("real-running") or faults.on("enum-without-processing") else "PROCESSING"
        )
        schema = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
        kinds = (
            {"job_status": "job_status", "item_status": "item_status"}
            if self.typed
            else dict.fromkeys(("job_status", "item_status"), "text")
        )
        if faults.on("status-cut-short"):
            kinds["item_status"] = "varchar(10)"
        self.run(schema.format(labels=", ".join(f"'{name}'" for name in labels), **kinds).encode())
        self._constrain()

    def _constrain(self) -> None:
        if self._faults.on("states-in-a-domain"):
            self.working = "RUNNING"
            self.run(
                "CREATE DOMAIN item_state AS text CHECK (VALUE IN ('PENDING', 'RUNNING', 'DONE', 'FAILED')); "
                "ALTER TABLE image_optimization_items ALTER COLUMN status TYPE item_state"
            )
        if self._faults.on("states-in-a-table"):
            self.run(
                "CREATE TABLE item_states (name text PRIMARY KEY); "
                "INSERT INTO item_states VALUES ('PENDING'), ('RUNNING'), ('PROCESSING'), ('DONE'), ('FAILED'); "
                "ALTER TABLE image_optimization_items ADD FOREIGN KEY (status) REFERENCES item_states"
            )
        if self._faults.on("status-checked"):
            self.run(
                "ALTER TABLE image_optimization_items ADD CONSTRAINT known_status "
                "CHECK (status IN ('PENDING', 'RUNNING', 'PROCESSING', 'DONE', 'FAILED', 'done'))"
            )
        if self._faults.on("check-without-processing"):
            self.working = "RUNNING"
            self.run(
                "ALTER TABLE image_optimization_items ADD CONSTRAINT known_status "
                "CHECK (status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED'))"
            )

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection that nobody else uses meanwhile."""
        connection = self._idle.pop() if self._idle else self.database.connect()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def run(self, statement: LiteralString | bytes, values: Sequence[object] | dict[str, object] = ()) -> list[Row]:
        """Send one statement; return its rows as dicts."""
        from psycopg.rows import dict_row  # noqa: PLC0415  psycopg costs 0.1 s

        with self.connected() as connection, connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def copy(self, table: LiteralString, columns: LiteralString, rows: Sequence[tuple[object, ...]]) -> None:
        """Write many rows at once."""
        with (
            self.connected() as connection,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def claim(self, *, closed: int = 0, young: float = 0.0) -> list[Row]:
        """Take the next batch of pending items: at most 100, at most 20 of each store.

        closed: a job that stays. young: seconds during which an item is left alone.
        """
        unfair = self._faults.on("stores-in-order")
        place, share = (_BLIND, "1") if unfair else (_FAIR, "20")
        statement = _CLAIM.format(
            working=self.working,
            place=place,
            share=share,
            batch="100",
            closed=str(closed),
            young=str(young),
            touched="updated_at" if self._faults.on("late-claim-untouched") else "now()",
        )
        return sorted(self.run(statement.encode()), key=lambda row: int(row["id"]))

    def touched(self, items: list[Row]) -> None:
        """Write down that items were looked at, although nothing has become of them."""
        self.run(
            "UPDATE image_optimization_items SET updated_at = now() WHERE id = ANY(%s)", ([one["id"] for one in items],)
        )

    def predicted(self, item: int, prediction: str | None) -> None:
        """Keep the prediction of an item."""
        self.run(
            "UPDATE image_optimization_items SET replicate_prediction_id = %s, updated_at = now() WHERE id = %s",
            (prediction, item),
        )

    def polled(self) -> list[Row]:
        """Return the predictions to be polled: the 50 that have been left alone the longest."""
        return self.run(
            "SELECT id, job_id, replicate_prediction_id FROM image_optimization_items WHERE status::text IN "
            "('RUNNING', 'PROCESSING') AND replicate_prediction_id IS NOT NULL ORDER BY updated_at LIMIT 50"
        )

    def end(self, item: dict[str, Any], url: str | None, error: str | None) -> None:
        """Write down how an item ended, and what that means for its job."""
        self.run(
            _END.format(cast="::item_status" if self.typed else "").encode(),
            (bool(error), url, error, item["id"]),
        )

    def refund(self, job: int) -> None:
        """Give the store back what a failed image of this job has cost."""
        self.run(
            "UPDATE app_instances SET credits_used_month = credits_used_month - %s "
            "WHERE instance_id = (SELECT instance_id FROM image_optimization_jobs WHERE id = %s)",
            (CREDITS, job),
        )

    def update_job(self, job: int) -> None:
        """Count a job's items again."""
        self.run(_UPDATE_JOB.format(cast="::job_status" if self.typed else "").encode(), {"job": job})

    def items(self, job: int) -> list[Row]:
        """Return a job's items as the API shows them."""
        return self.run(_ITEMS, (job,))
