"""Bad bytes, endless lines, hostile patterns, and what is no log at all."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from fixtures.values import decode, encode
from tests.log.reading import append, log_file, texts
from tests.looks import make_look

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.look import Look


def test_bad_bytes_are_escaped_and_still_matched(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "bad.log"
    path.write_bytes(b"")
    source = log_file(path, look)
    mark = source.attach()
    path.write_bytes(b"INFO caf\xe9 NUL\x00 ESC\x1b[31m \xc3\xa9t\xc3\xa9\r\nINFO two\r\n\r\nINFO three \x7f")
    patterns = {"odd": r"caf\\xe9 NUL\\x00 ESC\\x1b\[31m été$", "dot": "caf.+été"}
    view = source.since(mark, patterns)
    assert view.counts == {"odd": 1, "dot": 1}
    assert view.total == 3
    assert source.since(mark, {"deleted": r"three \\x7f"}).counts == {"deleted": 1}
    assert texts(decode(json.loads(json.dumps(encode(view))))) == ["INFO caf\\xe9 NUL\\x00 ESC\\x1b[31m été"]


@pytest.mark.parametrize("name", ["plain", "django", "json-lines"])
def test_a_line_of_megabytes_is_cut_and_counted(name: str, tmp_path: Path, look: Look) -> None:
    path = tmp_path / "long.log"
    path.write_text("")
    source = log_file(path, look, name)
    mark = source.attach()
    head = {"plain": "ERROR ", "django": "ERROR 2025-11-21 00:45:16,273 views ", "json-lines": '{"msg":"'}[name]
    end = '","level":"error"}' if name == "json-lines" else ""
    append(path, f"{head}start {'x' * 3_000_000} finish{end}\n{head}short{end}\n")
    view = source.since(mark, {"start": "start", "finish": "finish", "short": "short"})
    assert view.counts["start"] + view.counts["finish"] == 1 or name == "json-lines"
    assert view.counts["short"] == 1
    assert view.total == 2
    assert any("longer than" in note for note in view.notes)
    assert len(json.dumps(encode(view))) < 200_000


def test_catastrophic_patterns_are_linear(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "evil.log"
    path.write_text("")
    source = log_file(path, look)
    mark = source.attach()
    append(path, f"INFO {'a' * 10_000}!\n")
    began = time.monotonic()
    view = source.since(mark, {"evil": r"(a+)+$", "evil2": r"(a|aa)+b"})
    assert view.counts == {"evil": 0, "evil2": 0}
    assert time.monotonic() - began < 5


def test_a_pattern_that_re2_lacks_is_named(tmp_path: Path, look: Look) -> None:
    source = log_file(tmp_path / "x.log", look)
    with pytest.raises(ValueError, match=r"pattern 'back'.*RE2"):
        source.since(source.attach(), {"back": r"(a)\1"})


def test_too_many_bytes_are_a_trouble(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "big.log"
    path.write_text("")
    source = log_file(path, look, byte_limit=1000)
    mark = source.attach()
    append(path, "INFO x\n" * 200)
    trouble = source.since(mark, {}).trouble
    assert trouble is not None
    assert trouble.kind == "oversized"


def test_the_deadline_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    path.write_text("")
    mark = log_file(path, make_look(tmp_path)).attach()
    append(path, "INFO x\n" * 200)
    trouble = log_file(path, make_look(tmp_path, seconds=0)).since(mark, {}).trouble
    assert trouble is not None
    assert trouble.kind == "timeout"


def test_what_is_no_file_is_a_trouble(tmp_path: Path, look: Look) -> None:
    os.mkfifo(tmp_path / "fifo.log")
    mark = log_file(tmp_path / "fifo.log", look).attach()
    assert mark.trouble is not None
    assert mark.trouble.kind == "unreadable"
    assert log_file(tmp_path / "fifo.log", look).since(mark, {}).trouble == mark.trouble


def test_an_unknown_format_and_zone_name_what_there_is(tmp_path: Path, look: Look) -> None:
    with pytest.raises(ValueError, match="'nginx'; known: plain, django, json-lines, wrangler-tail"):
        log_file(tmp_path / "x.log", look, "nginx")
    with pytest.raises(ValueError, match="Europe/Berlin"):
        log_file(tmp_path / "x.log", look, timezone="Mars/Olympus")
    with pytest.raises(ValueError, match="known: time, level, message, group"):
        log_file(tmp_path / "x.log", look, "json-lines", keys={"text": "msg"})
