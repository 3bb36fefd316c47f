"""Logs that are written, read and looked into by the tests of the log instrument."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from environments.models import FileLogConfig
from fixtures.log import Log, log
from fixtures.log_formats import Reading, decoder
from fixtures.log_patterns import Patterns

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.log_batch import Batch
    from fixtures.log_view import LogView
    from fixtures.look import Look

ATTEMPTS = {"attempt": r"Attempting model (\d+)/(\d+): (\S+)", "success": r"^Success with (\S+)", "boom": "boom"}
FLOW = {
    "fetch": r"^Fetching model config for (\S+) from (\S+)$",
    "fetched": r"^Successfully fetched model config for (\S+)$",
    "using": r"^Using model config for (\S+) \(provider: (\S+)\)$",
    "mapping": r"^Applying payload mapping from model config$",
    "legacy": r"^Using legacy adapter formatRequest$",
    "error": r"(?i)error",
}
GOOD = (
    "Fetching model config for ideogram-v2 from https://api.example.test",
    "Successfully fetched model config for ideogram-v2",
    "Using model config for ideogram-v2 (provider: ideogram)",
    "Applying payload mapping from model config",
)


def log_file(path: Path, look: Look, name: str = "plain", **more: Any) -> Log:
    return log(FileLogConfig(kind="file", path=str(path), format=name, **more), look)


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def stamp(ago: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]


def texts(view: LogView) -> list[str]:
    return [line.text for line in view.lines]


def tail_event(tag: str, *messages: str, level: str = "log", **more: Any) -> dict[str, Any]:
    at = 1_795_222_303_403
    logs = [{"message": [text], "level": level, "timestamp": at + n} for n, text in enumerate(messages)]
    headers = {"user-agent": f"shakedown/{tag}", "cf-ray": "9a"}
    request = {"url": "https://images.example.test/generate", "method": "POST", "headers": headers, "cf": {"colo": "X"}}
    return {
        "wallTime": 1250, "cpuTime": 3, "truncated": False, "outcome": "ok", "scriptName": "image-gen",
        "exceptions": [], "logs": logs, "eventTimestamp": at,
        "event": {"request": request, "response": {"status": 200}}, **more,
    }  # fmt: skip


def tailed(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(event, indent=2) + "\n" for event in events)


def read(name: str, data: bytes, patterns: dict[str, str] | None = None, *, every: bool = False) -> Batch:
    reading = Reading(patterns=Patterns(patterns or {}), zone=ZoneInfo("UTC"), keys={})
    reader = decoder(name, reading)
    batch, rest = reader.feed(data, every=every), reader.rest()
    batch.total += rest.total
    batch.levels.update(rest.levels)
    batch.entries += rest.entries
    batch.notes.update(rest.notes)
    return batch
