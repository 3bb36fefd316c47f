"""The log tells, for each message, which models were asked and which one answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .flows import CLOCKS, flows, own_flow

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

    Facts = dict[str, Any]
    Reply = dict[str, Any]


@pytest.mark.item("MMF-050")
def test_the_log_receives_lines_about_models(message_logged: LogView, message: Reply) -> None:
    """After a message was sent, lines about models stand in the log, dated after it was sent."""
    assert message["told"] == ""
    assert getattr(message_logged.trouble, "kind", "") not in ("silent", "absent")
    attempts = [one.line.time for one in message_logged.matches["attempt"] if one.line.time is not None]
    assert len(attempts) >= 1
    assert max(attempts) >= message["sent_at"] - CLOCKS


@pytest.mark.item("MMF-051")
def test_the_attempt_stands_before_the_success(message_logged: LogView, message: Reply) -> None:
    """One message logs its attempt, its success and its end, in this order and with nothing in between."""
    assert [one.name for one in own_flow(message_logged, message)] == ["attempt", "success", "processed"]


@pytest.mark.item("MMF-052")
def test_the_first_attempt_is_announced(message_logged: LogView, message: Reply, facts: Facts) -> None:
    """The log announces model 1 of the hierarchy's number, by its name."""
    models = facts["hierarchy"]
    announced = [one.groups for one in own_flow(message_logged, message) if one.name == "attempt"]
    assert announced[:1] == [("1", str(len(models)), models[0])]


@pytest.mark.item("MMF-053")
def test_a_limited_model_is_followed_by_the_next(
    rehearsal: dict[str, Any], fallbacks_logged: LogView, facts: Facts
) -> None:
    """While the first k models refuse, each is tried once in order, model k+1 answers, and users see that answer."""
    models, names, fallbacks = facts["hierarchy"], facts["display_names"], rehearsal["fallbacks"]
    logged = flows(fallbacks_logged)[: len(fallbacks)]
    tried = [[(one.groups[0], one.groups[2]) for one in flow if one.name == "attempt"] for flow in logged]
    numbered = [(str(number), model) for number, model in enumerate(models, 1)]
    assert tried == [numbered[: k + 1] for k in range(1, len(fallbacks) + 1)]
    assert [[one.groups[0] for one in flow if one.name == "success"] for flow in logged] == [
        [models[k]] for k in range(1, len(fallbacks) + 1)
    ]
    assert [reply["models"] for reply in fallbacks] == [[names[k]] for k in range(1, len(fallbacks) + 1)]
    assert [(reply["told"], len(reply["answers"])) for reply in fallbacks] == [("", 1)] * len(fallbacks)


@pytest.mark.item("MMF-054")
def test_the_first_success_is_recorded(message_logged: LogView, message: Reply, facts: Facts) -> None:
    """The log records that model 1 answered on its first attempt."""
    recorded = [one.groups for one in own_flow(message_logged, message) if one.name == "success"]
    assert recorded == [(facts["hierarchy"][0], "1")]


@pytest.mark.item("MMF-100")
def test_the_end_of_the_log_holds_no_errors(log_end: LogView, message: Reply) -> None:
    """The last hundred lines hold no error and no traceback, and one of them is younger than the first message."""
    last = log_end.events[-100:]
    assert len(last) > 0
    assert [one.level for one in last if one.level in ("error", "critical")] == []
    times = [one.time for one in last if one.time is not None]
    assert [line.text for line in log_end.exceptions if line.time is not None and line.time >= min(times)] == []
    assert max(times) >= message["sent_at"] - CLOCKS


@pytest.mark.item("MMF-105")
def test_every_model_of_the_hierarchy_exists(
    message_logged: LogView, message: Reply, offered: Exchange, facts: Facts
) -> None:
    """The log counts as many models as the hierarchy has distinct names, and the provider offers each of them."""
    models = facts["hierarchy"]
    counted = {int(one.groups[1] or 0) for one in own_flow(message_logged, message) if one.name == "attempt"}
    assert counted == {len(set(models))}
    assert offered.status == 200
    usable = [
        one["name"] for one in offered.json["models"] if "generateContent" in one.get("supportedGenerationMethods", ())
    ]
    assert [model for model in models if f"models/{model}" not in usable] == []


@pytest.mark.item("MMF-113")
def test_the_provider_can_be_reached(offered: Exchange, message: Reply) -> None:
    """The provider answers with its models, its name and connection within a second each, and answered a message."""
    assert offered.status == 200
    assert offered.connect_s - offered.tls_s < 1
    assert offered.tls_s < 1
    assert len(message["answers"]) == 1
