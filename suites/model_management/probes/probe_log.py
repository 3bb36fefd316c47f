"""The inference log: what is written is stored, and what cannot be written is told."""

from __future__ import annotations

import uuid
from typing import Any

from probe_ground import registered, tried, use_case
from services.model_management.historical_log_processor import HistoricalLogProcessor


async def log_written(marker: str) -> dict[str, Any]:
    """Write the checklist's test entry and one of its own for a tagged model, and one that must be refused."""
    model_id = await registered(marker, "log", "logged")
    processor = HistoricalLogProcessor()
    entry: dict[str, Any] = {"prompt": "Health check", "context": {}, "generated_output": "OK"}
    log_id = await processor.log_inference(model_id=model_id, use_case="health_check", **entry)
    tagged = await tried(processor.log_inference(model_id=model_id, use_case=use_case(marker, "log"), **entry))
    absent = str(uuid.uuid4())
    refused = await tried(processor.log_inference(model_id=absent, use_case=use_case(marker, "log"), **entry))
    return {"model_id": model_id, "log_id": str(log_id), "tagged": str(tagged["returned"]),
            "took_s": tagged["took_s"], "refused": refused["raised"]}  # fmt: skip
