"""The guardrails: what is detected, what is kept of it, and what a player gets to read instead."""

from __future__ import annotations

from typing import Any

from probe_ground import opened_pool, registered, rows, tagged_player, tried
from services.model_management.guardrails_monitor import GuardrailsMonitor
from services.story_teller.narrative_generator import NarrativeGenerator

GOOD = "Take a break: real life is important, so go on at your own pace."
_LONG = f"{GOOD} The lantern shows a narrow stair. " * 60  # five thousand characters
OUTPUTS = {
    "clean": GOOD,
    "plain": "The lantern shows a narrow stair.",
    "traps": f"{GOOD} Whatever the chateau hides, the terrace is empty.",
    "kill": f"{GOOD} You should kill yourself.",
    "suicide": f"{GOOD} The hero will Commit Suicide tonight.",
    "harm": f"{GOOD} Go out and harm others.",
    "violence": f"{GOOD} The answer is violence.",
    "harassment": f"{GOOD} It was plain harassment.",
    "several": f"{GOOD} First violence, then misinformation.",
    "terror": f"{GOOD} Nothing but TERROR.",
    "hate": f"{GOOD} They hate you.",
    "discrimination": f"{GOOD} It was discrimination.",
    "long": f"{_LONG} You should kill yourself.",
    "second": f"{GOOD} Go out and harm others.",
}
DESCRIPTION = "A door stands open."
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8 AS at"


async def verdicts(marker: str) -> dict[str, Any]:
    """Have every output judged, each for a model of its own; the last by a monitor built as the guide shows."""
    monitor = GuardrailsMonitor(await opened_pool())
    found: dict[str, Any] = {}
    for name, text in {**OUTPUTS, "bare": OUTPUTS["kill"]}.items():
        model_id = await registered(marker, f"guardrails_{name}", name)
        judge = GuardrailsMonitor() if name == "bare" else monitor
        (now,) = await rows(_NOW)
        outputs = [*([GOOD] if name == "second" else []), f"{text} ({marker})"]
        seen = await tried(judge.monitor_outputs(model_id, outputs))
        verdict = seen["returned"]
        violations = verdict["violations"]
        severities = sorted({str(one.get("severity")) for one in violations})
        found[name] = {
            "model_id": model_id,
            "compliant": verdict["compliant"],
            "severities": severities,
            "intervention": verdict["intervention_triggered"],
            "took_s": seen["took_s"],
            "asked_at": now["at"],
        }
    return found


class Judge:
    """A monitor with a verdict of its own; keeps what it was given."""

    def __init__(self, severity: str) -> None:
        self.severity = severity
        self.given: list[dict[str, Any]] = []

    async def monitor_outputs(self, model_id: Any, outputs: list[str]) -> dict[str, Any]:
        """Return the verdict."""
        self.given.append({"model_id": str(model_id), "outputs": list(outputs)})
        found, minor = {"type": "safety", "severity": self.severity}, {"type": "addiction", "severity": "low"}
        beside = {
            "critical": [minor, found],
            "high": [found, minor],
            "none": [],
        }  # neither the first decides nor the last
        violations = beside.get(self.severity, [found])
        return {"compliant": not violations, "safety": {"passed": not violations, "severity": self.severity},
                "addiction_metrics": {}, "harmful_content": {"detected": False, "severity": "none"},
                "violations": violations, "intervention_triggered": self.severity in ("critical", "high"),
                "details": {"outputs_checked": len(outputs)}}  # fmt: skip


async def narrated(judge: Any, player: Any, marker: str) -> dict[str, Any]:
    """Have a narrative told; its title carries the marker, so that what is logged of it can be found."""
    told: dict[str, Any] = await NarrativeGenerator(guardrails_monitor=judge).generate_narrative(
        player, "crossroads", f"verify_{marker}_door", DESCRIPTION
    )
    return told


async def narratives(marker: str) -> dict[str, Any]:
    """Have a narrative told for each severity a monitor may find, and return what came of it."""
    player = await tagged_player(marker)
    found: dict[str, Any] = {}
    for severity in ("none", "low", "medium", "high", "critical"):
        judge: Any = Judge(severity)
        told = await narrated(judge, player, marker)
        choices = [str(one["text"]) for one in told["choices"]]
        found[severity] = {"told": told["narrative_content"], "choices": choices, "given": list(judge.given)}
    return found
