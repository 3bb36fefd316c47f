"""Bounded load through Locust, in processes of its own: each turn once, its samples an observation, its budget kept."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.house import ROOT, House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOKS = """
from fixtures.load.driven import Driven
from fixtures.load.driver import Load


@observation()
def front(api: Http) -> Exchange:
    \"\"\"The front page.\"\"\"
    return api.get("/front")


@observation()
def one(api: Http, marker: str, front: Exchange, turn: int) -> Exchange:
    \"\"\"One of many.\"\"\"
    return api.get(f"{front.json['path']}/{turn}", params={"of": marker})


@observation(spends={"requests": 40}, within="40 s")
def many(load: Load, api: Http, front: Exchange) -> Driven:
    \"\"\"Forty pages for four users.\"\"\"
    return load.drive("one", HOW, given={"front": front})
"""
CHECKS = """
from judging.percentiles import PercentileLimit


@pytest.mark.item("DEM-001")
def test_the_load_is_carried(many) -> None:
    \"\"\"Forty pages are answered.\"\"\"
    assert len(many.samples.answered) == 40


@pytest.mark.item("DEM-002")
def test_the_load_is_quick(many, decided) -> None:
    \"\"\"Half of the pages come within a second.\"\"\"
    assert decided(many.samples.judged(PercentileLimit(percentile=50, value=1.0, comparison="<"))) == "pass"


@pytest.mark.item("DEM-003")
def test_each_page_is_the_one_of_its_turn(many) -> None:
    \"\"\"The answers are those of the turns, in their order.\"\"\"
    assert [answer.json["path"].partition("?")[0] for answer in many.answers] == PAGES


PAGES = [f"/front/{turn}" for turn in range(40)]
"""
FORTY = "at_most=40, users=4, answers=True"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return loaded(tmp_path, FORTY)


def loaded(root: Path, how: str) -> House:
    house = House(root)
    house.permits = ["read_only", "costs"]
    for name in ("DEM-001", "DEM-002", "DEM-003"):
        house.item(name, needs='["http", "load"]')
    house.conftest(LOOKS.replace("HOW", how))
    house.checks(CHECKS)
    return house


def turns(house: House) -> list[int]:
    found = (re.fullmatch(r"/front/(\d+)\?of=\w+", path) for _, path in house.target.seen)
    return [int(match[1]) for match in found if match]


@contextmanager
def workers(house: House, number: int, port: int, file: str = "here") -> Iterator[list[subprocess.Popen[bytes]]]:
    words = [sys.executable, "-m", "pytest", "--env", str(house.root / "environments" / f"{file}.toml"), "--worker"]
    started = [
        subprocess.Popen(
            [*words, "--master-port", str(port)], cwd=house.root, env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        for _ in range(number)
    ]  # fmt: skip
    try:
        yield started
    finally:
        for worker in started:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_load_takes_each_turn_once_and_is_judged_like_any_observation(house: House) -> None:
    run = house.run("-m", "load")
    assert set(run.outcomes().values()) == {"passed"}, run.out
    assert sorted(turns(house)) == list(range(40))
    assert run.record["budget"]["requests"]["spent"] == 41
    assert run.record["items"]["DEM-002"]["figures"][0]["method"] == "sequential test"


def test_a_replay_judges_the_load_again_without_traffic(house: House) -> None:
    first = house.run("-m", "load")
    house.target.seen.clear()
    second = house.run("-m", "load", "--replay", str(first.folder))
    assert second.outcomes() == first.outcomes()
    assert house.target.seen == []


@pytest.mark.prove
def test_two_workers_share_the_turns_of_a_master(house: House) -> None:
    port = free_port()
    house.settle()
    with workers(house, 2, port):
        run = house.run("-m", "load", "--master", "--expect-workers", "2", "--master-bind-port", str(port))
        assert set(run.outcomes().values()) == {"passed"}, run.out
        assert sorted(turns(house)) == list(range(40))
        house.target.seen.clear()
        again = house.run("-m", "load", "--master", "--expect-workers", "2", "--master-bind-port", str(port))
        assert set(again.outcomes().values()) == {"passed"}, "a worker serves one run after the other"
        assert sorted(turns(house)) == list(range(40))


@pytest.mark.prove
def test_a_worker_that_is_lost_leaves_the_load_unseen(house: House) -> None:
    port = free_port()
    house.target.wait_s = 0.5
    house.settle()
    with workers(house, 2, port) as (_, lost):
        process = house.start("-m", "load", "--master", "--expect-workers", "2", "--master-bind-port", str(port))
        until(lambda: len(turns(house)) >= 4)
        os.killpg(lost.pid, signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
    run = house.finished(process.returncode, out)
    assert set(run.outcomes().values()) == {"error"}
    assert "found what 1 of 2 workers saw" in run.record["items"]["DEM-001"]["message"]


@pytest.mark.prove
def test_a_worker_with_another_environment_file_takes_no_turn(house: House) -> None:
    port = free_port()
    house.settle()
    here = house.root / "environments" / "here.toml"
    here.with_name("other.toml").write_text(here.read_text().replace('name = "here"', 'name = "other"'))
    with workers(house, 1, port, "other"):
        run = house.run("-m", "load", "--master", "--master-bind-port", str(port))
    assert turns(house) == []
    assert "differs from the environment file" in run.record["items"]["DEM-001"]["message"]


@pytest.mark.prove
def test_a_stall_shows_to_all_turns_that_were_due(tmp_path: Path) -> None:
    house = loaded(tmp_path, "at_most=40, users=6, rate=20, answers=True")
    house.checks("""
