"""The registry, the settings it runs with, and its pool, as the installation's own interpreter sees them."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import socket
import time
import urllib.request
from typing import Any

from probe_ground import BrokenPool, made_current, opened_pool, registered, rows, settled, tried, use_case
from services.ai_integration.llm_client import LLMClient
from services.model_management.deployment_manager import DeploymentManager
from services.model_management.guardrails_monitor import GuardrailsMonitor
from services.model_management.historical_log_processor import HistoricalLogProcessor
from services.model_management.model_registry import ModelRegistry

LAYERS = ("foundation_layer", "customization_layer", "interaction_layer", "coordination_layer")
NAMES = (
    "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "MODEL_REGISTRY_ENABLED",
    "HISTORICAL_LOGGING_ENABLED", "GUARDRAILS_MONITORING_ENABLED", "DEPLOYMENT_STRATEGY_DEFAULT",
)  # fmt: skip
_CONNECTED = """
    SELECT current_database()::text AS database, current_user::text AS "user",
        (SELECT system_identifier::text FROM pg_control_system()) AS system
"""
_CURRENT = "SELECT count(*) AS n FROM models WHERE use_case = $1 AND status = 'current'"
_HANDLES = 256  # more than a pool opens
_LOOKUPS = 60  # a pool of fifty that never gets one kind back is empty before
_AT_ONCE, _ROUNDS = 20, 6  # a pool of fifty that keeps one connection in two is empty after five rounds


async def settings() -> dict[str, Any]:
    """Return the variables of the checklist, and what the installation's own connection says of itself."""
    connected = await tried(rows(_CONNECTED))
    found = connected.pop("returned") or []
    variables = {name: os.environ.get(name) for name in NAMES}
    return {"variables": variables, "rows": found, "ports": _ports(), **connected}


def _ports() -> list[str]:
    """Return the ports that this process is connected to, as it dialled them: the server behind them may use others."""
    found = set()
    for handle in range(_HANDLES):
        with contextlib.suppress(OSError):  # no socket, or one that is connected to nobody
            found.add(_port(socket.socket(fileno=handle)))
    return sorted(found - {""})


def _port(borrowed: socket.socket) -> str:
    try:
        peer = borrowed.getpeername()
    finally:
        borrowed.detach()  # it is somebody else's to close
    return str(peer[1]) if isinstance(peer, tuple) else os.fsdecode(peer).rpartition(".")[2]


async def pool_use() -> dict[str, Any]:
    """Take connections twenty at a time, again and again until a round fails, and return what each round came to."""
    await opened_pool()  # as a service does when it starts: a cold pool would be opened by all twenty

    async def one() -> int:
        (row,) = await rows("SELECT 1 AS one")
        return int(row["one"])

    rounds: list[dict[str, Any]] = []
    while len(rounds) < _ROUNDS and not any(seen["raised"] or seen["hung"] for seen in rounds):
        rounds.append(await tried(asyncio.gather(*(one() for _ in range(_AT_ONCE)))))
    return {"answered": [seen["returned"] for seen in rounds], "raised": [seen["raised"] for seen in rounds],
            "looked_up": await _looked_up(), "lent": (await tried(one()))["returned"]}  # fmt: skip


async def _looked_up() -> list[str]:
    """Look up what is there, what is not, and what cannot be, more often than a pool has connections."""
    registry = ModelRegistry(await opened_pool())
    for _ in range(_LOOKUPS):
        seen = [await tried(registry.get_current_model(name)) for name in ("foundation_layer", "verify_nothing")]
        seen.append(await tried(registry.get_model("no id")))  # raises, and has to give its connection back too
        troubles = [one["raised"] for one in seen[:2]] + ["hung" for one in seen if one["hung"]]
        if any(troubles):
            return [one for one in troubles if one]
    return []


async def lookups() -> dict[str, Any]:
    """Return the current model of every layer, each from a registry built without arguments."""
    seen = {layer: await tried(ModelRegistry().get_current_model(layer)) for layer in LAYERS}
    return {
        layer: {**one, "returned": json.loads(json.dumps(one["returned"], default=str))} for layer, one in seen.items()
    }


