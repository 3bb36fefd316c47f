"""The checklist's numbers reach checks, an environment may tighten them, and nothing loosens them unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures import checklist
from fixtures.thresholds import ThresholdError, changes, limits, one
from tests.house import ONE_LOOK, House

if TYPE_CHECKING:
    from pathlib import Path

CHECK = """
@pytest.mark.item("DEM-001")
def test_the_front_page_states_few(front, threshold) -> None:
    \"\"\"The front page states less than the checklist allows.\"\"\"
    assert front.json["number"] < threshold().value
"""
THRESHOLD = """
[[threshold]]
metric = "number"
comparison = "<"
value = 10
unit = "s"
window = ""
percentile = ""
source = "L1"
role = "gate"
items = ["DEM-001"]
"""
WAIVER = '[[waiver]]\nitem = "DEM-001"\nname = "Ada"\nreason = "known"\nexpires = 2999-01-01\n'


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.item("DEM-001")
    house.tables = THRESHOLD
    house.conftest(ONE_LOOK)
    house.checks(CHECK)
    house.target.answers["/front"] = (200, {"number": 9})
    return house


def limit(number: float) -> str:
    return f'[systems.demo.limits]\n"DEM-001" = {number}\n'


def test_a_check_compares_with_the_checklists_number(house: House) -> None:
    run = house.run()
    assert (run.status, run.record["items"]["DEM-001"]["limit"]) == (0, "< 10.0"), run.out


def test_an_environment_may_be_stricter_and_the_record_says_so(house: House) -> None:
    house.extra = limit(8)
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"], run.record["items"]["DEM-001"]["limit"]) == (1, "failed", "< 8.0")
    assert run.record["run"]["limits"] == ["DEM-001: number < 8 s, tighter than the checklist's 10"]
    again = house.run("--replay", str(run.folder))
    assert again.outcomes() == run.outcomes()


def test_a_looser_limit_is_refused_before_anything_is_sent(house: House) -> None:
    house.extra = limit(20)
    run = house.run()
    assert run.status == 4
    assert "number < 20 s, looser than the checklist's 10; allowed: a tighter one, or a valid [[waiver]]" in run.out
    assert house.target.seen == []


def test_what_passes_a_waived_looser_limit_only_is_waived_and_not_passed(house: House) -> None:
    house.target.answers["/front"] = (200, {"number": 15})
    house.extra = limit(20) + WAIVER
    run = house.run()
    assert (run.status, run.outcomes()["DEM-001"]) == (0, "waived"), run.out
    assert "looser than the checklist's 10" in run.record["items"]["DEM-001"]["message"]


def test_an_expired_waiver_loosens_nothing(house: House) -> None:
    house.extra = limit(20) + WAIVER.replace("2999", "2020")
    assert house.run().status == 4


def test_a_limit_that_no_check_would_see_is_refused(house: House) -> None:
    house.checks(CHECK.replace("threshold().value", "10").replace(", threshold", ""))
    house.extra = limit(8)
    run = house.run()
    assert (run.status, house.target.seen) == (4, [])
    assert "DEM-001: suites/demo/test_demo.py::test_the_front_page_states_few states its own number" in run.out


@pytest.mark.parametrize("item", ["DEM-001", "DEM-002"])
def test_a_limit_of_an_item_without_one_is_refused(house: House, item: str) -> None:
    house.tables = THRESHOLD.replace('"gate"', '"window"') if item == "DEM-001" else THRESHOLD
    house.extra = limit(8).replace("DEM-001", item)
    run = house.run()
    assert (run.status, house.target.seen) == (4, [])
    assert f"{item}: found 0 limits in the checklist" in run.out


def test_a_check_that_asks_for_a_number_that_is_not_there_is_an_error(house: House) -> None:
    house.tables = ""
    run = house.run()
    assert run.outcomes()["DEM-001"] == "error"
    assert "threshold: found 0 numbers, known: none" in run.record["items"]["DEM-001"]["message"]


def test_numbers_are_those_that_figures_are_decided_with() -> None:
    known = checklist.load("model_config")
    rate = one(limits(known, {"MCI-094"}, {}))
    assert (rate.comparison, rate.value, rate.unit) == ("<=", 0.05, "share")
    assert (rate.alert(minimum=20).comparison, rate.alert().limit, rate.share().value) == (">", 0.05, 0.05)
    available = one(limits(known, {"MCI-098"}, {"MCI-098": 99.5})).share()
    assert (available.comparison, available.value) == (">=", 0.995)
    quick = one(limits(known, {"MCI-063"}, {"MCI-063": 8.0}), role="gate").percentile(95)
    assert (quick.percentile, quick.comparison, quick.value, quick.unit) == (95, "<", 8.0, "s")
    assert one(limits(known, {"MCI-104"}, {})).value == 24 * 3600


def test_a_shared_number_is_tightened_for_the_item_that_is_named_alone() -> None:
    known = checklist.load("model_config")
    assert one(limits(known, {"MCI-093"}, {"MCI-094": 2.0})).value == 0.05
    assert one(limits(known, {"MCI-094"}, {"MCI-094": 2.0})).value == 0.02


@pytest.mark.parametrize(
    ("item", "value", "looser"),
    [("MCI-063", 9, False), ("MCI-063", 11, True), ("MCI-094", 4, False), ("MCI-094", 6, True),
     ("MCI-098", 99.9, False), ("MCI-098", 98, True), ("MCI-016", 7, False), ("MCI-016", 5, True)],
)  # fmt: skip
def test_tighter_is_told_by_what_the_number_is_for(item: str, value: float, looser: bool) -> None:  # noqa: FBT001  a parameter
    (change,) = changes(checklist.load("model_config"), {item: value})
    assert change.looser is looser


def test_what_cannot_be_tightened_is_named_with_what_can() -> None:
    with pytest.raises(ThresholdError, match=r"MCI-024: found 0 limits in the checklist, allowed one: .*MCI-063"):
        changes(checklist.load("model_config"), {"MCI-024": 1})


@pytest.mark.parametrize("system", checklist.systems())
def test_every_number_of_every_checklist_can_be_asked_for(system: str) -> None:
    known = checklist.load(system)
    found = [limit for item in known.items for limit in limits(known, {item}, {})]
    assert all(limit.values for limit in found)
    assert {number.metric for number in known.threshold} >= {limit.metric for limit in found}
