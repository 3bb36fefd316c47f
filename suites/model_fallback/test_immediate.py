"""The first five minutes: the page opens, a message is answered, and the service says that it is available."""

from __future__ import annotations

import datetime as dt
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from .asking import AVAILABLE, available

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

    Facts = dict[str, Any]
    Reply = dict[str, Any]

APOLOGIES = ("failed to generate", "temporarily unavailable", "api authentication error", "rate limits reached")


@pytest.mark.item("MMF-039")
def test_the_immediate_checks_are_made_in_five_minutes(immediate: dt.datetime, facts: Facts) -> None:
    """Page, message, endpoint and log have been looked at within five minutes of the restart."""
    restarted = dt.datetime.fromisoformat(facts["restarted"])
    assert immediate - restarted <= dt.timedelta(minutes=5)


@pytest.mark.item("MMF-040")
def test_the_chat_opens(desktop_page: PageView) -> None:
    """After the login the chat page appears, its field and button are enabled, and no file of it is missing."""
    assert desktop_page.facts["opened"] is True
    assert (desktop_page.facts["at_rest"], desktop_page.facts["button_seen"]) == (True, True)
    origin = "/".join(desktop_page.url.split("/")[:3])
    assert [one.url for one in desktop_page.failed_requests if one.url.startswith(origin)] == []


@pytest.mark.item("MMF-041")
def test_a_message_can_be_sent(message: Reply, desktop_page: PageView, marker: str) -> None:
    """A message is accepted, and it appears in the conversation, as a fragment and on the page."""
    assert message["status"] == 200
    assert message["told"] == ""
    assert message["own"].count(f"{marker} Hello, how are you?") == 1
    assert f"{marker} How is the weather?" in desktop_page.facts["shown"]


@pytest.mark.item("MMF-042")
def test_the_answer_appears(message: Reply, desktop_page: PageView) -> None:
    """One answer follows the message: not empty, no apology, and its markup is rendered."""
    assert (desktop_page.facts["answered"], desktop_page.facts["answer_seen"]) == (True, True)
    assert [len(message["answers"]), len(desktop_page.facts["answers"])] == [1, 1]
    texts = [message["answers"][0], desktop_page.facts["answers"][0]]
    assert [text for text in texts if not text or "**" in text or "```" in text] == []
    assert [word for word in APOLOGIES for text in texts if word in text.lower()] == []
    assert desktop_page.facts["blocks"] >= 1


@pytest.mark.item("MMF-043")
def test_a_pending_answer_shows_processing(desktop_page: PageView) -> None:
    """Between sending and the answer the page shows "Processing...", and nothing of it afterwards."""
    seen = desktop_page.facts["spinner"]
    assert [one["text"].lower() for one in seen if one["text"]][:1] == ["processing..."]  # styles may write it large
    assert [one["answers"] for one in seen if one["text"]][:1] == [0]
    assert seen[-1]["text"] == ""


@pytest.mark.item("MMF-044")
def test_the_header_names_no_model(desktop_page: PageView, facts: Facts) -> None:
    """Neither before nor after an answer does the header name a model."""
    names = [name.lower() for name in (*facts["hierarchy"], *facts["display_names"], "gemini")]
    header = f"{desktop_page.facts['header_before']}\n{desktop_page.facts['header_after']}".lower()
    assert header.strip() != ""
    assert [name for name in names if name in header] == []


@pytest.mark.item("MMF-045")
def test_the_answer_has_an_icon_beside_its_label(message: Reply, desktop_page: PageView) -> None:
    """The answer is labelled Nexus Core, with the icon next to it, visible and within the pointer's reach."""
    assert message["labelled"] is True
    assert desktop_page.facts["label"].lower().startswith("nexus core")
    assert desktop_page.facts["icon"] == {"shown": True, "hit": True}


@pytest.mark.item("MMF-046")
def test_hovering_shows_the_model(desktop_page: PageView, facts: Facts) -> None:
    """The tooltip is hidden at rest, and with the pointer over the icon it shows a model of the hierarchy."""
    assert desktop_page.facts["tooltip_before"]["shown"] is False
    assert desktop_page.facts["tooltip_after"]["shown"] is True
    assert desktop_page.facts["tooltip_after"]["name"] in facts["display_names"]


@pytest.mark.item("MMF-047")
def test_the_tooltip_names_the_model_that_answered(message: Reply, message_logged: LogView, facts: Facts) -> None:
    """The fragment's tooltip is the name of the model that the log says answered this conversation."""
    logged = [
        one.groups for one in message_logged.matches["processed"] if one.groups[0] == str(message["conversation"])
    ]
    names = dict(zip(facts["hierarchy"], facts["display_names"], strict=True))
    assert [names.get(model, model) for _, model in logged] == message["models"]


@pytest.mark.item("MMF-048")
def test_availability_answers_anybody(anonymous_availability: list[Exchange]) -> None:
    """The endpoint answers the checklist's curl with 200 and JSON, not with a redirect, typically within 2 s."""
    assert [one.status for one in anonymous_availability] == [200] * 5
    assert [one.is_json for one in anonymous_availability] == [True] * 5
    assert median(one.elapsed_s for one in anonymous_availability) < 2


@pytest.mark.item("MMF-049")
def test_availability_is_said_as_agreed(availability: list[Exchange]) -> None:
    """To a signed-in user the endpoint says exactly the agreed JSON, each of five times."""
    assert [one.status for one in availability] == [200] * 5
    assert [available(one) for one in availability] == [True] * 5
    assert [one.json for one in availability] == [AVAILABLE] * 5
