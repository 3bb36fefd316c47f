"""What the database holds before an observer comes: two users, old conversations, and the first hour's messages."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from simulators.model_fallback.chat.models import ChatSession, Message
from simulators.model_fallback.history import DAY, History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.faults import Faults

OLD = (
    ("user", "How do I count words in Python?"),
    ("assistant", 'Like this:\n\n```\nlen("a sentence with quite a few words in it, and then some more".split())\n```'),
    ("user", "Thank you."),
    ("assistant", "**You are welcome.**"),
)


def fill(order: Mapping[str, Any], models: tuple[str, ...], faults: Faults, now: dt.datetime) -> None:
    """Create the users and, where there is one, their past."""
    suite = User.objects.create_user(order["user"], password=order["password"])
    if not order["past"]:
        return
    other = User.objects.create_user("another")
    deployed = now - DAY
    for owner, title in ((suite, "Counting words"), (other, "A private matter")):
        session = _session(owner, title, deployed - dt.timedelta(days=2))
        Message.objects.bulk_create(Message(session=session, role=role, content=text) for role, text in OLD)
        _date(session)
    _first_hour(other, History(now=now, models=models, faults=faults))


def _session(owner: User, title: str, at: dt.datetime) -> Any:
    session = ChatSession.objects.create(user=owner, title=title)
    ChatSession.objects.filter(id=session.id).update(created_at=at, updated_at=at)
    session.created_at = at
    return session


def _date(session: Any) -> None:
    """Let the messages of a conversation lie a minute apart."""
    for number, message in enumerate(session.messages.order_by("id")):
        at = session.created_at + dt.timedelta(minutes=number)
        Message.objects.filter(id=message.id).update(created_at=at)


def _first_hour(owner: User, history: History) -> None:
    """Store what the log says was answered in the hour after the deployment."""
    answered = history.first_hour()
    session = _session(owner, "Everybody's first hour", history.deployed)
    pairs = [(message, role) for message in answered for role in ("user", "assistant")]
    made = Message.objects.bulk_create(Message(session=session, role=role, content="As ever.") for _, role in pairs)
    for row, (message, _) in zip(made, pairs, strict=True):
        row.created_at = message.at + dt.timedelta(seconds=message.wall_s)
    Message.objects.bulk_update(made, ["created_at"])
