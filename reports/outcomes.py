"""How an outcome is shown: its status in the formats of others, its words, its gravity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from reports.record import Outcome

Status = Literal["passed", "failed", "error", "skipped"]

# The formats know four states. What is no yes never becomes a pass there, and nothing fails there that was not seen to.
STATUS: dict[Outcome, Status] = {
    "passed": "passed",
    "attested": "passed",
    "waived": "passed",
    "failed": "failed",
    "error": "error",
    "inconclusive": "error",
    "unattested": "error",
    "not_configured": "error",
    "not_permitted": "skipped",
    "open": "skipped",
    "not_selected": "skipped",
}

MEANING: dict[Outcome, str] = {
    "passed": "looked, and it holds",
    "failed": "looked, and it does not hold",
    "inconclusive": "looked, and the evidence is too little to say",
    "error": "could not look, or the suite itself broke",
    "attested": "a named person's valid statement exists",
    "unattested": "a person has to state this, and nobody has",
    "waived": "failed, and accepted for now by a named person",
    "not_configured": "the environment lacks the instrument to look with",
    "not_permitted": "the environment forbids the look; another environment's run must cover it",
    "open": "no check is written yet",
    "not_selected": "outside this run's selection",
}


def word(outcome: Outcome) -> str:
    """Return the outcome as a person reads it."""
    return outcome.replace("_", " ")
