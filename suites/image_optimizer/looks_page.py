"""Looks at the Image Optimization page, in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from fixtures.browser import Answer
from fixtures.browser_page import REFUSED
from fixtures.observing import observation

from .asking import PROMPT, token

if TYPE_CHECKING:
    from fixtures.browser import Browser, PageView, Visit
    from fixtures.confidential import Confidential

# How wide each picture is; one that cannot be drawn has no width.
WIDTHS = "all => Promise.all(all.map(one => one.decode().catch(() => 0).then(() => one.naturalWidth)))"


@observation(within="240 s")
def opened_page(page: Browser, secrets: Confidential, facts: dict[str, str], marker: str) -> PageView:
    """The page on a desktop, its images chosen and prompts typed; what it then sends is answered in the browser."""

    def steps(visit: Visit) -> None:
        visit.saw(**choose(visit, facts))
        shown = visit.page.locator(".image-wrapper img")
        visit.saw(widths=shown.evaluate_all(WIDTHS), errors=errors_of(visit))
        visit.saw(**submit(visit, marker))

    answer = Answer(status=402, json={"error": "answered by us", "required": 150, "available": 0})
    return page.visit(way_in(secrets, facts), steps=steps, answer={"*/api/image-optimization": answer}, name="opened")


@observation(within="240 s")
def phone_page(page: Browser, secrets: Confidential, facts: dict[str, str], opened_page: PageView) -> PageView:
    """The page on a phone, after the desktop's visit and in the same Chromium: a second one costs 300 MB."""

    def steps(visit: Visit) -> dict[str, object]:
        return {**choose(visit, facts), "errors": errors_of(visit)}

    return page.visit(way_in(secrets, facts), device="phone", steps=steps, name="opened on a phone")


def way_in(secrets: Confidential, facts: dict[str, str]) -> str:
    """Return the page's path with the token of the test store."""
    return f"/image-optimization?instance={quote(token(secrets, facts['store']))}"


def choose(visit: Visit, facts: dict[str, str]) -> dict[str, object]:
    """Search the test product; return whether the page's heading and the product were there within 20 s."""
    heading = visit.appears("h1:has-text('Image Optimization')", within=20)
    listed = visit.appears(".product-card", within=20)
    if listed:
        visit.page.locator(".search-input-field").fill(facts["product"])
        card = visit.page.locator(".product-card")
        if not visit.appears(".image-wrapper", within=5) and card.count():
            card.first.click(position={"x": 5, "y": 5})  # where a product shows its images once it is chosen
            visit.appears(".image-wrapper", within=20)
    return {"heading": heading, "listed": listed}


def errors_of(visit: Visit) -> list[str]:
    """Return the errors so far, before the answer that we give ourselves makes the page complain of it."""
    console = [line.text for line in visit.page.console_messages() if line.type in ("error", "assert")]
    return [text for text in console if REFUSED not in text] + [str(error) for error in visit.page.page_errors()]


def submit(visit: Visit, marker: str) -> dict[str, object]:
    """Select every image, type a prompt for each and send them; where there is none, nothing is touched."""
    images, inputs = visit.page.locator(".image-wrapper"), visit.page.locator(".image-prompt-input")
    count, chosen = images.count(), visit.page.locator(".image-wrapper.selected").count()
    shared = visit.page.get_by_label("Use a global prompt for all selected images")
    if shared.count() == 1 and shared.is_checked():
        shared.uncheck()
    for number in range(count):
        if chosen != count:  # else all are selected as they are shown
            images.nth(number).click(position={"x": 5, "y": 5})
        inputs.nth(number).fill(f"{PROMPT} {number}, {marker}")
    label = visit.page.locator(".optimize-button").all_inner_texts()
    if count:
        with visit.page.expect_request("**/api/image-optimization", timeout=visit.ms(15)):
            visit.page.locator(".optimize-button").click()
    return {"label": "".join(label), "images": count}
