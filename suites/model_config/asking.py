"""What every look at the worker shares: how it asks, and what the log lines mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fixtures.values import UnseenError

if TYPE_CHECKING:
    import datetime as dt

    from fixtures.exchange import Exchange
    from fixtures.http import Http

PATTERNS = {
    "fetch": r"Fetching model config for (\S+) from (\S+)",
    "fetched": r"Successfully fetched model config for (\S+)",
    "using": r"Using model config for (\S+) \(provider: ([^)]+)\)",
    "mapping": r"Applying payload mapping from model config",
    "not found": r"Model config not found for (\S+) - will use legacy mode",
    "fetch failed": r"(?:Failed to fetch|Error fetching) model config for (\S+?):",
    "falling back": r"falling back to legacy mode",
    "legacy": r"Using legacy adapter formatRequest",
    "provider answer": r"(?i)provider \S+ (?:responded|answered|did not respond|returned)|\S+ API (?:error|responded)",
    "success": r"success.*true",
    "upload failed": r"(?i)(?:R2|upload)\b.*\b(?:fail|error)",
    "generation error": r"Generation error:",
    "retry": r"(?i)\bretry",
    "error": r"(?i)error",
}
UNKNOWN = "nonexistent-model"
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


def served(generations: dict[str, Exchange]) -> dict[str, str]:
    """Return the model that each generation was served by, as its answer names it.

    Raises UnseenError without any: then nothing can be claimed about served generations.
    """
    found = {name: one.json["metadata"]["model"] for name, one in generations.items() if one.status == 200}
    if not found:
        raise UnseenError("not one generation of the run was served")
    return found
