"""A pytest plugin that reads `run.json` as a test file: each item of the record is a test with that outcome.

pytest-html, Allure, JUnit and pytest-benchmark then write their reports by their own means, from one source.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.junitxml import xml_key  # the one way to the properties of a whole test suite without a fixture

from reports import reading
from reports.escaping import ascii_name
from reports.outcomes import STATUS, word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reports.outcomes import Status
    from reports.record import Crash, Item, Outcome, Record

RECORD = pytest.StashKey["Record"]()
ENTRIES = pytest.StashKey[dict[str, "Entry"]]()


class UnprovenError(Exception):
    """The item is neither a yes nor seen to fail; the formats show it as an error."""


class RefutedError(AssertionError):
    """The item was seen not to hold."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One test to be: an item of the record, or a crash (then `item` is None).

    group: `system.section`, as JUnit's class name. text: why it did not pass, for a person.
    """

    key: str
    name: str
    group: str
    status: Status
    outcome: Outcome
    text: str
    took_s: float
    properties: tuple[tuple[str, str], ...]
    item: Item | None = None

    @property
    def nodeid(self) -> str:
        """The test's id, the same in all formats."""
        return f"{self.group}::{self.name}"


class RecordedTest(pytest.Item):
    """A test that ends as its item ended."""

    def __init__(self, *, entry: Entry, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.entry = entry
        self.user_properties = list(entry.properties)

    def setup(self) -> None:
        """Stop here when the item could not be decided: pytest calls what breaks before a test an error."""
        if self.entry.status == "error":
            raise UnprovenError(self.entry.text)

    def runtest(self) -> None:
        """End as the item ended."""
        if self.entry.status == "failed":
            raise RefutedError(self.entry.text)
        if self.entry.status == "skipped":
            pytest.skip(self.entry.text)


class RecordFile(pytest.File):
    """`run.json` as a collector."""

    def collect(self) -> Iterator[RecordedTest]:
        """Yield one test per item and per crash, in the order of the record."""
        for entry in self.config.stash[ENTRIES].values():
            yield RecordedTest.from_parent(self, name=entry.name, nodeid=entry.nodeid, entry=entry)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Read the record named on the command line. Raises reading.RecordError, which ends the session."""
    if file_path.name != reading.RUN:
        return None
    record = reading.load(file_path)
    parent.config.stash[RECORD] = record
    parent.config.stash[ENTRIES] = {entry.nodeid: entry for entry in entries(record)}
    _describe_suite(parent.config, record)
    return RecordFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport | None:
    """Report the recorded text in place of a traceback of ours, and the recorded duration in place of the replay's."""
    if not isinstance(item, RecordedTest) or call.when == "collect":
        return None
    skipped = call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception)
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="passed" if call.excinfo is None else "skipped" if skipped else "failed",
        longrepr=_explanation(item.entry, skipped=skipped) if call.excinfo else None,
        when=call.when,
        duration=item.entry.took_s if call.when == _decided_in(item.entry) else 0.0,
        user_properties=item.user_properties,
    )


def entries(record: Record) -> list[Entry]:
    """Return the tests to be, with unique names, in the order of the record."""
    made = [_entry(record, key, item) for key, item in record.items.items()]
    made += [_crash(number, crash) for number, crash in enumerate(record.crashes, start=1)]
    return list(_unique(made))


def _entry(record: Record, key: str, item: Item) -> Entry:
    return Entry(
        key=key,
        name=ascii_name(f"{key} {item.title}"),
        group=".".join(map(_slug, (item.system, *item.section.split("/")))),
        status=STATUS[item.outcome],
        outcome=item.outcome,
        text=explanation(item),
        took_s=sum(record.checks[name].took_s for name in item.checks if name in record.checks),
        properties=tuple(_properties(record, key, item)),
        item=item,
    )


def explanation(item: Item) -> str:
    """Return what became of an item, why, measured against what, and what the checklist says to do."""
    lines = [f"{word(item.outcome)}: {item.message or item.claim or item.title}"]
    lines += [f"{name}: {text}" for name, text in (("measured", item.measured), ("limit", item.limit)) if text]
    if item.outcome == "failed" and item.action:
        lines.append(f"action: {item.action}")
    return "\n".join(lines)


def _properties(record: Record, key: str, item: Item) -> Iterator[tuple[str, str]]:
    yield "item", key
    for name in ("title", "system", "section", "stage", "severity", "outcome", "measured", "limit"):
        yield name, getattr(item, name)
    yield from (("figure", f"{figure.outcome}: {figure.statement}") for figure in item.figures)
    if item.attempts > 1:
        yield "attempts", str(item.attempts)
    for name in item.observations:
        if name in record.observations:
            yield from (("evidence", path) for path in record.observations[name].evidence)


def _crash(number: int, crash: Crash) -> Entry:
    return Entry(
        key=f"crash-{number}",
        name=ascii_name(f"crash-{number} {crash.where}"),
        group="crashes",
        status="error",
        outcome="error",
        text=f"error: {crash.where}\n{crash.text}",
        took_s=0.0,
        properties=(("outcome", "error"), ("where", crash.where)),
    )


def _unique(made: list[Entry]) -> Iterator[Entry]:
    # A test is known by its name: two that look alike in ASCII must stay two.
    seen: set[str] = set()
    for entry in made:
        tries = itertools.chain([entry.name], (f"{entry.name} ({number})" for number in itertools.count(2)))
        name = next(name for name in tries if name not in seen)
        seen.add(name)
        yield dataclasses.replace(entry, name=name)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")


def _explanation(entry: Entry, *, skipped: bool) -> str | tuple[str, int, str]:
    return (reading.RUN, 1, f"Skipped: {entry.text}") if skipped else entry.text


def _decided_in(entry: Entry) -> str:
    return "setup" if entry.status == "error" else "call"


def _describe_suite(config: pytest.Config, record: Record) -> None:
    junit = config.stash.get(xml_key, None)
    if junit is None:
        return
    facts = record.run.model_dump(include={"id", "env", "release", "commit", "started", "finished"})
    for name, text in {**facts, "decision": record.verdict.decision}.items():
        junit.add_global_property(name, text)
