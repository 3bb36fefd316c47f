"""When messages are refused: what is said, to whom, for how long, and how it ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from .asking import available
from .flows import flows

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.log_view import LogView

    Facts = dict[str, Any]
    Rehearsal = dict[str, Any]
    Reply = dict[str, Any]

RESET_S, TOLERANCE_S = 300, 60
INTERNALS = ("Traceback", "Exception", "Error:", "{'error'", "RESOURCE_EXHAUSTED", "429", "500 ")
REFUSALS = ("All model rate limits reached", "Service temporarily unavailable")


@pytest.mark.item("MMF-109")
def test_the_page_recovers_with_the_service(rehearsal: Rehearsal) -> None:
    """A page that an exhaustion had disabled is enabled again within one polling interval of the recovery."""
    assert rehearsal["page"].facts["disabled"] is True
    assert rehearsal["page"].facts["enabled_again"] is True


@pytest.mark.item("MMF-110")
def test_the_endpoint_agrees_with_what_messages_meet(rehearsal: Rehearsal) -> None:
    """Messages are refused exactly while the endpoint says unavailable, and what it says is left is at most 300 s."""
    assert available(rehearsal["before"]) is True
    assert (bool(rehearsal["refused"]["told"]), available(rehearsal["polls"][-1])) == (True, False)
    left = re.search(r"again in (\d+)s", rehearsal["polls"][0].json["message"])
    assert left is not None
    assert 0 < int(left[1]) <= RESET_S
    assert (rehearsal["after"]["told"], rehearsal["samples"][-1]["available"]) == ("", True)


@pytest.mark.item("MMF-111")
def test_a_restart_ends_an_exhaustion(rehearsal: Rehearsal) -> None:
    """An exhausted service says available within 60 s of its restart."""
    restart = rehearsal["restart"]
    assert REFUSALS[0] in restart["exhausted"]["told"]
    assert available(restart["before"]) is False
    assert available(restart["after"]) is True


@pytest.mark.item("MMF-116")
def test_an_exhausted_service_says_so(rehearsal: Rehearsal, outage_logged: LogView) -> None:
    """When every model refuses, the message and the endpoint say so, and the next message asks no model."""
    assert [words for words in REFUSALS if words not in rehearsal["exhausted"]["told"]] == []
    assert rehearsal["exhausted"]["disables"] is True
    assert available(rehearsal["polls"][0]) is False
    assert rehearsal["polls"][0].json["message"] != "Service available"
    assert REFUSALS[0] in rehearsal["refused"]["told"]
    logged = [[one.name for one in flow] for flow in flows(outage_logged)]
    assert logged[1:2] == [["rejected", "gave up"]]


@pytest.mark.item("MMF-117")
def test_all_processes_agree(rehearsal: Rehearsal) -> None:
    """Twenty calls over new connections, just after an exhaustion, all say unavailable."""
    assert [available(one) for one in rehearsal["polls"]] == [False] * 20


@pytest.mark.item("MMF-119")
def test_the_service_recovers_after_five_minutes(rehearsal: Rehearsal) -> None:
    """Until 300 s after an exhaustion the endpoint says unavailable, at 360 s it says available, and answers follow."""
    early = [one["available"] for one in rehearsal["samples"] if one["to_s"] < RESET_S]
    assert len(early) >= 2
    assert set(early) == {False}
    last = rehearsal["samples"][-1]
    assert last["available"] is True
    assert last["from_s"] <= RESET_S + TOLERANCE_S
    assert (rehearsal["after"]["told"], len(rehearsal["after"]["answers"])) == ("", 1)


@pytest.mark.item("MMF-125")
def test_exhaustion_is_told_clearly(rehearsal: Rehearsal, facts: Facts) -> None:
    """What users read of an exhaustion says what happened and what to do, and nothing of the provider."""
    texts = [rehearsal["exhausted"]["told"], rehearsal["refused"]["told"]]
    assert ["try again" in text.lower() for text in texts] == [True, True]
    assert [word for word in (*INTERNALS, *facts["hierarchy"]) for text in texts if word in text] == []


@pytest.mark.item("MMF-109")
def test_an_available_chat_is_enabled(desktop_page: PageView) -> None:
    """While the service is available the field and the button are enabled, also after the page was loaded again."""
    assert desktop_page.facts["at_rest"] is True
    assert desktop_page.facts["enabled_again"] is True


@pytest.mark.item("MMF-125")
def test_refusals_are_told_clearly(refused_messages: dict[str, Reply], facts: Facts) -> None:
    """A blank and an overlong message get a fragment that says what is wrong, and nothing of the code or a model."""
    assert {name: one["status"] for name, one in refused_messages.items()} == {"blank": 200, "overlong": 200}
    told = {name: one["told"] for name, one in refused_messages.items()}
    assert ("empty" in told["blank"].lower(), "too long" in told["overlong"].lower()) == (True, True)
    assert re.findall(r"\d{4,}", told["overlong"]) == ["5000"]
    assert [word for word in (*INTERNALS, *facts["hierarchy"]) for text in told.values() if word in text] == []
    assert [one["answers"] for one in refused_messages.values()] == [[], []]
