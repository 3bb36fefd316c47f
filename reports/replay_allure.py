"""What Allure shows of an item beyond its status: system, section, severity, claim, figures, checks and evidence."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import allure_commons
from allure_commons.model2 import Attachment, Label, Parameter, Status, StatusDetails, TestResult, TestStepResult

from reports import evidence, summary
from reports.escaping import markdown
from reports.outcomes import STATUS, word
from reports.replay import ENTRIES, RECORD

if TYPE_CHECKING:
    import pytest

    from reports.record import Check, Item, Outcome, Record
    from reports.replay import Entry

_SEVERITY = {"critical": "blocker", "high": "critical", "medium": "normal", "low": "minor"}
_STATUS = {"passed": Status.PASSED, "failed": Status.FAILED, "error": Status.BROKEN, "skipped": Status.SKIPPED}


def pytest_configure(config: pytest.Config) -> None:
    """Take part in Allure's writing; without its results folder there is nothing to take part in."""
    results = config.getoption("allure_report_dir")
    if results:
        dresser = Dresser(config, Path(results))
        allure_commons.plugin_manager.register(dresser)
        config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(dresser))


class Dresser:
    """Completes each result just before Allure writes it."""

    def __init__(self, config: pytest.Config, results: Path) -> None:
        self._config = config
        self._results = results
        self._entries: dict[str, tuple[int, Entry]] = {}
        self._room = evidence.TOTAL_LIMIT
        self._began = 0

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Complete the result; its status stays what the outcome of the test made it."""
        record = self._config.stash[RECORD]
        if not self._entries:
            self._begin(record)
        position, entry = self._entries[result.name]
        self._identify(record, entry, result)
        # The order of the record is the order of the report: Allure sorts by the start.
        result.start = self._began + position
        result.stop = result.start + round(entry.took_s * 1000)
        if entry.text:
            result.statusDetails = StatusDetails(message=entry.text) if entry.status != "passed" else None
        if entry.item is not None:
            result.name = f"{entry.key} {entry.item.title}"
            self._describe(record, entry.item, result)

    def _begin(self, record: Record) -> None:
        self._entries = {made.name: (n, made) for n, made in enumerate(self._config.stash[ENTRIES].values())}
        self._cabinet = evidence.Cabinet(Path(self._config.args[0]).parent)
        self._began = _milliseconds(record.run.started)
        self._write_environment(record)

    def _identify(self, record: Record, entry: Entry, result: TestResult) -> None:
        # The same item has the same history in every run, whatever its title, measures and outcome are.
        identity = hashlib.md5(entry.key.encode(), usedforsecurity=False).hexdigest()
        result.testCaseId = result.historyId = identity
        result.fullName = f"{entry.group}#{entry.key}"
        result.titlePath = [entry.group]
        result.labels = [Label(name=name, value=value) for name, value in _labels(record, entry)]
        result.links, result.attachments = [], []

    def _describe(self, record: Record, item: Item, result: TestResult) -> None:
        result.description = markdown(item.claim or item.title)
        result.parameters = [Parameter(name=name, value=value) for name, value in _figures(item)]
        result.steps = [_step(record.checks[name], result) for name in item.checks if name in record.checks]
        for path in evidence.paths(record, item):
            self._attach(result, self._cabinet.get(path))

    def _attach(self, result: TestResult, shown: evidence.Evidence) -> None:
        # Texts are attached as plain text whatever they are: nothing that a target sent is interpreted.
        data, mime, suffix = (shown.data, shown.mime, shown.mime.partition("/")[2]) if shown.data else (
            shown.text.encode(), "text/plain", "txt")  # fmt: skip
        self._room -= len(data)
        if not data or self._room < 0:
            note = shown.note or "kept in the run folder: the page would grow too large"
            result.parameters.append(Parameter(name="evidence", value=f"{shown.path}: {note}"))
            return
        # Allure's page shows a file at the first result that names it only, so each result has its own.
        source = f"{hashlib.sha256(f'{result.testCaseId} {shown.path}'.encode()).hexdigest()[:32]}-attachment.{suffix}"
        (self._results / source).write_bytes(data)
        result.attachments.append(Attachment(name=shown.path, source=source, type=mime))

    def _write_environment(self, record: Record) -> None:
        facts = {"environment": record.run.env, "decision": record.verdict.decision, "run": record.run.id}
        facts |= {"release": record.run.release, "commit": record.run.commit, "started": record.run.started}
        lines = [f"{name}={value.replace(chr(92), chr(92) * 2)}" for name, value in facts.items() if value]
        text = "\n".join(line.replace("\n", "\\n") for line in lines)
        (self._results / "environment.properties").write_text(text, encoding="utf-8")


def _labels(record: Record, entry: Entry) -> list[tuple[str, str]]:
    labels = [("framework", "pytest"), ("language", "python"), ("tag", word(entry.outcome))]
    item = entry.item
    if item is None:
        return [*labels, ("epic", "crashes"), ("parentSuite", "crashes"), ("severity", "blocker")]
    system = record.systems.get(item.system, item.system)
    return [
        *labels,
        ("tag", item.stage),
        ("epic", system),
        ("feature", item.section),
        ("parentSuite", system),
        ("suite", item.section),
        ("severity", _SEVERITY[item.severity]),
    ]


def _figures(item: Item) -> list[tuple[str, str]]:
    figures = [("outcome", word(item.outcome)), ("measured", item.measured), ("limit", item.limit)]
    attempts = str(item.attempts) if item.attempts > 1 else ""
    decided = [("figure", f"{one.outcome}: {one.statement}; {summary.figure_notes(one)}") for one in item.figures]
    return [(name, value) for name, value in [*figures, *decided, ("attempts", attempts)] if value]


def _step(check: Check, result: TestResult) -> TestStepResult:
    made = TestStepResult(name=check.claim or "check", status=_status(check.outcome), start=result.start)
    made.stop = made.start + round(check.took_s * 1000)
    made.steps = [
        TestStepResult(name=fact, status=Status.PASSED, start=made.start, stop=made.stop) for fact in check.facts
    ]
    if check.message and made.status != Status.PASSED:
        made.statusDetails = StatusDetails(message=check.message)
    return made


def _status(outcome: Outcome) -> str:
    return _STATUS[STATUS[outcome]]


def _milliseconds(moment: str) -> int:
    try:
        return round(dt.datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return 0
