"""How an alerting rule is read, and when its alert should have fired."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from judging.alerts import episodes

from .windows import worst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from judging.alerts import AlertRule
    from judging.readings import Reading

    Rules = list[dict[str, Any]]

WARNINGS = ("warning", "medium", "high")
COMPARED = re.compile(r"([<>]=?|==)\s*([0-9.]+(?:e[+-]?\d+)?)(?=\s*(?:$|\)|and\b|or\b|unless\b))")
PERCENT = re.compile(r"\s*\(*\s*100\b")
# Records count from their beginning and an alert from their end, five minutes later; rules look once a minute or so.
APART_S = 900
CLEARLY_S = 300  # a condition that held so long cannot have fallen between two evaluations


def rule_about(alert_rules: Rules, *words: str) -> dict[str, Any]:
    """Return the one healthy rule whose name holds all the words."""
    found = [rule for rule in alert_rules if all(word in rule["name"].lower() for word in words)]
    assert [(rule["name"], rule["health"]) for rule in found] == [(rule["name"], "ok") for rule in found[:1]]
    assert len(found) == 1, f"rules about {' '.join(words)}: {len(found)}, expected one"
    return found[0]


def compared(rule: dict[str, Any], *, share: bool = False) -> set[tuple[str, float]]:
    """Return the comparisons with a number in a rule: the limit, and how much data it asks for, as rules may.

    share: the limit is one of a share, and is returned as a part of one, whichever way it is written.
    """
    percent = PERCENT.match(rule["query"]) is not None
    found = {(sign, float(number)) for sign, number in COMPARED.findall(rule["query"])}
    if share:
        found = {(sign, round(number / 100, 9) if percent or number > 1 else number) for sign, number in found}
    return found


def windows(rule: dict[str, Any]) -> set[str]:
    """Return the spans that a rule looks at."""
    return set(re.findall(r"\[(\w+)\]", rule["query"]))


def grouped_by(rule: dict[str, Any], label: str) -> bool:
    """Return whether a rule is judged for each value of a label."""
    return any(label in names.split(", ") for names in re.findall(r"by \(([\w, ]+)\)", rule["query"]))


def mistold(moments: Sequence[float], parts: Sequence[Sequence[Reading]], rule: AlertRule) -> list[str]:
    """Return when an alert was silent though its condition clearly held, and when it fired and it did not hold.

    parts: the readings of each group that the rule looks at. With little data an alert may fire, and need not.
    """
    clear = [one for one in episodes(worst(parts, rule), rule)[0] if one.end - one.start >= CLEARLY_S]
    silent = [
        f"silent from {one.start:.0f} to {one.end:.0f}"
        for one in clear
        if not any(one.start - APART_S <= at <= one.end + APART_S for at in moments)
    ]
    held = [one.end for part in parts for one in part if one.value is not None and rule.fires(one.value)]
    first = min((one.end for part in parts for one in part), default=float("inf"))  # before, it saw the old release
    alone = [
        f"fired at {at:.0f}"
        for at in moments
        if at >= first and not any(abs(at - moment) <= APART_S for moment in held)
    ]
    return silent + alone
