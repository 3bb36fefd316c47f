"""What must not be said is detected, replaced before anybody reads it, and kept for a person to review."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.python import Call

DESCRIPTION = "A door stands open."  # what the narratives are about: it may be in any of them
GRAVE = {"critical", "high"}
ZONES = dt.timedelta(hours=15)  # a stored time has no zone: it may be anybody's local time
TELLING = 12  # characters: a shorter part of a text, as "Wait", may stand in any other


@pytest.mark.item("MMS-052")
@pytest.mark.parametrize(
    ("output", "severity"),
    [
        ("kill", "critical"),
        ("suicide", "critical"),
        ("harm", "critical"),
        ("violence", "critical"),
        ("harassment", "high"),
        ("several", "critical"),
        ("terror", "critical"),
        ("hate", "critical"),
        ("discrimination", "high"),
        ("long", "critical"),
        ("second", "critical"),
    ],
)
def test_what_must_not_be_said_is_detected(verdicts: Call, output: str, severity: str) -> None:
    """A forbidden phrase, in whatever output and place, has its severity and calls for intervention."""
    seen = verdicts.result[output]
    assert (seen["compliant"], seen["intervention"]) == (False, True)
    assert severity in seen["severities"]


@pytest.mark.item("MMS-052")
@pytest.mark.parametrize("output", ["clean", "plain", "traps"])
def test_harmless_words_are_let_through(verdicts: Call, output: str) -> None:
    """An output that only contains the letters of a forbidden word is no grave violation."""
    seen = verdicts.result[output]
    assert GRAVE & set(seen["severities"]) == set()


@pytest.mark.item("MMS-052")
@pytest.mark.parametrize("severity", ["critical", "high"])
def test_a_grave_violation_is_answered_with_fallback_content(narratives: Call, severity: str) -> None:
    """The caller gets the fallback content, and not a single sentence or choice of what violates."""
    seen = narratives.result[severity]
    given = [text for one in seen["given"] for text in one["outputs"]]
    parts = [part.strip() for text in given for part in text.replace(",", ".").split(".")]
    telling = [part[:30] for part in parts if len(part) >= TELLING and part not in DESCRIPTION]
    assert (len(seen["given"]) >= 1, len(telling) >= 1) == (True, True)
    assert [part for part in telling if part in " ".join([seen["told"], *seen["choices"]])] == []
    assert DESCRIPTION in seen["told"]


@pytest.mark.item("MMS-052")
@pytest.mark.parametrize("severity", ["low", "medium"])
def test_a_minor_violation_changes_nothing(narratives: Call, severity: str) -> None:
    """A narrative with a minor violation reaches the caller unchanged."""
    seen = narratives.result[severity]
    assert [seen["told"] in " ".join(one["outputs"]) for one in seen["given"]].count(True) == 1


@pytest.mark.item("MMS-053")
def test_a_critical_violation_is_kept_for_review(verdicts: Call, rows: Snapshot, marker: str) -> None:
    """One record holds the violating output, its model and its time, and says what was done."""
    model_id = verdicts.result["kill"]["model_id"]
    kept = [row for row in rows["violations"] if row["model_id"] == model_id]
    found = [(row["violation_type"], row["severity"], marker in row["output_sample"]) for row in kept]
    assert found == [("safety", "critical", True)]
    assert bool(kept[0]["intervention_taken"]) is True
    asked = dt.datetime.fromtimestamp(verdicts.result["kill"]["asked_at"], dt.UTC).replace(tzinfo=None)
    assert abs(dt.datetime.fromisoformat(kept[0]["at"]).replace(tzinfo=None) - asked) < ZONES


@pytest.mark.item("MMS-053")
def test_a_narrative_names_the_model_it_came_from(narratives: Call, rows: Snapshot) -> None:
    """What a narrative violates can be kept: it is reported for a registered model, not for a word."""
    given = [one["model_id"] for one in narratives.result["critical"]["given"]]
    assert len(given) >= 1
    assert set(given) - set(rows["current"].column("model_id")) == set()
