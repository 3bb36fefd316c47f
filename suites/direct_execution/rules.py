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
# Between a comparison and its number there may be how its two sides are matched; the number may be a factor.
MATCHING = r"(?:bool\s*)?(?:(?:on|ignoring)\s*\([^)]*\)\s*)?(?:group_(?:left|right)\s*(?:\([^)]*\)\s*)?)?[(\s]*"
COMPARED = re.compile(rf"([<>]=?|==)\s*{MATCHING}([0-9.]+(?:e[+-]?\d+)?)(?=\s*(?:$|\)|\*|and\b|or\b|unless\b))")
UNEQUAL = re.compile(r"!=\s*(?![\s\"'])")  # of two values; a label is compared with a text
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
STATUS = re.compile(r"\w*(?:status|code)\w*\s*(=~|!~|!=|=)\s*[\"']([^\"']*)[\"']")
ROUNDING = 0.01
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


def severity(rule: dict[str, Any]) -> str:
    """Return how severe a rule's alert is; an empty text where it does not say."""
    return str(rule.get("labels", {}).get("severity", "")).lower()


def differs(rule: dict[str, Any]) -> bool:
    """Return whether a rule fires at any difference of two amounts, that of rounding to hundredths left out."""
    limits = [number for sign, number in compared(rule) if sign == ">"]
    return any(number <= ROUNDING for number in limits) or UNEQUAL.search(rule["query"]) is not None


def counts(rule: dict[str, Any], status: str) -> bool:
    """Return whether a rule counts the answers with a status."""
    found = STATUS.findall(rule["query"])
    return any((re.fullmatch(text, status) is not None) == (sign in ("=", "=~")) for sign, text in found)


def windows(rule: dict[str, Any]) -> set[float]:
    """Return the spans that a rule looks at, in seconds."""
    spans = re.findall(r"\[(\w+)(?::\w*)?\]", rule["query"])
    return {sum(int(n) * SECONDS[unit] for n, unit in re.findall(r"(\d+)(ms|[smhd])", span)) for span in spans}


def lasts(rule: dict[str, Any], span: float) -> bool:
    """Return whether a rule looks at a span, or at shorter ones for as long."""
    return windows(rule) == {span} or (rule.get("duration") == span and max(windows(rule), default=0) <= span)


def grouped_by(rule: dict[str, Any], *labels: str) -> bool:
    """Return whether a rule is judged for each value of one of these labels."""
    groups = re.findall(r"by\s*\(([\w,\s]+)\)", rule["query"])
    return any(set(labels) & set(re.split(r"[\s,]+", names)) for names in groups)


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
