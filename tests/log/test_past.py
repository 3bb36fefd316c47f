"""Windows of time, also in files that were rotated away."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import time
from typing import TYPE_CHECKING

import pytest

from fixtures.values import UnseenError, decode, encode
from tests.log.reading import FLOW, GOOD, append, log_file, stamp, tail_event, tailed, texts

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.look import Look


def test_the_window_reaches_into_rotated_files(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "debug.log"
    ages = {"debug.log.3.gz": (9000, 8000), "debug.log.2.gz": (5000, 3500), "debug.log.1": (3000, 2000)}
    for name, (oldest, newest) in ages.items():
        text = "".join(f"INFO {stamp(ago)} views n{ago}\n" for ago in range(oldest, newest, -1))
        raw = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
        os.utime(tmp_path / name, (time.time() - newest, time.time() - newest))
    path.write_text("".join(f"ERROR {stamp(ago)} views n{ago}\n" for ago in range(1000, 0, -1)))
    view = log_file(path, look, "django").past({"old": r"n(4\d\d\d)"}, window_s=4200.5)
    assert view.levels["error"] == 1000
    assert view.counts["old"] == 201
    assert view.total == 700 + 1000 + 1000
    assert view.matches["old"][0].groups == ("4200",)
    assert view.first is not None
    assert abs((dt.datetime.now(dt.UTC) - view.first).total_seconds() - 4200) < 10


def test_a_window_of_events_is_found_in_a_long_tail(tmp_path: Path, look: Look) -> None:
    path, now = tmp_path / "tail.log", time.time() * 1000
    events = [tail_event("x", GOOD[0], eventTimestamp=now - 1000 * ago) for ago in range(1000, 0, -1)]
    for event in events:
        event["logs"][0]["timestamp"] = event["eventTimestamp"]
    path.write_text(tailed(*events))
    view = log_file(path, look, "wrangler-tail").past(FLOW, window_s=300.5)
    assert 295 <= view.requests <= 300
    assert view.counts["fetch"] == view.requests == len(view.events)
    assert not [note for note in view.notes if "no event" in note]


def test_a_past_without_times_could_not_be_looked_at(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO one\nINFO two\n")
    kinds = []
    for text in ("INFO one\n", f"{stamp(5000)} INFO old\n", ""):
        path.write_text(text)
        trouble = log_file(path, look).past({}, window_s=60).trouble
        kinds.append(trouble.kind if trouble else "")
    assert kinds == ["undated", "silent", "silent"]


def test_kinds_of_trouble_are_told_apart_by_what_stays(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    rows = [
        f"{stamp(50 - n)} WARNING job {n} took {n * 7} ms in 0b6c1f8a-1111-4222-8333-1234567890{n:02d}"
        for n in range(9)
    ]
    path.write_text("\n".join([*rows, f"{stamp(1)} ERROR disk full", f"{stamp(1)} ERROR ours shk-test"]) + "\n")
    view = decode(encode(log_file(path, look).past({}, window_s=600, keep="shk-test")))
    assert [(kind.level, kind.count) for kind in view.signatures] == [("warning", 9), ("error", 1)]
    assert view.signatures[0].text.endswith("WARNING job # took # ms in #")
    assert texts(view)[0].endswith("ours shk-test")


def test_what_is_kept_is_capped_and_what_is_counted_is_not(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    source = log_file(path, look)
    mark = source.attach()
    append(path, "".join(f"ERROR boom {n} shk-test\n" for n in range(3000)))
    view = decode(encode(source.since(mark, {"boom": "boom"}, keep="shk-test")))
    assert (view.counts["boom"], view.levels["error"], len(view.events)) == (3000, 3000, 3000)
    assert len(view.matches["boom"]) == 500
    with pytest.raises(UnseenError, match="more than was kept of: lines"):
        _ = view.lines
    with pytest.raises(UnseenError, match="found"):
        view.flow()
