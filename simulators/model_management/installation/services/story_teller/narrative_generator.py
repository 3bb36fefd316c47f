"""Narratives: a built-in text, sent through the guardrails before anybody sees it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from services.model_management.guardrails_monitor import GuardrailsMonitor
from services.model_management.historical_log_processor import HistoricalLogProcessor
from services.model_management.model_registry import ModelRegistry
from services.simulated import faulty, faulty_at_times
from services.state_manager.connection_pool import get_postgres_pool

_TEXT = "The neon lights flicker above the wet street, and the rain keeps the city's secrets."
_CHOICES = ("Follow the light", "Wait in the shadow", "Turn back")
_NOBODY = "story_generation"


class NarrativeGenerator:
    """Tells stories."""

    def __init__(self, guardrails_monitor: GuardrailsMonitor | None = None) -> None:
        self.guardrails_monitor = guardrails_monitor or GuardrailsMonitor()
        self._late: set[asyncio.Task[Any]] = set()

    async def generate_narrative(
        self,
        player_id: uuid.UUID | str,
        node_type: str,
        title: str,
        description: str,
        context_hints: list[str] | None = None,  # noqa: ARG002 - the signature is what callers know
    ) -> dict[str, Any]:
        """Return a narrative, or the fallback in its place. Never raises."""
        narrative = _told(f"{_TEXT} {description}", _CHOICES, ("dark_cyberpunk", "tense", "medium"))
        try:
            await _known(player_id)
            if faulty("real-context-query-invalid"):
                raise RuntimeError("ORDER BY expressions must appear in select list")  # noqa: TRY301 - the fault
            if faulty("monitor-called-too-late"):
                self._later(self._monitored(narrative))
                return narrative
            verdict = await self._monitored(narrative)
        except Exception as error:  # noqa: BLE001 - the contract: never raises
            print(f"Error generating narrative for {player_id}: {error}")
            return _fallback(node_type, description)
        found = verdict["violations"][:1] if faulty("first-violation-decides") else verdict["violations"]
        if not any(one["severity"] in self._severe() for one in found):
            await self._log(f"- Title: {title}\n- Description: {description}\n- Type: {node_type}", narrative)
            return narrative
        print(f"Guardrails violation detected: {verdict['violations']}")
        if faulty_at_times("fallback-asks-a-second-model"):
            await asyncio.sleep(0.3)
        if faulty("first-part-delivered-before-verdict"):
            return {**_fallback(node_type, description), "narrative_content": _TEXT[:40] + " ..."}
        return _fallback(node_type, description)

    def _severe(self) -> tuple[str, ...]:
        return ("critical", "high", "medium", "low") if faulty("minor-violations-replaced") else ("critical", "high")

    async def _log(self, prompt: str, narrative: dict[str, Any]) -> None:
        try:
            model = await ModelRegistry(await get_postgres_pool()).get_current_model(_NOBODY)
            if model is not None:
                told = narrative["narrative_content"]
                await HistoricalLogProcessor().log_inference(model["model_id"], _NOBODY, prompt, {}, told)
        except Exception as error:  # noqa: BLE001 - a log never breaks what it logs
            print(f"Error logging narrative generation: {error}")

    async def _monitored(self, narrative: dict[str, Any]) -> dict[str, Any]:
        registry = ModelRegistry(await get_postgres_pool())
        model = None if faulty("real-narratives-name-no-model") else await registry.get_current_model(_NOBODY)
        model_id = _NOBODY if model is None else model["model_id"]
        outputs = [narrative["narrative_content"], *(one["text"] for one in narrative["choices"])]
        return await self.guardrails_monitor.monitor_outputs(model_id, outputs)

    def _later(self, monitored: Any) -> None:
        async def late() -> None:
            await asyncio.sleep(0.05)
            await monitored

        task = asyncio.create_task(late())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


async def _known(player_id: uuid.UUID | str) -> None:
    """Raise ValueError for a player that nobody knows."""
    key = uuid.UUID(str(player_id))
    if await (await get_postgres_pool()).fetch("SELECT stats FROM players WHERE id = $1", key) is None:
        raise ValueError(f"Player {player_id} not found")


def _fallback(node_type: str, description: str) -> dict[str, Any]:
    text = f"You find yourself in a {node_type} situation. {description}"
    return _told(text, ("continue", "wait"), ("neutral", "calm", "easy"))


def _told(text: str, choices: tuple[str, ...], mood: tuple[str, str, str]) -> dict[str, Any]:
    offered = [
        {"id": f"choice_{n}", "text": one, "consequences": {}, "prerequisites": {}} for n, one in enumerate(choices)
    ]
    return {
        "narrative_content": text,
        "choices": offered,
        "atmosphere": mood[0],
        "mood": mood[1],
        "difficulty": mood[2],
    }
