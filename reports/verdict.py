"""The verdict: one pure function over the items of a record."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reports.record import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reports.record import Decision, Item, Outcome, Severity

GO, NO_GO, INTERRUPTED, INTERNAL, USAGE, NOTHING_SELECTED, HOLD, NO_EVIDENCE = 0, 1, 2, 3, 4, 5, 6, 7

SATISFIED: frozenset[Outcome] = frozenset({"passed", "attested", "waived"})
NEUTRAL: frozenset[Outcome] = frozenset({"not_permitted", "open", "not_selected"})
WORST_FIRST: tuple[Outcome, ...] = (
    "failed", "error", "inconclusive", "unattested", "not_configured", "not_permitted", "open", "waived", "attested",
    "passed", "not_selected",
)  # fmt: skip
_SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


def decide(
    items: Mapping[str, Item], *, narrowed: Sequence[str] = (), interrupted: bool = False, broken: bool = False
) -> Verdict:
    """Decide from what became of each item; nothing else can change the verdict.

    narrowed: what made the plan smaller than its selection. broken: something of ours crashed on the way. Such runs can
    refuse a release and never let one stay.
    """
    reasons = tuple(sorted((_reason(name, item) for name, item in items.items() if _in_the_way(item)), key=_gravity))
    if interrupted:
        return Verdict(decision="NOT SIGNED OFF", exit_status=INTERRUPTED, reasons=reasons)
    if not broken and all(item.outcome == "not_selected" for item in items.values()):
        return Verdict(decision="NOT SIGNED OFF", exit_status=NOTHING_SELECTED, reasons=reasons)
    decision = _decision(reasons, proved=any(item.outcome in SATISFIED for item in items.values()))
    if decision == "GO" and (narrowed or broken):
        decision = "HOLD"
    return Verdict(decision=decision, exit_status=_STATUS[decision], reasons=reasons)


def count(items: Mapping[str, Item]) -> dict[Outcome, int]:
    """Count the items of each outcome, worst first; outcomes that did not occur are left out."""
    counted = Counter(item.outcome for item in items.values())
    return {outcome: counted[outcome] for outcome in WORST_FIRST if counted[outcome]}


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the worst of several outcomes. Raises ValueError for none."""
    return min(outcomes, key=WORST_FIRST.index)


_STATUS: dict[Decision, int] = {"GO": GO, "ROLLBACK": NO_GO, "NO-GO": NO_GO, "HOLD": HOLD}


def _decision(reasons: Sequence[Reason], *, proved: bool) -> Decision:
    failed = [reason for reason in reasons if reason.outcome == "failed"]
    if any(reason.action.startswith("rollback") for reason in failed):
        return "ROLLBACK"
    if any(reason.severity in ("critical", "high") for reason in failed):
        return "NO-GO"
    return "GO" if proved and not reasons else "HOLD"


def _in_the_way(item: Item) -> bool:
    return item.outcome not in SATISFIED | NEUTRAL


def _reason(name: str, item: Item) -> Reason:
    """Return why an item is in the way; the checklist's action is for what does not hold, not for what was not seen."""
    return Reason(
        item=name, outcome=item.outcome, severity=item.severity, action=item.action if item.outcome == "failed" else "",
        measured=item.measured, limit=item.limit, message=item.message.partition("\n")[0],
    )  # fmt: skip


def _gravity(reason: Reason) -> tuple[int, int, str]:
    return (WORST_FIRST.index(reason.outcome), _SEVERITIES.index(reason.severity), reason.item)
