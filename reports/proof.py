"""Reads a written report back and counts what it shows: a report that lost a test, or is torn, is no report."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import TYPE_CHECKING

from reports import replay

if TYPE_CHECKING:
    from pathlib import Path

    from reports.outcomes import Status
    from reports.record import Record

Counts = Counter[str]

_BLOB = re.compile(r'data-jsonblob="([^"]*)"')
_XUNIT: dict[str, Status] = {"failure": "failed", "error": "error", "skipped": "skipped"}
_ALLURE = {"broken": "error"}


class ProofError(Exception):
    """A report that does not show what the record holds."""


def expected(record: Record) -> Counts:
    """Count the tests that every format has to show, by status."""
    return Counter(entry.status for entry in replay.entries(record))


def prove(shown: Counts, record: Record, name: str) -> None:
    """Raise ProofError when a report shows other totals than its record."""
    wanted = expected(record)
    if shown != wanted:
        raise ProofError(f"{name}: found {dict(shown)}, allowed {dict(wanted)}: what the record holds")


def junit(path: Path) -> Counts:
    """Count the test cases of a JUnit file by status. Raises ProofError for XML that is none."""
    try:
        cases = ET.parse(path).getroot().iter("testcase")  # noqa: S314 -- written by our own pytest a moment ago
        return Counter(next((_XUNIT[part.tag] for part in case if part.tag in _XUNIT), "passed") for case in cases)
    except ET.ParseError as error:
        raise ProofError(f"{path.name}: found broken XML: {error}") from None


def test_report(path: Path) -> Counts:
    """Count the tests in pytest-html's data by status. Raises ProofError when there is none."""
    blob = _BLOB.search(path.read_text(encoding="utf-8"))
    if blob is None:
        raise ProofError(f"{path.name}: found no data, allowed the table of pytest-html")
    tests = json.loads(html.unescape(blob[1]))["tests"].values()
    return Counter(row["result"].lower() for rows in tests for row in rows)


def allure(results: Path) -> Counts:
    """Count the results of Allure by status."""
    found = (json.loads(path.read_text(encoding="utf-8"))["status"] for path in results.glob("*-result.json"))
    return Counter(_ALLURE.get(status, status) for status in found)


def prove_samples(path: Path, record: Record) -> None:
    """Raise ProofError unless pytest-benchmark holds exactly the samples of the record."""
    wanted = {key: list(item.samples) for key, item in record.items.items() if item.samples}
    shown = {part["name"]: part["stats"]["data"] for part in json.loads(path.read_text())["benchmarks"]}
    if shown != wanted:
        raise ProofError(f"{path.name}: found samples of {sorted(shown)}, allowed those of {sorted(wanted)}")
