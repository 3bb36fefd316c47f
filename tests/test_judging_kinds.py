"""What was never there before is named; a baseline holds what a log complained of before a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judging.kinds import decide_kinds
from tests.house import House

if TYPE_CHECKING:
    from pathlib import Path

CHECK = """
from judging.kinds import decide_kinds

@pytest.mark.item("DEM-001")
def test_no_complaint_is_new(front, before, decided) -> None:
    \"\"\"No kind of complaint is new.\"\"\"
    assert decided(before.compared("signatures", front.json["signatures"], decide_kinds)) == "pass"
"""
LOOK = """
@observation()
def front(api: Http) -> Exchange:
    \"\"\"What the log complains of.\"\"\"
    return api.get("/front")
"""


def test_what_was_there_before_is_nothing_new() -> None:
    assert decide_kinds(["a", "b", "a"], ["b", "a", "c"]).outcome == "pass"
    assert decide_kinds([], []).outcome == "pass"


def test_what_is_new_is_named_and_counted() -> None:
    decision = decide_kinds([f"new {number}" for number in range(9)], ["old"], "complaints")
    assert (decision.outcome, decision.measured, decision.samples) == ("fail", 9, 9)
    assert "found 9 that were not there before: 'new 0'; 'new 1'" in decision.statement
    assert decision.statement.count("'new") == 5


def test_the_signatures_of_a_log_are_compared_with_those_of_a_baseline(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest(LOOK)
    house.checks(CHECK)
    house.release = "1.0"
    house.target.answers["/front"] = (200, {"signatures": ["slow query #", "retry # of #"]})
    first = house.run("--save-baseline", "before")
    assert first.outcomes() == {"DEM-001": "inconclusive"}
    house.release = "1.1"
    house.target.answers["/front"] = (200, {"signatures": ["retry # of #"]})
    assert house.run("--baseline", "before").outcomes() == {"DEM-001": "passed"}
    house.target.answers["/front"] = (200, {"signatures": ["retry # of #", "no such table #"]})
    worse = house.run("--baseline", "before")
    assert worse.outcomes() == {"DEM-001": "failed"}
    assert "'no such table #'" in worse.record["items"]["DEM-001"]["message"]
