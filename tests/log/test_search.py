"""What a large log is searched with finds what a line by line reading finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.models import FileLogConfig
from fixtures import log_patterns
from fixtures.log import log
from fixtures.log_batch import BLOCK
from fixtures.log_formats import Reading, decoder
from fixtures.log_lines import LEVELS
from fixtures.log_patterns import Patterns
from fixtures.log_tally import Tally
from tests.looks import make_look

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.log_batch import Batch, Decoder
    from fixtures.log_view import LogDigest

WAYS = pytest.mark.parametrize("large", [1, 10**12], ids=["hyperscan", "re2"])
ATOMS = r"a k . \S \d \w \s \b ^ $ a* k+ a? .* \s+ (?:a|k)+ (a\S+) a{2} [ka1] (?i) (?i:k) | é \. (?P<n>a) a+? .+"
PARTS = st.sampled_from([*re.split(" ", ATOMS), " "])
REGEX = st.lists(PARTS, min_size=1, max_size=5).map("".join)
SOUP = st.lists(
    st.sampled_from(
        ["a", "k", "K", "\u212a", "\u017f", "é", "É", "1", " ", ".", "\n", "\t", "ak", "\u2028", "a k", "😀"]
    ),
    max_size=40,
).map("".join)


def _reader(name: str, patterns: Patterns) -> Decoder:
    return decoder(name, Reading(patterns=patterns, zone=ZoneInfo("UTC"), keys={}))


def _digest(patterns: Patterns, *batches: Batch) -> LogDigest:
    tally = Tally(patterns, "")
    for batch in batches:
        tally.add(batch)
    return tally.digest("it")


@WAYS
@settings(max_examples=400, deadline=None)
@given(regex=REGEX, text=SOUP)
def test_no_line_that_matches_is_passed_over(large: int, regex: str, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_patterns, "LARGE", large)
        try:
            patterns = Patterns({"it": regex})
        except ValueError:
            return
        block = f"{text}\n".encode()
        offsets = patterns.offsets(block)
    if offsets is None:
        return
    found = {block.count(b"\n", 0, offset) for offset in offsets}
    matching = {number for number, line in enumerate(text.split("\n")) if patterns.matching(line.rstrip())}
    assert matching <= found


@WAYS
def test_a_match_may_span_the_lines_of_one_record(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_patterns, "LARGE", large)
    head = "INFO 2025-11-21 10:00:00,000 views"
    text = f"{head} first\n{head} Query failed\n    at line 7\n{head} Query failed\n{head} at line 8\n"
    patterns = Patterns({"spans": r"failed\s+at line (\d)", "starts": r"^first$", "other": "^second"})
    reader = _reader("django", patterns)
    digest = _digest(patterns, reader.feed(text.encode()), reader.rest())
    assert digest.counts == {"spans": 1, "starts": 1, "other": 0}
    assert [match.groups for match in digest.found if match.name == "spans"] == [("7",)]


@WAYS
@pytest.mark.parametrize("name", ["plain", "django"])
def test_it_does_not_matter_where_blocks_end(large: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_patterns, "LARGE", large)
    rows = [
        b"INFO 2025-11-21 10:00:00,000 views Attempting model 1/8: caf\xc3\xa9",
        b"  and more\tof it",
        b"WARNING 2025-11-21 10:00:01,5 views Rate LIMIT caf\xe9 \x00 \x7f\r",
        b"",
        b"DEBUG 2026-01-01 10:00:02,123456 views Success",
        b"no head at all: attempting",
    ]
    text = b"\n".join(rows)
    patterns = {
        "attempt": r"Attempting model (\d+)/",
        "limit": "(?i)limit",
        "bad": r"caf\\xe9 \\x00 \\x7f$",
        "end": "ss$",
    }
    whole = None
    for cut in range(len(text) + 1):
        compiled = Patterns(patterns)
        reader = _reader(name, compiled)
        digest = _digest(compiled, reader.feed(text[:cut]), reader.feed(text[cut:]), reader.rest())
        whole = whole or digest
        assert digest == whole
        assert digest.counts == {"attempt": 1, "limit": 1, "bad": 1, "end": name == "plain"}  # else more follows


LINE = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "[", " ", "  - [", "2", "2025-11-2x 10:00:00 "]),
        st.sampled_from(
            ["", "2025-11-21T10:00:00Z", "2025-11-21 10:00:00.123", "2025-11-21T1:00:00", "2025-11-21 10:00:00,1+01:00"]
        ),
        st.sampled_from(["", " ", "] [", " - ", "\t", ":", " - [ "]),
        st.sampled_from(["INFO", "Warn", "warning", "ERROR", "debugger", "CRITICAL", "fatal", "noise", ""]),
        st.sampled_from(["", " 2025-11-21 x", " 1999-1", "]", "1", ": x", "é", " 202x-"]),
    ),
)


@pytest.mark.parametrize("name", ["plain", "django"])
@settings(max_examples=300, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=30))
def test_lines_that_start_like_earlier_ones_are_read_as_if_alone(name: str, lines: list[str]) -> None:
    together = _reader(name, Patterns({}))
    for _ in range(2):  # the second time, the kinds of lines are known
        batch = together.feed("".join(f"{line}\n" for line in lines).encode(), every=True)
        alone = [_reader(name, Patterns({})).feed(f"{line}\nINFO 2025-x\n".encode()) for line in lines]
        if name == "plain":
            for level in LEVELS:
                assert batch.levels[level] == sum(one.levels[level] for one in alone) - len(lines) * (level == "info")
    fresh = _reader(name, Patterns({}))
    fresh.feed("".join(f"{line}\n" for line in lines).encode(), every=True)
    fresh._kinds.known.clear()  # type: ignore[attr-defined]
    unlearnt = fresh.feed("".join(f"{line}\n" for line in lines).encode(), every=True)
    assert (batch.total, batch.levels, batch.recognised) == (unlearnt.total, unlearnt.levels, unlearnt.recognised)
    assert batch.entries == unlearnt.entries


def test_what_matches_everywhere_is_left_to_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_patterns, "LARGE", 1)
    patterns = Patterns({"any": "."})
    block = b"some words\n" * 100
    for _ in range(2):
        offsets = patterns.offsets(block)
        assert offsets is not None
        assert {offset // 11 for offset in offsets} == set(range(100))
    assert len(offsets or ()) == 100  # one per line


def test_letters_that_unicode_may_add_are_left_to_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_patterns, "LARGE", 1)
    patterns = Patterns({"it": "(?i)straße"})
    assert patterns.offsets("x\nSTRAẞE\n".encode()) == [2]
    assert patterns._quick is None


@WAYS
def test_a_log_larger_than_a_block_is_counted_in_full(
    large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_patterns, "LARGE", large)
    path = tmp_path / "debug.log"
    path.write_text("")
    source = log(FileLogConfig(kind="file", path=str(path), format="django"), make_look(tmp_path, seconds=60))
    mark = source.attach()
    calm = [f"INFO 2025-11-21 10:{n // 60:02d}:{n % 60:02d},000 views calm {'é' * (n % 50)}\n" for n in range(3000)]
    flow = [
        "INFO 2025-11-21 11:00:00,000 fallback Attempting model 1/8: a\n",
        "WARNING 2025-11-21 11:00:01,000 fallback Rate limit hit for a\nTraceback (most recent call last):\n  x\n",
        "INFO 2025-11-21 11:00:02,000 fallback Success with b\n",
    ]
    times = 3 * BLOCK // len("".join(calm)) + 1
    path.write_text("".join([*calm * times, *flow, *calm]))
    patterns = {"attempt": r"Attempting model (\d)", "limited": r"Rate limit hit for (\S+)$", "success": r"^Success"}
    view = source.since(mark, patterns)
    assert view.total == 3000 * (times + 1) + 3
    assert (view.levels["info"], view.levels["warning"]) == (3000 * (times + 1) + 2, 1)
    assert view.flow() == ["attempt", "success"]  # the record does not end after `a`: its traceback belongs to it
    assert [one.count for one in view.signatures] == [1]
    assert len(view.exceptions) == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("quota 12345 of 7", "quota # of #"),
        ("job 0123abcd left, 0123abc too", "job # left, #abc too"),
        ("id 3F2504E0-4F89-11D3-9A0C-0305E82C3301 and deadbeef", "id # and deadbeef"),
        ("first\nsecond 7", "first"),
    ],
)
def test_lines_that_differ_in_numbers_are_of_one_kind(text: str, kind: str) -> None:
    patterns = Patterns({})
    reader = _reader("django", patterns)
    other = text.translate({ord("1"): "9", ord("7"): "2"})
    rows = "".join(f"ERROR 2025-11-21 10:00:00,000 views {one}\n" for one in (text, other))
    digest = _digest(patterns, reader.feed(rows.encode()), reader.rest())
    assert [(one.text, one.count) for one in digest.signatures] == [(kind, 2)]
