"""A model config as JSON: how a row becomes an answer, and what a body must hold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.serving import Request

_STATUSES = ("active", "beta", "deprecated")
_REQUIRED = ("model_id", "provider_id", "display_name", "capabilities", "payload_mapping", "status")
_MAPPING = ("endpoint", "method", "headers", "body", "response_mapping")
_COLUMNS = ("display_name", "description", "capabilities", "pricing", "rate_limits", "payload_mapping", "status")
_JSON_COLUMNS = ("capabilities", "pricing", "rate_limits", "payload_mapping")


class RefusedError(Exception):
    """The request is answered with `status` and this text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as the API delivers it: JSON columns parsed, empty ones left out."""
    config = dict(row)
    for column in _JSON_COLUMNS:
        if config[column] is None:
            del config[column]
            continue
        try:
            config[column] = json.loads(config[column])
        except ValueError:
            continue  # a damaged column is delivered as it stands
    return config


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body. Raises RefusedError."""
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError(400, "Invalid JSON body")
    return body


def cells(body: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that `body` gives, JSON encoded where the column is."""
    given = {column: body[column] for column in _COLUMNS if body.get(column) is not None}
    return {column: json.dumps(cell) if column in _JSON_COLUMNS else cell for column, cell in given.items()}


def check_status(status: object) -> None:
    """Raise RefusedError unless `status` is one that a config may have."""
    if status not in _STATUSES:
        raise RefusedError(400, f"Invalid status. Must be one of: {', '.join(_STATUSES)}")


def validated(body: dict[str, Any]) -> dict[str, Any]:
    """Return `body` when a config may be created from it. Raises RefusedError."""
    if missing := [field for field in _REQUIRED if not body.get(field)]:
        raise RefusedError(400, f"Missing required fields: {', '.join(missing)}")
    if not re.fullmatch(r"[a-z0-9-]+", str(body["model_id"])):
        raise RefusedError(400, "Invalid model_id format. Must be lowercase alphanumeric with hyphens")
    check_status(body["status"])
    mapping, capabilities = body["payload_mapping"], body["capabilities"]
    if not isinstance(mapping, dict) or any(part not in mapping for part in _MAPPING):
        raise RefusedError(400, f"Invalid payload_mapping. Must include: {', '.join(_MAPPING)}")
    if not isinstance(capabilities, dict) or True not in capabilities.values():
        raise RefusedError(400, "At least one capability must be true")
    return body
