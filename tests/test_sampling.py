"""Sampling against real servers: a stall shows, a decision ends it, budgets hold, and nothing is asked twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.gate import RunGate
from fixtures.look import NotPermittedError
from fixtures.samples import Samples, watch
from fixtures.sampling import Sampler
from fixtures.values import Trouble, UnseenError, decode, encode
from judging.percentiles import PercentileLimit
from judging.proportions import ShareLimit
from reports.render import render
from tests.asking import http, serve
from tests.hostile import ok, resets, routes
from tests.house import House
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.http import Http
    from fixtures.look import Look
    from tests.hostile import Hostile, Visit

__all__ = ["http", "serve"]

STALL_S = 2.0
QUICK = PercentileLimit(percentile=90, value=1.0, comparison="<", margin=0.09)
WORKING = ShareLimit(value=0.9, comparison=">=", margin=0.09)


class Stalling:
    """Answers at once, but from the n-th request on holds everybody back for two seconds, once."""

    def __init__(self, at: int) -> None:
        self._at, self._seen, self._until, self._lock = at, 0, 0.0, threading.Lock()

    def __call__(self, visit: Visit, _: bytes) -> None:
        with self._lock:
            self._seen += 1
            if self._seen == self._at:
                self._until = time.monotonic() + STALL_S
        visit.over.wait(max(0.0, self._until - time.monotonic()))
        visit.sock.sendall(ok(b"{}"))


@dataclasses.dataclass
class Bench:
    """A look at one server. sent: how many requests were asked for."""

    look: Look
    target: Http
    sent: int = 0
    stopping: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def sampler(self) -> Sampler:
        return Sampler(self.look, self.stopping)

    def ask(self) -> object:
        self.sent += 1
        return self.target.get("/")


@pytest.fixture
def bench(tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]) -> Callable[..., Bench]:
    def make(behave: Any, **facts: Any) -> Bench:
        spends = facts.pop("spends", {})
        gate = facts.pop("gate", None)
        look = dataclasses.replace(make_look(tmp_path, **{"seconds": 20, **facts}), spends=spends)
        look = dataclasses.replace(look, gate=gate) if gate is not None else look
        return Bench(look, http(serve(behave).url, look=look))

    return make


def slow(samples: Samples, than: float = 0.5) -> int:
    return sum(took is None or took > than for took in samples.latencies)


def test_an_open_loop_shows_a_stall_to_all_who_would_have_met_it(bench: Callable[..., Bench]) -> None:
    stalling = bench(Stalling(at=20))
    samples = stalling.sampler.open(stalling.ask, rate=40, seconds=3, within=3)
    assert len(samples) == 120
    assert samples.at_s == pytest.approx([number / 40 for number in range(120)])
    # Of the 80 that were due during the 2 s, those of its first 1.5 s waited longer than half a second.
    assert slow(samples) >= 60
    assert max(samples.answered) > 0.9 * STALL_S
    assert samples.judged(dataclasses.replace(QUICK, value=0.5)).outcome == "fail"


def test_a_closed_loop_does_not_and_says_which_loop_it_was(bench: Callable[..., Bench]) -> None:
    stalling = bench(Stalling(at=20))
    samples = stalling.sampler.closed(stalling.ask, at_most=60)
    assert (samples.loop, len(samples), samples.late_s) == ("closed", 60, [])
    assert slow(samples) == 1


def test_a_few_at_once_is_a_closed_loop_of_a_few(bench: Callable[..., Bench]) -> None:
    stalling = bench(Stalling(at=20))
    samples = stalling.sampler.closed(stalling.ask, at_most=60, at_once=4)
    assert (len(samples), slow(samples)) == (60, 4)


def test_a_decision_ends_it_at_the_first_moment_the_answer_is_known(bench: Callable[..., Bench]) -> None:
    good = bench(routes({"/": ok(b"{}")}))
    samples = good.sampler.closed(good.ask, until=watch(QUICK), at_most=1000)
    decision = samples.judged(QUICK)
    assert decision.outcome == "pass"
    assert good.sent == len(samples) == decision.samples < watch(QUICK).size
    assert samples.stopped == f"the answer was known after {len(samples)} samples"


def test_an_open_loop_ends_with_its_decision_too_and_late_answers_change_nothing(bench: Callable[..., Bench]) -> None:
    bad = bench(routes({}, after=0.05))
    samples = bad.sampler.open(bad.ask, rate=100, until=watch(WORKING), good=lambda answer: answer.status == 200)  # type: ignore[attr-defined]  # an Exchange
    decision = samples.judged(WORKING)
    assert decision.outcome == "fail"
    assert bad.sent == len(samples) < watch(WORKING).size
    assert decision.samples <= len(samples) <= decision.samples + 8
    assert {trouble.kind for trouble in samples.failures.values()} == {"bad"}


def test_what_does_not_answer_is_beyond_any_limit(bench: Callable[..., Bench]) -> None:
    broken = bench(resets())
    samples = broken.sampler.closed(broken.ask, at_most=5)
    assert (samples.seconds, samples.answered) == ([None] * 5, [])
    assert {trouble.kind for trouble in samples.failures.values()} == {"reset"}
    assert samples.judged(QUICK).measured is None


def test_the_quick_do_not_overtake_the_slow_in_the_decision(bench: Callable[..., Bench]) -> None:
    number, lock = iter(range(1000)), threading.Lock()

    def ask() -> None:
        with lock:
            mine = next(number)
        time.sleep(1.0 if mine == 0 else 0.001)

    several = bench(routes({}))
    deciding = watch(QUICK)
    samples = several.sampler.closed(ask, until=deciding, at_once=4)
    assert deciding.size == len(samples)  # the first was awaited: meanwhile the others went on to the end
    assert max(samples.answered[:4]) >= 1.0


def test_a_budget_that_is_used_up_ends_it_and_leaves_the_figure_open(bench: Callable[..., Bench]) -> None:
    poor = bench(routes({"/": ok(b"{}")}), budgets={"requests": 7})
    samples = poor.sampler.closed(poor.ask, until=watch(QUICK))
    assert len(samples) == 7
    assert "requests: 7 of 7 are spent" in samples.stopped
    assert samples.judged(QUICK).outcome == "inconclusive"


def test_what_was_reserved_and_not_needed_is_given_back(bench: Callable[..., Bench]) -> None:
    gate = RunGate(limits={"generations": 200}, per_second=None, concurrency=4)
    gate.reserve("generations", 200)
    paid = bench(routes({"/": ok(b"{}")}), gate=gate, spends={"generations": 200})
    samples = paid.sampler.closed(paid.ask, until=watch(QUICK), at_most=200, spends={"generations": 1})
    assert 0 < len(samples) < watch(QUICK).size
    assert gate.spending()["generations"].spent == len(samples)


def test_more_than_was_reserved_is_refused_before_anything_is_sent(bench: Callable[..., Bench]) -> None:
    paid = bench(routes({"/": ok(b"{}")}), spends={"generations": 3})
    with pytest.raises(ValueError, match="found 5 requests that take 5 generations, allowed the 3"):
        paid.sampler.closed(paid.ask, at_most=5, spends={"generations": 1})
    assert paid.sent == 0


@pytest.mark.parametrize("rules", [{}, {"at_most": 0}])
def test_a_loop_without_an_end_is_refused(bench: Callable[..., Bench], rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at_most"):
        bench(routes({})).sampler.closed(lambda: None, **rules)


def test_a_rate_above_the_runs_own_is_refused(bench: Callable[..., Bench]) -> None:
    gate = RunGate(limits={}, per_second=50, concurrency=4)
    with pytest.raises(ValueError, match="found 20 requests per second, allowed above 0 and at most 10"):
        bench(routes({}), gate=gate, speed=5).sampler.open(lambda: None, rate=20, seconds=1)


def test_a_stop_of_the_run_ends_it(bench: Callable[..., Bench]) -> None:
    ended = bench(routes({"/": ok(b"{}")}, after=0.01))
    threading.Timer(0.3, ended.stopping.set).start()
    samples = ended.sampler.open(ended.ask, rate=20, seconds=60)
    assert samples.stopped == "the run is being stopped"
    assert 0 < len(samples) < 100


def test_the_deadline_ends_it_before_it_cuts_a_request_off(bench: Callable[..., Bench]) -> None:
    hurried = bench(routes({"/": ok(b"{}")}, after=0.02), seconds=1)
    samples = hurried.sampler.closed(hurried.ask, at_most=10_000, within=0.5)
    assert "too little time left" in samples.stopped
    assert (samples.failures, len(samples) > 0) == ({}, True)


def test_a_question_that_breaks_is_not_a_sample(bench: Callable[..., Bench]) -> None:
    strict = bench(routes({}))
    with pytest.raises(NotPermittedError):
        strict.sampler.closed(lambda: strict.target.post("/"), at_most=3)


def test_a_question_whose_answer_cannot_be_read_is_a_failure(bench: Callable[..., Bench]) -> None:
    def ask() -> None:
        raise UnseenError("reset: it hung up")

    samples = bench(routes({})).sampler.closed(ask, at_most=2)
    assert [trouble.text for trouble in samples.failures.values()] == ["reset: it hung up"] * 2


def test_time_is_the_targets(bench: Callable[..., Bench]) -> None:
    fast = bench(routes({"/": ok(b"{}")}, after=0.1), speed=10)
    samples = fast.sampler.closed(fast.ask, at_most=3)
    assert min(samples.answered) >= 1.0
    assert samples.at_s[1] >= 1.0


def test_our_own_lateness_that_could_change_a_verdict_leaves_it_open() -> None:
    late = _open(seconds=[1.2] * 60, late_s=[0.9] * 60)
    decision = late.judged(QUICK)
    assert decision.outcome == "inconclusive"
    assert "our own client sent 60 of 60 requests late, by up to 0.9 s" in decision.statement
    assert "without it the verdict would be pass" in decision.statement


def test_our_own_lateness_that_changes_nothing_is_noted() -> None:
    decision = _open(seconds=[3.0] * 60, late_s=[0.9] * 60).judged(QUICK)
    assert (decision.outcome, "the verdict is the same" in decision.notes[-1]) == ("fail", True)
    assert not any("client" in note for note in _open(seconds=[3.0] * 60, late_s=[0.0001] * 60).judged(QUICK).notes)


def test_a_busy_rate_limit_is_our_lateness_and_not_the_targets(bench: Callable[..., Bench]) -> None:
    gate = RunGate(limits={}, per_second=20, concurrency=4)
    crowded = bench(routes({"/": ok(b"{}")}), gate=gate)
    for _ in range(20):  # others of the run take the turns of the next second
        threading.Thread(target=_pass_through, args=(gate,), daemon=True).start()
    time.sleep(0.05)
    samples = crowded.sampler.open(crowded.ask, rate=20, at_most=10)
    assert max(samples.late_s) > 0.3
    assert max(samples.answered) >= max(samples.late_s)


def test_samples_cross_to_the_judge_as_they_are() -> None:
    samples = _open(seconds=[0.1, None], late_s=[0.0, 0.0], failures={1: Trouble(kind="reset", text="it hung up")})
    assert decode(encode(samples)) == samples


CONFTEST = """
from fixtures.sampling import Sampler
from fixtures.samples import Samples, watch
from judging.percentiles import PercentileLimit
LIMIT = PercentileLimit(percentile=90, value=5.0, comparison="<", margin=0.09)

