"""Reading a record back: strictly, and with every text in it made visible before any report sees it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from reports import journal, verdict
from reports.escaping import capped, one_line, visible
from reports.record import Crash, Facts, Record, Verdict

if TYPE_CHECKING:
    from pathlib import Path

_KEY_LIMIT = 300  # ids of checks are below 150
RUN, PLAN, JOURNAL = "run.json", "plan.json", "journal.jsonl"


class RecordError(Exception):
    """A record that cannot be read, or that contradicts itself. The text names file, place, found and allowed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """A run folder as the reports see it.

    digest: SHA-256 of the file behind `record`. problem: why no test report can be drawn from it; the record then says
    NOT SIGNED OFF, whatever the file said. journal: what the journal holds, as sentences.
    """

    folder: Path
    record: Record
    source: str
    digest: str
    problem: str = ""
    journal: tuple[str, ...] = ()


def read(folder: Path) -> Reading:
    """Read the finished record of a run, else its plan. Raises RecordError when the folder holds neither."""
    if not (folder / RUN).exists() and not (folder / PLAN).exists():
        raise RecordError(f"{folder}: found neither {RUN} nor {PLAN}, allowed: the folder of a run")
    try:
        record = load(folder / RUN)
    except RecordError as error:
        return _unfinished(folder, str(error))
    return Reading(folder=folder, record=record, source=RUN, digest=_digest(folder / RUN))


def load(path: Path) -> Record:
    """Read one record file, every text made visible and cut to a readable length.

    Raises RecordError when it is missing, not strict JSON, not a record, without items, or at odds with itself.
    """
    record = _parse(path)
    if not record.items:
        raise RecordError(f"{path.name}: items: found none, allowed at least one: nothing was looked at")
    _refuse_contradictions(path.name, record)
    return record


def _parse(path: Path) -> Record:
    try:
        form = json.loads(path.read_bytes(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        return Record.model_validate(_shown(form))
    except FileNotFoundError:
        raise RecordError(f"{path.name}: no such file: the run did not finish") from None
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()[:5])
        raise RecordError(f"{path.name}: not a record of version 1: {visible(places)}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path.name}: not readable: {one_line(visible(str(error)))}") from None


def _refuse_contradictions(name: str, record: Record) -> None:
    counted = verdict.count(record.items)
    stated = {outcome: number for outcome, number in record.counts.items() if number}
    if stated != counted:
        raise RecordError(f"{name}: counts: found {stated}, allowed {counted}: what its items add up to")
    if record.verdict.decision == "GO" and verdict.decide(record.items).decision != "GO":
        raise RecordError(
            f"{name}: verdict: found GO, allowed {verdict.decide(record.items).decision} by its own items"
        )


def _unfinished(folder: Path, problem: str) -> Reading:
    source = PLAN if (folder / PLAN).exists() else RUN
    try:
        known = _parse(folder / PLAN)
    except RecordError:
        known = Record(
            run=Facts(id=folder.name, env="", systems=(), started=""), verdict=_UNSIGNED, counts={}, items={}
        )
    crashes = (Crash(where=RUN, text=problem), *known.crashes)
    return Reading(
        folder=folder,
        record=known.model_copy(update={"verdict": _UNSIGNED, "crashes": crashes}),
        source=source,
        digest=_digest(folder / source),
        problem=problem,
        journal=_journaled(folder),
    )


_UNSIGNED = Verdict(decision="NOT SIGNED OFF", exit_status=verdict.INTERRUPTED)


def _journaled(folder: Path) -> tuple[str, ...]:
    try:
        entries = list(journal.read(folder / JOURNAL))
    except FileNotFoundError:
        return (f"{JOURNAL}: no such file",)
    except (OSError, ValueError, journal.JournalError) as error:
        return (f"{JOURNAL}: {one_line(visible(str(error)))}",)
    if not entries:
        return (f"{JOURNAL}: no entry",)
    kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(entry.kind for entry in entries).items())
    text = f"{JOURNAL}: {len(entries)} entries: {kinds}; the last was written {entries[-1].at}"
    return (one_line(visible(capped(text))),)


def _shown(form: Any) -> Any:
    if isinstance(form, str):
        return visible(capped(form))
    if isinstance(form, list):
        return [_shown(part) for part in form]
    if isinstance(form, dict):
        return {one_line(visible(capped(key, _KEY_LIMIT))): _shown(part) for key, part in form.items()}
    return form


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        twice = sorted({key for key, _ in pairs if [name for name, _ in pairs].count(key) > 1})
        raise ValueError(f"found the key {twice[0]!r} twice in one object")
    return table


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"found {word}, allowed a finite number")


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
