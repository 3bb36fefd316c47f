"""Looks at the installation itself: its settings, registry, inference log and guardrails, and the rows they leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fixtures.observing import observation, removal

from .asking import look, modules, tagged

if TYPE_CHECKING:
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.python import Call, Python

QUERIES = {
    "current": "SELECT model_id::text, use_case FROM models WHERE status = 'current'",
    "foundation": """
        SELECT model_type, provider, use_case, version, configuration->>'endpoint' AS endpoint
        FROM models WHERE model_name = 'foundation-model-v1'
    """,
    "models": """
        SELECT model_id::text, model_name, model_type, provider, use_case, version, status, model_path, configuration,
            performance_metrics, resource_requirements, jsonb_typeof(configuration) AS kind
        FROM models WHERE use_case LIKE :tagged
    """,
    "logs": """
        SELECT l.log_id::text, l.model_id::text, l.use_case, l.prompt, l.context, l.generated_output
        FROM model_historical_logs AS l JOIN models AS m ON m.model_id = l.model_id
        WHERE m.use_case LIKE :tagged AND l.use_case <> 'foundation_layer'
    """,
    "entries": """
        SELECT l.log_id::text, l.prompt, l.context, l.generated_output, l.performance_metrics, l.user_feedback,
            l.corrected_output
        FROM model_historical_logs AS l JOIN models AS m ON m.model_id = l.model_id
        WHERE m.use_case LIKE :tagged AND l.use_case = m.use_case
    """,
    "violations": """
        SELECT v.model_id::text, v.violation_type, v.severity, v.output_sample, v.intervention_taken,
            v."timestamp" AS at
        FROM guardrails_violations AS v JOIN models AS m ON m.model_id = v.model_id WHERE m.use_case LIKE :tagged
    """,
    "deployments": """
        SELECT d.model_id::text, d.deployment_type, d.status, d.traffic_percentage, d.rollback_reason, m.use_case
        FROM model_deployments AS d JOIN models AS m ON m.model_id = d.model_id WHERE m.use_case LIKE :tagged
    """,
    "columns": """
        SELECT t.relname || '.' || c.attname AS name FROM pg_attribute AS c JOIN pg_class AS t ON t.oid = c.attrelid
        WHERE pg_table_is_visible(t.oid) AND c.attnum > 0 AND NOT c.attisdropped
    """,
}


@observation(within="180 s")
def built(package: Python) -> Call:
    """A registry, imported, built and asked in the installation's interpreter."""
    return package.call("probe_built:built", modules=modules("built"))


@observation(within="180 s")
def settings(package: Python) -> Call:
    """The variables the installation runs with, and what its own connection says of the database."""
    return look(package, "registry:settings")


@observation(within="180 s")
def pool_use(package: Python) -> Call:
    """The connection pool under twenty users at once, several times, and under many lookups."""
    return look(package, "registry:pool_use")


@observation(within="180 s")
def lookups(package: Python) -> Call:
    """The current model of every layer, as the registry tells it."""
    return look(package, "registry:lookups")


registration = tagged("registry:registration", "Tagged models, registered, refused, promoted and retired.")
race = tagged("registry:race", "Two tagged models of one use case, promoted at the same moment again and again.")
broken_health = tagged("registry:broken_health", "What each part says of its health while its database is away.")
log_written = tagged(
    "log:log_written", "Entries of the inference log: two that are written, and one that must be refused."
)
verdicts = tagged(
    "guardrails:verdicts", "The guardrails' verdicts on outputs that are harmless, harmful, and only look harmful."
)
narratives = tagged("guardrails:narratives", "Narratives for a tagged player, under monitors of all severities.")


@observation(within="180 s", spends={"generations": 4})
def endpoints(package: Python, lookups: Call, marker: str) -> Call:
    """A text from the endpoint of each layer's current model, asked where the installation is."""
    found = {layer: (one["returned"] or {}).get("configuration") for layer, one in lookups.result.items()}
    models = {layer: one.get("endpoint") for layer, one in found.items() if isinstance(one, Mapping)}
    return look(package, "registry:endpoints", models=models, prompt=f"{marker} Are you there?")


@observation()
def registry_service(registry: Http) -> dict[str, Exchange]:
    """The health of the model management service, and the foundation layer's current model as it tells it."""
    return {
        "health": registry.get("/health", within=10),
        "current": registry.get("/api/v1/model-management/current/foundation_layer", within=10),
    }


@observation()
def orchestration(ai_integration: Http) -> Exchange:
    """The health of the orchestration service."""
    return ai_integration.get("/health", within=10)


@observation()
def story(story_teller: Http) -> Exchange:
    """The health of the story teller."""
    return story_teller.get("/health", within=10)


@observation(within="180 s")
def rows(  # noqa: PLR0913, PLR0917 - one look at the database serves all of them
    models: Database,
    marker: str,
    registration: Call,
    race: Call,
    log_written: Call,
    verdicts: Call,
    refused_deployment: Call,
) -> Snapshot:
    """What the database holds once the run's own models are there: theirs, and the current ones of all use cases."""
    return models.read(QUERIES, {"tagged": f"verify_{marker}_%"})


@removal
def tagged_models(package: Python, key: str) -> None:
    """Remove the models of a run, and with them their logs, violations, deployments and snapshots."""
    left = package.call("probe_ground:remove", modules=modules("ground"), permit="writes", key=key).result
    if left:
        raise RuntimeError(f"{left} models of {key} are left")
