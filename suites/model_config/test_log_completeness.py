"""The log is complete for every generation of the run, and holds nothing that it should not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .asking import CREDENTIAL, LEGACY, served

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

CALLED = {"mapping", "legacy", "provider answer"}  # what is logged once a provider is asked
MODES = ["fetch", "fetched", "not found", "fetch failed"]


@pytest.mark.item("MCI-072")
def test_nothing_unexpected_is_logged(requests: LogView, generations: dict[str, Exchange]) -> None:
    """Nothing but the run's own refused requests is logged as an error, and those refused with 4xx call no provider."""
    assert [found.text for found in requests.signatures if found.level in ("error", "critical")] == []
    wanted = [requests.group(f"/{name})") for name in ("health", *generations)]
    assert [group.labels for group in wanted if group.event.level in ("error", "critical")] == []
    assert {group.outcome for group in wanted} == {"ok"}
    refused = [group for group in requests.groups if group.status is not None and 400 <= group.status < 500]
    assert [(group.labels, group.flow) for group in refused if CALLED & set(group.flow)] == []


@pytest.mark.item("MCI-073")
def test_every_config_fetch_is_logged_with_its_outcome(requests: LogView, generations: dict[str, Exchange]) -> None:
    """Each served generation logs one fetch of the model that was asked for, and one outcome for the same model."""
    asked = {"by_default": None, "by_unknown_model": "nonexistent-model", "by_other_model": "nonexistent-model"}
    for name in served(generations):
        logged = [one.groups[0] for one in requests.group(f"/{name})").matches if one.name in MODES]
        assert logged == [asked.get(name, "ideogram-v2") or logged[0]] * 2


@pytest.mark.item("MCI-074")
def test_the_mapping_is_logged_in_dynamic_mode_alone(requests: LogView, generations: dict[str, Exchange]) -> None:
    """Each generation served in dynamic mode logs one mapping line, each in legacy mode none."""
    models = served(generations)
    logged = {name: requests.tagged(f"/{name})").counts["mapping"] for name in models}
    assert logged == {name: int(model != LEGACY) for name, model in models.items()}


@pytest.mark.item("MCI-075")
def test_every_provider_answer_is_logged_without_a_key(requests: LogView, generations: dict[str, Exchange]) -> None:
    """Each served generation logs the provider's answer, and no line of any request holds a credential."""
    logged = {name: requests.tagged(f"/{name})") for name in served(generations)}
    assert {name: one.counts["provider answer"] >= 1 for name, one in logged.items()} == dict.fromkeys(logged, True)
    assert [line.text for one in requests.groups for line in one.lines if CREDENTIAL.search(line.text)] == []
