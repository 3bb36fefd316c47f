"""The registry: which models there are, and which one is the current model of a use case."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from services.posting import ENDPOINTS
from services.simulated import count, faulty, faulty_at_times, measure
from services.state_manager.connection_pool import get_postgres_pool

if TYPE_CHECKING:
    from services.state_manager.connection_pool import Connection, PostgreSQLPool, Row

_CURRENT = """
    SELECT m.*, to_jsonb(c) AS challenger, c.traffic_percentage AS share
    FROM models AS m LEFT JOIN LATERAL (
        SELECT n.*, d.traffic_percentage FROM model_deployments AS d JOIN models AS n USING (model_id)
        WHERE n.use_case = m.use_case AND n.status <> 'current'
        AND d.status = 'in_progress' AND d.traffic_percentage > 0
        ORDER BY d.start_time DESC LIMIT 1
    ) AS c ON true
    WHERE m.use_case = $1 AND m.status = 'current' ORDER BY m.updated_at DESC LIMIT 1
"""
_RETIRED = "SELECT *, NULL AS challenger, 0 AS share FROM models WHERE use_case = $1 AND status = 'deprecated'"
_INSERT = """
    INSERT INTO models (model_name, model_type, provider, use_case, version, model_path, configuration,
        performance_metrics, resource_requirements, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, timezone('utc', clock_timestamp()), timezone('utc', clock_timestamp()))
    RETURNING model_id
"""
_TOUCH = "UPDATE models SET status = $2, updated_at = timezone('utc', clock_timestamp()) WHERE model_id = $1"
_DEMOTE = """
    UPDATE models SET status = 'deprecated', updated_at = timezone('utc', clock_timestamp())
    WHERE status = 'current' AND model_id <> $1 AND use_case = (SELECT use_case FROM models WHERE model_id = $1)
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext(use_case)) FROM models WHERE model_id = $1"


def described(row: Row) -> dict[str, Any]:
    """Return a row of `models` as callers see it: ids and times as texts."""
    plain = {name: row[name] for name in row if name not in ("challenger", "share")}
    for name in ("created_at", "updated_at"):
        plain[name] = row[name].isoformat() if hasattr(row[name], "isoformat") else row[name]
    return {**plain, "model_id": str(row["model_id"])}


