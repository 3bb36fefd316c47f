"""How the Custom Creation page is used, and what it does meanwhile."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from .asking import KEY_FUNCTION, digest, words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.browser import Visit
    from fixtures.confidential import Confidential

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]

GROUPS = {
    "Image to Image": "image_editing",
    "Text to Image": "prompt_to_image",
    "Text to Video": "prompt_to_video",
    "Image to Video": "image_to_video",
    "Audio Studio": "prompt_to_audio",
}


def sign_in(visit: Visit, facts: Facts, secrets: Confidential) -> bool:
    """Sign in on the page, which leads there; say whether the studio opened."""
    visit.page.set_default_timeout(visit.ms(60))  # for what has to be there on a page that works at all
    visit.page.locator("#email").fill(facts["verifier_email"])
    visit.page.locator("#password").fill(secrets["verifier_password"])
    visit.page.locator("button").filter(has_text=re.compile("^SIGN IN$")).click()
    return visit.appears("button:has-text('Text to Image')", within=30)


def model_button(visit: Visit) -> Any:
    """Return the dropdown behind the label Model."""
    return visit.page.locator("xpath=//*[normalize-space(text())='Model']/following::button[1]").first


def generate_button(visit: Visit) -> Any:
    """Return the button that starts a generation."""
    return visit.page.locator("button").filter(has_text=re.compile(r"^\s*Generate(?!d)")).first


def family_item(visit: Visit, family: str) -> Any:
    """Return a family's entry of the open model menu: its name and its lowest price."""
    return visit.page.get_by_role("menuitem").filter(has_text=re.compile(rf"^{re.escape(family)}\s*[\d.]+\+$")).first


def choose(visit: Visit, group: str, family: str, variant: str) -> None:
    """Choose a model in the page's menu."""
    visit.page.locator("button").filter(has_text=re.compile(f"^{group}$")).click()
    model_button(visit).click()
    family_item(visit, family).click()
    visit.page.locator("[role=menu]").last.get_by_role("menuitem", name=variant, exact=True).click()


def place_of(models: Models, record: str) -> tuple[str, str, str]:
    """Return where a model stands in the page's menu: group, family, variant."""
    model = next(one for one in models if one["recordId"] == record)
    group = next(name for name, kind in GROUPS.items() if kind == model["contentType"])
    return group, model["modelFamily"], model["variantName"]


def start(visit: Visit, prompt: str) -> bool:
    """Type a prompt and press Generate; say whether Generate could be pressed within half a minute."""
    visit.page.get_by_placeholder("Describe what you want to create...").fill(prompt)
    if not holds(visit, generate_button(visit).is_enabled, within=30):
        return False
    generate_button(visit).click()
    return True


def holds(visit: Visit, condition: Callable[[], bool], within: float) -> bool:
    """Return whether something comes to hold on the page within so many of the target's seconds."""
    end = time.monotonic() + visit.ms(within) / 1000
    while not condition():
        if time.monotonic() >= end:
            return False
        visit.page.wait_for_timeout(visit.ms(0.5))
    return True


def offered(visit: Visit) -> dict[str, list[list[str]]]:
    """Return what the model menu of each group offers: family and variant, in their order."""
    found: dict[str, list[list[str]]] = {}
    for group in GROUPS:
        visit.page.locator("button").filter(has_text=re.compile(f"^{group}$")).click()
        items = open_menu(visit).get_by_role("menuitem").all_inner_texts()
        families = [re.sub(r"\s*[\d.]+\+$", "", text) for text in items]
        found[group] = []
        for family in families:
            variants = open_menu(visit, family).get_by_role("menuitem").all_inner_texts()
            found[group] += [[family, variant] for variant in variants]
        close_menu(visit)
    return found


def open_menu(visit: Visit, family: str = "") -> Any:
    """Open the model menu anew, and a family's part of it; return what was opened last.

    Anew, since a part that is being closed would be taken for the one that is being opened.
    """
    close_menu(visit)
    menus = visit.page.get_by_role("menu")
    model_button(visit).click()
    if family and holds(visit, lambda: menus.count() > 0, within=5):
        family_item(visit, family).click()
    holds(visit, lambda: menus.count() > bool(family), within=5)
    return menus.last


def close_menu(visit: Visit) -> None:
    """Close the model menu, and wait until it is gone."""
    menus = visit.page.get_by_role("menu")
    if menus.count():
        visit.page.keyboard.press("Escape")
        if not holds(visit, lambda: menus.count() == 0, within=5):
            model_button(visit).click()


def ready(visit: Visit) -> dict[str, object]:
    """Return whether the page's parts are there, and whether a prompt makes Generate available."""
    seen = visit.appears("textarea", within=5)
    menu = seen and model_button(visit).is_visible() and model_button(visit).inner_text() not in ("Generate", "Reset")
    if seen:
        visit.page.get_by_placeholder("Describe what you want to create...").fill("A blue door")
    enabled = seen and generate_button(visit).is_enabled()
    wide = visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return {"prompt": seen, "menu": menu, "generate": enabled, "scrolls_sideways": wide}


class Trace:
    """The page's own requests, phase by phase: method and address, without queries, which may hold what is secret.

    handed: how many keys the page was handed until the last phase ended. subscribed: whether a record's changes are
    pushed to the page, which then need not ask for them.
    """

    def __init__(self, visit: Visit, secrets: Confidential) -> None:
        self.handed = 0
        self._page = visit.page
        self._secrets = secrets
        self._calls: list[list[str]] = []
        self._answers: list[Any] = []
        self._words: set[str] = set()
        self.subscribed = False
        visit.page.on("request", self._heard)
        visit.page.on("response", self._answered)
        visit.page.on("websocket", lambda socket: socket.on("framereceived", self._pushed))

    def _heard(self, request: Any) -> None:
        parts = urlsplit(request.url)
        self._words |= words_of([request.url])
        address = f"{parts.scheme}://{parts.netloc}{parts.path}"
        record = any(name == "id" and text.startswith("eq.") for name, text in parse_qsl(parts.query))
        self._calls.append([request.method, address, "id" if record else ""])

    def _pushed(self, frame: object) -> None:
        text = str(frame)
        self.subscribed |= "realtime:generation-" in text and "phx_reply" in text and '"ok"' in text

    def _answered(self, response: Any) -> None:
        if response.request.method == "POST" and urlsplit(response.url).path == KEY_FUNCTION and response.ok:
            self._answers.append(response)

    def phase(self) -> list[list[str]]:
        """Return what was requested since the last phase, with every key that the page was handed masked."""
        while self._answers:
            key = str(self._answers.pop().json().get("apiKey", ""))
            self.handed += len(key) > 0
            self._secrets.mask(key)
        calls, self._calls = self._calls, []
        return calls

    def left_behind(self) -> list[str]:
        """Return the digests of all words that the page's storages and addresses hold."""
        stored = self._page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        return sorted(digest(word) for word in words_of([stored]) | self._words)


def shown_image(visit: Visit, within: float, but: str = "") -> str:
    """Wait for a generated image and return its address; an empty text when none appears."""
    selector = "img[src*='generated-content']" + (f":not([src='{but}'])" if but else "")
    there = holds(visit, lambda: visit.page.locator(selector).count() > 0, within)
    return str(visit.page.locator(selector).first.get_attribute("src")) if there else ""