async def registration(marker: str) -> dict[str, Any]:
    """Register a model, refuse its double, promote it and its successor, and let promotions race."""
    given = {"model_path": "/models/verified", "performance_metrics": {"p95": 0.5}, "resource_requirements": {"gpu": 1}}
    endpoint = "http://127.0.0.1:9/generate"
    first = await registered(marker, "registry", "first", endpoint, **given)
    double = await tried(registered(marker, "registry", "first", endpoint))
    second = await registered(marker, "registry", "second", endpoint)
    third = await registered(marker, "status", "third")
    registry, seen = ModelRegistry(await opened_pool()), []
    for model_id in (first, second):
        await registry.update_model_status(model_id, "current")
        seen.append(await tried(registry.get_current_model(use_case(marker, "registry"))))
    for status in ("current", "deprecated"):
        await registry.update_model_status(third, status)
    current = [str((one["returned"] or {}).get("model_id")) for one in seen]
    gone = await tried(registry.get_current_model(use_case(marker, "status")))
    return {"first": first, "second": second, "third": third, "double": double["raised"], "current": current,
            "gone": gone["returned"], "took_s": sum(one["took_s"] for one in seen)}  # fmt: skip


async def race(marker: str) -> dict[str, Any]:
    """Promote two models of one use case at the same moment, again and again; return how many were current after it."""
    left = []
    rivals = [await registered(marker, "race", name) for name in ("left", "right")]
    for _ in range(12):
        await asyncio.gather(*(made_current(model_id) for model_id in rivals))
        (row,) = await rows(_CURRENT, use_case(marker, "race"))
        left.append(int(row["n"]))
    return {"current": left}


# A model's endpoint is asked as the clients ask it: past whatever proxy the machine's variables name.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def endpoints(models: dict[str, str | None], prompt: str) -> dict[str, Any]:
    """Ask the endpoint of each layer for a text; return its status, whether there is a text, and the seconds.

    A model without an endpoint of its own is asked where the client asks its layer.
    """
    client = LLMClient()
    usual = await settled(client.get_service_status())
    await client.close()
    return {layer: _asked(url or usual[layer.removesuffix("_layer")]["url"], prompt) for layer, url in models.items()}


def _asked(url: str, prompt: str) -> dict[str, Any]:
    began = time.perf_counter()
    body = json.dumps({"prompt": prompt, "context": {}, "max_tokens": 8, "temperature": 0}).encode()
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - the registry's own
        with _DIRECT.open(request, timeout=10) as answer:
            found = json.loads(answer.read())
            text = found.get("text") if isinstance(found, dict) else None
            said = text.strip() if isinstance(text, str) else ""
            return {"status": answer.status, "text": said, "took_s": time.perf_counter() - began}
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"status": getattr(error, "code", 0), "text": "", "took_s": 0.0, "error": str(error)}


async def broken_health(marker: str) -> dict[str, Any]:
    """Ask every part for its health with a database that is away; return which of them say that something is wrong."""
    broken: Any = BrokenPool()
    lookup = await tried(ModelRegistry(broken).get_current_model("foundation_layer"))
    verdict = await GuardrailsMonitor(broken).monitor_outputs("00000000-0000-0000-0000-000000000001", ["violence"])
    model_id = await registered(marker, "health", "healthy")
    deployed = await DeploymentManager(broken).deploy_model(model_id, model_id, "all_at_once")
    absent = "00000000-0000-0000-0000-000000000002"  # no model has this id
    log = await tried(HistoricalLogProcessor().log_inference(absent, use_case(marker, "health"), "p", {}, "o"))
    return {
        "registry": bool(lookup["raised"]),
        "guardrails": not verdict["compliant"] and "error" in verdict["details"],
        "deployment manager": deployed is False,
        "historical log": bool(log["raised"]),
    }
