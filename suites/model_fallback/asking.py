"""A person in front of the chat: what is sent, and what the answer means.

The test user's messages begin with the run's marker, so that the run's own conversations can be found and removed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fixtures.django_session import DjangoSession
from fixtures.markup import markup
from fixtures.values import UnseenError

if TYPE_CHECKING:
    from fixtures.confidential import Confidential
    from fixtures.exchange import Exchange
    from fixtures.http import Http

    Facts = dict[str, Any]
    Reply = dict[str, Any]

AVAILABILITY = "/api/check-availability/"


class Chat(DjangoSession):
    """The test user in front of one conversation."""

    def __init__(self, chat: Http, secrets: Confidential, facts: Facts, number: int | None = None) -> None:
        super().__init__(chat, secrets, facts["chat_user"], secrets["chat_password"])
        if number is None:
            number = self._new()
        self.number = number
        self.open(f"/chat/{number}/")

    def _new(self) -> int:
        """Return the number of an empty conversation, which the site makes or finds."""
        place = self.get("/new/").header("location") or ""
        page = self.get(place if place.startswith("/") else "/")
        found = re.search(r'hx-post="/chat/(\d+)/"', page.text)
        if found is None:
            raise UnseenError(f"{page!r}: the page names no conversation")
        return int(found[1])

    def say(self, text: str, *, within: float = 60, **more: str) -> Reply:
        """Send a message and read what comes back; the limit is judged, so the look lasts well beyond it."""
        headers = {"HX-Request": "true", "HX-Target": "chat-container"}
        answer = self.post(f"/chat/{self.number}/", {"message": text, **more}, headers, within)
        return {"conversation": self.number, "asked": text, "html": answer.text, **reply_of(answer)}


def reply_of(answer: Exchange) -> Reply:
    """Return the meaning of an answer to a message: the status tells nothing, since failures have 200 as well."""
    tree = markup(answer.text)
    proses = tree.every(having="prose")
    icons = tree.every(having="model-info-container")
    told = [one for one in tree.every() if one.every(having="fa-exclamation-triangle")]
    labels = [one.text for one in tree.every() if one.text == "Nexus Core"]
    return {
        "status": answer.status,
        "sent_at": answer.sent_at,
        "elapsed_s": answer.elapsed_s,
        "text": tree.text,
        "answers": [one.text for one in proses],
        "own": tree.text.partition("Nexus Core")[0].strip(),
        "labelled": len(labels) > 0,
        "models": [one.text.replace("ℹ️", "").strip() for one in icons],  # noqa: RUF001  the icon itself
        "icon_classes": [sorted(one.classes) for one in icons],
        "told": told[-1].text if told else "",
        "disables": "disableChatInterface(" in answer.text,
    }


def available(answer: Exchange) -> object:
    """Return what the endpoint says of its availability, None when it answers something else."""
    said = answer.json if answer.is_json else None
    return said.get("available") if isinstance(said, dict) else None


def remove_chats(chat: Http, secrets: Confidential, key: str) -> None:
    """Remove the conversations whose title carries a run's marker; the key is the test user's name and the marker."""
    user, marker = key.split()
    said = DjangoSession(chat, secrets, user, secrets["chat_password"])
    for link in markup(said.open("/").text).every("a"):
        address = re.fullmatch(r"/chat/\d+/", link.attributes.get("href", ""))
        if address is not None and marker in link.text:
            answer = said.post(f"{address[0]}delete/", {}, {"HX-Request": "true"})
            if answer.status != 200:
                raise RuntimeError(f"{answer!r}: a conversation of the run was not removed")
