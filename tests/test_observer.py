"""The observer and its judge, as whole runs against a small target."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from reports import journal, verify
from tests.house import ONE_CHECK, ONE_LOOK, ROOT, House

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest(ONE_LOOK)
    house.checks(ONE_CHECK)
    return house


def test_a_healthy_target_is_go(house: House) -> None:
    run = house.run("-m", "smoke")
    assert run.status == 0, run.out
    assert run.record["verdict"]["decision"] == "GO"
    item = run.record["items"]["DEM-001"]
    assert (item["outcome"], item["measured"], item["limit"]) == ("passed", "200", "== 200")
    assert item["claim"] == "The front page answers 200."
    assert "\nGO  here demo" in run.out


@pytest.mark.parametrize(
    ("on_fail", "decision", "status"),
    [
        ("critical; rollback (full)", "ROLLBACK", 1),
        ("high; investigate", "NO-GO", 1),
        ("medium; investigate", "HOLD", 6),
    ],
)
def test_a_failed_item_decides_by_what_its_checklist_says(
    tmp_path: Path, on_fail: str, decision: str, status: int
) -> None:
    house = House(tmp_path)
    house.item("DEM-001", on_fail=on_fail)
    house.conftest(ONE_LOOK)
    house.checks(ONE_CHECK)
    house.target.answers["/front"] = (500, {})
    run = house.run()
    assert (run.status, run.record["verdict"]["decision"]) == (status, decision)
    assert run.record["verdict"]["reasons"][0]["measured"] == "500"


def test_an_unreachable_target_is_an_error_and_never_a_failure(house: House) -> None:
    house.target.server_close()
    house.target.shutdown()
    run = house.run()
    assert (run.status, run.outcomes()) == (6, {"DEM-001": "error"})
    assert "refused" in run.record["items"]["DEM-001"]["message"]


def test_each_look_happens_once_however_many_workers_ask(house: House) -> None:
    for number in range(2, 12):
        house.item(f"DEM-{number:03}")
        house.checks(ONE_CHECK.replace("DEM-001", f"DEM-{number:03}"), f"test_{number}.py")
    run = house.run("-n", "3")
    assert (run.status, len(run.outcomes())) == (0, 11), run.out
    assert house.target.seen == [("GET", "/front")]
    assert {check["worker"] for check in run.record["checks"].values()} <= {"gw0", "gw1", "gw2"}


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "pytest.exit('bye', returncode=0)"])
@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_check_that_ends_its_process_is_never_go(house: House, end: str, arguments: tuple[str, ...]) -> None:
    house.item("DEM-002")
    house.checks(
        f"import os\n@pytest.mark.item('DEM-002')\ndef test_end(front):\n    {end}\n    assert front.status == 200\n",
        "test_a_end.py",
    )
    run = house.run(*arguments)
    assert run.status == 6, run.out
    assert run.outcomes()["DEM-002"] == "error"
    assert run.record["crashes"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("pytest.skip('later')", "skipped"),
        ("pass", "no assertion"),
        ("return front.status == 200", "PytestReturnNotNoneWarning"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_check_that_proves_nothing_is_an_error(house: House, body: str, says: str) -> None:
    house.checks(ONE_CHECK.replace("assert front.status == 200", body))
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error")
    assert says in run.record["items"]["DEM-001"]["message"]


@pytest.mark.parametrize(
    ("claim", "says"),
    [("front.json['colour'] == 'red'", "colour"), ("[one for (one,) in [front.json['path']]]", "too many values")],
)
def test_a_shape_that_the_claim_does_not_fit_is_a_failure(house: House, claim: str, says: str) -> None:
    house.checks(ONE_CHECK.replace("front.status == 200", claim))
    run = house.run()
    assert run.outcomes()["DEM-001"] == "failed"
    assert says in run.record["items"]["DEM-001"]["message"]


def test_a_plugin_that_swallows_failures_changes_nothing(house: House) -> None:
    house.target.answers["/front"] = (500, {})
    (house.root / "swallow.py").write_text(
        "import pytest\n"
        "@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_pyfunc_call(pyfuncitem):\n"
        "    try:\n        yield\n    except BaseException:\n        pass\n    return True\n"
    )
    run = house.run("-p", "swallow")
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error")
    assert "did not run to its end" in run.record["items"]["DEM-001"]["message"]


def test_what_is_deselected_is_counted_and_a_narrowed_run_never_says_go(house: House) -> None:
    house.item("DEM-002")
    house.checks(ONE_CHECK.replace("DEM-001", "DEM-002").replace("front_page", "other"), "test_b.py")
    run = house.run("-k", "front_page")
    assert run.outcomes() == {"DEM-001": "passed", "DEM-002": "not_selected"}
    assert (run.status, run.record["verdict"]["decision"]) == (6, "HOLD")
    assert run.record["run"]["narrowed"] == ["-k front_page"]


def test_a_selection_by_stage_leaves_the_other_stages_out(house: House) -> None:
    house.item("DEM-002", stage="day_1")
    house.item("DEM-003")
    run = house.run("-m", "smoke")
    assert run.outcomes() == {"DEM-001": "passed", "DEM-002": "not_selected", "DEM-003": "open"}
    assert run.status == 0


def test_a_marker_that_matches_nothing_is_not_signed_off(house: House) -> None:
    run = house.run("-m", "rollback")
    assert (run.status, run.record["verdict"]["decision"]) == (5, "NOT SIGNED OFF")
    assert house.target.seen == []


def test_a_look_that_is_forbidden_is_not_taken(house: House) -> None:
    house.item("DEM-002", safety="costs")
    house.conftest(
        ONE_LOOK + ONE_LOOK.replace("front", "paid").replace("observation()", "observation(spends={'generations': 1})")
    )
    house.checks(ONE_CHECK.replace("DEM-001", "DEM-002").replace("front", "paid"), "test_b.py")
    run = house.run()
    assert (run.status, run.outcomes()["DEM-002"]) == (0, "not_permitted")
    assert house.target.seen == [("GET", "/front")]


def test_an_instrument_that_the_environment_lacks_is_visible(house: House) -> None:
    house.conftest(ONE_LOOK.replace("api", "missing"))
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "not_configured")
    assert "[systems.demo.http.missing]" in run.record["items"]["DEM-001"]["message"]


def test_spending_more_than_the_budget_is_refused_before_anything_is_sent(house: House) -> None:
    house.permits = ["read_only", "costs"]
    house.conftest(ONE_LOOK.replace("observation()", "observation(spends={'generations': 5})"))
    run = house.run()
    assert run.status == 4
    assert "this selection spends 5 (demo 5), allowed 4" in run.out
    assert house.target.seen == []


def test_the_plan_is_printed_and_nothing_is_sent(house: House) -> None:
    run = house.run("--plan")
    assert run.status == 0, run.out
    assert "demo.front: The front page." in run.out
    assert house.target.seen == []
    assert run.record == {}


def test_a_replay_gives_the_same_outcomes_without_traffic(house: House) -> None:
    first = house.run()
    sent = len(house.target.seen)
    second = house.run("--replay", str(first.folder))
    assert second.outcomes() == first.outcomes()
    assert (len(house.target.seen), second.record["run"]["replay_of"]) == (sent, first.record["run"]["id"])


def test_what_a_run_owns_is_removed_at_its_end_and_an_earlier_runs_leftovers_at_the_next_start(house: House) -> None:
    house.permits = ["read_only", "writes"]
    house.item("DEM-002", safety="writes")
    house.conftest("""
