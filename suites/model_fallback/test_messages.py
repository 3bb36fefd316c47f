"""What the chat does with messages that are not the usual ones, and with conversations of the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.markup import markup
from fixtures.values import UndecidedError

from .rendering import in_order

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.database import Snapshot

    Facts = dict[str, Any]
    Reply = dict[str, Any]


REFUSALS = (302, 403, 404)


@pytest.mark.item("MMF-062")
def test_the_history_loads(desktop_page: PageView, stored: Snapshot, marker: str) -> None:
    """A conversation shows its stored messages whole, in their roles and order, as they are sent and after a reload."""
    page = desktop_page.facts
    numbers = [row["session_id"] for row in stored["own"] if row["content"] == f"{marker} How is the weather?"]
    assert len(numbers) == 1
    rows = [row for row in stored["own"] if row["session_id"] == numbers[0]]
    assert [row["role"] for row in rows] == ["user", "assistant"]
    contents = [row["content"] for row in rows]
    assert [in_order(text, contents) for text in (page["shown"], page["reloaded"])] == [True, True]
    assert [in_order(text, contents[1:]) for text in page["reloaded_answers"]] == [True]


@pytest.mark.item("MMF-062")
def test_the_history_of_before_loads_and_nobody_elses(other_pages: dict[str, Any]) -> None:
    """A conversation from before the deployment loads whole; nothing of somebody else's is shown or named."""
    old, rows = other_pages["old"], other_pages["rows"]
    assert [one.status for one in other_pages["to_others"] if one.status not in REFUSALS] == []
    assert other_pages["listed_of_others"] == []
    assert old["status"] == 200
    assert in_order(old["text"], [row["content"] for row in rows])
    answers = [row["content"] for row in rows if row["role"] == "assistant"]
    shown = old["answers"][: len(answers)]
    assert [in_order(text, [content]) for text, content in zip(shown, answers, strict=False)] == [True] * len(answers)
    if not rows or not other_pages["to_others"]:
        raise UndecidedError("there is no conversation from before the deployment, or none of anybody else")


@pytest.mark.item("MMF-133")
def test_unusual_messages_are_answered(unusual_messages: dict[str, Reply], marker: str) -> None:
    """Emoji, right-to-left script and markup are shown as typed, and answered; no markup gets into the page."""
    assert [(one["status"], one["told"], len(one["answers"])) for one in unusual_messages.values()] == [
        (200, "", 1)
    ] * 2
    assert [one["own"].count(one["asked"]) for one in unusual_messages.values()] == [1, 1]
    tree = markup(unusual_messages["markup"]["html"])
    assert [one.tag for one in tree.every(having=marker)] == []
    assert [one.parts for one in tree.every("script") if marker in str(one.parts)] == []
    assert [
        one.tag for one in tree.every() for name, text in one.attributes.items() if name[:2] == "on" and marker in text
    ] == []
