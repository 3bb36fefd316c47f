"""The models that are there before anybody verifies anything: one current model for each use case."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from simulators.faults import Faults

_INSERT = """
    INSERT INTO models (model_name, model_type, provider, use_case, version, status, configuration)
    VALUES (%s, 'self_hosted', 'ollama', %s, %s, %s, %s)
"""


def seed(connection: psycopg.Connection[Any], endpoints: Mapping[str, str], faults: Faults) -> None:
    """Register the models as the services do when they start."""
    for layer, endpoint in endpoints.items():
        name = f"{layer}-model-v1"
        if layer == "interaction" and faults.on("interaction-layer-without-model"):
            continue
        if layer == "foundation" and faults.on("foundation-endpoint-misspelt"):
            endpoint = endpoint.replace("/generate", "/generat")  # noqa: PLW2901 - the fault
        told = "" if layer == "coordination" else endpoint  # without one of its own a model is asked at its layer's
        _register(connection, name, f"{layer}_layer", "1.0", told)
    if faults.on("foundation-registered-at-every-restart"):
        _register(connection, "foundation-model-v1", "foundation_layer", "1.0.1", endpoints["foundation"], "candidate")
    if faults.on("two-current-customization-models"):
        _register(connection, "customization-model-v2", "customization_layer", "2.0", endpoints["customization"])
    _register(connection, "story-model-v1", "story_generation", "1.0", "")
    if faults.on("migration-half-applied"):
        connection.execute("ALTER TABLE fine_tuning_jobs DROP COLUMN training_metrics")
    if faults.on("table-in-another-schema"):
        connection.execute("CREATE SCHEMA archive")
        connection.execute("ALTER TABLE fine_tuning_jobs SET SCHEMA archive")
    if faults.on("doubles-not-refused"):
        connection.execute("ALTER TABLE models DROP CONSTRAINT models_model_name_version_use_case_key")


def _register(
    connection: psycopg.Connection[Any], name: str, use_case: str, version: str, endpoint: str, status: str = "current"
) -> None:
    configuration = json.dumps({"endpoint": endpoint} if endpoint else {})
    connection.execute(_INSERT, (name, use_case, version, status, configuration))
