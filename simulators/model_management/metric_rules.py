"""The alert rules, as Prometheus lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.faults import Faults

REGISTRY_GONE, ENTRIES_LOST = "RegistryGone", "LogEntriesLost"  # named by whoever wrote the rules
_WRITES = "sum(increase(inference_log_writes_total{}[5m]))"


def rules(faults: Faults) -> list[dict[str, Any]]:
    """Return the four rules of the checklist, with the faults that are on."""
    failed, every = _WRITES.format('{outcome="failed"}'), _WRITES.format("")
    up = "model_registry_requests_failing" if faults.on("outage-derived-from-requests") else "model_registry_up"
    share = 10 if faults.on("logging-alert-at-ten-percent") else 5
    deployments = (
        "model_deployments_failed" if faults.on("deployment-rule-on-unknown-metric") else "model_deployments_total"
    )
    violations = 3 if faults.on("violation-rule-needs-three") else 0
    return [
        _rule(REGISTRY_GONE, f"{up} == {1 if up != 'model_registry_up' else 0}", 30),
        _rule(ENTRIES_LOST, f"100 * {failed} / {every} > {share} and {every} >= 20", 0),
        _rule("ModelDeploymentFailed", f'increase({deployments}{{outcome!="succeeded"}}[5m]) > 0', 0),
        _rule(
            "CriticalGuardrailsViolation",
            f'sum by (model_id) (increase(guardrails_violations_total{{severity="critical"}}[5m])) > {violations}',
            0,
        ),
    ]


def _rule(name: str, query: str, duration: float) -> dict[str, Any]:
    return {"type": "alerting", "name": name, "query": query, "duration": duration, "health": "ok", "state": "inactive",
            "labels": {"severity": "page"}, "annotations": {}, "alerts": []}  # fmt: skip
