"""How the Custom Creation page is used, and what it does meanwhile."""

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .asking import KEY_FUNCTION, digest, words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.browser import Visit
    from fixtures.confidential import Confidential

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]

SYNCHRONOUS_FUNCTION = "/functions/v1/generate-content-sync"
ANSWERING = (KEY_FUNCTION, SYNCHRONOUS_FUNCTION)
GROUPS = {
    "Image to Image": "image_editing",
    "Text to Image": "prompt_to_image",
    "Text to Video": "prompt_to_video",
    "Image to Video": "image_to_video",
    "Audio Studio": "prompt_to_audio",
}


def sign_in(visit: Visit, facts: Facts, secrets: Confidential) -> bool:
    """Sign in on the page, which leads there; say whether it let anybody do so, and the studio opened."""
    visit.page.set_default_timeout(visit.ms(60))  # for what has to be there on a page that works at all
    if not visit.appears("#email", within=30):
        return False
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


def ready(visit: Visit, place: tuple[str, str, str]) -> dict[str, object]:
    """Return whether the page's parts are there, and whether a prompt makes Generate available.

    place: of a model that needs a prompt alone. The page opens with whichever it likes, which may want a picture, too.
    """
    seen = visit.appears("textarea", within=5)
    menu = seen and model_button(visit).is_visible() and model_button(visit).inner_text() not in ("Generate", "Reset")
    enabled = seen and prompted(visit)
    if menu and not enabled:
        choose(visit, *place)
        enabled = prompted(visit)
    wide = visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return {"prompt": seen, "menu": menu, "generate": enabled, "scrolls_sideways": wide}


def prompted(visit: Visit) -> bool:
    """Type a prompt; say whether Generate becomes available."""
    visit.page.get_by_placeholder("Describe what you want to create...").fill("A blue door")
    return holds(visit, generate_button(visit).is_enabled, within=2)


def rest(visit: Visit) -> None:
    """Wait until the network rests, half a minute at most: a page may ask for something again and again."""
    from playwright.sync_api import TimeoutError as NotInTimeError  # noqa: PLC0415  loaded by the seat, not by us

    with contextlib.suppress(NotInTimeError):
        visit.page.wait_for_load_state("networkidle", timeout=visit.ms(30))


class Trace:
    """The page's own requests, phase by phase: method, address, and the record that is asked for.

    Queries are left out, since they may hold what is secret. handed: how many keys the page was handed until the last
    phase ended. made: whether each synchronous generation's answer carried what was made. subscribed, told: whether a
    record's changes are pushed to the page, which then need not ask for them, and whether one was.
    """

    def __init__(self, visit: Visit, secrets: Confidential) -> None:
        self.handed = 0
        self._page = visit.page
        self._secrets = secrets
        self._calls: list[list[str]] = []
        self._answers: list[Any] = []
        self._addresses: list[str] = []
        self._lengths: set[int] = set()
        self.made: list[bool] = []
        self.subscribed = self.told = False
        visit.page.on("request", self._heard)
        visit.page.on("response", self._answered)
        visit.page.on("websocket", lambda socket: socket.on("framereceived", self._pushed))

    def _heard(self, request: Any) -> None:
        parts = urlsplit(request.url)
        self._addresses.append(unquote(request.url))
        address = f"{parts.scheme}://{parts.netloc}{parts.path}"
        records = [text for name, text in parse_qsl(parts.query) if name == "id" and text.startswith("eq.")]
        self._calls.append([request.method, address, records[0].removeprefix("eq.") if records else ""])

    def _pushed(self, frame: object) -> None:
        text = str(frame)
        ours = "realtime:generation-" in text
        self.subscribed |= ours and "phx_reply" in text and '"ok"' in text
        self.told |= ours and ("postgres_changes" in text or "broadcast" in text) and "phx_reply" not in text

    def _answered(self, response: Any) -> None:
        if response.request.method == "POST" and urlsplit(response.url).path in ANSWERING and response.ok:
            self._answers.append(response)

    def phase(self) -> list[list[str]]:
        """Return what was requested since the last phase, with every key that the page was handed masked."""
        while self._answers:
            answer = self._answers.pop()
            told = context_of(text_of(answer))
            if urlsplit(answer.url).path == SYNCHRONOUS_FUNCTION:
                self.made.append(finished(told))
                continue
            key = str(told.get("apiKey") or "")
            self.handed += len(key) > 0
            self._lengths |= {len(key)} - {0}
            self._secrets.mask(key)
        calls, self._calls = self._calls, []
        return calls

    def left_behind(self) -> list[str]:
        """Return the digests of all words that the page's storages and addresses hold."""
        stored = self._page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        return sorted(digest(word) for word in words_of([stored, *self._addresses], self._lengths))


def text_of(response: Any) -> str:
    """Return the body of an answer to the page; an empty text where the browser no longer has it."""
    from playwright.sync_api import Error  # noqa: PLC0415  loaded by the seat, not by us

    with contextlib.suppress(Error, UnicodeDecodeError):
        return str(response.text())
    return ""


def context_of(text: str) -> dict[str, Any]:
    """Return an object of JSON, such as the context that ends a line of the page's console; empty if it is none."""
    with contextlib.suppress(ValueError):
        told = json.loads(text)
        return told if isinstance(told, dict) else {}
    return {}


def finished(answer: dict[str, Any]) -> bool:
    """Return whether the answer of a synchronous generation carries what was made."""
    return answer.get("status") == "completed" and bool(answer.get("output_url"))


def shown_images(visit: Visit) -> list[str]:
    """Return the addresses of the generated images on the page, those of earlier generations among them."""
    found = visit.page.locator("img[src*='generated-content']").evaluate_all("all => all.map((one) => one.src)")
    return [str(address) for address in found]


def shown_output(visit: Visit, output: Callable[[], str], within: float) -> str:
    """Wait until the page shows a generation's image and return its address; an empty text when it never does.

    output: gives the address in the generation's record, empty until there is one. Images are told by their file's
    name, since a page may show earlier ones, and may address a file in another way.
    """
    shown = ""

    def there() -> bool:
        nonlocal shown
        name = urlsplit(output()).path.rpartition("/")[2]
        shown = next((one for one in shown_images(visit) if name and urlsplit(one).path.endswith(f"/{name}")), "")
        return shown != ""

    holds(visit, there, within)
    return shown
