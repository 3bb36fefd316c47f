"""The Config Service answers, and serves what the database holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .asking import SEEDED

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.load.driven import Driven
    from fixtures.log_view import LogView


@pytest.mark.item("MCI-001")
def test_the_origin_is_answered_by_the_service_itself(config_root: Exchange) -> None:
    """The Config Service's origin answers over a valid connection, without an error and without leading elsewhere."""
    assert config_root.status < 500
    assert config_root.header("location") is None
    assert config_root.is_json


@pytest.mark.item("MCI-024")
def test_health_is_healthy_json(config_health: Exchange) -> None:
    """The Config Service's health answers 200 with JSON that says healthy, within 5 s."""
    assert config_health.status == 200
    assert config_health.is_json
    assert config_health.json["status"] == "healthy"
    assert config_health.elapsed_s < 5


@pytest.mark.item("MCI-025")
def test_the_list_is_json(config_list: Exchange) -> None:
    """The list of model configs answers 200 with JSON."""
    assert config_list.status == 200
    assert config_list.is_json
    assert "configs" in config_list.json["data"]


@pytest.mark.item("MCI-026")
def test_the_list_holds_every_seeded_model_as_the_database_does(config_list: Exchange, rows: Snapshot) -> None:
    """Each seeded model is listed once, with the provider and the status that the database holds."""
    listed = [(one["model_id"], one["provider_id"], one["status"]) for one in config_list.json["data"]["configs"]]
    held = {(row["model_id"], row["provider_id"], row["status"]) for row in rows["listing"]}
    assert sorted(name for name, _, _ in listed if name in SEEDED) == sorted(SEEDED)
    assert {entry for entry in listed if entry[0] in SEEDED} <= held


@pytest.mark.item("MCI-027")
def test_a_single_config_is_json(config_of: dict[str, Exchange]) -> None:
    """The config of ideogram-v2 answers 200 with a JSON object that holds data and no error."""
    assert config_of["ideogram-v2"].status == 200
    assert config_of["ideogram-v2"].is_json
    assert "error" not in config_of["ideogram-v2"].json


@pytest.mark.item("MCI-028")
def test_a_single_config_is_the_one_that_was_asked_for(config_of: dict[str, Exchange]) -> None:
    """Asking for a seeded model returns that model, whichever it is, and for an unknown one 404."""
    assert config_of["ideogram-v2"].json["data"]["model_id"] == "ideogram-v2"
    assert config_of["ideogram-v2"].json["data"]["provider_id"] == "ideogram"
    assert [name for name in SEEDED if config_of[name].json["data"]["model_id"] != name] == []
    assert config_of["nonexistent-model"].status == 404


@pytest.mark.item("MCI-059")
def test_a_config_exposes_its_payload_mapping(config_of: dict[str, Exchange], rows: Snapshot) -> None:
    """The payload mapping of ideogram-v2 is the JSON object that the database holds, not text that holds one."""
    mapping = config_of["ideogram-v2"].json["data"]["payload_mapping"]
    assert isinstance(mapping, dict)
    assert "endpoint" in mapping
    held = [row["payload_mapping"] for row in rows["models"] if row["model_id"] == "ideogram-v2"]
    assert mapping in [json.loads(one) for one in held]


@pytest.mark.item("MCI-065")
def test_the_service_does_not_limit_its_callers(config_burst: Driven, past_hour: LogView) -> None:
    """Fifty lists in quick succession are all answered 200, and no fetch of the worker's past hour was limited."""
    assert [one.status for one in config_burst.answers] == [200] * 50
    assert past_hour.counts["limited"] == 0
