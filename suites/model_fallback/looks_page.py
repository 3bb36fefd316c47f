"""Looks at the page, in a browser: on a desktop, on a phone, at every width, and while the service is unavailable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from fixtures.browser import Answer
from fixtures.observing import observation

from .asking import AVAILABILITY
from .page_scripts import (
    BUTTON,
    CENTRE,
    CHOICES,
    DISABLED,
    ENABLED,
    FIELD,
    HEADER,
    HITS,
    HOVER_RULE,
    ICON,
    IDLE,
    IN_VIEW,
    LOOK,
    MEASURES,
    SEEN,
    STATE,
    WATCH_SPINNER,
)

if TYPE_CHECKING:
    from fixtures.browser import Browser, PageView
    from fixtures.confidential import Confidential
    from fixtures.database import Snapshot
    from fixtures.look import Ledger

    Facts = dict[str, Any]
    Reply = dict[str, Any]
    from fixtures.browser import Visit

UNAVAILABLE = {"available": False, "message": "Service temporarily unavailable. Please try again in 287s."}


WIDTHS = (320, 375, 768, 1024, 1440)


TOOLTIP = ".model-info-container .fa-circle-info ~ div"

# What is seen where the chat does not open.
UNOPENED: dict[str, object] = {
    "opened": False, "at_rest": False, "button_seen": False, "answered": False, "answer_seen": False, "answers": [],
    "blocks": 0, "header_before": "", "header_after": "", "shown": "", "reloaded": "", "reloaded_answers": [],
    "spinner": [], "choices": [], "look": ["", ""], "icon": {"shown": False, "hit": False}, "label": "",
    "hover_rule": False, "tooltip_before": {"shown": False, "name": ""}, "tooltip_after": {"shown": False, "name": ""},
    "tooltip": {"shown": False, "name": ""}, "enabled_again": False, "typed": "", "reachable": False,
}  # fmt: skip

BROWSER_S = 100  # of the target: how long a page may need to show something whose time is not judged


def comes(visit: Visit, condition: str, within: float = BROWSER_S) -> bool:
    """Return whether a condition in the page comes true in time."""
    from playwright.sync_api import TimeoutError as NotInTimeError  # noqa: PLC0415  loaded by the browser's seat, not by us

    try:
        visit.page.wait_for_function(condition, timeout=visit.ms(within))
    except NotInTimeError:
        return False
    return True


def sign_in(visit: Visit, secrets: Confidential, facts: Facts) -> bool:
    """Sign in on the login page, and return whether the chat appears."""
    visit.page.locator("input[name=username]").fill(facts["chat_user"])
    visit.page.locator("input[name=password]").fill(secrets["chat_password"])
    visit.page.locator("input[name=password]").press("Enter")
    return visit.appears(FIELD, within=BROWSER_S)


def empty_conversation(visit: Visit) -> None:
    """Go to an empty conversation: the site makes one, and then shows the latest, which may be one that is in use."""
    for _ in range(4):
        if visit.page.locator(".prose").count():
            visit.page.goto(urljoin(visit.page.url, "/new/"))  # leads to the one made before, now by its number
            visit.appears(FIELD, within=BROWSER_S)


def of_last(visit: Visit, selector: str, question: str, without: Any) -> Any:
    """Return what the page answers to a question about the last element that fits; `without` when there is none."""
    return visit.page.evaluate(
        f"([name, without]) => {{ const one = [...document.querySelectorAll(name)].at(-1);"
        f" return one ? ({question})(one) : without; }}",
        [selector, without],
    )


def point(visit: Visit, selector: str, *, touch: bool = False, press: bool = True) -> None:
    """Move the pointer, or put a finger, on the last element that fits; where there is none, nothing is touched."""
    place = of_last(visit, selector, CENTRE, None)
    if place is not None and touch:
        visit.page.touchscreen.tap(*place)
    elif place is not None:
        (visit.page.mouse.click if press else visit.page.mouse.move)(*place)


def tooltip(visit: Visit) -> dict[str, object]:
    """Return what is seen of the newest answer's tooltip."""
    shown = [of_last(visit, TOOLTIP, question, without=False) for question in (SEEN, IN_VIEW)]
    return {"shown": all(shown), "name": of_last(visit, TOOLTIP, "one => one.textContent.trim()", "")}


def icon(visit: Visit) -> dict[str, object]:
    """Return what is seen of the newest answer's icon."""
    return {name: of_last(visit, ICON, question, without=False) for name, question in (("shown", SEEN), ("hit", HITS))}


def answered(visit: Visit, before: int) -> bool:
    """Return whether an answer appears and nothing is pending any more."""
    return comes(visit, f"() => document.querySelectorAll('.prose').length > {before}") and comes(visit, IDLE)


