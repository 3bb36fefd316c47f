"""Each of the twelve measurements exists and counts the run's own operations as they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.python import Call


JITTER_S = 0.05  # between the caller's clock and the measuring one lies an event loop, on a machine with other work


def _series(answer: Exchange, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
    """Return the series of this name and these labels with their values; without one, the check fails."""
    found = [
        (one["metric"], float(one["value"][1]))
        for one in answer.json["data"]["result"]
        if {"__name__": name, **labels}.items() <= one["metric"].items()
    ]
    assert found != []
    return found


def _total(answer: Exchange, name: str, **labels: str) -> float:
    return sum(value for _, value in _series(answer, name, **labels))


def _by(answer: Exchange, name: str, label: str, **labels: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for metric, value in _series(answer, name, **labels):
        found[metric[label]] = found.get(metric[label], 0) + value
    return found


@pytest.mark.item("MMS-031")
def test_lookups_are_measured(registry_series: Exchange, registration: Call, marker: str) -> None:
    """Both tagged lookups are counted, the first one too, with the time that their caller saw, within 20 %."""
    tagged = {"use_case": f"verify_{marker}_registry"}
    assert _total(registry_series, "model_registry_lookup_seconds_count", **tagged) == 2
    measured = _total(registry_series, "model_registry_lookup_seconds_sum", **tagged)
    assert measured > 0
    assert measured == pytest.approx(registration.result["took_s"], rel=0.2, abs=JITTER_S)


@pytest.mark.item("MMS-032")
def test_registrations_are_measured(registry_series: Exchange, marker: str) -> None:
    """Two tagged registrations are counted as registered, and the refused one as refused."""
    tagged = {"use_case": f"verify_{marker}_registry"}
    found = _by(registry_series, "model_registrations_total", "outcome", **tagged)
    assert (found.pop("registered", 0), sum(found.values())) == (2, 1)


@pytest.mark.item("MMS-033")
def test_status_changes_are_measured(registry_series: Exchange, registration: Call) -> None:
    """A tagged model's way to current and away from it are two changes, with old and new status."""
    model = registration.result["third"]
    found = _series(registry_series, "model_status_changes_total", model_id=model)
    changes = sorted((metric["old"], metric["new"], value) for metric, value in found)
    assert changes == [("candidate", "current", 1), ("current", "deprecated", 1)]


@pytest.mark.item("MMS-034")
def test_deployments_are_measured(deployment_series: Exchange, marker: str) -> None:
    """Of a good and a bad tagged deployment, one is counted as succeeded and one as not."""
    pair = (f"verify_{marker}_canary", f"verify_{marker}_errors")
    found = [_by(deployment_series, "model_deployments_total", "outcome", use_case=one) for one in pair]
    assert found[0] == {"succeeded": 1}
    assert (found[1].pop("succeeded", 0), sum(found[1].values())) == (0, 1)


@pytest.mark.item("MMS-035")
def test_rollbacks_are_measured(deployment_series: Exchange, marker: str) -> None:
    """A tagged deployment that was rolled back by itself is counted once, and so is a rollback by hand."""
    for case in ("errors", "blue_green"):
        assert _total(deployment_series, "model_rollbacks_total", use_case=f"verify_{marker}_{case}") == 1


@pytest.mark.item("MMS-036")
@pytest.mark.parametrize("strategy", ["blue_green", "canary", "all_at_once"])
def test_strategies_are_told_apart(deployment_series: Exchange, marker: str, strategy: str) -> None:
    """A tagged deployment by each strategy is counted, and timed, under that strategy."""
    tagged = {"use_case": f"verify_{marker}_{strategy}"}
    assert _by(deployment_series, "model_deployments_total", "strategy", **tagged) == {strategy: 1}
    assert _by(deployment_series, "model_deployment_seconds_count", "strategy", **tagged) == {strategy: 1}


@pytest.mark.item("MMS-037")
def test_violations_and_checks_are_measured(guardrails_series: Exchange, verdicts: Call) -> None:
    """A violating and a clean tagged output are two checks and one violation."""
    violating, clean = verdicts.result["kill"]["model_id"], verdicts.result["clean"]["model_id"]
    for model in (violating, clean):
        assert _total(guardrails_series, "guardrails_checks_total", model_id=model) == 1
    assert _total(guardrails_series, "guardrails_violations_total", model_id=violating) == 1
    owners = {metric["model_id"] for metric, _ in _series(guardrails_series, "guardrails_violations_total")}
    assert clean not in owners


@pytest.mark.item("MMS-038")
def test_critical_violations_are_told_apart(guardrails_series: Exchange, verdicts: Call) -> None:
    """A critical tagged violation is counted as critical, a minor one is not."""
    critical, minor = verdicts.result["kill"]["model_id"], verdicts.result["plain"]["model_id"]
    name = "guardrails_violations_total"
    assert _by(guardrails_series, name, "severity", model_id=critical) == {"critical": 1}
    assert "critical" not in _by(guardrails_series, name, "severity", model_id=minor)


@pytest.mark.item("MMS-039")
def test_the_time_of_monitoring_is_measured(guardrails_series: Exchange, verdicts: Call) -> None:
    """A tagged verdict is in the distribution, with the time that its caller saw, within 20 %."""
    seen = verdicts.result["kill"]
    assert _total(guardrails_series, "guardrails_monitoring_seconds_bucket", model_id=seen["model_id"], le="+Inf") == 1
    measured = _total(guardrails_series, "guardrails_monitoring_seconds_sum", model_id=seen["model_id"])
    assert measured > 0
    assert measured == pytest.approx(seen["took_s"], rel=0.2, abs=JITTER_S)


@pytest.mark.item("MMS-040")
def test_log_writes_are_measured(registry_series: Exchange, marker: str) -> None:
    """A good and a failing tagged write are one success of two attempts."""
    found = _by(registry_series, "inference_log_writes_total", "outcome", use_case=f"verify_{marker}_log")
    assert (found.pop("written", 0), sum(found.values())) == (1, 1)


@pytest.mark.item("MMS-041")
def test_the_time_of_log_writes_is_measured(registry_series: Exchange, log_written: Call, marker: str) -> None:
    """A tagged write is in the distribution, with the time from call to stored row, within 20 %."""
    tagged: dict[str, Any] = {"use_case": f"verify_{marker}_log"}
    assert _total(registry_series, "inference_log_write_seconds_bucket", le="+Inf", **tagged) == 1
    measured = _total(registry_series, "inference_log_write_seconds_sum", **tagged)
    assert measured > 0
    assert measured == pytest.approx(log_written.result["took_s"], rel=0.2, abs=JITTER_S)


@pytest.mark.item("MMS-042")
def test_the_logs_storage_is_measured(log_storage: dict[str, Any]) -> None:
    """The metric is within 10 % of what the database says the log takes up."""
    values = [float(one["value"][1]) for one in log_storage["metric"].json["data"]["result"]]
    before, after = (log_storage[moment]["size"].only["bytes"] for moment in ("before", "after"))
    assert [0.9 * before <= value <= 1.1 * after for value in values] == [True]
