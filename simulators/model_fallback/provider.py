"""The provider: Gemini's REST API for content generation, whose models can each be made to fail."""

from __future__ import annotations

import dataclasses
import random
import re
from typing import TYPE_CHECKING, Any

from simulators.controls import scope_of
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulators.clock import Clock
    from simulators.controls import Controls

# Status, Google's word for it, and its sentence.
ERRORS = {
    "429": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."),
    "503": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "404": (404, "NOT_FOUND", "models/{model} is not found for API version v1beta."),
    "unsupported": (400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    "500": (500, "INTERNAL", "An internal error has occurred."),
    "key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "denied": (403, "PERMISSION_DENIED", "Your project has been denied access."),
}
MODES = (*ERRORS, "slow", "empty")
LATENCY_S = (0.15, 0.3)  # an answer's time: far below the checklist's two seconds, since ours comes on top
SLOW_S = 7.0  # beyond the checklist's five seconds
_GENERATE = re.compile(r"/v1beta/models/([^/:]+):generateContent")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provider:
    """The provider's routes. keys: the accepted API keys. offered: the models it has."""

    clock: Clock
    controls: Controls
    keys: Collection[str]
    offered: Collection[str]
    refuses_lists: bool = False

    def answer(self, request: Request) -> Response:
        """Serve `GET /v1beta/models` and `POST /v1beta/models/{model}:generateContent`."""
        if request.header("x-goog-api-key") not in self.keys:
            return error("key", "")
        if request.path == "/v1beta/models" and request.method == "GET":
            return error("denied", "") if self.refuses_lists else json_response({"models": self._models()})
        asked = _GENERATE.fullmatch(request.path)
        if asked is None or request.method != "POST":
            return error("404", request.path)
        return self._generated(asked[1], request)

    def _models(self) -> list[dict[str, Any]]:
        methods = ["generateContent", "countTokens"]
        return [{"name": f"models/{name}", "supportedGenerationMethods": methods} for name in self.offered]

    def _generated(self, model: str, request: Request) -> Response:
        mode = self.controls.mode(model, *scope_of(request)) if model in self.offered else "404"
        if mode in ERRORS:
            return error(mode, model)
        self.clock.sleep(SLOW_S if mode == "slow" else random.uniform(*LATENCY_S))  # noqa: S311  latency, not secrecy
        parts = [] if mode == "empty" else [{"text": _said(request.json())}]
        return json_response({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]})


def error(mode: str, model: str) -> Response:
    """Return one of the provider's errors, in its shape."""
    code, status, message = ERRORS[mode]
    return json_response({"error": {"code": code, "message": message.format(model=model), "status": status}}, code)


def _said(body: Any) -> str:
    prompt = body["contents"][0]["parts"][0]["text"]
    question = prompt.rpartition("USER QUESTION:")[2].strip()
    code = f"```\nlength = {len(question)}\n```"
    return f"**Thank you.** I am doing well.\n\nYou asked: {question}\n\n{code}\n\nThat is all."