import time
@observation(permit="writes", within="60 s")
def front(api: Http, ledger, marker: str) -> Exchange:
    ledger.own("thing", "api", f"/things/{marker}")
    api.post(f"/things/{marker}")
    return api.get("/slow")

@removal
def thing(api: Http, key: str) -> None:
    api.delete(key)
""")
    house.target.wait_s = 0.6
    process = house.start()
    _until(lambda: ("GET", "/slow") in house.target.seen)
    process.kill()
    process.communicate()
    house.target.wait_s = 0.0
    assert [method for method, _ in house.target.seen] == ["POST", "GET"]
    run = house.run()
    assert run.status == 0, run.out
    written = {path for method, path in house.target.seen if method == "POST"}
    removed = Counter(path for method, path in house.target.seen if method == "DELETE")
    assert removed == Counter(written)
    assert len(written) == 2
    assert not list(house.root.rglob("owed.jsonl"))


def test_a_check_is_judged_as_soon_as_its_evidence_is_there_not_behind_a_slow_look(house: House) -> None:
    house.item("DEM-002")
    house.conftest(ONE_LOOK + ONE_LOOK.replace("front", "quick"))
    house.checks(ONE_CHECK.replace("DEM-001", "DEM-002").replace("front", "quick"), "test_quick.py")
    house.target.slow = {"/front": 1.5}
    run = house.run()
    assert run.status == 0, run.out
    begun = [
        entry.data["test"] for entry in journal.read(run.folder / "journal.jsonl")
        if entry.kind == "judge" and entry.data["do"] == "result"
    ]  # fmt: skip
    assert [test.partition("::")[0] for test in begun] == ["suites/demo/test_quick.py", "suites/demo/test_demo.py"]


def test_the_first_failure_ends_a_run_that_was_asked_to_end_there(house: House) -> None:
    for number in (2, 3):
        house.item(f"DEM-00{number}")
        house.checks(ONE_CHECK.replace("DEM-001", f"DEM-00{number}"), f"test_{number}.py")
    house.target.answers["/front"] = (500, {})
    run = house.run("-x")
    assert (run.status, len(run.record["checks"])) == (1, 1), run.out


def test_a_killed_run_says_not_signed_off_and_keeps_what_it_saw(house: House) -> None:
    house.item("DEM-002")
    house.conftest(ONE_LOOK + ONE_LOOK.replace("front", "slow").replace("observation()", "observation(within='60 s')"))
    house.checks(ONE_CHECK.replace("DEM-001", "DEM-002").replace("front", "slow"), "test_b.py")
    house.target.wait_s = 0.0
    house.target.answers["/slow"] = (200, {})
    process = house.start()
    _until(lambda: len(house.target.seen) >= 1)
    time.sleep(0.3)
    process.kill()
    process.communicate()
    (folder,) = house.folders()
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["verdict"]["decision"] == "NOT SIGNED OFF"
    kinds = [entry.kind for entry in journal.read(folder / "journal.jsonl")]
    assert "observed" in kinds
    resumed = house.run("--resume", str(folder))
    assert resumed.status == 0, resumed.out
    assert Counter(path for _, path in house.target.seen)["/front"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_with_its_evidence(house: House, number: signal.Signals) -> None:
    house.conftest(ONE_LOOK.replace("observation()", "observation(within='60 s')"))
    house.target.wait_s = 2
    process = house.start()
    _until(lambda: house.target.seen)
    began = time.monotonic()
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    run = house.finished(process.returncode, out)
    assert time.monotonic() - began < 10
    assert (run.status, run.record["verdict"]["decision"]) == (2, "NOT SIGNED OFF")
    assert run.outcomes()["DEM-001"] == "error"


def test_two_runs_of_one_environment_do_not_mix(house: House) -> None:
    house.target.wait_s = 4.0  # longer than a second run takes to find the lock
    first = house.start()
    _until(lambda: house.target.seen)
    second = house.run()
    out, _ = first.communicate()
    assert first.returncode == 0, out
    assert second.status == 4
    assert "another run is under way" in second.out
    assert len(house.target.seen) == 1


def test_a_reports_folder_that_cannot_be_written_is_found_before_anything_is_sent(house: House) -> None:
    (house.root / "reports").write_text("a file")
    run = house.run()
    assert run.status == 4
    assert "a folder to write to" in run.out
    assert house.target.seen == []


@pytest.mark.parametrize(
    ("mark", "says"),
    [
        ('@pytest.mark.item("DEM-099")', "unknown item DEM-099; demo has DEM-001 to DEM-001"),
        ('@pytest.mark.item("DEM-001", "DEM-001")', "more than once"),
        ("", "names the items it decides"),
    ],
)
def test_a_check_without_a_known_item_ends_the_collection(house: House, mark: str, says: str) -> None:
    house.checks(ONE_CHECK.replace('@pytest.mark.item("DEM-001")', mark))
    run = house.run()
    assert run.status != 0
    assert says in (run.out + json.dumps(run.record))
    assert house.target.seen == []


def test_a_suite_that_cannot_be_imported_sends_nothing(house: House) -> None:
    house.checks("import nowhere", "test_b.py")
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (6, "error")
    assert "nowhere" in run.record["crashes"][0]["text"]
    assert house.target.seen == []


def test_observations_that_cannot_be_imported_end_the_run_before_anything_is_sent(house: House) -> None:
    house.conftest("raise RuntimeError('broken')\n")
    house.checks(ONE_CHECK)
    run = house.run()
    assert run.status == 4
    assert "conftest.py: could not be imported" in run.out
    assert "RuntimeError: broken" in run.out
    assert house.target.seen == []


def test_an_answer_that_cannot_be_given_ends_the_run(house: House) -> None:
    """A judge without an answer would wait for ever."""
    house.conftest(ONE_LOOK)
    house.checks(ONE_CHECK)
    (house.root / "breaking.py").write_text("""
