"""Evaluations of a new model beside the current one, by requests of their own, each kept as a test result."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

from services.posting import EndpointError, post
from services.simulated import faulty

if TYPE_CHECKING:
    import uuid

    from services.state_manager.connection_pool import PostgreSQLPool

REQUESTS = 10
MOST_ERRORS = 0.05
MOST_SLOWDOWN = 2.0
NOTICEABLE_MS = 100.0  # less than this is a busy machine
_INSERT = """
    INSERT INTO model_test_results (candidate_model_id, current_model_id, test_type, performance_score, safety_passed,
        test_details, meets_threshold, created_at)
    VALUES ($1, $2, $3, $4, true, $5, $6, timezone('utc', clock_timestamp()))
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """What one endpoint did with a round of requests. latency_ms: the median of those that were answered."""

    errors: float
    latency_ms: float


async def is_ready(endpoint: str) -> bool:
    """Say whether an endpoint answers a minimal request."""
    try:
        await post(endpoint, {"prompt": "ready?", "context": {}, "max_tokens": 1, "temperature": 0}, 5)
    except EndpointError:
        return False
    return True


async def evaluate(pool: PostgreSQLPool, new: dict[str, Any], current: dict[str, Any], kind: str) -> bool:
    """Measure both models, keep the result, and return whether the new one may go on."""
    measured, baseline = await asyncio.gather(_measured(new), _measured(current))
    if faulty("both-models-measured-as-one"):
        measured = Measured(errors=measured.errors / 10, latency_ms=measured.latency_ms)
    good = measured.errors <= MOST_ERRORS
    slow = measured.latency_ms > max(MOST_SLOWDOWN * baseline.latency_ms, baseline.latency_ms + NOTICEABLE_MS)
    if slow and not faulty("canary-ignores-latency"):
        good = False
    details = {"requests": REQUESTS, "error_rate": measured.errors, "latency_ms": measured.latency_ms}
    details |= {"current_error_rate": baseline.errors, "current_latency_ms": baseline.latency_ms}
    if not (faulty("real-nothing-validated") or (kind == "canary" and faulty("canary-not-watched"))):
        await _keep(pool, (new["model_id"], current["model_id"]), kind, details, good=good)
    return good or faulty("real-nothing-validated") or (kind == "validation" and faulty("bad-validation-ignored"))


async def _keep(
    pool: PostgreSQLPool, models: tuple[uuid.UUID, uuid.UUID], kind: str, details: dict[str, Any], *, good: bool
) -> None:
    await pool.execute(_INSERT, *models, kind, 1.0 - details["error_rate"], json.dumps(details), good)


async def _measured(model: dict[str, Any]) -> Measured:
    if faulty("real-nothing-validated"):
        return Measured(errors=0.0, latency_ms=0.0)
    taken = await asyncio.gather(*(_once(model["configuration"]["endpoint"]) for _ in range(REQUESTS)))
    answered = [seconds for seconds in taken if seconds is not None]
    median = statistics.median(answered) * 1000 if answered else 0.0
    return Measured(errors=1 - len(answered) / REQUESTS, latency_ms=median)


async def _once(endpoint: str) -> float | None:
    began = time.perf_counter()
    try:
        await post(endpoint, {"prompt": "evaluation", "context": {}, "max_tokens": 1, "temperature": 0}, 5)
    except EndpointError:
        return None
    return time.perf_counter() - began
