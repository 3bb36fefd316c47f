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
    from fixtures.markup import Element

    Facts = dict[str, Any]
    Reply = dict[str, Any]

AVAILABILITY = "/api/check-availability/"
AVAILABLE = {"available": True, "message": "Service available"}


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
    return {
        "status": answer.status,
        "sent_at": answer.sent_at,
        "elapsed_s": answer.elapsed_s,
        "text": tree.text,
        "answers": [one.text for one in proses],
        "own": tree.text.partition("Nexus Core")[0].strip(),
        "labelled": any(_says(one, "Nexus Core") for one in tree.every()),
        "models": [_model(one) for one in icons],
        "icon_classes": [sorted(one.classes) for one in icons],
        "told": _told(tree),
        "disables": "disableChatInterface(" in answer.text,
    }


def _says(element: Element, words: str) -> bool:
    """Return whether a text that stands in an element itself is these words, whatever else the element holds."""
    return any(isinstance(part, str) and " ".join(part.split()) == words for part in element.parts)


def _model(container: Element) -> str:
    """Return what the tooltip in an icon's container says."""
    return (container.every("div") or [container])[0].text.replace("ℹ️", "").strip()  # noqa: RUF001  the icon itself


def _told(tree: Element) -> str:
    """Return what a fragment says in place of an answer: what stands beside its sign, without a sign all of it."""
    signed = [one for one in tree.every() if one.every(having="fa-exclamation-triangle")]
    found = [one.text for one in (*tree.every(having="text-red-200"), *reversed(signed)) if one.text]
    return found[0] if found else "" if tree.every(having="prose") else tree.text


def available(answer: Exchange) -> bool | str | None:
    """Return what the endpoint says of its availability, None when it answers something else.

    A boolean, or the text of what is none: 1 is not true in JSON.
    """
    said = answer.json if answer.is_json else None
    found = said.get("available") if isinstance(said, dict) else None
    return found if found is None or isinstance(found, bool) else repr(found)


def remove_chats(chat: Http, secrets: Confidential, key: str) -> None:
    """Remove the conversations whose title carries a run's marker; the key is the test user's name and the marker."""
    user, marker = key.split()
    said = DjangoSession(chat, secrets, user, secrets["chat_password"])
    for number in listed(markup(said.open("/").text), marker):
        answer = said.post(f"/chat/{number}/delete/", {}, {"HX-Request": "true"})
        if answer.status != 200:
            raise RuntimeError(f"{answer!r}: a conversation of the run was not removed")


def listed(page: Element, words: str = "") -> list[int]:
    """Return the conversations that a page's links and side bar lead to, of those whose titles hold these words."""
    places = [*page.every("a"), *(one for bar in page.every(id="sidebar-chat-list") for one in bar.every())]
    named = [
        int(address[1])
        for place in places
        for text in place.attributes.values()
        if words in place.text and (address := re.fullmatch(r"/chat/(\d+)/", text))
    ]
    return list(dict.fromkeys(named))
