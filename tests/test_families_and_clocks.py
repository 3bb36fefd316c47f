"""What a run states about all of its figures together, and about the clocks it compared."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from fixtures import figures
from fixtures.clocks import despite_skew, offset_of
from fixtures.database import DatabaseState, Snapshot
from fixtures.values import Trouble, UnseenError
from judging.proportions import ShareLimit, decide_share
from judging.windows import Span, cut
from reports.record import Figure
from tests.house import ONE_LOOK, House

if TYPE_CHECKING:
    from pathlib import Path

    from judging.decision import Decision

CHECK = """
from judging.proportions import ShareLimit, decide_share
@pytest.mark.item("DEM-001", "DEM-002")
@pytest.mark.parametrize("number", range(4))
def test_share(front, estimated, number) -> None:
    def few(alpha, beta):
        return decide_share(1, 1000, ShareLimit(value=0.05, comparison="<", alpha=alpha, beta=beta))
    assert estimated(few) == "pass"
    assert front.status == 200
"""


def test_a_run_shares_its_error_among_its_figures_and_says_so(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.item("DEM-001")
    house.item("DEM-002")
    house.conftest(ONE_LOOK)
    house.checks(CHECK)
    run = house.run("-n", "2")
    assert run.status == 0, run.out
    found = [figure for check in run.record["checks"].values() for figure in check["figures"]]
    assert [(one["alpha"], one["beta"]) for one in found] == [(0.05, 0.0125)] * 4
    assert run.record["family"] == (
        "4 figures estimated from samples: a GO with one of them beyond its limit has probability at most 0.05 (all "
        "have to pass), a false fail among them at most 0.05 (each judged at 0.013)"
    )


def share() -> Figure:
    decision = decide_share(1, 1000, ShareLimit(value=0.05, comparison="<"))
    return Figure.model_validate(figures.Figure(decision).form())


def census() -> Figure:
    return share().model_copy(update={"alpha": None, "beta": None})


def test_figures_that_share_nothing_are_added_up() -> None:
    assert "a false fail among them at most 0.15 (each judged at 0.05)" in figures.family_statement([share()] * 3)


def test_what_counts_everything_has_no_such_error() -> None:
    assert figures.family_statement([census()]) == "1 figure counts everything there was, without such an error"
    both = figures.family_statement([share(), census()])
    assert both.endswith("(each judged at 0.05); 1 figure counts everything there was, without such an error")
    assert figures.family_statement([]) == ""


def snapshot(offset_s: float | None, uncertainty_s: float | None = 0.01) -> Snapshot:
    state = DatabaseState(
        clock=dt.datetime.now(dt.UTC), offset_s=offset_s, offset_uncertainty_s=uncertainty_s, identity={},
        consistent=True,
    )  # fmt: skip
    return Snapshot(raw_rows={}, raw_state=state)


def errors_since(start: float) -> Decision:
    """Judge a thousand good rows at 100 s and later, and a hundred bad ones at 99.95 s."""
    times = [99.95] * 100 + [100.5] * 1000
    (window,) = cut(times, Span(start=start, end=start + 60, length=60))
    return decide_share(max(0, window.count - 1000), window.count, ShareLimit(value=0.05, comparison="<"))


@pytest.mark.parametrize(
    ("offset_s", "uncertainty_s", "outcome"),
    [(0.0, 0.01, "pass"), (-0.1, 0.01, "fail"), (-0.05, 0.02, "inconclusive"), (None, None, "inconclusive")],
)
def test_a_skew_that_could_change_a_windows_verdict_leaves_it_open(
    offset_s: float | None, uncertainty_s: float | None, outcome: str
) -> None:
    decision = despite_skew(snapshot(offset_s, uncertainty_s), lambda shift: errors_since(100 + shift))
    assert decision.outcome == outcome
    assert any("clock" in note for note in decision.notes)


def test_a_database_that_was_not_seen_tells_no_time() -> None:
    unseen = Snapshot(trouble=Trouble(kind="refused", text="nobody listens"), raw_rows={})
    assert offset_of(unseen) is None
    with pytest.raises(UnseenError):
        despite_skew(unseen, errors_since)


def test_the_record_and_the_reports_show_a_databases_clock(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest("""
import datetime as dt
from fixtures.database import DatabaseState, Rows, Snapshot
@observation()
def front(api: Http) -> Snapshot:
    api.get("/front")
    state = DatabaseState(clock=dt.datetime.now(dt.UTC), offset_s=-1.5, offset_uncertainty_s=0.02, identity={},
                          consistent=True)
    return Snapshot(raw_rows={"a": Rows(raw_columns=("n",), raw_cells=((1,),))}, raw_state=state)
""")
    house.checks("""
@pytest.mark.item("DEM-001")
def test_rows(front) -> None:
    assert front["a"].only["n"] == 1
""")
    run = house.run()
    look = run.record["observations"]["demo.front"]
    assert (look["offset_s"], look["offset_uncertainty_s"]) == (-1.5, 0.02)
    again = house.run("--replay", str(run.folder))
    assert again.record["observations"]["demo.front"]["offset_s"] == -1.5