@pytest.mark.item("DEM-001", "DEM-002", "DEM-003")
def test_the_load_is_quick(many) -> None:
    \"\"\"Nobody waits for half a second.\"\"\"
    assert (many.samples.loop, len(many.samples)) == ("open", 40)
    assert sum(took > 0.5 for took in many.samples.answered) == 0
""")
    house.target.wait_s = 0.45  # six at once carry thirteen a second of the twenty that are due
    run = house.run("-m", "load")
    assert run.outcomes()["DEM-001"] == "failed"
    assert int(re.findall(r"assert (\d+) == 0", run.record["items"]["DEM-001"]["message"])[0]) > 10


def test_a_refusal_is_no_quick_answer(house: House) -> None:
    for turn in range(40):
        house.target.answers[f"/front/{turn}"] = (429, {})
    house.conftest(LOOKS.replace("HOW", FORTY).replace(', params={"of": marker}', ""))
    run = house.run("-m", "load")
    assert run.outcomes()["DEM-001"] == "failed"
    assert run.outcomes()["DEM-002"] == "failed"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("at_most=41", "found 41 turns that take 41 requests, allowed the 40 of its @observation(spends=…)"),
        ("at_most=40, users=8", "users: found 8, allowed 1 to 7: below the concurrency of the environment's [budget]"),
        ("at_most=40, rate=200", "rate: found 200 a second, allowed above 0 and at most 125, its users' part of"),
        ("at_most=20, requests=3", "found 20 turns that take 60 requests, allowed the 40"),
    ],
)
def test_a_load_that_is_not_bounded_as_it_says_is_not_driven(tmp_path: Path, how: str, told: str) -> None:
    house = loaded(tmp_path, how)
    run = house.run("-m", "load")
    assert told in run.record["items"]["DEM-001"]["message"]
    assert turns(house) == []


def test_a_load_names_what_its_scenario_asks_through(house: House) -> None:
    house.conftest(LOOKS.replace("HOW", FORTY).replace("load: Load, api: Http,", "load: Load,"))
    run = house.run("-m", "load")
    assert "one asks through api; many, which drives it, has to name it" in run.record["items"]["DEM-001"]["message"]
    assert turns(house) == []


def test_a_turn_that_sends_more_than_it_may_ends_the_load(tmp_path: Path) -> None:
    house = loaded(tmp_path, "at_most=20, users=2")
    house.conftest(
        LOOKS.replace("HOW", "at_most=20, users=2").replace(
            "    return api.get(f", "    api.get('/more')\n    return api.get(f"
        )
    )
    run = house.run("-m", "load")
    assert len(house.target.seen) == 1 + 20
    assert run.outcomes()["DEM-001"] == "failed"


def test_a_load_needs_a_permit_and_a_stated_budget(house: House) -> None:
    house.permits = ["read_only"]
    run = house.run("-m", "load")
    assert run.outcomes()["DEM-001"] == "not_permitted"
    assert "does not permit costs" in run.record["items"]["DEM-001"]["message"]
    house.permits, house.budgeted = ["read_only", "costs"], False
    run = house.run("-m", "load")
    assert run.outcomes()["DEM-001"] == "not_permitted"
    assert "states no [budget], which a load needs" in run.record["items"]["DEM-001"]["message"]
    assert house.target.seen == []


def test_a_load_ends_with_its_run_and_leaves_no_process(house: House) -> None:
    house.target.wait_s = 0.5
    process = house.start("-m", "load")
    until(lambda: len(turns(house)) >= 2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 2
    sent = len(house.target.seen)
    time.sleep(1.5)
    assert len(house.target.seen) == sent < 40


def test_nobody_but_a_load_process_imports_locust() -> None:
    probe = "import sys, fixtures.instruments, fixtures.observer; print({'locust', 'gevent'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_worker_of_a_launched_environment_is_refused() -> None:
    words = [sys.executable, "-m", "pytest", "--env", "local", "--worker"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "environment local is launched by its run" in done.stderr


def until(holds: Callable[[], bool], within: float = 30.0) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)
