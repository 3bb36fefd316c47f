"""The log instrument against real files that rotate, and real programs that print."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import os
import re
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.models import CommandLogConfig, FileLogConfig
from fixtures.log import Log, log
from fixtures.log_batch import BLOCK, Batch, Entry
from fixtures.log_formats import Reading, decoder
from fixtures.log_lines import LEVELS, LogGroup
from fixtures.log_parts import listing, opened
from fixtures.log_patterns import Patterns
from fixtures.values import UnseenError, decode, encode
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.log_view import LogView
    from fixtures.look import Look

ATTEMPTS = {"attempt": r"Attempting model (\d+)/(\d+): (\S+)", "success": r"^Success with (\S+)", "boom": "boom"}
FLOW = {
    "fetch": r"^Fetching model config for (\S+) from (\S+)$",
    "fetched": r"^Successfully fetched model config for (\S+)$",
    "using": r"^Using model config for (\S+) \(provider: (\S+)\)$",
    "mapping": r"^Applying payload mapping from model config$",
    "legacy": r"^Using legacy adapter formatRequest$",
    "error": r"(?i)error",
}
GOOD = (
    "Fetching model config for ideogram-v2 from https://api.example.test",
    "Successfully fetched model config for ideogram-v2",
    "Using model config for ideogram-v2 (provider: ideogram)",
    "Applying payload mapping from model config",
)


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    given_look = make_look(tmp_path, seconds=20)
    yield given_look
    given_look.shared.close()  # type: ignore[attr-defined]  # the test's shared things


def _file(path: Path, look: Look, name: str = "plain", **more: Any) -> Log:
    return log(FileLogConfig(kind="file", path=str(path), format=name, **more), look)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _texts(view: LogView) -> list[str]:
    return [line.text for line in view.lines]


def _event(tag: str, *messages: str, level: str = "log", **more: Any) -> dict[str, Any]:
    at = 1_795_222_303_403
    logs = [{"message": [text], "level": level, "timestamp": at + n} for n, text in enumerate(messages)]
    headers = {"user-agent": f"shakedown/{tag}", "cf-ray": "9a"}
    request = {"url": "https://images.example.test/generate", "method": "POST", "headers": headers, "cf": {"colo": "X"}}
    return {
        "wallTime": 1250, "cpuTime": 3, "truncated": False, "outcome": "ok", "scriptName": "image-gen",
        "exceptions": [], "logs": logs, "eventTimestamp": at,
        "event": {"request": request, "response": {"status": 200}}, **more,
    }  # fmt: skip


def _tail(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(event, indent=2) + "\n" for event in events)


def _read(name: str, data: bytes, patterns: dict[str, str] | None = None, *, every: bool = False) -> Batch:
    reading = Reading(patterns=Patterns(patterns or {}), zone=ZoneInfo("UTC"), keys={})
    reader = decoder(name, reading)
    batch, rest = reader.feed(data, every=every), reader.rest()
    batch.total += rest.total
    batch.levels.update(rest.levels)
    batch.entries += rest.entries
    batch.notes.update(rest.notes)
    return batch


# --- since a mark --------------------------------------------------------------------------------------------------


def test_only_what_was_written_after_the_mark_is_seen(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "debug.log"
    path.write_text("INFO 2025-11-21 00:45:16,273 views boom before\n")
    chat = _file(path, look, "django")
    mark = decode(encode(chat.attach()))
    _append(path, "INFO 2025-11-21 00:45:17,000 model_fallback Attempting model 1/8: gemini-3-flash\n")
    _append(path, "INFO 2025-11-21 00:45:18,500 model_fallback Success with gemini-3-flash on attempt 1")
    view = decode(encode(chat.since(mark, ATTEMPTS)))
    assert view.counts == {"attempt": 1, "success": 1, "boom": 0}
    assert view.matches["attempt"][0].groups == ("1", "8", "gemini-3-flash")
    assert view.flow() == ["attempt", "success"]
    assert (view.total, view.levels["info"], view.requests) == (2, 2, 0)
    assert view.last == dt.datetime(2025, 11, 21, 0, 45, 18, 500_000, tzinfo=dt.UTC)
    assert view.matches["attempt"][0].line.labels == {"module": "model_fallback"}


def test_of_a_busy_log_only_what_is_sought_is_kept(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "busy.log"
    _append(path, "INFO before\n")
    log = _file(path, look)
    mark = log.attach()
    _append(path, "INFO usual\n" * 3000 + "INFO rare\n" + "INFO usual\n" * 3000)
    with pytest.raises(UnseenError, match="more than was kept"):
        _ = log.since(mark, {"every line": ""}).lines
    view = log.since(mark, {"every line": ""}, only=lambda line: "rare" in line.text)
    assert (view.total, _texts(view)) == (6001, ["INFO rare"])


def test_a_file_that_comes_later_is_read_from_its_start(tmp_path: Path, look: Look) -> None:
    source = _file(tmp_path / "late.log", look)
    mark = source.attach()
    absent = source.since(mark, {})
    (tmp_path / "late.log").write_text("INFO here\n")
    assert absent.trouble is not None
    assert absent.trouble.kind == "absent"
    assert source.since(mark, {"here": "here"}).counts == {"here": 1}


def test_a_silent_log_could_not_be_looked_at(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "quiet.log"
    path.write_text("INFO old\n")
    view = decode(encode(_file(path, look).since(_file(path, look).attach(), {"old": "old"})))
    assert view.trouble.kind == "silent"
    now = dt.datetime.now(dt.UTC)
    reads: list[Callable[[], object]] = [
        lambda: view.counts,
        lambda: view.total,
        lambda: view.events,
        lambda: view.groups,
        lambda: view.tagged("x").counts,
        lambda: view.flow("x"),
        lambda: view.during(now, now).total,
    ]
    for read in reads:
        with pytest.raises(UnseenError, match="silent"):
            read()


def test_a_log_in_another_format_could_not_be_looked_at(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "other.log"
    path.write_text("")
    for name in ("django", "json-lines", "wrangler-tail"):
        source = _file(path, look, name)
        mark = source.attach()
        _append(path, "good morning\n[1/1] ready\n")
        trouble = source.since(mark, {}).trouble
        assert trouble is not None
        assert (name, trouble.kind) == (name, "protocol")


def test_it_waits_until_the_line_is_there(tmp_path: Path) -> None:
    look, path = make_look(tmp_path, seconds=20, speed=100), tmp_path / "slow.log"
    path.write_text("")
    source = _file(path, look)
    mark = source.attach()
    timer = threading.Timer(0.3, lambda: _append(path, "INFO first\nINFO wanted\n"))
    timer.start()
    began = time.monotonic()
    view = source.since(mark, {"wanted": "wanted"}, until=lambda seen: seen.counts["wanted"] > 0, within=500)
    timer.join()
    assert (view.counts, view.total) == ({"wanted": 1}, 2)
    assert time.monotonic() - began < 4  # 500 of the target's seconds are 5 of ours


def test_time_runs_out_in_the_targets_seconds(tmp_path: Path) -> None:
    look, path = make_look(tmp_path, seconds=60, speed=100), tmp_path / "never.log"
    path.write_text("")
    source = _file(path, look)
    mark = source.attach()
    _append(path, "INFO other\n")
    began = time.monotonic()
    view = source.since(mark, {"wanted": "wanted"}, until=lambda seen: seen.counts["wanted"] > 0, within=30)
    assert view.counts == {"wanted": 0}
    assert time.monotonic() - began < 5


# --- rotation ------------------------------------------------------------------------------------------------------


def _rename(path: Path) -> None:
    for number in (2, 1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))
    path.touch()


def _copy_and_truncate(path: Path) -> None:
    shutil.copy(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def _rename_and_pack(path: Path) -> None:
    path.with_name(f"{path.name}.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    path.touch()


ROTATIONS = [_rename, _copy_and_truncate, _rename_and_pack]


@pytest.mark.parametrize("rotate", ROTATIONS)
@pytest.mark.parametrize("before", ["", "INFO old one\nINFO old two\n"], ids=["empty", "filled"])
def test_rotation_loses_nothing_and_reads_nothing_twice(
    rotate: Callable[[Path], None], before: str, tmp_path: Path, look: Look
) -> None:
    path = tmp_path / "app.log"
    path.write_text(before)
    source = _file(path, look)
    mark = source.attach()
    _append(path, "INFO n1\nINFO n2 without an end")
    rotate(path)
    _append(path, "INFO n3\n" * 1 + "INFO n4\n")
    view = source.since(mark, {"all": "INFO"})
    assert _texts(view) == ["INFO n1", "INFO n2 without an end", "INFO n3", "INFO n4"]


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_rotation_while_waiting_loses_nothing(rotate: Callable[[Path], None], tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    source = _file(path, look)
    mark = source.attach()

    def write() -> None:
        for number in range(60):
            _append(path, f"INFO n{number} {'x' * 50}\n")
            if number % 25 == 20:
                time.sleep(0.02)
                for packed in path.parent.glob("*.gz"):
                    packed.unlink()  # only one of them can have the name; what it held was read by then
                rotate(path)
            time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    view = source.since(mark, {"n": r"INFO n(\d+) "}, until=lambda seen: "n59" in _texts(seen)[-1], within=15)
    writer.join()
    numbers = [match.groups[0] for match in view.matches["n"]]
    assert numbers == [str(number) for number in range(60)]


def test_two_rotations_between_looks_lose_nothing(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    source = _file(path, look)
    mark = source.attach()
    for number in range(3):
        _append(path, f"INFO n{number}\n")
        if number < 2:
            _rename(path)
        stamp = time.time() - 30 + 10 * number
        newest = path.with_name("app.log.1") if number < 2 else path
        os.utime(newest, (stamp, stamp))
    assert _texts(source.since(mark, {"all": "INFO"})) == ["INFO n0", "INFO n1", "INFO n2"]


def test_a_late_writer_in_the_renamed_file_is_heard(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    source = _file(path, look)
    mark = source.attach()
    held = path.open("a", encoding="utf-8")
    held.write("INFO n1\n")
    held.flush()

    def meanwhile() -> None:
        time.sleep(0.2)
        path.rename(tmp_path / "app.log.1")
        path.write_text("INFO n2\n")
        time.sleep(0.4)
        held.write("INFO late\n")
        held.close()

    writer = threading.Thread(target=meanwhile)
    writer.start()
    view = source.since(mark, {"late": "late"}, until=lambda seen: seen.counts["late"] > 0, within=10, keep="n")
    writer.join()
    assert (view.counts, view.total) == ({"late": 1}, 3)


def test_a_cut_without_a_copy_is_a_trouble(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n" * 100)
    source = _file(path, look)
    mark = source.attach()
    path.write_text("INFO restarted\n" * 200)  # longer than before: its size tells nothing
    trouble = source.since(mark, {"all": "INFO"}).trouble
    assert trouble is not None
    assert trouble.kind == "lost"


def test_a_file_cut_short_is_a_trouble_even_if_all_lines_are_the_same(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO same\n" * 2000)
    source = _file(path, look)
    mark = source.attach()
    os.truncate(path, 10_000)
    trouble = source.since(mark, {"all": "INFO"}).trouble
    assert trouble is not None
    assert trouble.kind == "lost"


def test_the_renamed_file_is_known_even_if_all_lines_are_the_same(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO same\n" * 1000)
    source = _file(path, look)
    mark = source.attach()
    _append(path, "INFO same\n" * 3)
    _rename(path)
    _append(path, "INFO same\n" * 2000)
    assert source.since(mark, {}).total == 2003


def test_a_file_that_was_replaced_after_it_was_listed_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    (listed,) = listing(path)
    path.rename(tmp_path / "app.log.1")
    path.write_text("INFO new\n")
    with contextlib.ExitStack() as stack, pytest.raises(FileNotFoundError):
        opened(listed, stack, lambda _size: None)


# --- robustness ----------------------------------------------------------------------------------------------------


def test_bad_bytes_are_escaped_and_still_matched(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "bad.log"
    path.write_bytes(b"")
    source = _file(path, look)
    mark = source.attach()
    path.write_bytes(b"INFO caf\xe9 NUL\x00 ESC\x1b[31m \xc3\xa9t\xc3\xa9\r\nINFO two\r\n\r\nINFO three \x7f")
    patterns = {"odd": r"caf\\xe9 NUL\\x00 ESC\\x1b\[31m été$", "dot": "caf.+été"}
    view = source.since(mark, patterns)
    assert view.counts == {"odd": 1, "dot": 1}
    assert view.total == 3
    assert source.since(mark, {"deleted": r"three \\x7f"}).counts == {"deleted": 1}
    assert _texts(decode(json.loads(json.dumps(encode(view))))) == ["INFO caf\\xe9 NUL\\x00 ESC\\x1b[31m été"]


@pytest.mark.parametrize("name", ["plain", "django", "json-lines"])
def test_a_line_of_megabytes_is_cut_and_counted(name: str, tmp_path: Path, look: Look) -> None:
    path = tmp_path / "long.log"
    path.write_text("")
    source = _file(path, look, name)
    mark = source.attach()
    head = {"plain": "ERROR ", "django": "ERROR 2025-11-21 00:45:16,273 views ", "json-lines": '{"msg":"'}[name]
    end = '","level":"error"}' if name == "json-lines" else ""
    _append(path, f"{head}start {'x' * 3_000_000} finish{end}\n{head}short{end}\n")
    view = source.since(mark, {"start": "start", "finish": "finish", "short": "short"})
    assert view.counts["start"] + view.counts["finish"] == 1 or name == "json-lines"
    assert view.counts["short"] == 1
    assert view.total == 2
    assert any("longer than" in note for note in view.notes)
    assert len(json.dumps(encode(view))) < 200_000


def test_catastrophic_patterns_are_linear(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "evil.log"
    path.write_text("")
    source = _file(path, look)
    mark = source.attach()
    _append(path, f"INFO {'a' * 10_000}!\n")
    began = time.monotonic()
    view = source.since(mark, {"evil": r"(a+)+$", "evil2": r"(a|aa)+b"})
    assert view.counts == {"evil": 0, "evil2": 0}
    assert time.monotonic() - began < 5


def test_a_pattern_that_re2_lacks_is_named(tmp_path: Path, look: Look) -> None:
    source = _file(tmp_path / "x.log", look)
    with pytest.raises(ValueError, match=r"pattern 'back'.*RE2"):
        source.since(source.attach(), {"back": r"(a)\1"})


def test_too_many_bytes_are_a_trouble(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "big.log"
    path.write_text("")
    source = _file(path, look, byte_limit=1000)
    mark = source.attach()
    _append(path, "INFO x\n" * 200)
    trouble = source.since(mark, {}).trouble
    assert trouble is not None
    assert trouble.kind == "oversized"


def test_the_deadline_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    path.write_text("")
    mark = _file(path, make_look(tmp_path)).attach()
    _append(path, "INFO x\n" * 200)
    trouble = _file(path, make_look(tmp_path, seconds=0)).since(mark, {}).trouble
    assert trouble is not None
    assert trouble.kind == "timeout"


def test_what_is_no_file_is_a_trouble(tmp_path: Path, look: Look) -> None:
    os.mkfifo(tmp_path / "fifo.log")
    mark = _file(tmp_path / "fifo.log", look).attach()
    assert mark.trouble is not None
    assert mark.trouble.kind == "unreadable"
    assert _file(tmp_path / "fifo.log", look).since(mark, {}).trouble == mark.trouble


def test_an_unknown_format_and_zone_name_what_there_is(tmp_path: Path, look: Look) -> None:
    with pytest.raises(ValueError, match="'nginx'; known: plain, django, json-lines, wrangler-tail"):
        _file(tmp_path / "x.log", look, "nginx")
    with pytest.raises(ValueError, match="Europe/Berlin"):
        _file(tmp_path / "x.log", look, timezone="Mars/Olympus")
    with pytest.raises(ValueError, match="known: time, level, message, group"):
        _file(tmp_path / "x.log", look, "json-lines", keys={"text": "msg"})


# --- formats of lines ----------------------------------------------------------------------------------------------

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
    (entry,) = _read("plain", text.encode() + b"\n").entries
    (line,) = entry.lines
    expected = level if text != "error_count=0" else "error"  # an underscore ends a word, as a blank does
    assert (line.text, line.level) == (text, expected)
    assert line.time == (dt.datetime.fromisoformat(when) if when else None)


def test_django_joins_tracebacks_and_reads_times_in_the_configured_zone(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "debug.log"
    path.write_text("")
    source = _file(path, look, "django", timezone="Europe/Berlin")
    mark = source.attach()
    _append(path, "orphan of an earlier record\n")
    _append(path, "ERROR 2025-11-21 10:00:00,000 views Chat message processing failed: boom\n")
    _append(
        path, "Traceback (most recent call last):\n  File 'x'\n\nWARNING: quoted in a traceback\nValueError: boom\n"
    )
    _append(path, "WARNING 2025-11-21 10:00:01,000 model_fallback Rate limit hit for a (attempt 1/2): 429\n")
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
    source = _file(path, look, "json-lines", keys={"group": "job"})
    mark = source.attach()
    at = "2025-11-21T10:00:00Z"
    rows = [
        {"time": 1763719200000, "level": 50, "msg": "failed\nbadly", "job": "j1", "code": 7, "deep": {"a": 1}},
        {"timestamp": at, "severity": "WARNING", "message": "slow", "job": "j2", "user": "shk-test"},
        {"ts": 1763719200.5, "level": "info", "msg": {"a": [1]}, "job": "j1"},
        {"ts": 1763719200.5, "level": 20, "verb": "no message", "job": "j3"},
    ]
    _append(path, "".join(json.dumps(row) + "\n" for row in rows) + "not json\n[1]\n\n" + '{"msg":"\\ud800 half"}')
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
    source = _file(path, look)
    mark = source.attach()
    rows = [f"2025-11-21T10:00:{second:02d}Z INFO calm {second}" for second in range(60)]
    rows[20] = "2025-11-21T10:00:20Z ERROR disk 7 full"
    rows[40] = "2025-11-21T10:00:40Z INFO from shk-test"
    _append(path, "\n".join(rows) + "\n")
    view = source.since(mark, {"never": "never"}, keep="shk-test")
    assert (view.total, view.levels["error"], view.levels["info"]) == (60, 1, 59)
    assert [kind.text for kind in view.signatures] == ["#-#-#T#:#:#Z ERROR disk # full"]
    assert _texts(view) == [rows[40]]
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
    by_line = _read(name, data, patterns, every=True)
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


# --- wrangler tail -------------------------------------------------------------------------------------------------


def _generations() -> str:
    legacy = _event("shk-test/fallback", "Using legacy adapter formatRequest", level="log")
    thrown = _event("shk-test/broken", "Generation error: x", level="error", outcome="exception")
    thrown["exceptions"] = [{"name": "TypeError", "message": "no url", "timestamp": 1_795_222_303_500}]
    thrown["event"]["response"] = {"status": 500}
    health = _event("monitor")
    return _tail(_event("other", *GOOD), _event("shk-test/generation", *GOOD), legacy, health, thrown)


@pytest.fixture
def tail(tmp_path: Path, look: Look) -> LogView:
    path = tmp_path / "tail.log"
    path.write_text("")
    source = _file(path, look, "wrangler-tail")
    mark = source.attach()
    _append(path, _generations())
    view: LogView = decode(json.loads(json.dumps(encode(source.since(mark, FLOW, keep=look.run.marker)))))
    return view


def test_flows_are_those_of_one_request(tail: LogView) -> None:
    assert tail.flow("generation") == ["fetch", "fetched", "using", "mapping"]
    assert tail.flow("fallback") == ["legacy"]
    assert tail.flow("generation", ["using", "legacy"]) == ["using"]
    assert tail.flows(["mapping", "legacy"]) == {"2": ["mapping"], "3": ["legacy"], "5": []}
    with pytest.raises(UnseenError, match="nothing was logged"):
        tail.flow("unheard-of")
    with pytest.raises(UnseenError, match="3 requests are tagged"):
        tail.flow("shk-test")
    with pytest.raises(ValueError, match="known: fetch, fetched"):
        tail.flow("generation", ["fecth"])


def test_a_selection_holds_what_belongs_to_its_requests(tail: LogView) -> None:
    ours = tail.tagged("generation")
    assert ours.counts == {"fetch": 1, "fetched": 1, "using": 1, "mapping": 1, "legacy": 0, "error": 0}
    assert (ours.total, ours.requests, ours.levels["info"]) == (4, 1, 4)
    assert [m.groups for m in ours.matches["using"]] == [("ideogram-v2", "ideogram")]
    assert [line.text for line in ours.groups[0].lines] == list(GOOD)
    assert (tail.tag_count("generation"), tail.tag_count("unheard-of")) == (1, 0)
    with pytest.raises(UnseenError, match="silent"):
        _ = tail.tagged("unheard-of").counts
    with pytest.raises(UnseenError, match="signatures"):
        _ = ours.signatures
    assert [event.names for event in ours.events] == [("fetch", "fetched", "using", "mapping")]


def test_the_whole_is_counted_and_ours_is_told_apart(tail: LogView) -> None:
    assert (tail.requests, tail.total) == (5, 11)
    assert tail.counts["fetch"] == 2
    assert tail.levels["error"] == 2
    broken: LogGroup = tail.group("broken")
    assert (broken.status, broken.outcome, broken.event.level, broken.event.duration_s) == (
        500,
        "exception",
        "error",
        1.25,
    )
    assert broken.labels["method"] == "POST"
    assert [line.text for line in tail.exceptions] == ["TypeError: no url"]
    assert tail.signatures == ()  # the only errors are of our own negative test
    assert [event.tagged for event in tail.events] == [False, True, True, False, True]
    assert [event.status for event in tail.events] == [200, 200, 200, 200, 500]
    assert tail.events[0].duration_s == 1.25
    assert tail.events[3].names == ()  # a request without a line is a request


def test_a_stretch_of_time_is_a_selection(tail: LogView) -> None:
    at = dt.datetime.fromtimestamp(1_795_222_303.403, dt.UTC)
    assert tail.during(at, at).requests == 3
    with pytest.raises(UnseenError, match="silent"):
        _ = tail.during(at - dt.timedelta(hours=2), at - dt.timedelta(hours=1)).total


@pytest.mark.parametrize("size", [1, 7, 100, BLOCK])
def test_events_may_be_broken_anywhere(size: int) -> None:
    text = _tail(_event("a", "é ü 😀", "second"), _event("b")) + json.dumps(_event("c", "compact")) * 2
    data = text.encode()
    reader = decoder("wrangler-tail", Reading(patterns=Patterns({}), zone=ZoneInfo("UTC"), keys={}))
    entries = [entry for at in range(0, len(data), size) for entry in reader.feed(data[at : at + size]).entries]
    assert [[line.text for line in entry.lines] for entry in entries] == [
        ["é ü 😀", "second"],
        [],
        ["compact"],
        ["compact"],
    ]
    assert [entry.request for entry in entries if isinstance(entry, Entry)] == ["1", "2", "3", "4"]


def test_what_is_no_event_is_passed_over_and_noted(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "tail.log"
    path.write_text("")
    source = _file(path, look, "wrangler-tail")
    mark = source.attach()
    half = _tail(_event("shk-test/lost", "half"))[:200]
    _append(path, "▲ [WARNING] update available\n" + _tail(_event("shk-test/a", "one")) + half + "\n")
    _append(path, _tail(_event("shk-test/b", "two")) + half)
    view = source.since(mark, {"one": "one", "two": "two"}, keep="shk-test")
    assert (view.requests, view.counts) == (2, {"one": 1, "two": 1})
    assert len([note for note in view.notes if "no event" in note]) == 2
    assert any("has not ended" in note for note in view.notes)


def test_a_sampled_tail_is_not_believed(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "tail.log"
    path.write_text("")
    source = _file(path, look, "wrangler-tail")
    mark = source.attach()
    overload = {"type": "overload", "message": "Tail is currently in sampling mode"}
    _append(path, _tail(_event("shk-test/a", "one"), _event("", event=overload)))
    trouble = source.since(mark, {"one": "one"}).trouble
    assert trouble is not None
    assert (trouble.kind, "sampling mode" in trouble.text) == ("sampled", True)


def test_console_levels_are_normalised_and_arguments_joined() -> None:
    event = _event("a", "x")
    event["logs"] = [
        {"message": ["code", 7, {"a": None}], "level": "warn", "timestamp": 1_795_222_303_403},
        {"message": "bare", "level": "log", "timestamp": None},
        {"message": [], "level": "odd"},
    ]
    (entry,) = _read("wrangler-tail", _tail(event).encode()).entries
    assert [(line.level, line.text) for line in entry.lines] == [
        ("warning", 'code 7 {"a":null}'),
        ("info", "bare"),
        ("info", ""),
    ]


# --- the past ------------------------------------------------------------------------------------------------------


def _stamp(ago: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]


def test_the_window_reaches_into_rotated_files(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "debug.log"
    ages = {"debug.log.3.gz": (9000, 8000), "debug.log.2.gz": (5000, 3500), "debug.log.1": (3000, 2000)}
    for name, (oldest, newest) in ages.items():
        text = "".join(f"INFO {_stamp(ago)} views n{ago}\n" for ago in range(oldest, newest, -1))
        raw = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
        os.utime(tmp_path / name, (time.time() - newest, time.time() - newest))
    path.write_text("".join(f"ERROR {_stamp(ago)} views n{ago}\n" for ago in range(1000, 0, -1)))
    view = _file(path, look, "django").past({"old": r"n(4\d\d\d)"}, window_s=4200.5)
    assert view.levels["error"] == 1000
    assert view.counts["old"] == 201
    assert view.total == 700 + 1000 + 1000
    assert view.matches["old"][0].groups == ("4200",)
    assert view.first is not None
    assert abs((dt.datetime.now(dt.UTC) - view.first).total_seconds() - 4200) < 10


def test_a_window_of_events_is_found_in_a_long_tail(tmp_path: Path, look: Look) -> None:
    path, now = tmp_path / "tail.log", time.time() * 1000
    events = [_event("x", GOOD[0], eventTimestamp=now - 1000 * ago) for ago in range(1000, 0, -1)]
    for event in events:
        event["logs"][0]["timestamp"] = event["eventTimestamp"]
    path.write_text(_tail(*events))
    view = _file(path, look, "wrangler-tail").past(FLOW, window_s=300.5)
    assert 295 <= view.requests <= 300
    assert view.counts["fetch"] == view.requests == len(view.events)
    assert not [note for note in view.notes if "no event" in note]


def test_a_past_without_times_could_not_be_looked_at(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO one\nINFO two\n")
    kinds = []
    for text in ("INFO one\n", f"{_stamp(5000)} INFO old\n", ""):
        path.write_text(text)
        trouble = _file(path, look).past({}, window_s=60).trouble
        kinds.append(trouble.kind if trouble else "")
    assert kinds == ["undated", "silent", "silent"]


def test_kinds_of_trouble_are_told_apart_by_what_stays(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    rows = [
        f"{_stamp(50 - n)} WARNING job {n} took {n * 7} ms in 0b6c1f8a-1111-4222-8333-1234567890{n:02d}"
        for n in range(9)
    ]
    path.write_text("\n".join([*rows, f"{_stamp(1)} ERROR disk full", f"{_stamp(1)} ERROR ours shk-test"]) + "\n")
    view = decode(encode(_file(path, look).past({}, window_s=600, keep="shk-test")))
    assert [(kind.level, kind.count) for kind in view.signatures] == [("warning", 9), ("error", 1)]
    assert view.signatures[0].text.endswith("WARNING job # took # ms in #")
    assert _texts(view)[0].endswith("ours shk-test")


def test_what_is_kept_is_capped_and_what_is_counted_is_not(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    source = _file(path, look)
    mark = source.attach()
    _append(path, "".join(f"ERROR boom {n} shk-test\n" for n in range(3000)))
    view = decode(encode(source.since(mark, {"boom": "boom"}, keep="shk-test")))
    assert (view.counts["boom"], view.levels["error"], len(view.events)) == (3000, 3000, 3000)
    assert len(view.matches["boom"]) == 500
    with pytest.raises(UnseenError, match="more than was kept of: lines"):
        _ = view.lines
    with pytest.raises(UnseenError, match="found"):
        view.flow()


# --- programs ------------------------------------------------------------------------------------------------------


def _program(script: str, **more: Any) -> CommandLogConfig:
    program = (sys.executable, "-u", "-c", script)
    return CommandLogConfig(kind="command", program=program, format="plain", **more)


PRINTS = (
    "import sys, time\nprint('INFO up')\ntime.sleep(0.3)\nprint('INFO n1')\nprint('INFO n2', end='')\ntime.sleep(60)"
)


def test_a_followed_program_is_started_once_and_heard_from_the_mark_on(look: Look) -> None:
    config = _program(PRINTS, live="first_byte")
    first, second = log(config, look), log(config, look)
    mark = decode(encode(first.attach()))
    view = first.since(mark, {"n": r"n(\d)"}, until=lambda seen: seen.counts["n"] == 2, within=10)
    assert (view.total, view.counts) == (2, {"n": 2})  # what came before the mark is not new
    later = second.attach()
    assert later.position["folder"] == mark.position["folder"]
    assert second.since(later, {}).trouble is not None


def test_a_program_that_ends_at_once_says_why(look: Look) -> None:
    script = "import sys\nsys.exit('authentication failed')"
    mark = log(_program(script, settle=5), look).attach()
    assert mark.trouble is not None
    assert mark.trouble.kind == "ended"
    assert "status 1: authentication failed" in mark.trouble.text
    absent = CommandLogConfig(kind="command", program=("no-such-program",), format="plain")
    missing = log(absent, look).attach()
    assert missing.trouble is not None
    assert missing.trouble.kind == "not-found"


def test_a_followed_program_that_ends_later_is_not_believed(look: Look) -> None:
    source = log(_program("import time\nprint('INFO up')\ntime.sleep(0.3)\nprint('INFO n1')", live="first_byte"), look)
    mark = source.attach()
    view = source.since(mark, {"n": "n2"}, until=lambda seen: seen.counts["n"] > 0, within=10)
    assert view.trouble is not None
    assert view.trouble.kind == "ended"


STUBBORN = """
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('INFO deaf', flush=True); time.sleep(60)"])
signal.signal(15, lambda *_: (pathlib.Path(sys.argv[1]).write_text("left by itself"), sys.exit(0)))
print("INFO", child.pid)
time.sleep(60)
"""


def test_a_followed_program_may_leave_by_itself_and_its_whole_group_is_ended(tmp_path: Path) -> None:
    look, farewell = make_look(tmp_path, seconds=20), tmp_path / "farewell"
    program = (sys.executable, "-u", "-c", STUBBORN, str(farewell))
    source = log(CommandLogConfig(kind="command", program=program, format="plain", live="first_byte"), look)
    mark = source.attach()
    folder = Path(mark.position["folder"])
    deadline = time.monotonic() + 10
    while (folder / "output").read_text().count("INFO") < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    found = re.search(r"INFO (\d+)", (folder / "output").read_text())
    assert found is not None
    assert folder.stat().st_mode & 0o077 == 0
    look.shared.close()  # type: ignore[attr-defined]  # the test's shared things
    assert farewell.read_text() == "left by itself"
    assert not folder.exists()
    status = Path(f"/proc/{found[1]}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"  # killed; its new parent has yet to collect it


def test_a_flood_is_stopped_at_the_limit(look: Look) -> None:
    script = "import time\nprint('INFO up')\ntime.sleep(0.2)\nwhile True: print('INFO ' + 'x' * 1000)"
    source = log(_program(script, live="first_byte", byte_limit=100_000), look)
    mark = source.attach()
    view = source.since(mark, {}, until=lambda _seen: False, within=15)
    assert view.trouble is not None
    assert view.trouble.kind == "oversized"
    assert (Path(mark.position["folder"]) / "output").stat().st_size < 1_000_000


def test_a_live_tail_knows_no_past(look: Look) -> None:
    trouble = log(_program(PRINTS), look).past({}, window_s=60).trouble
    assert trouble is not None
    assert trouble.kind == "uncovered"


def test_a_program_that_prints_the_past_is_run_for_each_look(tmp_path: Path, look: Look) -> None:
    rows = f"{_stamp(4000)} INFO old\\n{_stamp(10)} ERROR recent\\nINFO undated\\n"
    source = log(_program(f"print('{rows}')", follow=False), look)
    view = source.past({"old": "old", "recent": "recent"}, window_s=60)
    assert (view.counts, view.total) == ({"old": 0, "recent": 1}, 2)
    journal = tmp_path / "journal"
    journal.write_text(f"{_stamp(10)} INFO before\n")
    reader = log(_program(f"print(open({str(journal)!r}).read())", follow=False), look)
    mark = reader.attach()
    _append(journal, f"{_stamp(-1)} INFO after\n")
    seen = reader.since(mark, {"any": "before|after"}, until=lambda view: view.total > 0, within=10)
    assert _texts(seen)[0].endswith("after")
    assert len(_texts(seen)) == 1


def test_a_program_that_fails_is_not_believed(look: Look) -> None:
    script = f"import sys\nprint('{_stamp(1)} INFO half')\nsys.exit('no access')"
    trouble = log(_program(script, follow=False), look).past({}, window_s=60).trouble
    assert trouble is not None
    assert (trouble.kind, "no access" in trouble.text) == ("ended", True)


def test_a_program_that_hangs_is_ended_at_the_deadline(tmp_path: Path) -> None:
    began = time.monotonic()
    source = log(_program("import time\ntime.sleep(60)", follow=False), make_look(tmp_path, seconds=0.5))
    trouble = source.past({}, window_s=60).trouble
    assert trouble is not None
    assert trouble.kind == "timeout"
    assert time.monotonic() - began < 10
