"""Replicate: the token works, its predictions are ours and succeed, and it never has to slow us down."""

from __future__ import annotations

import bisect
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import ShareLimit, decide_share

from .asking import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fixtures.exchange import Exchange
    from judging.decision import Decision

    Estimated = Callable[[Callable[[float, float], Decision]], str]

Listed = dict[str, Any]
Times = list[float | None]
UNTOLD_S = 3  # a prediction is listed before the server has been told of it, and has stored it
MEDIAN = PercentileLimit(value=2, comparison="<", percentile=50, unit="s", name="median of Replicate's answers")
P95 = PercentileLimit(value=5, comparison="<", percentile=95, unit="s", name="p95 of Replicate's answers")
SUCCEEDED = ShareLimit(value=0.99, comparison=">=", name="succeeded predictions")
FAILED = ShareLimit(value=0.01, comparison="<=", name="failed or canceled predictions")


@pytest.mark.item("IMO-011")
def test_the_token_is_accepted_and_is_the_server_s(account: Exchange, predictions: Listed) -> None:
    """Replicate accepts the token, and lists under it the predictions that the server made for this run."""
    assert account.status == 200
    assert [one["id"] for one in predictions["found"] if one["ours"]] != []


@pytest.mark.item("IMO-012")
def test_the_model_exists_and_is_used(model: Exchange, predictions: Listed, facts: Mapping[str, str]) -> None:
    """The model that is to be used exists at Replicate, and the run's predictions are made with it."""
    assert model.status == 200
    assert f"{model.json['owner']}/{model.json['name']}" == facts["model"]
    assert {one["model"] for one in predictions["found"] if one["ours"]} - {None, facts["model"]} == set()


@pytest.mark.item("IMO-027")
def test_at_most_450_requests_go_out_in_any_minute(predictions: Listed, watch: Listed) -> None:
    """In no 60 s of the past hour are more than 450 predictions created, and no sample counts more requests."""
    times = sorted(one["at"] for one in predictions["found"])
    most = max((bisect.bisect_left(times, at + 60) - number for number, at in enumerate(times)), default=0)
    assert predictions["whole"] is True
    assert most <= 450
    assert max(one.json["rateLimiter"]["requestsInLastMinute"] for one in told(watch["stats"])) <= 450


@pytest.mark.item("IMO-089")
def test_replicate_is_up(account: Exchange) -> None:
    """Replicate answers for the account: it is up, and the account is not blocked."""
    assert account.status == 200


@pytest.mark.item("IMO-091")
def test_every_prediction_is_known_to_replicate(in_flight: list[Listed]) -> None:
    """The predictions of items that are being worked on are known to Replicate, and on their way."""
    assert len(in_flight) >= 1
    assert [one["known"].status for one in in_flight] == [200] * len(in_flight)
    assert {one["known"].json["status"] for one in in_flight} - {"starting", "processing", "succeeded"} == set()


@pytest.mark.item("IMO-096")
def test_nobody_else_uses_the_token(predictions: Listed, known: Mapping[str, str]) -> None:
    """All predictions that Replicate lists for the past hour, up to 3 s ago, belong to items of this database."""
    assert predictions["found"] != []
    listed = {one["id"] for one in predictions["found"] if one["age"] > UNTOLD_S}
    assert sorted(listed - set(known)) == []


def _judged(times: Times, limit: PercentileLimit, alpha: float, beta: float) -> Decision:
    return decide_percentile(times, replace(limit, alpha=alpha, beta=beta))


@pytest.mark.item("IMO-099")
def test_replicate_answers_in_normal_time(replicate_times: Times, estimated: Estimated) -> None:
    """Half of Replicate's answers come within 2 s, and nineteen in twenty within 5 s."""
    for limit in (MEDIAN, P95):
        judge = partial(_judged, replicate_times, limit)
        assert estimated(judge) == "pass"


@pytest.mark.item("IMO-100")
def test_predictions_succeed(predictions: Listed, estimated: Estimated) -> None:
    """Of the predictions of the past hour that are older than five minutes at least 99 % succeeded."""
    old = [one["status"] == "succeeded" for one in predictions["found"] if one["age"] > 300]
    shares = sum(old), len(old)
    assert estimated(lambda alpha, beta: decide_share(*shares, replace(SUCCEEDED, alpha=alpha, beta=beta))) == "pass"


@pytest.mark.item("IMO-102")
def test_failed_predictions_do_not_accumulate(
    predictions: Listed, known: Mapping[str, str], estimated: Estimated
) -> None:
    """At most 1 % of the past hour's predictions failed or were canceled, and each has failed its item soon."""
    bad = [one for one in predictions["found"] if one["status"] in ("failed", "canceled")]
    polled = [one["id"] for one in bad if one["age"] > 300]  # a younger one may not have been polled since it ended
    assert {name: known.get(name) for name in polled} == dict.fromkeys(polled, "FAILED")
    shares = len(bad), len(predictions["found"])
    assert estimated(lambda alpha, beta: decide_share(*shares, replace(FAILED, alpha=alpha, beta=beta))) == "pass"
