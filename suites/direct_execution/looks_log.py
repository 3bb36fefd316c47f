"""Looks at the functions' log."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observing import observation
from fixtures.values import UndecidedError

from .asking import KeyAnswer, digest, words_of

if TYPE_CHECKING:
    from fixtures.log import Log
    from fixtures.log_lines import LogLine
    from fixtures.log_view import LogMark, LogView

    Facts = dict[str, Any]

FUNCTIONS = ("get-api-key", "kie-ai-webhook", "process-runware-response", "generate-content-sync")
PATTERNS = {
    "retrieved": r"^API key retrieval successful$",
    "not retrieved": r"^(?:Failed to retrieve API key|Error in get-api-key function)",
    "key handed out": r"^POST \| 200 \| \S*/get-api-key",
    "key refused": r"^POST \| (?:40[024-9]|410|429|5\d\d) \| \S*/get-api-key",
    "probed": r"shakedown=",
    "turned away": r"^POST \| 4\d\d \| ",
    "webhook success": r"^generation_completed$",
    "error of get-api-key": r"^(?:Failed to retrieve API key|Error in get-api-key function)",
    "error of kie-ai-webhook": r"^error$|SECURITY LAYER \d FAILED",
    "error of generate-content-sync": r"^(?:Provider error|Transaction error|Generation failed)$",
    "error of process-runware-response": r"^Processing failed",
    **{f"call of {name}": rf"^POST \| \d+ \| \S*/{name}(?:[?\s]|$)" for name in FUNCTIONS},
}


@observation(within="90 s")
def attached(edge_log: Log) -> LogMark:
    """The functions' log, before the run's first call."""
    return edge_log.attach()


def about(view: LogView, name: str, model: str) -> list[Any]:
    """Return the matches of a pattern whose line is about a model."""
    return [one for one in view.matches[name] if one.line.labels.get("metadata.modelId") == model]


@observation(within="180 s")
def key_log(
    edge_log: Log,
    marker: str,
    attached: LogMark,
    key_of_test_pair: KeyAnswer,
    unknown_pair: KeyAnswer,
    keys: dict[str, Any],
) -> LogView:
    """What the log holds of the run's key calls, a minute after them at the latest."""

    def complete(view: LogView) -> bool:
        calls = len(about(view, "retrieved", key_of_test_pair.model))  # one with all models', and one by itself
        logged = {one.line.labels.get("metadata.modelId") for one in view.matches["retrieved"]}
        served = {one.model for one in keys.values() if one.status == 200}
        return calls > 1 and served <= logged and view.counts["not retrieved"] > 0

    return edge_log.since(attached, PATTERNS, keep=marker, until=complete, within=60)


@observation(within="180 s")
def keys_in_log(
    edge_log: Log, attached: LogMark, key_log: LogView, keys: dict[str, Any], held_secrets: list[dict[str, str]]
) -> dict[str, Any]:
    """How many lines were written since the run began, and in which functions' lines a secret stands."""
    known = {one.digest for one in keys.values() if one.digest}
    known |= {one["digest"] for one in held_secrets if "KEY" in one["name"]}
    lengths = {one.length for one in keys.values() if one.length}

    def shows(line: LogLine) -> bool:
        return bool(known & {digest(word) for word in words_of([line.text, *line.labels.values()], lengths)})

    view = edge_log.since(attached, {"every line": ""}, only=shows)  # all are looked at, whatever their number
    return {"lines": view.total, "shown by": sorted({line.labels.get("function", "?") for line in view.lines})}


@observation(within="180 s")
def unset_key_log(edge_log: Log, marker: str, attached: LogMark, unset_key: dict[str, KeyAnswer]) -> LogView:
    """What the log holds of the key whose secret was not set."""
    model = unset_key["without"].model
    return edge_log.since(
        attached, PATTERNS, keep=marker, until=lambda view: bool(about(view, "not retrieved", model)), within=30
    )


@observation(within="300 s")
def since_release(edge_log: Log, marker: str, facts: Facts) -> LogView:
    """The functions' log since the release."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    window_s = (dt.datetime.now(dt.UTC) - deployed).total_seconds()
    return edge_log.past(PATTERNS, window_s=window_s, keep=marker)


@observation(within="300 s")
def function_calls(edge_log: Log, facts: Facts) -> LogView:
    """The functions' calls and errors, as their log has them from a day before the release on."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    window_s = (dt.datetime.now(dt.UTC) - deployed).total_seconds() + 24 * 3600
    wanted = {
        name: text for name, text in PATTERNS.items() if name.startswith(("call of", "error of", "probed", "turned"))
    }
    return edge_log.past(wanted, window_s=window_s)


@observation(within="300 s")
def finished_log(edge_log: Log, facts: Facts) -> LogView:
    """What the log holds of finished asynchronous generations since the release."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    window_s = (dt.datetime.now(dt.UTC) - deployed).total_seconds()
    return edge_log.past({"webhook success": PATTERNS["webhook success"]}, window_s=window_s)


@pytest.fixture(scope="session")
def told_finished(finished_log: LogView) -> list[dict[str, Any]]:
    """What each success entry tells of its generation: its id, its provider, and its duration.

    A duration is given in seconds and in thousandths of what is logged, since loggers measure in milliseconds, too;
    none is given where no number above 0 is logged. Raises UndecidedError where not all entries are known.
    """
    entries = [one.line.labels for one in finished_log.matches["webhook success"]]
    if finished_log.counts["webhook success"] > len(entries):
        raise UndecidedError(f"the log has more success entries than the {len(entries)} that were kept")
    return [
        {
            "id": labels.get("generationId", labels.get("metadata.generationId", "")),
            "provider": labels.get("provider", labels.get("metadata.provider", "")),
            "durations": durations(labels.get("duration", labels.get("metadata.duration", ""))),
        }
        for labels in entries
    ]


def durations(logged: str) -> tuple[float, ...]:
    """Return the seconds that a logged duration may stand for; nothing where it is no number above 0."""
    try:
        number = float(logged)
    except ValueError:
        return ()
    return (number, number / 1000) if 0 < number < float("inf") else ()
