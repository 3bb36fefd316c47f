"""What every look at the worker shares: how it asks, and what the log lines mean."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fixtures.values import UndecidedError, UnseenError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_lines import LogGroup
    from fixtures.log_view import LogView

_PROVIDER = r"(?:provider|ideogram|openai|gemini|stability)"
_ANSWER = r"(?:respon[ds]|answer|return|repl[iy])"
PATTERNS = {
    "fetch": r"Fetching model config for (\S+) from (\S+)",
    "fetched": r"Successfully fetched model config for (\S+)",
    "using": r"Using model config for (\S+) \(provider: ([^)]+)\)",
    "mapping": r"Applying payload mapping from model config",
    "not found": r"Model config not found for (\S+) - will use legacy mode",
    "limited": r"Failed to fetch model config for \S+: .*\b(?:429|1015)\b",
    "fetch failed": r"(?:Failed to fetch|Error fetching) model config for (\S+?):",
    "falling back": r"falling back to legacy mode",
    "legacy": r"Using legacy adapter formatRequest",
    "provider answer": (
        rf"(?i)\b{_PROVIDER}\b.*\b{_ANSWER}|\b{_ANSWER}.*\b{_PROVIDER}\b|\S API error|{_PROVIDER} failed with"
    ),
    "success": r"success.*true",
    "upload failed": r"(?i)(?:R2|upload)\b.*\b(?:fail|error)",
    "generation error": r"Generation error:",
    "retry": r"(?i)\bretry|\battempt [2-9]|\b(?:second|third) attempt",
    "memory": r"(?i)exceeded (?:its )?memory|out of memory|memory limit",
    "error": r"(?i)error",
}
CREDENTIAL = re.compile(r"(?i)authorization['\"]?\s*[:=]|bearer\s+\S|api[-_]?key['\"]?\s*[:=]|\bsk-\w{8}")
SUITE = "shakedown"  # in the user agent of every run of this suite, the earlier ones included
UNKNOWN = "nonexistent-model"
SEEDED = (
    "ideogram-v2", "gemini-veo-3.1", "gemini-2.5-flash-nano-banana", "dall-e-3", "dall-e-2", "claude-3-5-sonnet",
)  # fmt: skip
INSTANCES = ("default", "production", "development", "staging")
GENERATIONS = ("by_model_id", "by_default", "by_unknown_model", "by_model", "by_other_model", "by_both")
LEGACY = "V_2"  # what the worker reports as its model when it had no config


def generate(worker: Http, marker: str, prompt: str, *, within: float = 60, **body: Any) -> Exchange:
    """Ask for one picture; the limit of a generation is judged, so the look lasts well beyond it."""
    asked = {"prompt": f"{marker} {prompt}", "instance_id": "default", **body}
    return worker.post("/generate", json=asked, within=within)


def folder_day(moment: dt.datetime) -> str:
    """Return the first digits that keys written around a moment share: a day's worth of milliseconds since 1970."""
    return str(int(moment.timestamp() * 1000))[:5]


def delivered(generation: Exchange) -> bool:
    """Whether a generation named a picture to fetch."""
    return generation.trouble is None and generation.status == 200 and isinstance(generation.json["image_url"], str)


def slug(generation: Exchange) -> str:
    """Return what a picture's key says of the prompt that it was made for."""
    return re.sub(r"[^A-Za-z0-9]", "_", json.loads(generation.request_body)["prompt"][:50])


def served(generations: dict[str, Exchange]) -> dict[str, str]:
    """Return the model that each generation was served by, as its answer names it.

    Raises UnseenError without any: then nothing can be claimed about served generations.
    """
    found = {name: one.json["metadata"]["model"] for name, one in generations.items() if one.status == 200}
    if not found:
        raise UnseenError("not one generation of the run was served")
    return found


def own(view: LogView, name: str) -> list[LogGroup]:
    """Return what the log holds of the run's requests that were sent under `name`: none, where it holds none."""
    return [group for group in view.groups if group.carries(f"/{name})")]


def in_turn(view: LogView, names: Iterable[str]) -> dict[str, LogGroup]:
    """Return what the log holds of requests that were sent one after the other, by their names in that order."""
    return dict(zip(names, sorted(view.groups, key=lambda group: str(group.time)), strict=False))


def enough(found: list[Any], what: str) -> list[Any]:
    """Return what was found. Raises UndecidedError for nothing: it says neither that all is well nor that it is not."""
    if not found:
        raise UndecidedError(f"{what}: there is none to judge by")
    return found
