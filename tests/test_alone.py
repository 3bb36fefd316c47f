"""Looks that are made alone: after the looks that they would disturb, and one at a time."""

from __future__ import annotations

import pytest

from tests.house import House

CONFTEST = """
import time

@observation()
def early(api: Http) -> Exchange:
    \"\"\"A look that takes a while.\"\"\"
    time.sleep(1.5)
    return api.get("/early")

@observation(permit="destructive", alone={alone})
def rehearsed(spare: Http) -> Exchange:
    \"\"\"A look that changes what others see.\"\"\"
    return spare.get("/rehearsed")

@observation()
def later(api: Http, rehearsed: Exchange) -> Exchange:
    \"\"\"A look at what it left.\"\"\"
    return api.get("/later")
"""
CHECK = """
@pytest.mark.item("DEM-001")
def test_all_answer(early, rehearsed, later) -> None:
    \"\"\"All answer 200.\"\"\"
    assert [early.status, rehearsed.status, later.status] == [200, 200, 200]
"""


@pytest.mark.parametrize(
    ("alone", "port", "order"),
    [
        ("True", "{port}", ["/early", "/rehearsed", "/later"]),
        ("('spare',)", "{port}", ["/early", "/rehearsed", "/later"]),
        ("('spare',)", "{other}", ["/later", "/early"]),
    ],
    ids=["all", "same-address", "own-address"],
)
def test_a_look_made_alone_waits_for_whom_it_would_disturb(
    house: House, other: House, alone: str, port: str, order: list[str]
) -> None:
    urls = {"port": house.target.url, "other": other.target.url}
    house.conftest(CONFTEST.format(alone=alone))
    house.checks(CHECK)
    house.permits = ["read_only", "destructive"]
    house.extra = f"""
[systems.demo.http.spare]
url = "{port.format(**urls)}"
"""
    run = house.run()
    assert run.status == 0, run.out
    assert [path for _, path in house.target.seen] == order
    assert [path for _, path in other.target.seen] == ([] if port == "{port}" else ["/rehearsed"])


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("house"))
    house.item("DEM-001", safety="destructive")
    return house


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("other"))
