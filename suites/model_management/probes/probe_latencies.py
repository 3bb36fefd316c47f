"""How long the parts take, on an idle system: each list holds the seconds of single calls."""

from __future__ import annotations

import time
from typing import Any

from probe_ground import made_current, opened_pool, registered, rows, tagged_player, use_case
from probe_guardrails import GOOD, Judge, narrated
from services.model_management.guardrails_monitor import GuardrailsMonitor
from services.model_management.historical_log_processor import HistoricalLogProcessor
from services.model_management.model_registry import ModelRegistry

_MODEL = "SELECT model_id FROM models WHERE model_id = $1::text::uuid"
_ENTRY = "SELECT log_id FROM model_historical_logs WHERE log_id = $1::text::uuid"
_LONG = "A long walk through the old town. " * 1500  # 50 kB, as the checklist asks for
_REAL = f"{GOOD} The neon lights flicker above the wet street, and nobody is in a hurry. " * 20


async def latencies(marker: str) -> dict[str, Any]:
    """Measure lookups, registrations, log writes, verdicts and fallbacks, one after the other."""
    model_id = await registered(marker, "latency", "timed")
    await made_current(model_id)
    pool, player = await opened_pool(), await tagged_player(marker)
    registry, name = ModelRegistry(pool), use_case(marker, "latency")
    await registry.get_current_model(name)  # opens the connection
    return {
        "lookups": [await _taken(registry.get_current_model(name)) for _ in range(400)],
        "fresh lookups": [await _taken(ModelRegistry(pool).get_current_model(name)) for _ in range(200)],
        "registrations": [await _registration(marker, number) for number in range(100)],
        "log writes": [await _log_write(model_id, name, number) for number in range(400)],
        "verdicts": [await _taken(GuardrailsMonitor().monitor_outputs(model_id, [_REAL])) for _ in range(100)],
        "fallbacks": [await _fallback(marker, player) for _ in range(100)],
    }


async def _taken(work: Any) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _registration(marker: str, number: int) -> float:
    began = time.perf_counter()
    await _visible(_MODEL, await registered(marker, "latency", f"registered-{number}"))
    return time.perf_counter() - began


async def _log_write(model_id: str, name: str, number: int) -> float:
    prompt = _LONG if number % 10 == 0 else "A short walk."
    began = time.perf_counter()
    written = await HistoricalLogProcessor().log_inference(model_id, name, prompt, {}, "A text.")
    await _visible(_ENTRY, str(written))
    return time.perf_counter() - began


async def _visible(sql: str, key: str) -> None:
    end = time.monotonic() + 5
    while not await rows(sql, key) and time.monotonic() < end:
        pass


class _Stopwatch(Judge):
    """A monitor that finds everything critical and remembers when it said so."""

    said: float = 0.0

    async def monitor_outputs(self, model_id: Any, outputs: list[str]) -> dict[str, Any]:
        """Return the verdict."""
        verdict = await super().monitor_outputs(model_id, outputs)
        self.said = time.perf_counter()
        return verdict


async def _fallback(marker: str, player: Any) -> float | None:
    judge = _Stopwatch("critical")
    await narrated(judge, player, marker)
    return time.perf_counter() - judge.said if judge.said else None