from fixtures.desk import RunDesk

def unable(self, key):
    raise RuntimeError("no answer")

RunDesk._on_get = unable
""")
    run = house.run("-p", "breaking", variables={"PYTHONPATH": f"{ROOT}:{house.root}"})
    assert (run.status, run.outcomes()) == (6, {"DEM-001": "error"}), run.out
    assert any("no answer" in crash["text"] for crash in run.record["crashes"])


def test_an_observation_needs_no_options(house: House) -> None:
    house.conftest(ONE_LOOK.replace("@observation()", "@observation"))
    house.checks(ONE_CHECK)
    assert house.run().status == 0


def test_a_duplicate_id_in_a_checklist_is_refused(house: House) -> None:
    house.item("DEM-001")
    run = house.run()
    assert run.status == 4
    assert "DEM-001 is there 2 times" in run.out


def test_the_judge_has_no_secret_in_its_environment(house: House) -> None:
    house.checks(
        "import os\n"
        + ONE_CHECK.replace("front.status == 200", "'DEMO_WORD' not in os.environ and front.status == 200")
    )
    run = house.run(variables={"DEMO_WORD": "x"})
    assert run.status == 0, run.out


def test_no_process_of_a_run_leaves_a_core_dump(house: House) -> None:
    house.conftest("""
