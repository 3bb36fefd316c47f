"""The settings that the installation runs with are the intended ones, and they have an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.python import Call


def _connected(settings: Call) -> dict[str, Any]:
    """Return what the installation's own connection says of itself; a connection that failed fails the check."""
    assert settings.result["raised"] == ""
    assert len(settings.result["rows"]) == 1
    connected: dict[str, Any] = settings.result["rows"][0]
    return connected


@pytest.mark.item("MMS-008")
def test_the_host_is_the_intended_server(settings: Call, rows: Snapshot, facts: Mapping[str, str]) -> None:
    """POSTGRES_HOST is the intended one, and the installation's own connection reaches the server we look at."""
    assert settings.result["variables"]["POSTGRES_HOST"] == facts["postgres_host"]
    assert _connected(settings)["system"] == rows.identity["system_identifier"]


@pytest.mark.item("MMS-009")
def test_the_port_is_the_intended_one(settings: Call, facts: Mapping[str, str]) -> None:
    """POSTGRES_PORT is the intended port, and the installation is connected to it."""
    assert settings.result["variables"]["POSTGRES_PORT"] == facts["postgres_port"]
    assert _connected(settings)
    assert facts["postgres_port"] in settings.result["ports"]


@pytest.mark.item("MMS-010")
def test_the_database_is_the_intended_one(settings: Call, facts: Mapping[str, str]) -> None:
    """POSTGRES_DB is the intended database, and the installation is connected to it."""
    assert settings.result["variables"]["POSTGRES_DB"] == facts["postgres_db"]
    assert _connected(settings)["database"] == facts["postgres_db"]


@pytest.mark.item("MMS-011")
def test_the_user_is_the_intended_one(settings: Call, facts: Mapping[str, str]) -> None:
    """POSTGRES_USER is the intended user, and the installation is connected as that user."""
    assert settings.result["variables"]["POSTGRES_USER"] == facts["postgres_user"]
    assert _connected(settings)["user"] == facts["postgres_user"]


@pytest.mark.item("MMS-013")
def test_the_registry_is_switched_on_and_in_use(settings: Call, lookups: Call, rows: Snapshot) -> None:
    """MODEL_REGISTRY_ENABLED is true, and a lookup is answered from the database."""
    assert settings.result["variables"]["MODEL_REGISTRY_ENABLED"] == "true"
    current = {row["use_case"]: row["model_id"] for row in rows["current"]}
    assert lookups.result["coordination_layer"]["returned"] is not None
    assert lookups.result["coordination_layer"]["returned"]["model_id"] == current["coordination_layer"]


@pytest.mark.item("MMS-014")
def test_the_log_is_switched_on_and_in_use(
    settings: Call, log_written: Call, log_trouble: Call, rows: Snapshot
) -> None:
    """HISTORICAL_LOGGING_ENABLED is true, and tagged inferences are in the log, whoever writes them."""
    assert settings.result["variables"]["HISTORICAL_LOGGING_ENABLED"] == "true"
    assert log_written.result["tagged"] in rows["logs"].column("log_id")
    assert log_trouble.result["logged"] == ["answered by journaled"] * 3


@pytest.mark.item("MMS-015")
def test_the_guardrails_are_switched_on_and_in_use(settings: Call, verdicts: Call, rows: Snapshot) -> None:
    """GUARDRAILS_MONITORING_ENABLED is true, and a monitor built as the guide shows keeps what it finds."""
    assert settings.result["variables"]["GUARDRAILS_MONITORING_ENABLED"] == "true"
    kept = [row["severity"] for row in rows["violations"] if row["model_id"] == verdicts.result["bare"]["model_id"]]
    assert kept == ["critical"]


@pytest.mark.item("MMS-016")
def test_the_default_strategy_is_blue_green(settings: Call, default_deployment: Call) -> None:
    """DEPLOYMENT_STRATEGY_DEFAULT is blue_green, and so is a deployment for which no strategy is named."""
    assert settings.result["variables"]["DEPLOYMENT_STRATEGY_DEFAULT"] == "blue_green"
    result = default_deployment.result["result"]
    assert (result["success"], result["strategy"]) == (True, "blue_green")
    assert {step["strategy"] for step in default_deployment.result["steps"]} == {"blue_green"}


@pytest.mark.item("MMS-017")
def test_the_database_accepts_connections(settings: Call, facts: Mapping[str, str]) -> None:
    """The installation connects on the intended port and has an answer within 2 s."""
    assert _connected(settings)
    assert facts["postgres_port"] in settings.result["ports"]
    assert settings.result["took_s"] < 2
