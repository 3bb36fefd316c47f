"""Looks at what the parts do to each other: clients, deployments, rollbacks, and how long everything takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.observing import observation

from .asking import tagged, write

if TYPE_CHECKING:
    from fixtures.database import Database, Snapshot
    from fixtures.look import Ledger, Run
    from fixtures.python import Call, Python

QUERIES = {
    "deployments": """
        SELECT d.model_id::text, d.deployment_type, d.status, d.traffic_percentage,
            d.completion_time IS NOT NULL AS completed, d.rollback_reason, m.use_case
        FROM model_deployments AS d JOIN models AS m ON m.model_id = d.model_id WHERE m.use_case LIKE :tagged
    """,
    "models": """
        SELECT model_id::text, use_case, status, jsonb_typeof(configuration) AS kind
        FROM models WHERE use_case LIKE :tagged
    """,
    "snapshots": """
        SELECT m.use_case, jsonb_typeof(s.configuration) AS kind
        FROM model_snapshots AS s JOIN models AS m ON m.model_id = s.model_id WHERE m.use_case LIKE :tagged
    """,
}


wiring = tagged(
    "clients:wiring", "A client with a registry of ours, and a coordinator with a deployment manager of ours."
)
outage = tagged(
    "clients:outage",
    "Texts from clients whose registry refuses, hangs, knows nothing, and comes back.",
    within="240 s",
    spends={"generations": 4},
)


@observation(within="300 s", permit="writes")
def log_trouble(package: Python, ledger: Ledger, marker: str, run: Run) -> Call:
    """Texts from clients whose log store works, stalls, raises, hangs, and stumbles."""
    return write(package, ledger, "clients:log_trouble", marker, patience_s=60 / run.speed)


refused_deployment = tagged(
    "deployments:refused_deployment",
    "The deployment of a tagged model whose endpoint answers nothing but errors.",
    within="240 s",
)
default_deployment = tagged(
    "deployments:default_deployment",
    "A tagged deployment without a strategy, by a manager built as the guide shows.",
    within="240 s",
)
strategies = tagged(
    "deployments:strategies",
    "Tagged deployments of good models by all three strategies, with traffic, looked at step by step.",
    within="300 s",
)
disappointments = tagged(
    "deployments:disappointments",
    "Tagged deployments of models that turn out bad: failing, slow, and failing a minute after the switch.",
    within="300 s",
)


@observation(within="60 s")
def deployed_rows(models: Database, marker: str, strategies: Call, disappointments: Call) -> Snapshot:
    """What the database holds of the run's deployments once they are over."""
    return models.read(QUERIES, {"tagged": f"verify_{marker}_%"})


latencies = tagged(
    "latencies:latencies",
    "The times of lookups, registrations, log writes, verdicts and fallbacks, with nothing else under way.",
    within="240 s",
    alone=True,
)
