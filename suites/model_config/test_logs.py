"""The log tells, for each of the run's own requests, what the worker did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView


@pytest.mark.item("MCI-035")
def test_the_live_log_delivers_events(requests: LogView, health: Exchange) -> None:
    """A request that was made while the log was attached is in it."""
    assert health.status == 200
    assert requests.tag_count("/health)") == 1


@pytest.mark.item("MCI-038", "MCI-042")
def test_the_default_model_serves_whoever_names_none(
    requests: LogView, rows: Snapshot, facts: Mapping[str, str]
) -> None:
    """Without model_id the worker fetches and uses the default model's config, which is an active one."""
    logged = requests.tagged("/by_default)")
    assert [match.groups[0] for match in logged.matches["fetch"]] == [facts["default_model"]]
    assert [match.groups[0] for match in logged.matches["using"]] == [facts["default_model"]]
    assert {row["status"] for row in rows["models"] if row["model_id"] == facts["default_model"]} == {"active"}


@pytest.mark.item("MCI-039", "MCI-044")
def test_the_config_is_fetched_from_the_config_service(requests: LogView, facts: Mapping[str, str]) -> None:
    """The worker logs that it fetches the config of ideogram-v2, and from which Config Service."""
    fetches = requests.tagged("/by_model_id)").matches["fetch"]
    assert [match.groups for match in fetches] == [("ideogram-v2", facts["config_service_url"])]


@pytest.mark.item("MCI-043")
def test_a_configured_generation_logs_its_flow_in_order(requests: LogView) -> None:
    """One generation logs, each once and in this order: fetch, fetched, using, mapping."""
    flow = [
        name for name in requests.group("/by_model_id)").sequence if name in ("fetch", "fetched", "using", "mapping")
    ]
    assert flow == ["fetch", "fetched", "using", "mapping"]


@pytest.mark.item("MCI-045")
def test_the_arrival_of_the_config_is_logged(requests: LogView) -> None:
    """The worker logs that the config of ideogram-v2 arrived."""
    assert [one.groups[0] for one in requests.tagged("/by_model_id)").matches["fetched"]] == ["ideogram-v2"]


@pytest.mark.item("MCI-046")
def test_the_use_of_the_config_is_logged(requests: LogView) -> None:
    """The worker logs which config it uses, and the provider."""
    assert [one.groups for one in requests.tagged("/by_model_id)").matches["using"]] == [("ideogram-v2", "ideogram")]


@pytest.mark.item("MCI-047")
def test_the_payload_mapping_is_logged(requests: LogView) -> None:
    """The worker logs that it applies the config's payload mapping."""
    assert requests.tagged("/by_model_id)").counts["mapping"] == 1


@pytest.mark.item("MCI-049")
def test_legacy_mode_logs_its_own_flow_and_no_other(requests: LogView) -> None:
    """A request for an unknown model logs not-found, then the legacy formatter, and nothing of dynamic mode."""
    flow = requests.flow("/by_unknown_model)", ["not found", "legacy", "using", "mapping"])
    assert flow == ["not found", "legacy"]


@pytest.mark.item("MCI-050")
def test_the_missing_config_is_logged(requests: LogView) -> None:
    """The worker logs that no config exists for the model and legacy mode follows."""
    found = requests.tagged("/by_unknown_model)").matches["not found"]
    assert [one.groups[0] for one in found] == ["nonexistent-model"]


@pytest.mark.item("MCI-051")
def test_the_legacy_formatter_is_logged(requests: LogView) -> None:
    """The worker logs that the legacy adapter formats the request."""
    assert requests.tagged("/by_unknown_model)").counts["legacy"] == 1
