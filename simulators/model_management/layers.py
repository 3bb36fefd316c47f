"""The layers' language models: small HTTP services that answer every prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.serving import Listener, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.faults import Faults
    from simulators.serving import Request, Response

_UNLOADED = {"interaction": "interaction-model-not-loaded", "coordination": "coordination-model-not-loaded"}
NAMES = ("foundation", "customization", "interaction", "coordination")


class Layers:
    """One endpoint a layer. endpoints: where the registered models are; hard_coded: where the client looks without."""

    def __init__(self, faults: Faults) -> None:
        listeners = {name: Listener() for name in NAMES}
        for name, listener in listeners.items():
            listener.serve(_answering(name, faults))
        self.endpoints = {name: f"{listener.url}/generate" for name, listener in listeners.items()}
        self.hard_coded = dict(self.endpoints)


def _answering(layer: str, faults: Faults) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if request.method != "POST" or request.path != "/generate":
            return json_response({"detail": "Not Found"}, 404)
        if layer in _UNLOADED and faults.on(_UNLOADED[layer]):
            return json_response({"detail": "model is not loaded"}, 500)
        if layer == "coordination" and faults.on("coordination-model-says-nothing"):
            return json_response({"text": None, "tokens_used": 0})
        prompt = str(request.json().get("prompt", ""))
        return json_response({"text": f"The {layer} layer has read {len(prompt)} characters.", "tokens_used": 12})

    return answer
