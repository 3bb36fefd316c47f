"""Inference: the current model's endpoint, the hard-coded one without it, and a polite text without both."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from typing import TYPE_CHECKING, Any

from services.ai_integration.inference_journal import InferenceJournal
from services.posting import ENDPOINTS, LAYERS, EndpointError, post
from services.simulated import faulty

if TYPE_CHECKING:
    from services.model_management.model_registry import ModelRegistry

FALLBACKS = {
    "foundation": "I understand you're looking for information. Let me help you with that.",
    "interaction": "I'm here to help. What would you like to know?",
    "customization": "Based on your preferences, here's what I recommend.",
    "coordination": "Let me coordinate the best response for your situation.",
}
_RETRIES = 3
_THRESHOLD = 5
_OPEN_S = 60.0
_REGISTRY_S = 1.0  # a registry that takes longer is as good as none


@dataclasses.dataclass
class Layer:
    """What the client knows of one layer. opened: monotonic seconds of the last failure."""

    url: str
    failures: int = 0
    opened: float = 0.0


class LLMClient:
    """Generates texts, layer by layer."""

    def __init__(self, model_registry: ModelRegistry | None = None) -> None:
        self.model_registry = model_registry
        self.llm_services = {layer: Layer(ENDPOINTS[layer]) for layer in LAYERS}
        self._journal = InferenceJournal()
        self._kept: dict[str, dict[str, Any] | None] = {}
        self._sent = random.randrange(100)  # noqa: S311 - no secret: many clients with few requests each keep to a share too

    async def generate_text(
        self, layer: str, prompt: str, context: dict[str, Any], max_tokens: int = 1000, temperature: float = 0.7
    ) -> dict[str, Any]:
        """Return a generated text, or the layer's fallback. Raises ValueError for an unknown layer."""
        if layer not in self.llm_services:
            raise ValueError(f"Unknown LLM layer: {layer}")
        service = self.llm_services[layer]
        if service.failures >= _THRESHOLD and time.monotonic() < service.opened + _OPEN_S:
            return self._fallback(layer, f"Circuit breaker open for {layer}", None)
        model = await self._model(layer)
        model_id = None if model is None else model["model_id"]
        url = service.url if model is None else model.get("configuration", {}).get("endpoint") or service.url
        if faulty("endpoints-hard-coded") or (layer != LAYERS[0] and faulty("other-layers-hard-coded")):
            url = service.url
        payload = {"prompt": prompt, "context": context, "max_tokens": max_tokens, "temperature": temperature}
        began = time.perf_counter()
        answer = await self._asked(layer, str(url), payload)
        taken = round((time.perf_counter() - began) * 1000, 3)
        if answer is None:
            error = f"Service {layer} unavailable after {_RETRIES} retries"
            result = self._fallback(layer, error, model_id)
            metrics: dict[str, Any] = {"error": error, "fallback_used": True}
        else:
            result = {"success": True, "text": answer["text"], "tokens_used": answer.get("tokens_used", 0),
                      "service": layer, "layer": layer, "model_id": model_id, "latency_ms": taken}  # fmt: skip
            metrics = {"latency_ms": taken, "tokens_used": answer.get("tokens_used", 0)}
            metrics |= {"temperature": temperature, "max_tokens": max_tokens}
        if model_id is not None:
            entry = {"model_id": model_id, "use_case": f"{layer}_layer", "prompt": prompt, "context": context}
            await self._journal.keep({**entry, "generated_output": result["text"], "performance_metrics": metrics})
        return result

    async def _asked(self, layer: str, url: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        for attempt in range(_RETRIES):
            try:
                answer = await post(url, payload)
                if "text" in answer:
                    return answer
            except EndpointError:
                pass
            service = self.llm_services[layer]
            service.failures += 1
            service.opened = time.monotonic()
            if attempt < _RETRIES - 1:
                await asyncio.sleep(2.0 * (attempt + 1))
        return None

    async def _model(self, layer: str) -> dict[str, Any] | None:
        """Return the model that this request goes to; None when the registry does not say."""
        if self.model_registry is None:
            return None
        once = faulty("real-registry-asked-once")
        if once and layer in self._kept:
            return self._kept[layer]
        patience = 60.0 if faulty("real-hanging-registry-blocks") else _REGISTRY_S
        try:
            model = await asyncio.wait_for(self.model_registry.get_current_model(f"{layer}_layer"), patience)
        except Exception as error:  # whatever the registry does, there is a hard-coded endpoint
            print(f"Error updating models from registry: {error}")
            if faulty("registry-errors-reach-callers"):
                raise
            model = None
            if faulty("fallback-endpoint-cached"):
                self.model_registry = None
        self._kept[layer] = model
        return model if model is None else self._routed(model)

    def _routed(self, model: dict[str, Any]) -> dict[str, Any]:
        """Return the challenger for its share of the requests."""
        challenger, share = model.get("challenger"), int(model.get("share") or 0)
        if challenger is None:
            return model
        if faulty("share-decided-once-per-client"):
            return model
        if faulty("canary-gets-a-third"):
            share = max(share, 33)
        self._sent += 1
        return challenger if self._sent * share % 100 < share else model

    def _fallback(self, layer: str, error: str, model_id: str | None) -> dict[str, Any]:
        return {"success": False, "error": error, "fallback": True, "text": FALLBACKS[layer], "model_id": model_id}

    async def get_service_status(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each layer."""
        return {
            layer: {
                "url": service.url,
                "circuit_breaker_state": "CLOSED" if service.failures < _THRESHOLD else "OPEN",
                "failure_count": service.failures,
                "success_count": 0,
                "retry_count": 0,
                "weight": 1,
                "request_count": 0,
            }
            for layer, service in self.llm_services.items()
        }

    async def reset_circuit_breaker(self, name: str) -> bool:
        """Close a layer's circuit breaker; tells whether there is such a layer."""
        if name in self.llm_services:
            self.llm_services[name].failures = 0
        return name in self.llm_services

    async def close(self) -> None:
        """Write what is still to be logged."""
        await self._journal.flush()