import resource

@observation()
def largest_dump() -> int:
    \"\"\"The size of a core dump in the process that knows the secrets.\"\"\"
    return resource.getrlimit(resource.RLIMIT_CORE)[0]
""")
    house.checks("""
import resource

@pytest.mark.item("DEM-001")
def test_no_dump(largest_dump) -> None:
    \"\"\"Neither the observer nor the judge leaves one.\"\"\"
    assert largest_dump == 0
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
""")
    assert house.run().status == 0


def test_a_valid_waiver_is_shown_and_lets_the_release_stay(house: House) -> None:
    house.target.answers["/front"] = (500, {})
    house.extra = '[[waiver]]\nitem = "DEM-001"\nname = "Ada"\nreason = "known"\nexpires = 2999-01-01\n'
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (0, "waived")
    assert "waived by Ada" in run.record["items"]["DEM-001"]["message"]


def test_an_expired_waiver_excuses_nothing(house: House) -> None:
    house.target.answers["/front"] = (500, {})
    house.extra = '[[waiver]]\nitem = "DEM-001"\nname = "Ada"\nreason = "known"\nexpires = 2020-01-01\n'
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (1, "failed")


@pytest.mark.parametrize(
    ("expires", "outcome", "status"), [("2999-01-01", "attested", 0), ("2021-01-01", "unattested", 6)]
)
def test_a_person_decides_what_no_machine_can(house: House, expires: str, outcome: str, status: int) -> None:
    house.item("DEM-002", how="attested")
    house.extra = (
        '[[attestation]]\nitem = "DEM-002"\nname = "Ada"\nrole = "release engineer"\n'
        f'date = 2020-01-01\nexpires = {expires}\ntext = "read and understood"\n'
    )
    run = house.run()
    assert (run.status, run.outcomes()["DEM-002"]) == (status, outcome)


def test_a_disk_without_room_is_found_before_anything_is_sent(house: House) -> None:
    run = house.run(file_limit=1024 * 1024)
    assert run.status == 4
    assert "allowed: a folder to write to" in run.out
    assert house.target.seen == []


def test_a_disk_that_fills_up_ends_the_looking_and_has_a_status_of_its_own(house: House) -> None:
    house.conftest("""
