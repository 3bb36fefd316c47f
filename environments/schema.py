"""`python -m environments.schema` writes the JSON Schema of environment files, for editors, from their models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from environments.models import EnvironmentFile, System

PATH = Path(__file__).parent / "schema.json"
_PREFIX = "Launched"


def text() -> str:
    """Return the schema as it has to stand in schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """Return the schema of an environment file.

    An environment with `launch` may leave out what its program supplies, so its instruments have definitions of their
    own, in which no key is required but the `kind` that tells them apart.
    """
    whole: dict[str, Any] = EnvironmentFile.model_json_schema()
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    whole["title"] = "An environment file"
    definitions = whole["$defs"]
    strict = whole["properties"]["systems"]
    for name in _used(System.__name__, definitions):
        definitions[_PREFIX + name] = _launched(definitions[name])
    whole["properties"]["systems"] = _launched(strict)
    whole["if"] = {"properties": {"environment": {"required": ["launch"]}}}
    whole["else"] = {"properties": {"systems": {"additionalProperties": strict["additionalProperties"]}}}
    return whole


def _used(name: str, definitions: dict[str, Any]) -> list[str]:
    """Return the definitions that one refers to, itself included, without those of texts and references."""
    found, todo = [], [name]
    while todo:
        part = todo.pop()
        if part not in found and part != "SecretRef":
            found.append(part)
            todo += [other for other in definitions if f'"#/$defs/{other}"' in json.dumps(definitions[part])]
    return found


def _launched(part: Any) -> Any:
    """Return a part of the schema in which only `kind` is required, referring to definitions of the same sort."""
    if isinstance(part, list):
        return [_launched(inner) for inner in part]
    if isinstance(part, str):
        return _renamed(part) if part.startswith("#/$defs/") else part
    if not isinstance(part, dict):
        return part
    kept = {key: _launched(inner) for key, inner in part.items()}
    if isinstance(kept.get("required"), list):
        kept["required"] = [key for key in kept["required"] if key == "kind"]
    return kept


def _renamed(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return reference if name == "SecretRef" else f"#/$defs/{_PREFIX}{name}"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
