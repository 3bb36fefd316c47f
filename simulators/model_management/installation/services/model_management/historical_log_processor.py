"""The inference log: what was asked of which model, and what it answered."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from services.simulated import count, faulty, measure
from services.state_manager.connection_pool import get_postgres_pool

if TYPE_CHECKING:
    import datetime as dt

_INSERT = """
    INSERT INTO model_historical_logs (model_id, use_case, prompt, context, generated_output, user_feedback,
        corrected_output, performance_metrics, timestamp)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, timezone('utc', clock_timestamp())) RETURNING log_id
"""
_SELECT = """
    SELECT * FROM model_historical_logs
    WHERE ($1::uuid IS NULL OR model_id = $1) AND ($2::text IS NULL OR use_case = $2)
    AND ($3::timestamp IS NULL OR timestamp >= $3) AND ($4::timestamp IS NULL OR timestamp <= $4)
    ORDER BY timestamp DESC LIMIT $5
"""
_CUT = 1000
_LONG = 10_000  # characters; what a short test never reaches


class HistoricalLogProcessor:
    """Writes and reads `model_historical_logs`."""

    async def log_inference(  # noqa: PLR0913, PLR0917 - the signature is what callers know
        self,
        model_id: uuid.UUID | str,
        use_case: str,
        prompt: str,
        context: dict[str, Any],
        generated_output: str,
        performance_metrics: dict[str, Any] | None = None,
        user_feedback: dict[str, Any] | None = None,
        corrected_output: str | None = None,
    ) -> uuid.UUID:
        """Store one inference and return its id."""
        began = time.perf_counter()
        if faulty("log-write-swallowed") and use_case == "health_check":
            return uuid.uuid4()
        if faulty("long-prompts-slow") and len(prompt) > _LONG:
            await asyncio.sleep(0.1)
        if faulty("log-entries-cut"):
            prompt = prompt[:_CUT]
        values = (
            uuid.UUID(str(model_id)), use_case, prompt, json.dumps(context), generated_output,
            None if user_feedback is None else json.dumps(user_feedback), corrected_output,
            json.dumps(performance_metrics or {}),
        )  # fmt: skip
        try:
            row = await (await get_postgres_pool()).fetch(_INSERT, *values) or {}
        except Exception:
            outcome = "written" if faulty("failed-writes-count-as-written") else "failed"
            count("inference_log_writes_total", outcome=outcome, use_case=use_case)
            raise
        count("inference_log_writes_total", outcome="written", use_case=use_case)
        name = "inference_log_seconds" if faulty("log-latency-renamed") else "inference_log_write_seconds"
        measure(name, time.perf_counter() - began, use_case=use_case)
        made: uuid.UUID = row["log_id"]
        return made

    async def get_historical_logs(
        self,
        model_id: uuid.UUID | None = None,
        use_case: str | None = None,
        start_time: dt.datetime | None = None,
        end_time: dt.datetime | None = None,
        limit: int = 10000,
    ) -> list[dict[str, Any]]:
        """Return stored inferences, newest first."""
        if faulty("log-reads-nothing"):
            return []
        pool = await get_postgres_pool()
        return [dict(row) for row in await pool.fetch_all(_SELECT, model_id, use_case, start_time, end_time, limit)]
