"""How the installation is asked: probes that are shipped to its interpreter, and the names of its metrics."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.look import Ledger
    from fixtures.python import Call, Python

_FOLDER = Path(__file__).with_name("probes")
# In the order of their imports: each may use those before it.
_ORDER = (
    "ground",
    "endpoints",
    "clock",
    "registry",
    "log",
    "guardrails",
    "clients",
    "latencies",
    "rollout",
    "deployments",
)

# The twelve measurements that the guide asks for, by the names under which they are expected.
METRICS = {
    "lookup latency": "model_registry_lookup_seconds_count",
    "registrations": "model_registrations_total",
    "status changes": "model_status_changes_total",
    "deployments": "model_deployments_total",
    "rollbacks": "model_rollbacks_total",
    "strategies": "model_deployment_seconds_count",
    "violations": "guardrails_violations_total",
    "checks": "guardrails_checks_total",
    "monitoring latency": "guardrails_monitoring_seconds_count",
    "log writes": "inference_log_writes_total",
    "log latency": "inference_log_write_seconds_count",
    "log storage": "inference_log_storage_bytes",
}

# What is in the query of each alert whose history is compared with what was recorded; its name is the deployment's own.
ALERTS = {
    "registry alert": (r"model_registry_up\b", r"(== *0|< *1)\s*(or\b.*)?$"),
    "logging alert": (r"inference_log_writes\w*\{.*5m", r"(\b100\b.*> *5|> *0?\.05)0*(\.0+)?\s*\)*\s*(and\b.*)?$"),
}


def rules_about(answer: Exchange, *parts: str) -> list[Any]:
    """Return the healthy alerting rules whose query has all these parts."""
    rules = [rule for group in answer.json["data"]["groups"] for rule in group["rules"]]
    return [
        rule
        for rule in rules
        if (rule["type"], rule["health"]) == ("alerting", "ok")
        and all(re.search(part, rule["query"]) for part in parts)
    ]


def modules(*names: str) -> dict[str, str]:
    """Return the source texts of these probes by module name, or of all those that stand on the common ground."""
    return {f"probe_{name}": (_FOLDER / f"probe_{name}.py").read_text(encoding="utf-8") for name in names or _ORDER}


def look(package: Python, target: str, **arguments: Any) -> Call:
    """Call a probe that changes nothing.

    The time of a look holds its wait for an interpreter: few run at once, and some of them for a minute.
    """
    return package.call(f"probe_{target}", modules=modules(), **arguments)


def write(package: Python, ledger: Ledger, target: str, marker: str, **arguments: Any) -> Call:
    """Call a probe that leaves tagged models behind, which the run owns from now on."""
    ledger.own("tagged_models", "package", marker)
    return package.call(f"probe_{target}", modules=modules(), permit="writes", marker=marker, **arguments)


def tagged(target: str, claim: str, *, within: str = "180 s", **more: Any) -> object:
    """Declare the look that calls a probe which leaves tagged models behind; it has the name of the probe's function.

    target: "registry:race" calls `race` of `probe_registry`. more: as `observation` takes it.
    """

    def calling(package: Python, ledger: Ledger, marker: str) -> Call:
        return write(package, ledger, target, marker)

    calling.__name__, calling.__doc__ = target.partition(":")[2], claim
    return observation(within=within, permit="writes", **more)(calling)
