"""What pytest-html shows: the verdict at the top, a row per item with its figures, and the whole item below it.

pytest-html puts rows, details and environment values into the page as HTML, so each of them is escaped here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports import details, evidence, plots, summary
from reports.escaping import one_line
from reports.markup import join, tag
from reports.outcomes import word
from reports.replay import ENTRIES, RECORD
from reports.verdict import WORST_FIRST

if TYPE_CHECKING:
    import pytest

    from reports.markup import Markup
    from reports.replay import Entry

_COLUMNS = ("Result", "Item", "Title", "Severity", "Outcome", "Measured", "Limit")
_KEYS = ("result", "testId", "title", "severity", "outcome", "measured", "limit")
_SEVERITIES = ("critical", "high", "medium", "low")
_CELL_LIMIT = 90  # characters that keep a row at two lines on a laptop; the whole text stands in the details


def pytest_configure(config: pytest.Config) -> None:
    """Take part in pytest-html's writing."""
    config.pluginmanager.register(Page(config), "recorded page")


def pytest_metadata(metadata: dict[str, Any]) -> None:
    """Show nothing of the machine that renders, and no variable of its CI system."""
    metadata.clear()


class Page:
    """Makes the head of the page, and the row and the details of each test."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._cabinet = evidence.Cabinet(Path(config.args[0]).parent)
        self._owners: dict[str, str] = {}
        self._page: Any = None

    def pytest_html_report_title(self, report: Any) -> None:
        """Keep hold of the page, whose title is known once the record is read."""
        self._page = report

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Name the columns."""
        named = zip(_KEYS, _COLUMNS, strict=True)
        cells[:] = [tag("th", title, class_="sortable", data_column_type=key) for key, title in named]

    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put the verdict and the facts of the run before everything else."""
        record = self._config.stash[RECORD]
        self._page.title = summary.title(record)
        prefix.append(details.verdict_banner(record, level="h2"))
        prefix.append(details.overview(record))
        prefix.append(details.definitions(summary.facts(record)))

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Replace the cells: what is no item's outcome (a passed set-up) is left out."""
        entry = self._entry(report)
        cells[:] = [] if entry is None else _cells(entry, cells[0])

    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Replace the log by all that is known of the item."""
        entry = self._entry(report)
        if entry is not None:
            data[:] = [self._details(entry)]

    def _entry(self, report: pytest.TestReport) -> Entry | None:
        entry = self._config.stash[ENTRIES].get(report.nodeid)
        decided = "setup" if entry is not None and entry.status == "error" else "call"
        return entry if report.when == decided else None

    def _details(self, entry: Entry) -> Markup:
        record = self._config.stash[RECORD]
        if entry.item is None:
            return details.pre(f"{entry.text}\n")
        self._owners = self._owners or evidence.owners(record)
        exhibits = [self._exhibit(entry, path) for path in evidence.paths(record, entry.item)]
        drawn = plots.drawn(entry.key, entry.item)
        return tag("div", details.item_facts(record, entry.item), drawn, exhibits, class_="item-details")

    def _exhibit(self, entry: Entry, path: str) -> Markup:
        owner = self._owners[path]
        return details.exhibit(self._cabinet.get(path)) if owner == entry.key else details.reference(path, owner)


def _cells(entry: Entry, result: str) -> list[str]:
    item = entry.item
    severity = item.severity if item else "critical"
    texts = {
        "testId": entry.key,
        "title": item.title if item else "a part of the suite itself broke",
        "severity": _ranked(_SEVERITIES.index(severity), severity, f"severity {severity}"),
        "outcome": _ranked(WORST_FIRST.index(entry.outcome), word(entry.outcome), f"outcome {entry.outcome}"),
        "measured": _short(item.measured) if item else "",
        # Without a measurement the limit is the whole sentence of the checklist: it stands in the details.
        "limit": _short(item.limit) if item and item.measured else "",
    }
    labels = dict(zip(_KEYS, _COLUMNS, strict=True))
    return [result, *(tag("td", text, class_=f"col-{key}", data_label=labels[key]) for key, text in texts.items())]


def _ranked(rank: int, text: str, class_: str) -> Markup:
    # The page sorts a column by the HTML of its cells: the hidden rank comes first.
    return join([tag("i", f"{rank:02d}", hidden="hidden"), tag("b", text, class_=class_)])


def _short(text: str) -> str:
    plain = one_line(text)
    return plain if len(plain) <= _CELL_LIMIT else f"{plain[:_CELL_LIMIT].rstrip()} …"