@observation()
def front(api: Http) -> bytes:
    return b"x" * 30_000_000

@observation()
def later(api: Http, front: bytes) -> Exchange:
    return api.get("/later")
""")
    house.item("DEM-002")
    house.checks(ONE_CHECK.replace("front.status == 200", "len(front) > 0"))
    house.checks(ONE_CHECK.replace("DEM-001", "DEM-002").replace("front", "later"), "test_b.py")
    run = house.run(file_limit=34 * 1024 * 1024)
    assert run.status == 7
    assert house.target.seen == []
    assert "evidence could not be written" in run.out


def test_a_record_that_was_changed_afterwards_is_found(house: House) -> None:
    folder = house.run().folder
    assert verify.main([str(folder)]) == 0
    record = folder / "run.json"
    record.write_text(record.read_text().replace('"passed"', '"waived"', 1))
    assert verify.main([str(folder)]) == 1
    record.write_text(record.read_text().replace('"waived"', '"passed"', 1))
    assert verify.main([str(folder)]) == 0
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    (folder / "journal.jsonl").write_text("".join(lines[:1] + lines[2:]))
    assert verify.main([str(folder)]) == 1
    assert verify.main([str(folder / "nowhere")]) == 4


def test_stopping_at_the_first_failure_leaves_the_rest_unfinished(house: House) -> None:
    house.target.answers["/front"] = (500, {})
    house.item("DEM-002")
    house.checks(ONE_CHECK.replace("DEM-001", "DEM-002"), "test_z.py")
    run = house.run("-x")
    assert run.outcomes() == {"DEM-001": "failed", "DEM-002": "error"}
    assert run.status == 1


def test_an_interactive_run_shows_what_pytest_shows(house: House) -> None:
    house.checks(ONE_CHECK.replace("assert front", "print('shown by the check')\n    assert front"))
    run = house.run("-s")
    assert run.status == 0
    assert "shown by the check" in run.out


def test_checks_without_an_environment_are_refused_with_the_known_ones(house: House) -> None:
    house.settle()
    words = house.start("--collect-only", "-q")
    out, _ = words.communicate()
    assert "test_the_front_page_answers" in out
    assert os.fspath(house.root) not in out or house.target.seen == []


def _until(holds: object, within: float = 20) -> None:
    end = time.monotonic() + within
    while not holds():  # type: ignore[operator]  # a lambda
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_an_item_whose_check_is_gone_ends_the_collection(house: House) -> None:
    house.item("DEM-002", checked="true")
    run = house.run()
    assert run.status == 4
    assert "DEM-002: says that a check decides it, and none does" in run.out
    assert house.target.seen == []
