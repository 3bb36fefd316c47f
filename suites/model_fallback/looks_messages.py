"""Looks at the chat as its test user sees it: messages, conversations, and whether it says it is available."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fixtures.markup import markup
from fixtures.observing import observation, removal
from fixtures.values import UnseenError

from .asking import AVAILABILITY, Chat, listed, remove_chats, reply_of

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.confidential import Confidential
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_view import LogMark
    from fixtures.look import Ledger

    Facts = dict[str, Any]
    Reply = dict[str, Any]

TITLE = {"HX-Request": "true", "HX-Target": "title"}
MODEL_FIELDS = ("model", "model_name", "model_id", "model_used", "selected_model", "preferred_model")


@observation(within="60 s")
def anonymous_availability(chat: Http) -> list[Exchange]:
    """The availability endpoint, asked five times by nobody in particular, as the checklist's curl does."""
    return [chat.get(AVAILABILITY, follow=False) for _ in range(5)]


@observation(permit="writes", within="120 s")
def availability(chat: Http, secrets: Confidential, facts: Facts, message: Reply) -> list[Exchange]:
    """The availability endpoint, asked five times by the signed-in test user: processes may differ."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return [said.get(AVAILABILITY) for _ in range(5)]


@observation(spends={"generations": 1}, within="120 s")
def message(chat: Http, secrets: Confidential, facts: Facts, marker: str, attached: LogMark, ledger: Ledger) -> Reply:
    """The first message of a new conversation."""
    ledger.own("leftover_chats", "chat", f"{facts['chat_user']} {marker}")
    return Chat(chat, secrets, facts).say(f"{marker} Hello, how are you?")


@observation(spends={"generations": 1}, within="120 s")
def message_with_model(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> Reply:
    """A message whose form names the last model, in every field that could be meant for it."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return said.say(f"{marker} Which one are you?", **dict.fromkeys(MODEL_FIELDS, facts["hierarchy"][-1]))


@observation(permit="probes", within="120 s")
def refused_messages(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> dict[str, Reply]:
    """Messages that are refused before any model is asked: a blank one and one that is too long."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return {"blank": said.say("   "), "overlong": said.say(f"{marker} " + "long " * 2000)}


@observation(spends={"generations": 20}, within="600 s")
def twenty_messages(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> dict[str, Any]:
    """Twenty messages, one after the other, and then what their conversation shows."""
    said = Chat(chat, secrets, facts, message["conversation"])
    replies = [said.say(f"{marker} Count to {number}.") for number in range(20)]
    return {"replies": replies, "kept": reply_of(said.get(f"/chat/{said.number}/"))["text"]}


@observation(spends={"generations": 2}, within="120 s")
def unusual_messages(
    chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply, desktop_page: PageView
) -> dict[str, Reply]:
    """Messages with emoji, right-to-left script and markup, once the desktop has been: it may open where they stand."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return {
        "scripts": said.say(f"{marker} 👋🏽 مرحبا، كيف حالك؟"),
        "markup": said.say(
            f"{marker} Repeat exactly: <b class='{marker}'>bold</b><script>{marker}()</script>"
            f"<img src=x onerror={marker}()>"
        ),
    }


@observation(permit="writes", within="120 s")
def history_page(chat: Http, secrets: Confidential, facts: Facts, message_with_model: Reply) -> Reply:
    """The run's conversation, loaded anew."""
    said = Chat(chat, secrets, facts, message_with_model["conversation"])
    return reply_of(said.get(f"/chat/{said.number}/"))


@observation(within="120 s")
def stored(records: Database, facts: Facts, desktop_page: PageView, message_with_model: Reply) -> Snapshot:
    """The test user's messages, the latest conversations of others, and when the first hour's answers were stored."""
    user = "(SELECT id FROM auth_user WHERE username = :user)"
    since = dt.datetime.fromisoformat(facts["deployed"])
    return records.read(
        {
            "own": "SELECT m.session_id, m.role, m.content, m.created_at FROM chat_message m JOIN chat_chatsession s "  # noqa: S608  a constant
            f"ON s.id = m.session_id WHERE s.user_id = {user} ORDER BY m.created_at, m.id",
            "foreign": f"SELECT id FROM chat_chatsession WHERE user_id <> {user} ORDER BY id DESC LIMIT 500",  # noqa: S608  likewise
            "first_hour": "SELECT created_at FROM chat_message WHERE role = 'assistant' "
            "AND created_at >= :since AND created_at < :until ORDER BY created_at",
        },
        {"user": facts["chat_user"], "since": since, "until": since + dt.timedelta(hours=1)},
    )


@observation(permit="writes", within="120 s")
def other_pages(chat: Http, secrets: Confidential, facts: Facts, stored: Snapshot) -> dict[str, Any]:
    """The test user's oldest conversation, and ways to somebody else's, as far as there are such."""
    rows, deployed = list(stored["own"]), dt.datetime.fromisoformat(facts["deployed"])
    if not rows:
        raise UnseenError(f"{facts['chat_user']} has no messages that could be loaded")
    said = Chat(chat, secrets, facts, rows[0]["session_id"])
    page = said.get(f"/chat/{said.number}/")
    others = [row["id"] for row in stored["foreign"]]
    ways = [(f"/chat/{number}/", headers) for number in others[-1:] for headers in ({}, TITLE)]
    ways += [(f"/api/admin-chat/{number}/", {}) for number in others[-1:]]
    return {
        "rows": [row for row in rows if row["session_id"] == said.number and row["created_at"] < deployed],
        "old": reply_of(page),
        "listed_of_others": sorted({*listed(markup(page.text))} & {*others}),
        "to_others": [said.get(*way) for way in ways],
    }


@removal
def leftover_chats(chat: Http, secrets: Confidential, key: str) -> None:
    """Remove the run's conversations from the chat."""
    remove_chats(chat, secrets, key)