@observation(permit="costs", spends={"generations": 60}, within="60 s")
def pictures(api: Http, sampler: Sampler) -> Samples:
    \"\"\"Pictures, one after the other, until their time is known.\"\"\"
    return sampler.closed(lambda: api.get("/picture"), until=watch(LIMIT), at_most=60, spends={"generations": 1})
"""
CHECK = """
from judging.percentiles import PercentileLimit
LIMIT = PercentileLimit(percentile=90, value=5.0, comparison="<", margin=0.09)

@pytest.mark.item("DEM-001")
def test_pictures_are_quick(pictures, sampled, decided) -> None:
    \"\"\"Nine of ten pictures take less than 5 s.\"\"\"
    sampled(pictures.answered)
    assert decided(pictures.judged(LIMIT)) == "pass"
"""


def test_a_run_stops_asking_once_it_knows_and_a_replay_decides_the_same(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.item("DEM-001", safety="costs")
    house.permits = ["read_only", "costs"]
    house.generations = 60
    house.conftest(CONFTEST)
    house.checks(CHECK)
    run = house.run()
    assert run.status == 0, run.out
    item = run.record["items"]["DEM-001"]
    asked = len(house.target.seen)
    assert asked == len(item["samples"]) == item["figures"][0]["samples"] < 60
    assert run.record["budget"]["generations"]["spent"] == asked
    again = house.run("--replay", str(run.folder))
    assert again.record["items"]["DEM-001"]["figures"] == item["figures"]
    assert [len(_drawn(one.folder)) for one in (run, again)] == [asked, asked]
    assert len(house.target.seen) == asked


PERIODS = """
@observation()
def front(api: Http) -> Exchange:
    \"\"\"The front page.\"\"\"
    return api.get("/front")
