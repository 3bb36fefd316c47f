"""What a run survives: checks that hang, flood, fork or speak no Unicode; looks that end themselves; no reader."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house import ONE_CHECK, ONE_LOOK, ROOT, House

CHECK = "import time\n" + ONE_CHECK


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest(ONE_LOOK)
    house.checks(CHECK)
    return house


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "workers"])
def test_half_a_surrogate_pair_is_shown_as_an_escape(house: House, arguments: tuple[str, ...]) -> None:
    house.checks(CHECK.replace("front.status == 200", "False, chr(0xd800)"))
    run = house.run(*arguments)
    assert (run.status, run.outcomes()["DEM-001"]) == (1, "failed"), run.out
    assert run.record["items"]["DEM-001"]["message"].startswith("\\ud800")


def impatient(house: House) -> dict[str, str]:
    """Have a silent judge ended soon; returns the variables that this needs."""
    (house.root / "impatient.py").write_text("from fixtures import judging_process\njudging_process.SILENCE_S = 5\n")
    return {"PYTHONPATH": f"{ROOT}:{house.root}"}


@pytest.mark.parametrize(
    ("hangs", "arguments"),
    [("while True: pass", ()), ("os.kill(os.getpid(), 19)", ("-n", "1"))],
    ids=["busy", "stopped"],
)
def test_a_check_that_hangs_is_ended_and_named(house: House, hangs: str, arguments: tuple[str, ...]) -> None:
    house.checks("import os\n" + CHECK.replace("assert front", f"{hangs}\n    assert front"))
    run = house.run("-p", "impatient", *arguments, variables=impatient(house))
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error"), run.out
    crashes = [(crash["where"], crash["text"]) for crash in run.record["crashes"]]
    assert ("judge", "it gave no sign of life, and was ended") in crashes
    assert "suites/demo/test_demo.py::test_the_front_page_answers" in dict(crashes)


def test_a_slow_look_is_no_silence(house: House) -> None:
    house.target.wait_s = 7
    run = house.run("-p", "impatient", variables=impatient(house))
    assert run.status == 0, run.out


def test_a_check_that_prints_without_end_breaks_there(house: House) -> None:
    flood = "for _ in range(200): print('x' * 1_000_000)"
    house.checks(CHECK.replace("assert front", f"{flood}\n    assert front"))
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error"), run.out
    assert "File too large" in run.record["items"]["DEM-001"]["message"]
    assert sum(path.stat().st_size for path in run.folder.rglob("*") if path.is_file()) < 1_000_000


def test_a_forked_child_reports_nothing(house: House) -> None:
    house.checks(
        "import os\n" + CHECK.replace("assert front", "child = os.fork() == 0\n    assert not child\n    assert front")
    )
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"], run.record["crashes"]) == (0, "passed", []), run.out


@pytest.mark.parametrize(("end", "says"), [("raise SystemExit(0)", "SystemExit"), ("pytest.skip('x')", "Skipped")])
def test_a_look_that_ends_itself_could_not_see(house: House, end: str, says: str) -> None:
    house.conftest("import pytest\n" + ONE_LOOK.replace("return api", f"{end}\n    return api"))
    began = time.monotonic()
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error"), run.out
    assert says in run.record["items"]["DEM-001"]["message"]
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("where", ["| head -c 0", ">/dev/full 2>&1"])
def test_a_verdict_that_nobody_reads_stands(house: House, where: str) -> None:
    house.settle()
    program = f"{sys.executable} -m pytest --env environments/here.toml --formats none"
    done = subprocess.run(
        ["bash", "-c", f"{program} {where}; exit ${{PIPESTATUS[0]}}"],
        cwd=house.root, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = house.folders()
    assert '"decision": "GO"' in (folder / "run.json").read_text()


def test_a_signal_counts_where_it_was_ignored_before(house: House) -> None:
    house.target.wait_s = 3
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for what runs in the background
    try:
        process = house.start()
    finally:
        signal.signal(signal.SIGINT, before)
    while not house.target.seen:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 2


def test_a_signal_ends_a_run_that_waits_for_what_it_launches(house: House) -> None:
    house.settle()
    file = house.root / "environments" / "here.toml"
    file.write_text(file.read_text().replace('name = "here"', 'name = "here"\nlaunch = ["sleep", "60"]'))
    house.settle = lambda: None  # type: ignore[method-assign]  # the file stands as it is to be
    process = house.start()
    while not any(path.name == "launch.log" for path in house.root.rglob("*")):
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=40)
    assert process.returncode == 4, out
    assert "the run was stopped before the launched program was ready" in out
    assert time.monotonic() - began < 10


def test_what_could_not_be_removed_stops_the_gate(house: House) -> None:
    house.permits = ["read_only", "writes"]
    house.conftest("""
