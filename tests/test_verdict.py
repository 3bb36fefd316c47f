"""The verdict, as a function of items alone."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.record import Item, Outcome, Severity
from reports.verdict import NEUTRAL, SATISFIED, count, decide, worst

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
outcomes = st.sampled_from(OUTCOMES)


def item(outcome: Outcome, severity: Severity = "high", action: str = "investigate") -> Item:
    return Item(
        title="t", system="demo", section="s", stage="smoke", kind="functional", severity=severity, action=action,
        safety="read_only", outcome=outcome,
    )  # fmt: skip


@given(
    found=st.dictionaries(st.text(min_size=1, max_size=3), outcomes, max_size=6),
    narrowed=st.booleans(),
    interrupted=st.booleans(),
    broken=st.booleans(),
)
def test_go_needs_everything_selected_to_hold_and_something_to_have_been_proved(
    *, found: dict[str, Outcome], narrowed: bool, interrupted: bool, broken: bool
) -> None:
    verdict = decide(
        {name: item(outcome) for name, outcome in found.items()},
        narrowed=["-k x"] if narrowed else [], interrupted=interrupted, broken=broken,
    )  # fmt: skip
    holds = all(outcome in SATISFIED | NEUTRAL for outcome in found.values())
    proved = any(outcome in SATISFIED for outcome in found.values())
    clean = not (narrowed or interrupted or broken)
    assert (verdict.exit_status == 0) == (verdict.decision == "GO") == (holds and proved and clean)


@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - SATISFIED - NEUTRAL))
def test_one_item_that_is_not_satisfied_prevents_go(outcome: Outcome) -> None:
    verdict = decide({"A": item("passed"), "B": item(outcome, "low", "warn")})
    assert (verdict.decision, verdict.exit_status) == ("HOLD", 6)
    assert [reason.item for reason in verdict.reasons] == ["B"]


@pytest.mark.parametrize(
    ("severity", "action", "decision"),
    [
        ("critical", "rollback (quick)", "ROLLBACK"),
        ("low", "rollback (full)", "ROLLBACK"),
        ("critical", "stop the deployment", "NO-GO"),
        ("high", "investigate", "NO-GO"),
        ("medium", "investigate", "HOLD"),
        ("low", "warn", "HOLD"),
    ],
)
def test_a_failure_decides_by_action_and_severity(severity: Severity, action: str, decision: str) -> None:
    assert decide({"A": item("passed"), "B": item("failed", severity, action)}).decision == decision


def test_an_error_never_rolls_back() -> None:
    assert decide({"A": item("error", "critical", "rollback (full)")}).decision == "HOLD"


def test_nothing_selected_has_a_status_of_its_own() -> None:
    assert decide({"A": item("not_selected")}).exit_status == 5


def test_only_neutral_items_are_a_hold() -> None:
    assert decide({"A": item("open"), "B": item("not_permitted")}).decision == "HOLD"


def test_reasons_come_worst_first() -> None:
    items = {"A": item("error"), "B": item("failed", "medium"), "C": item("failed", "critical")}
    assert [reason.item for reason in decide(items).reasons] == ["C", "B", "A"]


@given(st.lists(outcomes, min_size=1))
def test_the_worst_of_several_is_never_better_than_any(found: list[Outcome]) -> None:
    if any(outcome not in SATISFIED | NEUTRAL for outcome in found):
        assert worst(found) not in SATISFIED | NEUTRAL


@given(st.lists(outcomes))
def test_the_counts_add_up(found: list[Outcome]) -> None:
    items = {str(number): item(outcome) for number, outcome in enumerate(found)}
    assert sum(count(items).values()) == len(found)