@observation(spends={"generations": 1}, within="240 s")
def desktop_page(
    page: Browser, secrets: Confidential, facts: Facts, marker: str, message: Reply, ledger: Ledger
) -> PageView:
    """A new conversation on a desktop: opened, a message sent, the icon hovered over, and loaded again."""
    ledger.own("leftover_chats", "chat", f"{facts['chat_user']} {marker}")

    def steps(visit: Visit) -> dict[str, object]:
        here = visit.page
        visit.saw(**UNOPENED)
        if not sign_in(visit, secrets, facts):
            return {}
        empty_conversation(visit)
        visit.saw(opened=True, look=here.evaluate(LOOK), header_before=here.evaluate(HEADER))
        visit.saw(choices=here.evaluate(CHOICES), at_rest=here.evaluate(ENABLED))
        visit.saw(button_seen=of_last(visit, BUTTON, SEEN, without=False))
        here.evaluate(WATCH_SPINNER)
        here.locator(FIELD).fill(f"{marker} How is the weather?")
        point(visit, BUTTON)
        visit.saw(answered=answered(visit, 0), spinner=here.evaluate("window.seenOfSpinner"))
        visit.saw(shown=here.locator("#chat-container").inner_text(), header_after=here.evaluate(HEADER))
        visit.saw(answers=here.locator(".prose").all_inner_texts(), blocks=here.locator(".prose > *").count())
        visit.saw(answer_seen=of_last(visit, ".prose", SEEN, without=False))
        visit.saw(icon=icon(visit), tooltip_before=tooltip(visit), hover_rule=here.evaluate(HOVER_RULE))
        visit.saw(label=of_last(visit, ".model-info-container", "one => one.parentElement.innerText", ""))
        point(visit, ICON, press=False)
        here.wait_for_timeout(300)  # ours: longer than the fade of any tooltip
        visit.saw(tooltip_after=tooltip(visit))
        here.reload()
        visit.appears(FIELD, within=BROWSER_S)
        return {
            "reloaded": here.locator("#chat-container").inner_text(),
            "reloaded_answers": here.locator(".prose").all_inner_texts(),
            "enabled_again": comes(visit, ENABLED),
        }

    return page.visit("/accounts/login/?next=/new/", steps=steps, name="conversation")


@observation(spends={"generations": 1}, within="240 s")
def phone_page(page: Browser, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> PageView:
    """The run's conversation on a phone: a message is typed and sent, and its model looked up, by touch."""

    def steps(visit: Visit) -> dict[str, object]:
        here = visit.page
        opened = sign_in(visit, secrets, facts)
        visit.saw(**{**UNOPENED, "opened": opened}, measures=here.evaluate(MEASURES))
        if not opened:
            return {}
        before = here.locator(".prose").count()
        point(visit, FIELD, touch=True)
        here.keyboard.type(f"{marker} Good evening.")
        visit.saw(
            typed=of_last(visit, FIELD, "one => one.value", ""), reachable=of_last(visit, BUTTON, HITS, without=False)
        )
        point(visit, BUTTON, touch=True)
        visit.saw(answered=answered(visit, before), answers=here.locator(".prose").all_inner_texts()[before:])
        visit.saw(answer_seen=of_last(visit, ".prose", SEEN, without=False))
        of_last(visit, ICON, "one => one.scrollIntoView({ block: 'center' })", None)
        point(visit, ICON, touch=True)
        here.wait_for_timeout(300)  # ours: longer than the fade of any tooltip
        return {"tooltip": tooltip(visit)}

    return page.visit(
        f"/accounts/login/?next=/chat/{message['conversation']}/", device="phone", steps=steps, name="phone"
    )


@observation(permit="writes", within="240 s")
def widths_page(page: Browser, secrets: Confidential, facts: Facts, stored: Snapshot) -> PageView:
    """The test user's oldest conversation at five widths."""

    def steps(visit: Visit) -> dict[str, object]:
        sign_in(visit, secrets, facts)
        found = {}
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": 800})
            found[str(width)] = visit.page.evaluate(MEASURES)
        visit.page.set_viewport_size({"width": WIDTHS[0], "height": 800})
        return {"widths": found}

    number = next(iter(stored["own"]))["session_id"]
    return page.visit(f"/accounts/login/?next=/chat/{number}/", steps=steps, name="narrowest")


@observation(permit="writes", within="240 s")
def disabled_page(page: Browser, secrets: Confidential, facts: Facts, message: Reply) -> PageView:
    """The chat while the endpoint says unavailable, which the browser itself answers."""

    def steps(visit: Visit) -> dict[str, object]:
        here = visit.page
        sign_in(visit, secrets, facts)
        visit.saw(disabled=comes(visit, DISABLED), state=here.evaluate(STATE), look=here.evaluate(LOOK))
        of_last(visit, FIELD, "one => { one.value = 'Nobody may send this'; one.focus(); }", None)
        here.keyboard.press("Enter")
        point(visit, BUTTON)
        here.wait_for_timeout(300)  # ours: a request that leaves has left
        here.reload()
        visit.appears(FIELD, within=BROWSER_S)
        return {"disabled_again": comes(visit, DISABLED)}

    return page.visit(
        f"/accounts/login/?next=/chat/{message['conversation']}/",
        steps=steps,
        answer={f"*{AVAILABILITY}": Answer(json=UNAVAILABLE)},
        name="disabled",
    )
