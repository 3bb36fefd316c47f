"""The sign-off as Markdown: for a pull request, a ticket, a wiki. It says what `signoff.html` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import evidence, plots, summary
from reports.escaping import code, markdown, quoted
from reports.outcomes import word
from reports.signoff_form import fields
from reports.verdict import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.reading import Reading
    from reports.record import Item, Reason, Record
    from reports.summary import Named, SystemSummary


def page(read: Reading, notes: tuple[str, ...]) -> str:
    """Return the whole page. notes: what the renderer left out."""
    record = read.record
    parts = [
        *_verdict(record),
        *_overview(record),
        *_facts(read, notes),
        *(line for system in summary.systems(record) if system.selected for line in _system(record, system)),
        *_untouched([system for system in summary.systems(record) if not system.selected]),
        *_form(read),
    ]
    return "\n".join(parts) + "\n"


def _verdict(record: Record) -> Iterator[str]:
    yield f"# {record.verdict.decision}"
    yield f"\n{summary.headline(record)}\n"
    for crash in record.crashes:
        yield f"- **crash** {markdown(crash.where)}\n"
        yield quoted(crash.text)
        yield ""
    for reason in record.verdict.reasons:
        yield _reason(record, reason)


def _reason(record: Record, reason: Reason) -> str:
    item = record.items.get(reason.item)
    parts = [f"- **{word(reason.outcome)}** {markdown(reason.item)} ({reason.severity})"]
    parts += [f" {markdown(item.title)}"] if item else []
    figures = _figures(reason) or code(reason.message)
    parts += [f": {figures}"] if figures else []
    parts += [f". Action: {markdown(reason.action)}"] if reason.action else []
    return "".join(parts)


def _facts(read: Reading, notes: tuple[str, ...]) -> Iterator[str]:
    yield "\n## The run\n"
    yield "| | |\n|---|---|"
    for label, text in summary.facts(read.record):
        yield f"| {label} | {code(text)} |"
    yield f"| Digest of {read.source} | {code(f'sha256 {read.digest}')} |"
    narrowed = [*read.record.run.narrowed, *read.journal, *notes]
    if narrowed:
        yield "\nWhat a reader has to know:\n"
        yield from (f"- {markdown(sentence)}" for sentence in narrowed)


def _overview(record: Record) -> Iterator[str]:
    yield "\n## Overview\n"
    yield "| System | Items | Outcomes |\n|---|---|---|"
    for system in summary.systems(record):
        yield f"| {markdown(system.title)} | {sum(system.counts.values())} | {summary.tally(system.counts)} |"
    counts = count(record.items)
    yield f"| **All** | **{len(record.items)}** | **{summary.tally(counts) or 'none'}** |"


def _system(record: Record, system: SystemSummary) -> Iterator[str]:
    yield f"\n## {markdown(system.title)}"
    for section in system.sections:
        if section.looked:
            yield f"\n### {markdown(section.name)}\n"
            for named in section.looked:
                yield from _item(record, named)
    left = system.not_selected()
    if left:
        yield "\n### Not selected\n"
        yield from (f"- {markdown(name)}: {markdown(ids)}" for name, ids in left)


def _untouched(systems: list[SystemSummary]) -> Iterator[str]:
    if systems:
        yield "\n## Not looked at\n\nEvery item of these systems lies outside this run's selection.\n"
        yield from (f"- {markdown(system.title)}: {sum(system.counts.values())} items" for system in systems)


def _item(record: Record, named: Named) -> Iterator[str]:
    key, item = named
    figures = _figures(item)
    yield f"- **{word(item.outcome)}** {markdown(key)} {markdown(item.title)}" + (f": {figures}" if figures else "")
    if item.attempts > 1:
        yield f"  - decided after {item.attempts} attempts"
    for figure in item.figures:
        yield f"  - {figure.outcome}: {markdown(figure.statement)} ({markdown(summary.figure_notes(figure))})"
    if item.samples:
        yield f"  - {plots.describe(item.samples, plots.limit_of(item))}"
    for path in evidence.paths(record, item):
        yield f"  - evidence: {code(path)}"
    if item.outcome != "passed" and item.message:
        yield f"\n{quoted(item.message)}\n"


def _form(read: Reading) -> Iterator[str]:
    yield "\n## Sign-off\n"
    for title, items in summary.statements(read.record):
        yield f"\n### {markdown(title)}\n"
        for key, item in items:
            mark = "x" if item.outcome in ("passed", "attested") else " "
            yield f"- [{mark}] {markdown(key)} {markdown(item.title)}: **{word(item.outcome)}** {code(item.message)}"
    yield "\n### Decision of the people\n"
    for field in fields(read):
        answer = field.text or " / ".join(field.choices)
        yield f"- [ ] **{field.label}:** {markdown(answer) or '_______________'}"
        yield from (f"  - {markdown(line)}" for line in field.lines)


def _figures(item: Item | Reason) -> str:
    if not item.measured:
        return ""
    return f"measured {code(item.measured)}" + (f", allowed {code(item.limit)}" if item.limit else "")
