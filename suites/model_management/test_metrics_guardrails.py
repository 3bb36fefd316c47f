"""The measurements of guardrails and inference log exist, and count the run's own operations as they happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .series import JITTER_S, by, series, total

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.python import Call


@pytest.mark.item("MMS-037")
def test_violations_and_checks_are_measured(guardrails_series: Exchange, verdicts: Call) -> None:
    """A violating and a clean tagged output are two checks and one violation."""
    violating, clean = verdicts.result["kill"]["model_id"], verdicts.result["clean"]["model_id"]
    for model in (violating, clean):
        assert total(guardrails_series, "guardrails_checks_total", model_id=model) == 1
    assert total(guardrails_series, "guardrails_violations_total", model_id=violating) == 1
    owners = {metric["model_id"] for metric, _ in series(guardrails_series, "guardrails_violations_total")}
    assert clean not in owners


@pytest.mark.item("MMS-038")
def test_critical_violations_are_told_apart(guardrails_series: Exchange, verdicts: Call) -> None:
    """A critical tagged violation is counted as critical, a minor one is not."""
    critical, minor = verdicts.result["kill"]["model_id"], verdicts.result["plain"]["model_id"]
    name = "guardrails_violations_total"
    assert by(guardrails_series, name, "severity", model_id=critical) == {"critical": 1}
    assert "critical" not in by(guardrails_series, name, "severity", model_id=minor)


@pytest.mark.item("MMS-039")
def test_the_time_of_monitoring_is_measured(guardrails_series: Exchange, verdicts: Call) -> None:
    """A tagged verdict is in the distribution, with the time that its caller saw, within 20 %."""
    seen = verdicts.result["kill"]
    assert total(guardrails_series, "guardrails_monitoring_seconds_bucket", model_id=seen["model_id"], le="+Inf") == 1
    measured = total(guardrails_series, "guardrails_monitoring_seconds_sum", model_id=seen["model_id"])
    assert measured > 0
    assert measured == pytest.approx(seen["took_s"], rel=0.2, abs=JITTER_S)


@pytest.mark.item("MMS-040")
def test_log_writes_are_measured(registry_series: Exchange, marker: str) -> None:
    """A good and a failing tagged write are one success of two attempts."""
    found = by(registry_series, "inference_log_writes_total", "outcome", use_case=f"verify_{marker}_log")
    assert (found.pop("written", 0), sum(found.values())) == (1, 1)


@pytest.mark.item("MMS-041")
def test_the_time_of_log_writes_is_measured(registry_series: Exchange, log_written: Call, marker: str) -> None:
    """A tagged write is in the distribution, with the time from call to stored row, within 20 %."""
    tagged: dict[str, Any] = {"use_case": f"verify_{marker}_log"}
    assert total(registry_series, "inference_log_write_seconds_bucket", le="+Inf", **tagged) == 1
    measured = total(registry_series, "inference_log_write_seconds_sum", **tagged)
    assert measured > 0
    assert measured == pytest.approx(log_written.result["took_s"], rel=0.2, abs=JITTER_S)


@pytest.mark.item("MMS-042")
def test_the_logs_storage_is_measured(log_storage: dict[str, Any]) -> None:
    """The metric is within 10 % of what the database says the log takes up."""
    values = [float(one["value"][1]) for one in log_storage["metric"].json["data"]["result"]]
    before, after = (log_storage[moment]["size"].only["bytes"] for moment in ("before", "after"))
    assert [0.9 * before <= value <= 1.1 * after for value in values] == [True]
