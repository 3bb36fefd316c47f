"""The clients of registry, log and deployment manager: whom they ask, and how they go on without them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from probe_endpoints import SLEEP, Endpoints, Redirected
from probe_ground import lent, made_current, opened_pool, registered, rows, settled, tried, use_case
from services.ai_integration.llm_client import LLMClient
from services.ai_integration.service_coordinator import ServiceCoordinator
from services.model_management.historical_log_processor import HistoricalLogProcessor
from services.model_management.model_registry import ModelRegistry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_HANG_S = 10.0
_LATE_S = 1.0  # after the last of some entries came: one that comes twice comes then
_HELD = "SELECT model_id FROM models WHERE model_id = $1::text::uuid FOR UPDATE"
_STORED = """
    SELECT prompt, generated_output AS text FROM model_historical_logs
    WHERE model_id = $1::text::uuid AND prompt LIKE $2 ORDER BY timestamp
"""


LAYERS = ("foundation", "customization", "interaction", "coordination")


class Away:
    """A registry that is away, in one of three ways; `times` failures later it works, by `registry`."""

    def __init__(self, way: str, registry: Any = None, times: int = 1_000_000) -> None:
        self._way, self._registry, self._left = way, registry, times

    async def get_current_model(self, use_case: str) -> Any:
        """Fail, hang or know nothing; later, ask the registry."""
        if self._left <= 0:
            return await self._registry.get_current_model(use_case)
        self._left -= 1
        if self._way == "hangs":
            await SLEEP(60)
        if self._way == "refuses":
            raise ConnectionError("the registry is away")
        return None


class Manager:
    """A deployment manager that deploys nothing and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def deploy_model(self, new_model_id: Any, current_model_id: Any, strategy: str = "") -> bool:
        """Take an order."""
        self.asked.append([str(new_model_id), str(current_model_id), strategy])
        return True


async def wiring(marker: str) -> dict[str, Any]:
    """Hand a client its registry and a coordinator its manager; return whom they turned to."""
    endpoints = Endpoints()
    await endpoints.open()
    wired = {}
    for layer in LAYERS:
        model_id = await registered(marker, f"wiring_{layer}", layer, endpoints.url(layer))
        await made_current(model_id)
        registry: Any = Redirected(ModelRegistry(await opened_pool()), use_case(marker, f"wiring_{layer}"), layer)
        client = LLMClient(model_registry=registry)
        answer = await client.generate_text(layer, f"{marker} wiring", {})
        await client.close()
        reached = [one.status for one in endpoints.tagged(layer, marker)]
        wired[layer] = {"model_id": model_id, "answer": answer, "reached": reached}
    manager: Any = Manager()
    ids = {"new_model_id": "new", "current_model_id": "old"}
    coordinator = ServiceCoordinator(deployment_manager=manager)
    await tried(coordinator.coordinate_model_deployment(**ids, use_case="none", strategy="canary"))
    return {"layers": wired, "asked": manager.asked}


async def outage(marker: str) -> dict[str, Any]:
    """Ask for a text while the registry refuses, hangs and knows nothing, and once more when it works again."""
    endpoints = Endpoints()
    await endpoints.open()
    await made_current(await registered(marker, "outage", "back", endpoints.url("back")))
    seen: dict[str, Any] = {}
    for way in ("refuses", "hangs", "knows nothing"):
        away: Any = Away(way)
        client = LLMClient(model_registry=away)
        asked = await tried(client.generate_text("foundation", f"{marker} {way}", {}))
        status = await settled(client.get_service_status())
        seen[way] = {**asked, "url": status["foundation"]["url"]}
        await client.close()
    back: Any = Away("refuses", Redirected(ModelRegistry(await opened_pool()), use_case(marker, "outage")), times=1)
    client = LLMClient(model_registry=back)
    first = await tried(client.generate_text("foundation", f"{marker} before", {}))
    second = await tried(client.generate_text("foundation", f"{marker} after", {}))
    await client.close()
    seen["returns"] = {"first": first, "second": second, "reached": len(endpoints.tagged("back", "after"))}
    return seen


