"""Each format states level, time and fields of its lines."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.log_formats import Reading, decoder
from fixtures.log_lines import LEVELS
from fixtures.log_patterns import Patterns
from fixtures.values import decode, encode
from tests.log.reading import append, log_file, read, texts

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.look import Look


PLAIN = [
    ("2025-11-21T10:00:00Z INFO up", "info", "2025-11-21T10:00:00+00:00"),
    ("[2025-11-21 10:00:00,250] [ERROR] down", "error", "2025-11-21T10:00:00.250000+00:00"),
    ("2025-11-21 10:00:00.123456+01:00 - warning - odd", "warning", "2025-11-21T10:00:00.123456+01:00"),
    ("WARN: no time", "warning", None),
    ("[FATAL] no time", "critical", None),
    ("Error: boom", "error", None),
    ("INFORMATION is no level word", "info", None),
    ("error_count=0", "info", None),
    ("errors: 0", "info", None),
    ("2025-11-21T10:00:00Z nothing said", "info", "2025-11-21T10:00:00+00:00"),
    ("critical", "critical", None),
]


@pytest.mark.parametrize(("text", "level", "when"), PLAIN, ids=range(len(PLAIN)))
def test_plain_lines_state_level_and_time(text: str, level: str, when: str | None) -> None:
    (entry,) = read("plain", text.encode() + b"\n").entries
    (line,) = entry.lines
    expected = level if text != "error_count=0" else "error"  # an underscore ends a word, as a blank does
    assert (line.text, line.level) == (text, expected)
    assert line.time == (dt.datetime.fromisoformat(when) if when else None)


def test_django_joins_tracebacks_and_reads_times_in_the_configured_zone(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "debug.log"
    path.write_text("")
    source = log_file(path, look, "django", timezone="Europe/Berlin")
    mark = source.attach()
    append(path, "orphan of an earlier record\n")
    append(path, "ERROR 2025-11-21 10:00:00,000 views Chat message processing failed: boom\n")
    append(path, "Traceback (most recent call last):\n  File 'x'\n\nWARNING: quoted in a traceback\nValueError: boom\n")
    append(path, "WARNING 2025-11-21 10:00:01,000 model_fallback Rate limit hit for a (attempt 1/2): 429\n")
    view = source.since(mark, {"failed": "processing failed", "value": r"ValueError: (\w+)", "limit": "Rate limit hit"})
    assert (view.total, view.levels["error"], view.levels["warning"]) == (3, 1, 1)
    assert view.counts == {"failed": 1, "value": 1, "limit": 1}
    assert view.exceptions[0].text.endswith("ValueError: boom")
    assert view.matches["value"][0].groups == ("boom",)
    assert view.first == dt.datetime(2025, 11, 21, 9, tzinfo=dt.UTC)
    assert [event.level for event in view.events] == ["error", "warning"]
    assert view.flow(names=["limit", "value"]) == ["value", "limit"]


def test_json_lines_keep_their_fields(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    source = log_file(path, look, "json-lines", keys={"group": "job"})
    mark = source.attach()
    at = "2025-11-21T10:00:00Z"
    rows = [
        {"time": 1763719200000, "level": 50, "msg": "failed\nbadly", "job": "j1", "code": 7, "deep": {"a": 1}},
        {"timestamp": at, "severity": "WARNING", "message": "slow", "job": "j2", "user": "shk-test"},
        {"ts": 1763719200.5, "level": "info", "msg": {"a": [1]}, "job": "j1"},
        {"ts": 1763719200.5, "level": 20, "verb": "no message", "job": "j3"},
    ]
    append(path, "".join(json.dumps(row) + "\n" for row in rows) + "not json\n[1]\n\n" + '{"msg":"\\ud800 half"}')
    patterns = {
        "failed": "failed",
        "slow": "^slow$",
        "object": r'"a":\[1\]',
        "raw": "not json",
        "half": r"\\ud800",
        "all": '"verb":',
    }
    view = decode(encode(source.since(mark, patterns, keep="shk-test")))
    assert view.counts == dict.fromkeys(patterns, 1)
    assert (view.total, view.levels["error"], view.levels["debug"]) == (7, 1, 1)
    failed = view.matches["failed"][0].line
    assert (failed.labels, failed.group) == ({"code": "7", "deep.a": "1"}, "j1")
    assert failed.time == dt.datetime(2025, 11, 21, 10, tzinfo=dt.UTC)
    assert view.flows(["failed", "slow", "object"])["j1"] == ["failed", "object"]
    assert view.flow("j2") == ["slow"]
    assert [kind.text for kind in view.signatures] == ["failed"]  # the warning carries the marker


def test_what_matters_is_found_among_lines_that_do_not(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    source = log_file(path, look)
    mark = source.attach()
    rows = [f"2025-11-21T10:00:{second:02d}Z INFO calm {second}" for second in range(60)]
    rows[20] = "2025-11-21T10:00:20Z ERROR disk 7 full"
    rows[40] = "2025-11-21T10:00:40Z INFO from shk-test"
    append(path, "\n".join(rows) + "\n")
    view = source.since(mark, {"never": "never"}, keep="shk-test")
    assert (view.total, view.levels["error"], view.levels["info"]) == (60, 1, 59)
    assert [kind.text for kind in view.signatures] == ["#-#-#T#:#:#Z ERROR disk # full"]
    assert texts(view) == [rows[40]]
    assert (view.first, view.last) == (
        dt.datetime(2025, 11, 21, 10, tzinfo=dt.UTC),
        dt.datetime(2025, 11, 21, 10, 0, 59, tzinfo=dt.UTC),
    )


WORDS = st.sampled_from(
    [
        "INFO",
        "ERROR ",
        "boom",
        "bo",
        "om",
        "\n",
        "\r\n",
        " ",
        "é",
        "WARN",
        "2025-11-21 10:00:00,1 ",
        "m x",
        "Attempting",
    ]
)
SOUP = st.lists(WORDS, max_size=60).map("".join)


@pytest.mark.parametrize("name", ["plain", "django"])
@settings(max_examples=150, deadline=None)
@given(text=SOUP, cut=st.integers(0, 200))
def test_looking_at_some_lines_counts_the_same_as_looking_at_all(name: str, text: str, cut: int) -> None:
    patterns = {"boom": "bo+m", "either": "INFO|Attempt(ing)? *m", "dot": "o.m", "folded": "(?i)warn"}
    data = text.encode()
    by_line = read(name, data, patterns, every=True)
    reading = Reading(patterns=Patterns(patterns), zone=ZoneInfo("UTC"), keys={})
    reader = decoder(name, reading)
    batches = [reader.feed(data[:cut]), reader.feed(data[cut:]), reader.rest()]
    assert Patterns(patterns).offsets(b"x") is not None  # the fast way is the one under test
    assert sum(batch.total for batch in batches) == by_line.total
    assert {level: sum(batch.levels[level] for batch in batches) for level in LEVELS} == {
        level: by_line.levels[level] for level in LEVELS
    }
    matching = Patterns(patterns).matching
    fast = [(line.text, matching(line.text)) for batch in batches for entry in batch.entries for line in entry.lines]
    slow = [(line.text, matching(line.text)) for entry in by_line.entries for line in entry.lines]
    assert [one for one in fast if one[1]] == [one for one in slow if one[1]]


@pytest.mark.parametrize("pattern", ["[^b]", r"a\nb", r"\Aa", "(?s)a.b", r"a\x0a", "[[:space:]]", r"\Qa\E"])
def test_patterns_that_may_span_lines_are_searched_by_lines(pattern: str) -> None:
    assert Patterns({"it": pattern}).offsets(b"x\na\nb\n") is None


def test_groups_of_one_name_in_two_patterns_do_not_clash() -> None:
    patterns = Patterns({"one": r"(?P<model>a)", "two": r"(?P<model>b)"})
    assert patterns.offsets(b"x\na b\nb\n") == [2, 6]
    assert patterns.matching("b a") == ["one", "two"]