"""
MEASURED = """
@pytest.mark.parametrize("number", [f"DEM-{n:03}" for n in range(1, 7)])
def test_times(front, sampled, decided, number) -> None:
    \"\"\"The times are known.\"\"\"
    assert len(sampled(front.json["times"][number])) > 0
"""


def test_benchmarks_are_those_of_the_samples_after_workers_and_in_a_replay_too(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(tmp_path)
    times = {f"DEM-{n:03}": [0.001 * n, 0.5 * n, 1 / 3 + n] for n in range(1, 7)}
    for name in times:
        house.item(name, kind="latency")
    house.conftest(PERIODS)
    house.checks(MEASURED)
    house.target.answers["/front"] = (200, {"times": times})
    run = house.run("-n", "3")
    again = house.run("--replay", str(run.folder))
    for one in (run, again, house.run("--replay", str(run.folder), "-n", "2")):
        assert render(one.folder, ["benchmarks"]).problems == {}
        written = json.loads((one.folder / "benchmarks.json").read_text())["benchmarks"]
        assert {part["name"]: part["stats"]["data"] for part in written} == times
        stats = {part["name"]: part["stats"] for part in written}
        assert stats["DEM-002"]["median"] == 1.0
        assert (stats["DEM-002"]["min"], stats["DEM-002"]["max"]) == (0.002, 1 / 3 + 2)
        assert {part["stats"]["rounds"] for part in written} == {3}
    assert house.target.seen == [("GET", "/front")]
    files = [str(one.folder / "benchmarks.json") for one in (run, again)]
    elsewhere = tmp_path_factory.mktemp("compared")  # the house's own pytest has plugins that are not there
    words = [sys.executable, "-m", "pytest_benchmark", "compare", *files, f"--histogram={elsewhere}/drawn"]
    told = subprocess.run(words, cwd=elsewhere, capture_output=True, text=True, check=True).stdout
    assert [told.count(name) for name in times] == [2] * 6, told
    assert len(list(elsewhere.glob("drawn*.svg"))) > 0


def _open(*, seconds: list[float | None], late_s: list[float], failures: dict[int, Trouble] | None = None) -> Samples:
    return Samples(
        loop="open", began=dt.datetime.now(dt.UTC), seconds=seconds, at_s=[0.0] * len(seconds), late_s=late_s,
        failures=failures or {}, stopped="all",
    )  # fmt: skip


def _drawn(folder: Path) -> list[float]:
    """Return the samples that pytest-benchmark draws from a record."""
    rendering = render(folder, ["benchmarks"])
    assert rendering.problems == {}
    (drawn,) = json.loads((folder / "benchmarks.json").read_text())["benchmarks"]
    data: list[float] = drawn["stats"]["data"]
    return data


def _pass_through(gate: RunGate) -> None:
    with gate.admit():
        pass
