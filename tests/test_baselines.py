"""Figures saved before a deployment decide after it; a missing, stale or foreign one decides nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.house import ONE_LOOK, House

if TYPE_CHECKING:
    from pathlib import Path

    from tests.house import Finished

CHECK = """
from judging.comparing_rates import RateChange, compare_rates
def no_worse(now, was):
    return compare_rates(now, was, RateChange(margin=0.05))

@pytest.mark.item("DEM-001")
def test_errors_are_no_more_than_before(front, before, decided) -> None:
    \"\"\"The errors are no more than before.\"\"\"
    assert decided(before.compared("errors", tuple(front.json["errors"]), no_worse)) == "pass"
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest(ONE_LOOK)
    house.checks(CHECK)
    release(house, "1.0")
    errors(house, 2)
    return house


def release(house: House, name: str) -> None:
    house.release = name


def errors(house: House, number: int) -> None:
    house.target.answers["/front"] = (200, {"errors": [number, 400]})


def outcome(run: Finished) -> tuple[str, str]:
    item = run.record["items"]["DEM-001"]
    return item["outcome"], item["message"]


def saved(house: House) -> Path:
    return house.root / "reports" / "runs" / "here" / "baselines" / "before.json"


def test_what_was_saved_before_decides_after(house: House) -> None:
    first = house.run("--save-baseline", "before")
    assert outcome(first)[0] == "inconclusive"
    assert "there is no baseline" in outcome(first)[1]
    assert "baseline before saved: demo: errors" in first.out
    release(house, "1.1")
    same = house.run("--baseline", "before")
    assert outcome(same)[0] == "passed", same.out
    assert same.record["run"]["baseline"].startswith("before of release 1.0, saved 20")
    assert "against baseline before of release 1.0" in same.record["items"]["DEM-001"]["figures"][0]["notes"]
    errors(house, 80)
    worse = house.run("--baseline", "before", "-n", "2")
    assert outcome(worse)[0] == "failed"
    saved(house).unlink()  # a replay compares with what its run was compared with
    assert outcome(house.run("--replay", str(worse.folder))) == outcome(worse)


def test_a_baseline_of_the_same_release_shows_nothing(house: House) -> None:
    house.run("--save-baseline", "before")
    found = outcome(house.run("--baseline", "before"))
    assert found[0] == "inconclusive"
    assert "found release 1.0, the one to judge" in found[1]


def test_a_stale_baseline_shows_nothing(house: House) -> None:
    house.run("--save-baseline", "before")
    release(house, "1.1")
    form = json.loads(saved(house).read_text())
    saved(house).write_text(json.dumps({**form, "saved": form["saved"] - 8 * 86400}))
    assert "found an age of 8.0 days, allowed 7.0" in outcome(house.run("--baseline", "before"))[1]


def test_a_baseline_that_was_never_saved_shows_nothing_and_the_record_says_so(house: House) -> None:
    run = house.run("--baseline", "before")
    assert outcome(run)[0] == "inconclusive"
    assert run.record["run"]["baseline"] == "before, which was never saved"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--baseline", "../../x"), "found '../../x', allowed up to 60 letters"),
        (("--save-baseline", "a/b"), "found 'a/b'"),
        (("--baseline", "before"), "before.json: found 1 wrong fields, allowed a baseline that a run has saved"),
    ],
)
def test_a_name_or_a_file_that_is_none_is_refused_before_anything_is_sent(
    house: House, arguments: tuple[str, ...], says: str
) -> None:
    saved(house).parent.mkdir(parents=True)
    saved(house).write_text("{")
    run = house.run(*arguments)
    assert (run.status, house.target.seen) == (4, [])
    assert says in run.out


def test_figures_of_no_release_and_of_a_replay_are_not_saved(house: House) -> None:
    first = house.run()
    again = house.run("--replay", str(first.folder), "--save-baseline", "before")
    assert (again.status, "found a replay, allowed" in again.out) == (4, True)
    release(house, "")
    nameless = house.run("--save-baseline", "before")
    assert (nameless.status, "found no release in" in nameless.out) == (4, True)


def test_a_run_that_broke_leaves_no_baseline(house: House) -> None:
    house.item("DEM-002")
    house.checks(
        "import os\n@pytest.mark.item('DEM-002')\ndef test_end(front):\n    os._exit(0)\n    assert front\n",
        "test_z.py",
    )
    run = house.run("--save-baseline", "before")
    assert run.record["crashes"]
    assert not saved(house).exists()
