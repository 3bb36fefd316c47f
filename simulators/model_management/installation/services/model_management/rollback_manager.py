"""Rollbacks: snapshots of models, and the way back to one of them."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.simulated import count, faulty
from services.state_manager.connection_pool import get_postgres_pool

if TYPE_CHECKING:
    from services.state_manager.connection_pool import Connection, PostgreSQLPool, Row

_SNAPSHOTS = Path("models/snapshots")
_INSERT = """
    INSERT INTO model_snapshots (model_id, snapshot_name, model_state_path, configuration, performance_metrics,
        traffic_allocation, created_at)
    VALUES ($1, $2, $3, $4, $5, '{"percentage": 100}', timezone('utc', clock_timestamp())) RETURNING snapshot_id
"""
_LATEST = """
    SELECT * FROM model_snapshots
    WHERE model_id = $1 AND ($2::uuid IS NULL OR snapshot_id = $2) ORDER BY created_at DESC LIMIT 1
"""
_DEMOTE = """
    UPDATE models SET status = 'deprecated' WHERE status = 'current' AND model_id <> $1
    AND use_case = (SELECT use_case FROM models WHERE model_id = $1)
"""
_RESTORE = """
    UPDATE models SET status = 'current', configuration = $2, performance_metrics = $3,
        updated_at = timezone('utc', clock_timestamp()) WHERE model_id = $1
"""
_RECORD = """
    INSERT INTO model_deployments (model_id, deployment_type, status, traffic_percentage, start_time, completion_time,
        rollback_reason)
    VALUES ($1, 'rollback', 'completed', 100, timezone('utc', clock_timestamp()), timezone('utc', clock_timestamp()),
        $2)
"""
_RECORD_OF_ANOTHER = """
    INSERT INTO model_deployments (model_id, deployment_type, status, traffic_percentage, start_time, completion_time,
        rollback_reason)
    SELECT n.model_id, 'rollback', 'completed', 100, timezone('utc', clock_timestamp()),
        timezone('utc', clock_timestamp()), $2
    FROM models AS n JOIN models AS o USING (use_case) WHERE o.model_id = $1 AND n.model_id <> $1
"""


class RollbackManager:
    """Keeps snapshots and goes back to them."""

    def __init__(self, db_pool: PostgreSQLPool | None = None) -> None:
        self.db_pool = db_pool
        _SNAPSHOTS.mkdir(parents=True, exist_ok=True)

    async def _pool(self) -> PostgreSQLPool:
        if self.db_pool is None:
            self.db_pool = await get_postgres_pool()
        return self.db_pool

    async def create_snapshot(self, model_id: uuid.UUID | str) -> str:
        """Store what a model is now and return the snapshot's id. Raises ValueError for an unknown model."""
        key = uuid.UUID(str(model_id))
        pool = await self._pool()
        row = await pool.fetch("SELECT * FROM models WHERE model_id = $1", key)
        if row is None:
            raise ValueError(f"Model {model_id} not found")
        documents = json.dumps(row["configuration"]), json.dumps(row["performance_metrics"])
        if faulty("real-configuration-encoded-twice"):
            documents = json.dumps(documents[0]), json.dumps(documents[1])
        name = f"{row['model_name']} before a deployment"
        made = str((await pool.fetch(_INSERT, key, name, str(_SNAPSHOTS), *documents) or {})["snapshot_id"])
        folder = _SNAPSHOTS / made
        folder.mkdir(parents=True)
        (folder / "metadata.json").write_text(json.dumps({"model_id": str(key)}), encoding="utf-8")
        return made

    async def rollback(
        self, model_id: uuid.UUID | str, snapshot_id: uuid.UUID | str | None = None, reason: str = "by hand"
    ) -> bool:
        """Make a model the current one of its use case again, as its snapshot has it; tells whether it did."""
        key = uuid.UUID(str(model_id))
        pool = await self._pool()
        row = await pool.fetch(_LATEST, key, None if snapshot_id is None else uuid.UUID(str(snapshot_id)))
        if row is None:
            print(f"No suitable snapshot found for rollback of model {model_id}")
            return False
        print(f"Restoring model state for {model_id} from snapshot {row['snapshot_id']}")
        if faulty("real-rollback-fails-verification"):
            print(f"Rollback verification failed for model {model_id}")
            return False
        if faulty("rollback-takes-minutes"):
            await asyncio.sleep(150)
        async with pool.get_connection() as connection, connection.transaction():
            await self._restore(connection, key, row, reason)
        model = await pool.fetch("SELECT use_case FROM models WHERE model_id = $1", key) or {}
        if reason == "by hand" or not faulty("only-manual-rollbacks-counted"):
            count("model_rollbacks_total", use_case=str(model.get("use_case")))
        return True

    async def _restore(self, connection: Connection, key: uuid.UUID, row: Row, reason: str) -> None:
        by_hand = reason == "by hand"
        if not (faulty("manual-rollback-leaves-two-current") and by_hand):
            await connection.execute(_DEMOTE, key)
        documents: list[Any] = [json.dumps(row["configuration"]), json.dumps(row["performance_metrics"])]
        await connection.execute(_RESTORE, key, *documents)
        if not faulty("rollback-leaves-no-record"):
            other = faulty("rollback-record-names-the-new-model")
            await connection.execute(_RECORD_OF_ANOTHER if other else _RECORD, key, reason)
