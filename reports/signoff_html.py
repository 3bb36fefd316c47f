"""The sign-off as one page of HTML without a script: on a phone, on a desk, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reports import details, evidence, plots, summary
from reports.markup import Markup, join, tag
from reports.signoff_form import fields

if TYPE_CHECKING:
    from reports.reading import Reading
    from reports.record import Item, Record
    from reports.signoff_form import Field
    from reports.summary import Section, SystemSummary

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # nothing is fetched, nothing runs


def page(read: Reading, notes: tuple[str, ...]) -> Markup:
    """Return the whole page. notes: what the renderer left out."""
    return _Page(read, notes).whole()


class _Page:
    def __init__(self, read: Reading, notes: tuple[str, ...]) -> None:
        self._read = read
        self._record: Record = read.record
        self._notes = notes
        self._cabinet = evidence.Cabinet(read.folder)
        self._owners = evidence.owners(read.record)

    def whole(self) -> Markup:
        style = "".join((_HERE / name).read_text(encoding="utf-8") for name in ("palette.css", "signoff.css"))
        head = tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", summary.title(self._record)),
            tag("style", Markup(style)),
        )
        systems = summary.systems(self._record)
        body = tag(
            "main",
            self._masthead(),
            details.verdict_banner(self._record),
            tag("section", tag("h2", "Overview"), details.overview(self._record)),
            self._run(),
            [self._system(system) for system in systems if system.selected],
            _untouched([system for system in systems if not system.selected]),
            self._form(),
            tag("footer", f"Drawn from {self._read.source}, sha256 {self._read.digest}"),
        )
        return join([Markup("<!doctype html>\n"), tag("html", head, "\n", tag("body", body), lang="en")])

    def _masthead(self) -> Markup:
        run = self._record.run
        told = " · ".join(part for part in (run.env, run.release, run.commit, summary.moment(run.started)) if part)
        return tag("header", tag("p", "Deployment sign-off", class_="eyebrow"), tag("p", told), class_="masthead")

    def _run(self) -> Markup:
        known = [*self._record.run.narrowed, *self._read.journal, *self._notes]
        return tag(
            "section",
            tag("h2", "The run"),
            details.definitions(summary.facts(self._record)),
            tag("ul", [tag("li", sentence) for sentence in known], class_="known") if known else None,
        )

    def _system(self, system: SystemSummary) -> Markup:
        left = system.not_selected()
        return tag(
            "section",
            tag("h2", system.title),
            [self._section(section) for section in system.sections if section.looked],
            [tag("h3", "Not selected"), details.definitions(left, class_="figures-of not-selected")] if left else None,
        )

    def _section(self, section: Section) -> Markup:
        return tag("section", tag("h3", section.name), [self._item(key, item) for key, item in section.looked])

    def _item(self, key: str, item: Item) -> Markup:
        label = tag("div", details.badge(item.outcome), tag("span", key, class_="key"), class_="label")
        told = tag(
            "div",
            tag("h4", item.title, " ", tag("span", item.severity, class_=f"severity {item.severity}")),
            tag("p", item.claim) if item.claim and item.claim.rstrip(".") != item.title.rstrip(".") else None,
            _figures(item),
            details.pre(item.message) if item.message and item.outcome != "passed" else None,
            tag("p", tag("b", "Action: "), item.action) if item.outcome == "failed" and item.action else None,
            tag("p", f"Decided only after {item.attempts} attempts.") if item.attempts > 1 else None,
            details.figures(item),
            plots.drawn(key, item),
            [self._exhibit(key, path) for path in evidence.paths(self._record, item)],
        )
        return tag("article", label, told, class_=f"item {item.outcome}", id=key)

    def _exhibit(self, key: str, path: str) -> Markup:
        owner = self._owners[path]
        return details.exhibit(self._cabinet.get(path)) if owner == key else details.reference(path, owner)

    def _form(self) -> Markup:
        return tag(
            "section",
            tag("h2", "Sign-off"),
            [_statements(title, items) for title, items in summary.statements(self._record)],
            tag("dl", [_field(field) for field in fields(self._read)], class_="form"),
        )


def _untouched(systems: list[SystemSummary]) -> Markup:
    rows = [tag("li", f"{system.title}: {sum(system.counts.values())} items") for system in systems]
    told = "Every item of these systems lies outside this run's selection."
    return tag("section", tag("h2", "Not looked at"), tag("p", told), tag("ul", rows)) if rows else Markup()


def _figures(item: Item) -> Markup:
    return details.definitions([("Measured", item.measured), ("Allowed", item.limit)], class_="figures-of")


def _statements(title: str, items: list[tuple[str, Item]]) -> Markup:
    rows = [
        tag("tr", tag("th", item.title, " ", tag("span", key, class_="severity"), scope="row"),
            tag("td", details.badge(item.outcome), tag("br"), item.message))
        for key, item in items
    ]  # fmt: skip
    return tag("section", tag("h3", title), tag("table", tag("tbody", rows), class_="statements"))


def _field(field: Field) -> Markup:
    answer = [_choice(word_, ticked=word_ == field.text) for word_ in field.choices] if field.choices else field.text
    lines = tag("ul", [tag("li", line) for line in field.lines]) if field.lines else None
    return tag("div", tag("dt", field.label), tag("dd", answer, lines))


def _choice(text: str, *, ticked: bool) -> Markup:
    box = tag("span", class_="box ticked" if ticked else "box", aria_hidden="true")
    return tag("span", box, tag("b", text) if ticked else text, class_="choice")
