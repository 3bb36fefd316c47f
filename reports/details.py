"""The parts of a page that tell about a run and its items, shared by the test report and the sign-off page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import summary
from reports.markup import Child, Markup, join, tag
from reports.outcomes import MEANING, word
from reports.verdict import WORST_FIRST, count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.evidence import Evidence
    from reports.record import Crash, Item, Outcome, Reason, Record


_DECIDED: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "inconclusive": "inconclusive"}


def badge(outcome: Outcome) -> Markup:
    """Return an outcome's word in its colour, its meaning as tooltip."""
    return tag("b", word(outcome), class_=f"outcome {outcome}", title=MEANING[outcome])


def verdict_banner(record: Record, *, level: str = "h1") -> Markup:
    """Return the decision, what it means, and each reason for it."""
    decision = record.verdict.decision
    banner = tag(
        "section",
        tag("p", "Verdict", class_="eyebrow"),
        tag(level, decision, class_="decision"),
        tag("p", summary.headline(record), class_="headline"),
        tag("p", summary.tally(record.counts), class_="tally") if record.counts else None,
        class_=f"verdict {decision.lower().replace(' ', '-')}",
    )
    return join([banner, reasons(record)])


def overview(record: Record) -> Markup:
    """Return the systems of the run side by side, each with its outcomes, and all of them together."""
    systems = summary.systems(record)
    cards = [_card(system.title, system.counts, system.selected) for system in systems if system.selected]
    chosen = sum(system.selected for system in systems)
    total = _card("All systems", count(record.items), chosen) if len(systems) != 1 else None
    return tag("ul", cards, total, class_="cards")


def _card(title: str, counts: dict[Outcome, int], selected: int) -> Markup:
    present = [outcome for outcome in WORST_FIRST if counts.get(outcome)]
    judged = [outcome for outcome in present if outcome != "not_selected"]
    bar = [tag("i", class_=outcome, style=f"flex: {counts[outcome]}") for outcome in judged]
    rows = [
        tag("div", tag("dt", word(outcome), class_=outcome), tag("dd", str(counts[outcome]))) for outcome in present
    ]
    return tag(
        "li",
        tag("h3", title),
        tag("p", f"{selected} of {sum(counts.values())} items in this run", class_="quiet"),
        tag("div", bar, class_="bar-of-outcomes", aria_hidden="true") if bar else None,
        tag("dl", rows, class_="counts"),
        class_="card",
    )


def reasons(record: Record) -> Markup:
    """Return what broke, and the items in the way of a GO, worst first, each with its figures and its action."""
    crashed = [_crash(crash) for crash in record.crashes]
    listed = [_reason(record, reason) for reason in record.verdict.reasons]
    return tag("ol", crashed, listed, class_="reasons") if crashed or listed else Markup()


def _crash(crash: Crash) -> Markup:
    label = tag("b", "crash", class_="outcome error")
    return tag("li", label, tag("div", tag("p", crash.where), pre(crash.text)), class_="reason")


def _reason(record: Record, reason: Reason) -> Markup:
    item = record.items.get(reason.item)
    figures = summary.measured_against(reason) if reason.measured else reason.message
    head = tag(
        "p",
        tag("a", reason.item, href=f"#{reason.item}"), " ",
        item.title if item else None, " ",
        tag("span", reason.severity, class_=f"severity {reason.severity}"),
    )  # fmt: skip
    told = [
        tag("p", figures, class_="figures") if figures else None,
        tag("p", "Action: ", reason.action, class_="action") if reason.action else None,
    ]
    return tag("li", badge(reason.outcome), tag("div", head, told), class_="reason")


def definitions(pairs: Iterable[tuple[str, Child]], *, class_: str = "facts") -> Markup:
    """Return labels and what they stand for; an empty text leaves its label out."""
    rows = [tag("div", tag("dt", label), tag("dd", told)) for label, told in pairs if told]
    return tag("dl", rows, class_=class_) if rows else Markup()


def pre(text: str) -> Markup:
    """Return text of several lines as it is; a single line becomes a paragraph."""
    return tag("pre", text, "\n") if "\n" in text else tag("p", text)


def item_facts(record: Record, item: Item) -> Markup:
    """Return everything the record knows about an item besides its title, outcome and evidence."""
    checks = [record.checks[name] for name in item.checks if name in record.checks]
    held = [fact for check in checks for fact in check.facts]
    return definitions(
        [
            ("Outcome", f"{word(item.outcome)}: {MEANING[item.outcome]}"),
            ("Claim", item.claim),
            ("Found", pre(item.message) if item.message else None),
            ("Measured", item.measured),
            ("Allowed", item.limit),
            ("Figures", figures(item)),
            ("Held", _list(held)),
            ("Attempts", f"{item.attempts}: decided only after retries" if item.attempts > 1 else None),
            ("Action", item.action),
            ("Stage", f"{item.stage}, {item.kind}, {item.severity}, {item.safety}"),
            ("Checklist", f"{item.system}, {item.section}" + (f", {item.source}" if item.source else "")),
            ("Checks", _list(item.checks)),
            ("Observed", _list(_look(record, name) for name in item.observations)),
        ]
    )


def _list(texts: Iterable[str]) -> Markup | None:
    rows = [tag("li", text) for text in texts]
    return tag("ul", rows) if rows else None


def _look(record: Record, name: str) -> str:
    look = record.observations.get(name)
    if look is None:
        return name
    told = f"{name}: {look.state}" + (f", {look.reason}" if look.reason else f" in {look.took_s:.2f} s")
    return f"{told}; {summary.clock(look)}" if look.offset_s is not None else told


def figures(item: Item) -> Markup | None:
    """Return each figure that was decided: its sentence, and how it was decided."""
    rows = [
        tag("li", tag("b", figure.outcome, class_=f"outcome {_DECIDED[figure.outcome]}"), " ", figure.statement,
            tag("p", summary.figure_notes(figure), class_="quiet"))
        for figure in item.figures
    ]  # fmt: skip
    return tag("ul", rows, class_="decided") if rows else None


def exhibit(evidence: Evidence) -> Markup:
    """Return one piece of evidence: an image, a text, or why it is not shown."""
    if evidence.data:
        return tag(
            "figure",
            tag("img", src=evidence.data_uri, alt=f"Evidence: {evidence.path}", loading="lazy"),
            tag("figcaption", evidence.path),
        )
    if evidence.text:
        return tag("details", tag("summary", evidence.path), tag("pre", evidence.text, "\n"))
    return tag("p", f"{evidence.path}: {evidence.note}", class_="quiet")


def reference(path: str, owner: str) -> Markup:
    """Return where on the page a piece of evidence is shown."""
    return tag("p", f"{path}: shown at ", tag("a", owner, href=f"#{owner}"), class_="quiet")
