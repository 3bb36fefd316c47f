"""The tables of the image worker, and what each minute since the deployment brought."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

if TYPE_CHECKING:
    from fixtures.database import Database, Snapshot
    from fixtures.look import Run


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
        "SELECT data_type, domain_name AS domain, character_maximum_length AS length FROM information_schema.columns "
        "WHERE table_name = 'image_optimization_items' AND column_name = 'status' AND table_schema = "
        "(SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'image_optimization_items'::regclass)"
    ),
    "labels": (
        "SELECT e.enumlabel AS label FROM pg_enum e JOIN pg_attribute a ON a.atttypid = e.enumtypid "
        "WHERE a.attrelid = 'image_optimization_items'::regclass AND a.attname = 'status'"
    ),
    "constraints": (
        "SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint "
        "WHERE conrelid = 'image_optimization_items'::regclass AND contype IN ('c', 'f') "
        "UNION ALL SELECT 'status ' || pg_get_constraintdef(c.oid) FROM pg_constraint c "
        "JOIN pg_attribute a ON a.atttypid = c.contypid "
        "WHERE a.attrelid = 'image_optimization_items'::regclass AND a.attname = 'status'"
    ),
    "triggers": (
        "SELECT tgname AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE tgrelid = 'image_optimization_items'::regclass AND NOT tgisinternal "
        "AND (p.prosrc ILIKE '%status%' OR pg_get_triggerdef(t.oid) ILIKE '%status%')"
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
        "SELECT j.id, extract(epoch FROM now() - j.created_at)::float8 * :speed AS age, "
        "count(i.id) FILTER (WHERE i.status::text NOT IN ('DONE', 'FAILED')) AS open "
        "FROM image_optimization_jobs j LEFT JOIN image_optimization_items i ON i.job_id = j.id "
        "WHERE j.status::text = 'PENDING' GROUP BY j.id"
    ),
    "moving": (
        "SELECT extract(epoch FROM now() - max(updated_at))::float8 * :speed AS age FROM image_optimization_items "
        "WHERE status::text <> 'PENDING'"
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
    "work": (
        "SELECT extract(epoch FROM least(min(i.created_at), min(j.created_at)))::float8 * :speed AS began, "
        "extract(epoch FROM greatest(max(j.finished_at), max(CASE "
        "WHEN i.status::text IN ('DONE', 'FAILED') THEN i.updated_at ELSE now() END)))::float8 * :speed AS ended "
        "FROM image_optimization_items i JOIN image_optimization_jobs j ON j.id = i.job_id "
        "WHERE greatest(i.updated_at, j.finished_at) > now() - make_interval(secs => :hour) * 2 "
        "OR i.status::text IN ('PROCESSING', 'RUNNING') GROUP BY i.job_id"
    ),
    "failures": (
        "SELECT id, replicate_prediction_id AS prediction, error FROM image_optimization_items "
        "WHERE status::text = 'FAILED' AND updated_at >= :since LIMIT 1000"
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


@observation(within="60 s")
def known(jobs: Database, run: Run, predictions: dict[str, Any]) -> dict[str, str]:
    """The state of each item of the last hours by its prediction, read after Replicate's list: it lacks none of it."""
    query = (
        "SELECT replicate_prediction_id AS prediction, status::text AS status FROM image_optimization_items "
        "WHERE replicate_prediction_id IS NOT NULL AND created_at > now() - make_interval(secs => :hour) * 3"
    )
    rows = jobs.read({"known": query}, {"hour": 3600 / run.speed})["known"]
    return {row["prediction"]: row["status"] for row in rows}


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
