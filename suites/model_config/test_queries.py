"""The checklist's queries over the log find what the run itself did, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .asking import LEGACY, enough, own, served

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView


@pytest.mark.item("MCI-089")
def test_the_query_for_config_fetches_counts_them(requests: LogView, generations: dict[str, Exchange]) -> None:
    """The query finds one config fetch for each generation that was served."""
    counted = {name: requests.tagged(f"/{name})").counts["fetch"] for name in served(generations)}
    assert counted == dict.fromkeys(counted, 1)


@pytest.mark.item("MCI-090")
def test_the_query_for_successes_counts_them(requests: LogView, generations: dict[str, Exchange]) -> None:
    """The query finds at least the generations of the run that succeeded."""
    succeeded = [name for name, one in generations.items() if one.status == 200]
    assert len(succeeded) > 0
    assert [name for name in succeeded if "success" not in requests.flow(f"/{name})")] == []


@pytest.mark.item("MCI-091")
def test_the_query_for_legacy_mode_counts_it(requests: LogView, generations: dict[str, Exchange]) -> None:
    """The query finds exactly the generations that were served in legacy mode."""
    models = served(generations)
    found = {name for name in models if "falling back" in requests.flow(f"/{name})")}
    assert found == {name for name, model in models.items() if model == LEGACY}


@pytest.mark.item("MCI-092")
def test_the_query_for_errors_finds_errors_alone(requests: LogView, past_hour: LogView) -> None:
    """The query finds each request of the run that left an error, and in the hour no line of another level."""
    refused = [*own(requests, "without_key"), *own(requests, "wrong_type")]
    broken = enough([one for one in refused if one.event.level in ("error", "critical")], "errors of the run's own")
    assert [one.labels for one in broken if "error" not in one.flow] == []
    found = past_hour.matches["error"]
    assert sorted({match.line.text for match in found if match.line.level not in ("error", "critical")}) == []