@observation(permit="writes")
def front(api: Http, ledger, marker: str) -> Exchange:
    ledger.own("thing", "api", f"/things/{marker}")
    return api.post(f"/things/{marker}")

@removal
def thing(api: Http, key: str) -> None:
    assert api.delete(key).status == 200
""")
    house.target.refused = {"DELETE"}
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "passed"), run.out
    assert "is still there; the next run tries again" in run.record["crashes"][0]["text"]
    house.target.refused = set()
    assert house.run().status == 0
    assert not list(house.root.rglob("owed.jsonl"))


def test_no_judge_outlives_its_observer(house: House) -> None:
    house.checks("import os, pathlib\n" + CHECK.replace(
        "assert front", "pathlib.Path('judge').write_text(str(os.getpid()))\n    time.sleep(60)\n    assert front"
    ))  # fmt: skip
    process = house.start()
    judge = house.root / "judge"
    while not judge.exists() or not judge.read_text():
        time.sleep(0.05)
    process.kill()
    process.communicate()
    until = time.monotonic() + 2
    alive = Path(f"/proc/{judge.read_text()}")
    while alive.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive.exists()


def test_no_other_process_reads_the_observers_memory(house: House) -> None:
    house.conftest("""
import ctypes

@observation()
def readable() -> int:
    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
""")
    house.checks(CHECK.replace("front.status == 200", "readable == 0").replace("(front)", "(readable)"))
    run = house.run()
    assert run.status == 0, run.out


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_a_check_that_is_only_set_up_proves_nothing(house: House, option: str) -> None:
    house.target.answers["/front"] = (500, {})
    run = house.run(option)
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error"), run.out


@pytest.mark.parametrize("options", ["-m smoke", "-msmoke", "-qm smoke", "--system demo", "--system=demo", "-W ignore"])
def test_a_selection_that_nobody_typed_never_says_go(house: House, options: str) -> None:
    run = house.run(variables={"PYTEST_ADDOPTS": options})
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "passed"), run.out
    assert options in run.record["run"]["narrowed"][0]


@pytest.mark.parametrize("option", ["--collect-only", "--plan", "--help", "--version"])
def test_a_run_that_would_not_look_is_refused_unless_somebody_types_it(house: House, option: str) -> None:
    run = house.run(variables={"PYTEST_ADDOPTS": option})
    assert run.status == 4, run.out
    assert f"PYTEST_ADDOPTS: found {option}, with which nothing is looked at" in run.out
    assert house.target.seen == []


TOKEN = secrets.token_urlsafe(24)


def with_token(house: House, look: str, more: str = "") -> None:
    """Give the house a secret, a look that reveals it, and an environment that says `more`."""
    house.conftest(f"""
import os, pathlib

@observation()
def front(api: Http, run) -> Exchange:
    seen = api.get("/front")
    {look}
    return seen
""")
    house.settle()
    file = house.root / "environments" / "here.toml"
    header = 'headers = { Authorization = { env = "WORKER_TOKEN", prefix = "Bearer " } }'
    file.write_text(file.read_text().replace('name = "here"', f'name = "here"\n{more}') + header)
    house.settle = lambda: None  # type: ignore[method-assign]  # the file stands as it is to be


def test_a_record_that_holds_a_secret_is_named_and_not_signed_off(house: House) -> None:
    with_token(house, "(run.evidence / 'dump.txt').write_text(os.environ['WORKER_TOKEN'][::-1])")
    run = house.run(variables={"WORKER_TOKEN": TOKEN})
    assert run.status == 7, run.out
    assert "evidence/dump.txt: holds a secret or a part of one" in run.out
    assert TOKEN not in run.out


def test_what_a_launched_program_prints_is_masked(house: House) -> None:
    (house.root / "program.py").write_text(
        "import os, sys\nprint('{}', flush=True)\n"
        "print('using', os.environ['WORKER_TOKEN'], file=sys.stderr, flush=True)\nsys.stdin.read()\n"
    )
    with_token(house, "pass", 'launch = ["python", "program.py"]')
    run = house.run(variables={"WORKER_TOKEN": TOKEN})
    assert run.status == 0, run.out
    assert (run.folder / "launch.log").read_text() == "using ***\n"
