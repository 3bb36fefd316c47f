"""The database holds the seeded model configs, each once and well formed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange

    Parts = tuple[str, dict[str, tuple[str, ...] | None]]

SEEDED = {
    "MCI-018": ("ideogram-v2", "ideogram", "active"),
    "MCI-019": ("gemini-veo-3.1", "gemini", "active"),
    "MCI-020": ("gemini-2.5-flash-nano-banana", "gemini", "beta"),
    "MCI-021": ("dall-e-3", "openai", "active"),
    "MCI-022": ("dall-e-2", "openai", "deprecated"),
    "MCI-023": ("claude-3-5-sonnet", "anthropic", "active"),
}
REQUIRED = ("config_id", "model_id", "provider_id", "display_name", "capabilities", "payload_mapping", "status")
MAPPING = {"endpoint", "method", "headers", "body", "response_mapping"}


@pytest.mark.item("MCI-002")
def test_the_table_exists(rows: Snapshot) -> None:
    """The remote database has exactly one table called model_configs."""
    assert rows["tables"].column("name") == ("model_configs",)


@pytest.mark.item("MCI-005")
def test_the_identity_may_write(no_op_update: int) -> None:
    """An update that fits no row is accepted and changes none."""
    assert no_op_update == 0


@pytest.mark.item("MCI-015")
def test_the_service_reads_the_database_that_was_seeded(rows: Snapshot, config_list: Exchange) -> None:
    """The model ids in the database are those that the Config Service lists."""
    listed = {one["model_id"] for one in config_list.json["data"]["configs"]}
    assert listed == set(rows["models"].column("model_id"))


@pytest.mark.item("MCI-016")
def test_the_verification_query_shows_the_configs(rows: Snapshot) -> None:
    """The checklist's query returns its three columns and at least six rows."""
    assert rows["listing"].columns == ("model_id", "provider_id", "status")
    assert len(rows["listing"]) >= 6


@pytest.mark.item("MCI-017")
def test_the_models_are_the_expected_ones_and_none_is_there_twice(
    rows: Snapshot, facts: Mapping[str, tuple[str, ...]]
) -> None:
    """model_configs holds the six seeded models and those declared as added later, each once."""
    expected = {model for model, _, _ in SEEDED.values()} | set(facts.get("added_models", ()))
    assert sorted(rows["models"].column("model_id")) == sorted(expected)


@pytest.mark.parametrize("row", SEEDED.values(), ids=SEEDED.keys())
def test_a_seeded_model_is_there_once_as_seeded(rows: Snapshot, row: tuple[str, str, str]) -> None:
    """The model is there exactly once, with its provider and its status."""
    found = [(one["model_id"], one["provider_id"], one["status"]) for one in rows["listing"]]
    assert [one for one in found if one[0] == row[0]] == [row]


@pytest.mark.item("MCI-120")
def test_every_row_is_complete_and_well_formed(rows: Snapshot, json_columns: list[Parts]) -> None:
    """No required column is empty, and the JSON columns of every row parse and have their parts."""
    assert len(rows["models"]) >= 5
    assert [row["model_id"] for row in rows["models"] if not all(row[name] for name in REQUIRED)] == []
    assert [name for name, parts in json_columns if None in parts.values()] == []
    assert [name for name, parts in json_columns if not MAPPING.issubset(parts["payload_mapping"] or ())] == []