async def log_trouble(marker: str, patience_s: float) -> dict[str, Any]:
    """Ask for texts while the log store works, stalls, raises, hangs for ten seconds, and fails its first three writes.

    patience_s: how long entries whose write failed are waited for.
    """
    endpoints = Endpoints()
    await endpoints.open()
    model_id = await registered(marker, "journal", "journaled", endpoints.url("journaled"))
    await made_current(model_id)
    registry: Any = Redirected(ModelRegistry(await opened_pool()), use_case(marker, "journal"))
    store = HistoricalLogProcessor.log_inference
    left = [3]

    async def raises(_: Any, *__: Any, **___: Any) -> Any:
        raise ConnectionError("the log store is away")

    async def hangs(_: Any, *__: Any, **___: Any) -> Any:
        await SLEEP(_HANG_S)

    async def stumbles(self: Any, *given: Any, **named: Any) -> Any:
        # Entries of the clients before may still be tried again: they are no part of this.
        left[0] -= f"{marker} entry " in repr((given, named))
        if left[0] >= 0:
            raise ConnectionError("the log store is away")
        return await store(self, *given, **named)

    seen: dict[str, Any] = {"works": await _timed(registry, marker, "works")}
    logged = await _stored(model_id, f"{marker} works", patience_s)
    seen["logged"] = [row["text"] for row in logged]
    seen["stalls"] = await _with_stalled_database(model_id, _timed(registry, marker, "stalls"))
    try:
        for name, double in {"raises": raises, "hangs": hangs}.items():
            seen[name] = await _with_store(double, _timed(registry, marker, name))
        seen["stumbles"] = await _with_store(stumbles, _written_later(registry, marker, model_id, patience_s))
    finally:
        HistoricalLogProcessor.log_inference = store  # type: ignore[method-assign]  # the real one again
    return seen


async def _with_stalled_database(model_id: str, work: Awaitable[Any]) -> Any:
    """Hold the row of a model of our own, for which every new entry about that model, and nothing else, has to wait."""
    async with lent() as connection:
        await connection.execute("BEGIN")
        try:
            await connection.fetch(_HELD, model_id)
            return await work
        finally:
            await connection.execute("ROLLBACK")


async def _with_store(double: Callable[..., Awaitable[Any]], work: Awaitable[Any]) -> Any:
    HistoricalLogProcessor.log_inference = double  # type: ignore[method-assign, assignment]  # the log store's double
    return await work


async def _timed(registry: Any, marker: str, name: str) -> dict[str, Any]:
    client = LLMClient(model_registry=registry)
    asked = [await tried(client.generate_text("foundation", f"{marker} {name}", {}), 1.5) for _ in range(3)]
    answers = [(one["returned"] or {}).get("text", one["raised"]) for one in asked]
    # A write that is waited for slows every one of them; a busy machine seldom does.
    return {"answers": answers, "fastest_s": min(one["took_s"] for one in asked)}


async def _written_later(registry: Any, marker: str, model_id: str, patience_s: float) -> dict[str, Any]:
    client = LLMClient(model_registry=registry)
    for number in range(3):
        await tried(client.generate_text("foundation", f"{marker} entry {number}", {}))
    await _stored(model_id, f"{marker} entry ", patience_s)
    await SLEEP(_LATE_S)
    stored = await _stored(model_id, f"{marker} entry ", 0)
    return {"stored": [row["prompt"].rpartition(" ")[2] for row in stored]}


async def _stored(model_id: str, words: str, patience_s: float) -> list[dict[str, Any]]:
    """Return what is stored of the prompts that begin so, once there are three, or as it is when patience ends."""
    end = time.monotonic() + patience_s
    while len(found := await rows(_STORED, model_id, f"{words}%")) < 3 and time.monotonic() < end:
        await SLEEP(0.05)
    return found
