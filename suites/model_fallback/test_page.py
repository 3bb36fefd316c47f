"""The page in a browser: on a desktop, on a phone, at every width, and while the service is unavailable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from fixtures.browser import PageView

    Facts = dict[str, Any]
    Reply = dict[str, Any]

TOUCH_PX = 44  # a finger's target
READABLE_PX = 16  # below it phones zoom in when the field is touched


@pytest.mark.item("MMF-060")
def test_the_chat_works_on_a_phone(phone_page: PageView, marker: str) -> None:
    """On an emulated phone a message can be typed, sent and answered by touch alone."""
    assert phone_page.facts["opened"] is True
    assert phone_page.facts["typed"] == f"{marker} Good evening."
    assert phone_page.facts["reachable"] is True
    assert (phone_page.facts["answered"], len(phone_page.facts["answers"])) == (True, 1)
    assert phone_page.facts["answer_seen"] is True


@pytest.mark.item("MMF-061")
def test_the_layout_fits_every_width(widths_page: PageView) -> None:
    """At five widths nothing scrolls sideways, and field and button are within the window, with nothing over them."""
    widths = widths_page.facts["widths"]
    assert sorted(map(int, widths)) == [320, 375, 768, 1024, 1440]
    assert {width: one["scrolls"] for width, one in widths.items()} == dict.fromkeys(widths, False)
    assert {width: one["inside"] for width, one in widths.items()} == dict.fromkeys(widths, True)
    assert {width: (one["overlap"], one["covered"]) for width, one in widths.items()} == dict.fromkeys(
        widths, (False, False)
    )


@pytest.mark.item("MMF-106")
def test_the_console_shows_no_errors(desktop_page: PageView) -> None:
    """Opening, sending, receiving, hovering and reloading raise no exception and write no error to the console."""
    assert desktop_page.page_errors == ()
    assert desktop_page.console_errors == ()


@pytest.mark.item("MMF-107")
def test_every_answer_carries_its_model(message: Reply, history_page: Reply, facts: Facts) -> None:
    """The fragment and the reloaded conversation carry, for each answer, the name of a model."""
    assert len(message["models"]) == 1
    assert len(history_page["answers"]) >= 2
    assert len(history_page["models"]) == len(history_page["answers"])
    assert {*message["models"], *history_page["models"]} <= set(facts["display_names"])


@pytest.mark.item("MMF-108")
def test_the_hover_class_is_in_force(message: Reply, desktop_page: PageView) -> None:
    """The icon's container has the class group/model, and the page's styles have the rule that goes with it."""
    assert ["group/model" in classes for classes in message["icon_classes"]] == [True]
    assert desktop_page.facts["hover_rule"] is True


@pytest.mark.item("MMF-118")
def test_an_unavailable_service_disables_the_chat(disabled_page: PageView) -> None:
    """While the endpoint says unavailable, field and button are disabled; Enter, a click or a reload change nothing."""
    assert disabled_page.facts["disabled"] is True
    assert [one.url for one in disabled_page.requests if "Nobody" in f"{one.url} {one.post_data}"] == []
    sent = [urlsplit(one.url).path for one in disabled_page.requests if one.method == "POST"]
    assert [path for path in sent if path == "/" or path.startswith("/chat/")] == []
    assert disabled_page.facts["disabled_again"] is True


@pytest.mark.item("MMF-124")
def test_no_model_can_be_chosen(desktop_page: PageView, message_with_model: Reply, facts: Facts) -> None:
    """No field of the page offers a model, and a model named in the request does not answer."""
    names = [name.lower() for name in (*facts["hierarchy"], *facts["display_names"])]
    offered = [text for text in desktop_page.facts["choices"] if any(name in text.lower() for name in names)]
    assert desktop_page.facts["opened"] is True
    assert offered == []
    assert len(message_with_model["models"]) == 1
    assert message_with_model["models"] != [facts["display_names"][-1]]


@pytest.mark.item("MMF-126")
def test_the_disabled_state_is_obvious(disabled_page: PageView, desktop_page: PageView) -> None:
    """While unavailable a banner says so, also to assistive technology, and field and button look otherwise."""
    state = disabled_page.facts["state"]
    assert "unavailable" in state["banner"].lower()
    assert (state["field"], state["button"], state["announced"]) == (True, True, True)
    same = [
        before == after for before, after in zip(desktop_page.facts["look"], disabled_page.facts["look"], strict=True)
    ]
    assert same == [False, False]


@pytest.mark.item("MMF-127")
def test_the_page_is_friendly_to_fingers(phone_page: PageView, facts: Facts) -> None:
    """On a phone the page has its width, controls a finger's size, readable text, and a touch shows the model."""
    measures = phone_page.facts["measures"]
    assert "width=device-width" in measures["viewport"].replace(" ", "")
    assert [side for side in (*measures["field"], *measures["button"]) if side < TOUCH_PX] == []
    assert measures["text"] >= READABLE_PX
    assert phone_page.facts["tooltip"]["shown"] is True
    assert phone_page.facts["tooltip"]["name"] in facts["display_names"]
