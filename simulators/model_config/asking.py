"""What a client asks of `POST /generate`, read and checked."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from simulators.model_config.seed import INSTANCES

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.serving import Request

_MODEL_ID = re.compile(r"[A-Za-z0-9]+([._-]+[A-Za-z0-9]+)*")
_MODEL_ID_LIMIT = 100


class GenerationError(Exception):
    """A generation ends with `status`, `code` and this text. `logged`: whether the worker reports it as an error."""

    def __init__(self, status: int, code: str, text: str, *, logged: bool = True, details: Any = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.logged = logged
        self.details = details


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """One request for a picture. named: the request itself names its model."""

    prompt: str
    model: str
    named: bool
    instance: str
    project: str
    options: dict[str, Any]


def _invalid(text: str) -> GenerationError:
    return GenerationError(400, "INVALID_REQUEST", text, logged=False)


def read(request: Request, default_model: str, faults: Faults) -> Asked:
    """Return what `request` asks for. Raises GenerationError."""
    body = _body(request, faults)
    prompt = _prompt(body, faults)
    named = body.get("model_id") or body.get("model")
    if faults.on("model-field-ignored"):
        named = body.get("model_id")
    if faults.on("model-id-required") and not {"model_id", "model"} & body.keys():
        raise _invalid("model_id is required")
    if not faults.on("real-invalid-model-accepted"):
        _check_model(body)
    instance = str(body.get("instance_id") or request.header("X-Instance-ID") or "default")
    if instance not in INSTANCES and not faults.on("real-any-instance-accepted"):
        raise GenerationError(404, "INSTANCE_NOT_FOUND", f"Instance not found: {instance}", logged=False)
    options = body.get("options")
    return Asked(
        prompt=prompt,
        model=str(named or default_model),
        named=bool(named),
        instance=instance,
        project=str(body.get("project_id") or ""),
        options=options if isinstance(options, dict) else {},
    )


def _body(request: Request, faults: Faults) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as error:
        text = "Expected property name or '}' in JSON at position 1"
        raise _wrong_type(faults, text, "Invalid JSON body") from error
    if not isinstance(body, dict):
        text = f"Cannot read properties of {json.dumps(body)} (reading 'prompt')"
        raise _wrong_type(faults, text, "Invalid JSON body")
    return body


def _prompt(body: dict[str, Any], faults: Faults) -> str:
    prompt = body.get("prompt")
    if prompt and not isinstance(prompt, str):
        raise _wrong_type(faults, "body.prompt.trim is not a function", "Prompt is required")
    if not isinstance(prompt, str) or not prompt.strip():
        if faults.on("missing-prompt-answers-200"):
            raise GenerationError(200, "INVALID_REQUEST", "Prompt is required", logged=False)
        raise _invalid("Prompt is required")
    return prompt


def _wrong_type(faults: Faults, raw: str, text: str) -> GenerationError:
    return GenerationError(500, "GENERATION_ERROR", raw) if faults.on("real-wrong-types-answer-500") else _invalid(text)


def _check_model(body: dict[str, Any]) -> None:
    """Refuse a malformed id. An empty `model` counts as absent: the testing page sends it for its default."""
    field = "model_id" if body.get("model_id") is not None else "model"
    model = body.get(field)
    if model is None or (field == "model" and model == ""):
        return
    if not isinstance(model, str) or len(model) > _MODEL_ID_LIMIT or not _MODEL_ID.fullmatch(model):
        raise _invalid(f"Invalid {field}: letters, digits, dots, hyphens and underscores are allowed")
