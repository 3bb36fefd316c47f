"""The inference log: what is written is stored, and what cannot be written is told."""

from __future__ import annotations

import uuid
from typing import Any

from probe_ground import registered, tried, use_case
from services.model_management.historical_log_processor import HistoricalLogProcessor

_LONG = "Où est la clé ? 鍵はどこ 🔑 " * 400  # ten thousand characters, not all of them ASCII


async def log_written(marker: str) -> dict[str, Any]:
    """Write the checklist's test entry and one of its own for a tagged model, and one that must be refused."""
    model_id = await registered(marker, "log", "logged")
    processor = HistoricalLogProcessor()
    entry: dict[str, Any] = {"prompt": "Health check", "context": {}, "generated_output": "OK"}
    full: dict[str, Any] = {"prompt": f"{marker} {_LONG}", "context": {"player": {"level": 3, "tags": ["a", None]}},
            "generated_output": _LONG, "performance_metrics": {"latency_ms": 12.5, "tokens_used": 7},
            "user_feedback": {"rating": 5}, "corrected_output": "Là-bas."}  # fmt: skip
    log_id = await processor.log_inference(model_id=model_id, use_case="health_check", **entry)
    tagged = await tried(processor.log_inference(model_id=model_id, use_case=use_case(marker, "log"), **full))
    read = await tried(processor.get_historical_logs(model_id=uuid.UUID(model_id), use_case="health_check"))
    absent = str(uuid.uuid4())
    refused = await tried(processor.log_inference(model_id=absent, use_case=use_case(marker, "log"), **entry))
    return {"model_id": model_id, "log_id": str(log_id), "tagged": str(tagged["returned"]),
            "full": full, "read": [str(one["log_id"]) for one in read["returned"] or []],
            "took_s": tagged["took_s"], "refused": refused["raised"]}  # fmt: skip
