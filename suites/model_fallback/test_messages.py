"""What the chat does with messages that are not the usual ones, and with conversations of the past."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.markup import markup

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.database import Snapshot

    Facts = dict[str, Any]
    Reply = dict[str, Any]


def _words(text: str) -> str:
    """Return the letters and digits of a text, without what Markdown adds to it."""
    plain = re.sub(r"```\w*|^\s*\d+\.\s", " ", text, flags=re.MULTILINE)
    return "".join(char for char in plain if char.isalnum())


def _in_order(shown: str, contents: list[str]) -> bool:
    """Return whether a page shows these contents one after the other."""
    text, at = _words(shown), 0
    for content in map(_words, contents):
        at = text.find(content, at)
        if at < 0:
            return False
        at += len(content)
    return True


@pytest.mark.item("MMF-062")
def test_the_history_loads(desktop_page: PageView, stored: Snapshot) -> None:
    """A conversation that is loaded again shows the stored messages, with their roles and in their order."""
    number = int(re.findall(r"/chat/(\d+)/", desktop_page.facts["address"])[0])
    rows = [row for row in stored["own"] if row["session_id"] == number]
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert desktop_page.facts["reloaded_answers"] == 1
    assert _in_order(desktop_page.facts["reloaded"], [row["content"] for row in rows])


@pytest.mark.item("MMF-062")
def test_the_history_of_before_loads_and_nobody_elses(other_pages: dict[str, Any]) -> None:
    """A conversation from before the deployment loads whole, and somebody else's does not load at all."""
    assert other_pages["old"]["status"] == 200
    assert _in_order(other_pages["old"]["text"], [row["content"] for row in other_pages["rows"]])
    answers = [row for row in other_pages["rows"] if row["role"] == "assistant"]
    assert len(other_pages["old"]["answers"]) == len(answers)
    assert other_pages["foreign"].status == 404


@pytest.mark.item("MMF-133")
def test_unusual_messages_are_answered(unusual_messages: dict[str, Reply], marker: str) -> None:
    """Emoji, right-to-left script and markup are shown as typed, and answered; no markup gets into the page."""
    assert [(one["status"], one["told"], len(one["answers"])) for one in unusual_messages.values()] == [
        (200, "", 1)
    ] * 2
    assert [one["own"] for one in unusual_messages.values()] == [one["asked"] for one in unusual_messages.values()]
    tree = markup(unusual_messages["markup"]["html"])
    assert [one.tag for one in tree.every(having=marker)] == []
    assert [one.tag for one in tree.every("script")] == []
