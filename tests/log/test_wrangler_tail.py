"""The events of `wrangler tail`, one request each."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from fixtures.log_batch import BLOCK, Entry
from fixtures.log_formats import Reading, decoder
from fixtures.log_patterns import Patterns
from fixtures.values import UnseenError, decode, encode
from tests.log.reading import FLOW, GOOD, append, log_file, read, tail_event, tailed

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.log_lines import LogGroup
    from fixtures.log_view import LogView
    from fixtures.look import Look


def _generations() -> str:
    legacy = tail_event("shk-test/fallback", "Using legacy adapter formatRequest", level="log")
    thrown = tail_event("shk-test/broken", "Generation error: x", level="error", outcome="exception")
    thrown["exceptions"] = [{"name": "TypeError", "message": "no url", "timestamp": 1_795_222_303_500}]
    thrown["event"]["response"] = {"status": 500}
    health = tail_event("monitor")
    return tailed(tail_event("other", *GOOD), tail_event("shk-test/generation", *GOOD), legacy, health, thrown)


@pytest.fixture
def tail(tmp_path: Path, look: Look) -> LogView:
    path = tmp_path / "tail.log"
    path.write_text("")
    source = log_file(path, look, "wrangler-tail")
    mark = source.attach()
    append(path, _generations())
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
    text = tailed(tail_event("a", "é ü 😀", "second"), tail_event("b")) + json.dumps(tail_event("c", "compact")) * 2
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
    source = log_file(path, look, "wrangler-tail")
    mark = source.attach()
    half = tailed(tail_event("shk-test/lost", "half"))[:200]
    append(path, "▲ [WARNING] update available\n" + tailed(tail_event("shk-test/a", "one")) + half + "\n")
    append(path, tailed(tail_event("shk-test/b", "two")) + half)
    view = source.since(mark, {"one": "one", "two": "two"}, keep="shk-test")
    assert (view.requests, view.counts) == (2, {"one": 1, "two": 1})
    assert len([note for note in view.notes if "no event" in note]) == 2
    assert any("has not ended" in note for note in view.notes)


def test_a_sampled_tail_is_not_believed(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "tail.log"
    path.write_text("")
    source = log_file(path, look, "wrangler-tail")
    mark = source.attach()
    overload = {"type": "overload", "message": "Tail is currently in sampling mode"}
    append(path, tailed(tail_event("shk-test/a", "one"), tail_event("", event=overload)))
    trouble = source.since(mark, {"one": "one"}).trouble
    assert trouble is not None
    assert (trouble.kind, "sampling mode" in trouble.text) == ("sampled", True)


def test_console_levels_are_normalised_and_arguments_joined() -> None:
    event = tail_event("a", "x")
    event["logs"] = [
        {"message": ["code", 7, {"a": None}], "level": "warn", "timestamp": 1_795_222_303_403},
        {"message": "bare", "level": "log", "timestamp": None},
        {"message": [], "level": "odd"},
    ]
    (entry,) = read("wrangler-tail", tailed(event).encode()).entries
    assert [(line.level, line.text) for line in entry.lines] == [
        ("warning", 'code 7 {"a":null}'),
        ("info", "bare"),
        ("info", ""),
    ]