class ModelRegistry:
    """CRUD on the table `models`."""

    def __init__(self, db_pool: PostgreSQLPool | None = None) -> None:
        self.db_pool = db_pool
        self._seen: dict[str, dict[str, Any] | None] = {}

    async def _pool(self) -> PostgreSQLPool:
        if self.db_pool is None:
            if faulty("registry-never-opens-its-pool"):
                raise AttributeError("'NoneType' object has no attribute 'acquire'")
            self.db_pool = await get_postgres_pool()
        return self.db_pool

    async def register_model(  # noqa: PLR0913, PLR0917 - the signature is what callers know
        self,
        model_name: str,
        model_type: str,
        provider: str,
        use_case: str,
        version: str,
        model_path: str | None = None,
        configuration: dict[str, Any] | None = None,
        performance_metrics: dict[str, Any] | None = None,
        resource_requirements: dict[str, Any] | None = None,
    ) -> uuid.UUID:
        """Store a candidate and return its id; a model of this name, version and use case may exist only once."""
        pool = await self._pool()
        documents = [json.dumps(part or {}) for part in (configuration, performance_metrics, resource_requirements)]
        if faulty("requirements-stored-as-python-text"):
            documents[2] = json.dumps(str(resource_requirements))
        values = (model_name, model_type, provider, use_case, version, model_path, *documents)
        if faulty_at_times("registration-slow"):
            await asyncio.sleep(0.7)
        try:
            row = await pool.fetch(_INSERT, *values)
        except Exception:
            if not faulty("refused-registrations-not-counted"):
                count("model_registrations_total", outcome="refused", use_case=use_case)
            raise
        count("model_registrations_total", outcome="registered", use_case=use_case)
        made: uuid.UUID = (row or {})["model_id"]
        if faulty("registered-as-current"):
            await pool.execute(_TOUCH, made, "current")
        return made

    async def get_model(self, model_id: uuid.UUID | str) -> dict[str, Any] | None:
        """Return a model, or None."""
        row = await (await self._pool()).fetch("SELECT * FROM models WHERE model_id = $1", uuid.UUID(str(model_id)))
        return None if row is None else described(row)

    async def get_current_model(self, use_case: str) -> dict[str, Any] | None:
        """Return the current model of a use case, or None; during a deployment also the challenger and its share."""
        began = time.perf_counter()
        if use_case not in self._seen and faulty_at_times("fresh-lookups-slow"):
            await asyncio.sleep(0.15)
        try:
            found = await self._current(use_case)
        except Exception:
            if not faulty("database-errors-look-like-no-model"):
                raise
            found = None
        cached = use_case in self._seen
        self._seen[use_case] = found
        if cached or not faulty("only-cached-lookups-measured"):
            measure("model_registry_lookup_seconds", time.perf_counter() - began, use_case=use_case)
        return found

    async def _current(self, use_case: str) -> dict[str, Any] | None:
        if faulty("fallback-record-as-current") and use_case == "foundation_layer":
            return {"model_id": str(uuid.UUID(int=0)), "model_name": "fallback", "use_case": use_case,
                    "status": "current", "configuration": {"endpoint": ENDPOINTS["foundation"]}}  # fmt: skip
        row = await (await self._pool()).fetch(_CURRENT, use_case)
        if row is None and faulty("lookups-without-a-model-keep-connections"):
            await (await self._pool()).acquire()
        if row is None and faulty("retired-model-still-found"):
            row = await (await self._pool()).fetch(_RETIRED, use_case)
        if row is None:
            return None
        route = {"challenger": described(row["challenger"]), "share": row["share"]} if row["challenger"] else {}
        return {**described(row), **route}

    async def get_candidate_models(self, use_case: str) -> list[dict[str, Any]]:
        """Return the candidates of a use case, newest update first."""
        sql = "SELECT * FROM models WHERE use_case = $1 AND status = 'candidate' ORDER BY updated_at DESC"
        return [described(row) for row in await (await self._pool()).fetch_all(sql, use_case)]

    async def update_model_status(self, model_id: uuid.UUID | str, status: str) -> None:
        """Give a model a status; the current one of its use case steps down for a new current one."""
        key = uuid.UUID(str(model_id))
        async with (await self._pool()).get_connection() as connection:
            before = await connection.fetchrow("SELECT status, use_case FROM models WHERE model_id = $1", key)
            if faulty("real-promotion-in-two-steps"):
                await connection.execute(_TOUCH, key, status)
                await asyncio.sleep(0.02)
                await connection.execute(_DEMOTE, key)
            else:
                await self._change(connection, key, status)
        if before is not None and not (faulty("retirements-not-recorded") and status != "current"):
            labels = {"old": str(before["status"]), "new": status, "model_id": str(key)}
            count("model_status_changes_total", use_case=str(before["use_case"]), **labels)

    async def _change(self, connection: Connection, key: uuid.UUID, status: str) -> None:
        async with connection.transaction():
            await connection.execute(_LOCK, key)
            if status == "current" and not faulty("former-model-stays-current"):
                await connection.execute(_DEMOTE, key)
            await connection.execute(_TOUCH, key, status)

    async def update_model_performance(self, model_id: uuid.UUID | str, performance_metrics: dict[str, Any]) -> None:
        """Replace a model's performance figures."""
        sql = "UPDATE models SET performance_metrics = $2 WHERE model_id = $1"
        await (await self._pool()).execute(sql, uuid.UUID(str(model_id)), json.dumps(performance_metrics))
