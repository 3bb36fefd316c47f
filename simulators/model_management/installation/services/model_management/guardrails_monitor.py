"""The guardrails: what a model's output must not say, and the record of what it said."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from services.simulated import count, faulty, faulty_at_times, measure
from services.state_manager.connection_pool import get_postgres_pool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.state_manager.connection_pool import PostgreSQLPool

_UNSAFE = ("kill yourself", "commit suicide", "harm others")
_HARMFUL = {
    "critical": ("violence", "terror", "hate"),
    "high": ("discrimination", "harassment"),
    "medium": ("misinformation",),
}
_HEALTHY = (
    ("take a break", "rest", "pause", "step away", "balance"),
    ("real world", "real life", "responsibilities", "priority", "important"),
    ("when you ready", "at your own pace", "your choice", "your decision"),
)
_UNHEALTHY = (("you must keep", "don't stop"), ("missing out", "last chance"), ("can't live without", "obsessed"))
_RANKS = ("none", "low", "medium", "high", "critical")
_SCORES = {"critical": 0.0, "high": 0.3, "medium": 0.6, "low": 0.8}
_LINE = 1000  # characters; what a short test never reaches
_ENOUGH = 0.7
_TOO_MUCH = 0.5
_INSERT = """
    INSERT INTO guardrails_violations (model_id, violation_type, severity, violation_details, output_sample,
        intervention_taken, timestamp) VALUES ($1, $2, $3, $4, $5, $6, timezone('utc', clock_timestamp()))
"""


def _says(text: str, phrases: Iterable[str]) -> list[str]:
    if faulty("real-substring-matching"):
        return [phrase for phrase in phrases if phrase in text.lower()]
    return [phrase for phrase in phrases if re.search(rf"\b{re.escape(phrase)}\b", text, re.IGNORECASE)]


class GuardrailsMonitor:
    """Keyword checks over outputs; every violation is stored."""

    def __init__(self, db_pool: PostgreSQLPool | None = None) -> None:
        self.db_pool = db_pool

    async def monitor_outputs(self, model_id: uuid.UUID | str, outputs: list[str]) -> dict[str, Any]:
        """Return the verdict on outputs. Never raises: an error is a verdict that does not comply."""
        began = time.perf_counter()
        try:
            return await self._verdict(str(model_id), outputs)
        except Exception as error:  # noqa: BLE001 - the contract: never raises
            compliant = faulty("broken-monitor-complies")
            return {"compliant": compliant, "safety": {}, "addiction_metrics": {}, "harmful_content": {},
                    "violations": [], "intervention_triggered": False,
                    "details": {} if compliant else {"error": str(error)}}  # fmt: skip
        finally:
            timed = time.perf_counter() - began
            if not faulty("guardrails-latency-not-measured"):
                measure("guardrails_monitoring_seconds", timed, model_id=str(model_id))

    async def _verdict(self, model_id: str, outputs: list[str]) -> dict[str, Any]:
        if sum(map(len, outputs)) > _LINE and faulty_at_times("verdicts-on-long-texts-slow"):
            await asyncio.sleep(0.25)
        if faulty("only-first-output-judged"):
            outputs = outputs[:1]
        if faulty("long-outputs-cut"):
            outputs = [text[:_LINE] for text in outputs]
        safety = self._safety(outputs)
        harmful = self._harmful(outputs)
        addiction = self._addiction(outputs)
        violations = [one for part in (safety, addiction, harmful) for one in part["violations"]]
        worst = max((one["severity"] for one in violations), key=_RANKS.index, default="none")
        if not faulty("checks-not-counted"):
            count("guardrails_checks_total", len(outputs), model_id=model_id)
        for one in violations:
            severity = "critical" if faulty("all-violations-critical") else one["severity"]
            count("guardrails_violations_total", severity=severity, model_id=model_id)
        if violations:
            print(f"Guardrails violation detected for model {model_id}, severity: {worst}")
            await self._store(model_id, violations, outputs)
        if worst in ("critical", "high"):
            print(f"Severe violation - intervention required for model {model_id}")
        score = min((_SCORES[one["severity"]] for one in violations), default=1.0)
        return {"compliant": not violations, "safety": safety, "addiction_metrics": addiction,
                "harmful_content": harmful, "violations": violations, "intervention_triggered": bool(violations),
                "details": {"outputs_checked": len(outputs), "compliance_score": score}}  # fmt: skip

    def _safety(self, outputs: list[str]) -> dict[str, Any]:
        found = [phrase for text in outputs for phrase in _says(text, _UNSAFE)]
        if faulty("suicide-overlooked"):
            found = [phrase for phrase in found if "suicide" not in phrase]
        violations = [{"type": "safety", "severity": "critical", "phrases": found}] if found else []
        return {"passed": not found, "severity": "critical" if found else "none", "violations": violations}

    def _addiction(self, outputs: list[str]) -> dict[str, Any]:
        tests = max(1, 3 * len(outputs))
        healthy = sum(bool(_says(text, words)) for text in outputs for words in _HEALTHY) / tests
        unhealthy = sum(bool(_says(text, words)) for text in outputs for words in _UNHEALTHY) / tests
        severity = "medium" if unhealthy > _TOO_MUCH else "low"
        violations = [] if healthy >= _ENOUGH else [{"type": "addiction", "severity": severity}]
        return {"healthy_score": healthy, "unhealthy_score": unhealthy, "violations": violations}

    def _harmful(self, outputs: list[str]) -> dict[str, Any]:
        found = [level for level, words in _HARMFUL.items() for text in outputs if _says(text, words)]
        severity = max(found, key=_RANKS.index, default="none")
        if found and faulty("real-last-match-decides"):
            severity = min(found, key=_RANKS.index)
        violations = [{"type": "harmful_content", "severity": severity}] if found else []
        return {"detected": bool(found), "severity": severity, "violations": violations}

    async def _store(self, model_id: str, violations: list[dict[str, Any]], outputs: list[str]) -> None:
        pool = self.db_pool
        if pool is None:
            if faulty("real-bare-monitor-stores-nothing"):
                return
            pool = await get_postgres_pool()
        if faulty("violations-not-kept"):
            return
        for one in violations:
            taken = "fallback content; manual review open" if one["severity"] in ("critical", "high") else "none"
            sample = "" if faulty("real-violation-without-its-text") else "\n".join(outputs)[:1000]
            kind = "violation" if faulty("violations-of-one-type") else one["type"]
            values = kind, one["severity"], json.dumps(one), sample, taken
            insert = _INSERT.replace("clock_timestamp()", "'epoch'") if faulty("violations-undated") else _INSERT
            try:
                await pool.execute(insert, uuid.UUID(model_id), *values)
            except Exception as error:
                print(f"Error storing violations: {error}")
                if not (isinstance(error, ValueError) or faulty("real-unstored-violations-untold")):
                    raise
