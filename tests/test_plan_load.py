"""Load tests are a selection of their own, and happen only where the budget allows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.house import House

if TYPE_CHECKING:
    from pathlib import Path

LOOKS = """
@observation()
def front(api: Http) -> Exchange:
    \"\"\"The front page.\"\"\"
    return api.get("/front")


@observation(spends={"generations": 500})
def load(api: Http) -> Exchange:
    \"\"\"Five hundred pictures.\"\"\"
    return api.post("/load")
"""
CHECKS = """
@pytest.mark.item("DEM-001")
def test_the_front_page_answers(front) -> None:
    \"\"\"The front page answers 200.\"\"\"
    assert front.status == 200


@pytest.mark.item("DEM-002")
def test_the_load_is_carried(load) -> None:
    \"\"\"Five hundred pictures are answered 200.\"\"\"
    assert load.status == 200
"""


def loaded(root: Path, *, generations: int) -> House:
    house = House(root)
    house.permits = ["read_only", "costs"]
    house.generations = generations
    house.item("DEM-001")
    house.item("DEM-002", needs='["http", "load"]')
    house.conftest(LOOKS)
    house.checks(CHECKS)
    return house


def test_a_load_beyond_the_budget_is_not_permitted_and_not_sent(tmp_path: Path) -> None:
    house = loaded(tmp_path, generations=12)
    run = house.run()
    assert run.outcomes() == {"DEM-001": "passed", "DEM-002": "not_permitted"}
    assert "load spends 500 generations, allowed 12" in run.record["items"]["DEM-002"]["message"]
    assert house.target.seen == [("GET", "/front")]


def test_a_load_within_the_budget_is_selected_by_its_marker(tmp_path: Path) -> None:
    house = loaded(tmp_path, generations=500)
    assert house.run("-m", "load").outcomes() == {"DEM-001": "not_selected", "DEM-002": "passed"}
    assert house.target.seen == [("POST", "/load")]


def test_a_look_that_is_a_load_test_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    house = loaded(tmp_path, generations=500)
    house.conftest(LOOKS.replace("500})", "500}, load=True)"))
    assert house.run().outcomes() == {"DEM-001": "passed", "DEM-002": "not_selected"}
    assert house.run("-m", "load or not load").outcomes() == {"DEM-001": "passed", "DEM-002": "passed"}
    # The two looks of the second run are made side by side: which arrives first is open.
    assert sorted(house.target.seen) == [("GET", "/front"), ("GET", "/front"), ("POST", "/load")]


def test_a_load_and_what_it_needs_are_weighed_together(tmp_path: Path) -> None:
    house = loaded(tmp_path, generations=500)
    spending = LOOKS.replace("@observation()\ndef front", '@observation(spends={"generations": 1})\ndef front')
    house.conftest(spending.replace("def load(api: Http)", "def load(api: Http, front: Exchange)"))
    run = house.run()
    assert run.outcomes() == {"DEM-001": "passed", "DEM-002": "not_permitted"}
    assert "load spends 500 and front spends 1 generations, allowed 500" in run.record["items"]["DEM-002"]["message"]
