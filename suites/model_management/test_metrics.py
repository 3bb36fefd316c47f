"""The measurements of registry and deployments exist, and count the run's own operations as they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .series import JITTER_S, by, series, total

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.python import Call


@pytest.mark.item("MMS-031")
def test_lookups_are_measured(registry_series: Exchange, registration: Call, marker: str) -> None:
    """Both tagged lookups are counted, the first one too, with the time that their caller saw, within 20 %."""
    tagged = {"use_case": f"verify_{marker}_registry"}
    assert total(registry_series, "model_registry_lookup_seconds_count", **tagged) == 2
    measured = total(registry_series, "model_registry_lookup_seconds_sum", **tagged)
    assert measured > 0
    assert measured == pytest.approx(registration.result["took_s"], rel=0.2, abs=JITTER_S)


@pytest.mark.item("MMS-032")
def test_registrations_are_measured(registry_series: Exchange, marker: str) -> None:
    """Two tagged registrations are counted as registered, and the refused one as refused."""
    tagged = {"use_case": f"verify_{marker}_registry"}
    found = by(registry_series, "model_registrations_total", "outcome", **tagged)
    assert (found.pop("registered", 0), sum(found.values())) == (2, 1)


@pytest.mark.item("MMS-033")
def test_status_changes_are_measured(registry_series: Exchange, registration: Call) -> None:
    """A tagged model's way to current and away from it are two changes, with old and new status."""
    model = registration.result["third"]
    found = series(registry_series, "model_status_changes_total", model_id=model)
    changes = sorted((metric["old"], metric["new"], value) for metric, value in found)
    assert changes == [("candidate", "current", 1), ("current", "deprecated", 1)]


@pytest.mark.item("MMS-034")
def test_deployments_are_measured(deployment_series: Exchange, marker: str) -> None:
    """Of a good and a bad tagged deployment, one is counted as succeeded and one as not."""
    pair = (f"verify_{marker}_canary", f"verify_{marker}_errors")
    found = [by(deployment_series, "model_deployments_total", "outcome", use_case=one) for one in pair]
    assert found[0] == {"succeeded": 1}
    assert (found[1].pop("succeeded", 0), sum(found[1].values())) == (0, 1)


@pytest.mark.item("MMS-035")
def test_rollbacks_are_measured(deployment_series: Exchange, marker: str) -> None:
    """A tagged deployment that was rolled back by itself is counted once, and so is a rollback by hand."""
    for case in ("errors", "blue_green"):
        assert total(deployment_series, "model_rollbacks_total", use_case=f"verify_{marker}_{case}") == 1


@pytest.mark.item("MMS-036")
@pytest.mark.parametrize("strategy", ["blue_green", "canary", "all_at_once"])
def test_strategies_are_told_apart(deployment_series: Exchange, marker: str, strategy: str) -> None:
    """A tagged deployment by each strategy is counted, and timed, under that strategy."""
    tagged = {"use_case": f"verify_{marker}_{strategy}"}
    assert by(deployment_series, "model_deployments_total", "strategy", **tagged) == {strategy: 1}
    assert by(deployment_series, "model_deployment_seconds_count", "strategy", **tagged) == {strategy: 1}
