"""What is written after a mark is seen, and nothing else."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fixtures.values import UnseenError, decode, encode
from tests.log.reading import ATTEMPTS, append, log_file, texts
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.look import Look


def test_only_what_was_written_after_the_mark_is_seen(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "debug.log"
    path.write_text("INFO 2025-11-21 00:45:16,273 views boom before\n")
    chat = log_file(path, look, "django")
    mark = decode(encode(chat.attach()))
    append(path, "INFO 2025-11-21 00:45:17,000 model_fallback Attempting model 1/8: gemini-3-flash\n")
    append(path, "INFO 2025-11-21 00:45:18,500 model_fallback Success with gemini-3-flash on attempt 1")
    view = decode(encode(chat.since(mark, ATTEMPTS)))
    assert view.counts == {"attempt": 1, "success": 1, "boom": 0}
    assert view.matches["attempt"][0].groups == ("1", "8", "gemini-3-flash")
    assert view.flow() == ["attempt", "success"]
    assert (view.total, view.levels["info"], view.requests) == (2, 2, 0)
    assert view.last == dt.datetime(2025, 11, 21, 0, 45, 18, 500_000, tzinfo=dt.UTC)
    assert view.matches["attempt"][0].line.labels == {"module": "model_fallback"}


def test_of_a_busy_log_only_what_is_sought_is_kept(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "busy.log"
    append(path, "INFO before\n")
    log = log_file(path, look)
    mark = log.attach()
    append(path, "INFO usual\n" * 3000 + "INFO rare\n" + "INFO usual\n" * 3000)
    with pytest.raises(UnseenError, match="more than was kept"):
        _ = log.since(mark, {"every line": ""}).lines
    view = log.since(mark, {"every line": ""}, only=lambda line: "rare" in line.text)
    assert (view.total, texts(view)) == (6001, ["INFO rare"])


def test_a_file_that_comes_later_is_read_from_its_start(tmp_path: Path, look: Look) -> None:
    source = log_file(tmp_path / "late.log", look)
    mark = source.attach()
    absent = source.since(mark, {})
    (tmp_path / "late.log").write_text("INFO here\n")
    assert absent.trouble is not None
    assert absent.trouble.kind == "absent"
    assert source.since(mark, {"here": "here"}).counts == {"here": 1}


def test_a_silent_log_could_not_be_looked_at(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "quiet.log"
    path.write_text("INFO old\n")
    view = decode(encode(log_file(path, look).since(log_file(path, look).attach(), {"old": "old"})))
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
        source = log_file(path, look, name)
        mark = source.attach()
        append(path, "good morning\n[1/1] ready\n")
        trouble = source.since(mark, {}).trouble
        assert trouble is not None
        assert (name, trouble.kind) == (name, "protocol")


def test_it_waits_until_the_line_is_there(tmp_path: Path) -> None:
    look, path = make_look(tmp_path, seconds=20, speed=100), tmp_path / "slow.log"
    path.write_text("")
    source = log_file(path, look)
    mark = source.attach()
    timer = threading.Timer(0.3, lambda: append(path, "INFO first\nINFO wanted\n"))
    timer.start()
    began = time.monotonic()
    view = source.since(mark, {"wanted": "wanted"}, until=lambda seen: seen.counts["wanted"] > 0, within=500)
    timer.join()
    assert (view.counts, view.total) == ({"wanted": 1}, 2)
    assert time.monotonic() - began < 4  # 500 of the target's seconds are 5 of ours


def test_time_runs_out_in_the_targets_seconds(tmp_path: Path) -> None:
    look, path = make_look(tmp_path, seconds=60, speed=100), tmp_path / "never.log"
    path.write_text("")
    source = log_file(path, look)
    mark = source.attach()
    append(path, "INFO other\n")
    began = time.monotonic()
    view = source.since(mark, {"wanted": "wanted"}, until=lambda seen: seen.counts["wanted"] > 0, within=30)
    assert view.counts == {"wanted": 0}
    assert time.monotonic() - began < 5
