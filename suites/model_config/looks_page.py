"""Looks at the testing page, in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.browser_page import Answer
from fixtures.observing import observation

if TYPE_CHECKING:
    from playwright.sync_api import Response

    from fixtures.browser import Browser, Visit
    from fixtures.browser_page import PageView
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_view import LogMark
    from fixtures.look import Ledger

# What the page says of each model: its option, and every part of the page that names it and no other model.
TOLD = """select => {
  const offered = [...select.options].filter(one => one.value)
    .map(one => ({id: one.value, name: one.text.replace(/ \\(Beta\\)$/, ""), said: `${one.text} ${one.title}`}));
  const parts = [...document.querySelectorAll("body *")].filter(one => !select.contains(one) && one.innerText);
  const words = part => part.children.length ? [...part.childNodes].map(one => one.children ? words(one) : one.data)
    .join(" ") : part.innerText;
  const names = (part, one) => part.dataset.modelId === one.id || part.innerText.includes(one.name);
  return Object.fromEntries(offered.map(one => {
    const others = offered.filter(other => !one.name.includes(other.name));
    const own = parts.filter(part => names(part, one) && !others.some(other => part.innerText.includes(other.name)));
    return [one.id, [one.said, ...own.map(words)].join("\\n")];
  }));
}"""


def fill_in(visit: Visit, prompt: str) -> None:
    """Fill the testing page's form, with mock mode off."""
    page = visit.page
    page.locator("#apiKey").fill("not needed")
    page.locator("#instanceId").select_option("production")
    page.locator("#prompt").fill(prompt)
    page.locator("#useMockApi").evaluate("box => box.checked && box.click()")  # a drawn switch hides the box itself


@observation()
def page_head(gui: Http) -> Exchange:
    """The testing page's answer to HEAD."""
    return gui.head("/")


@observation(within="240 s")
def opened_page(page: Browser) -> PageView:
    """The testing page, opened on a desktop."""

    def read(visit: Visit) -> dict[str, object]:
        form = visit.appears("#generateForm", within=10)
        instances = visit.page.locator("#instanceId option").evaluate_all("all => all.map(one => one.value)")
        chosen = next((name for name in instances if name), "")
        visit.page.locator("#instanceId").select_option(chosen)
        visit.page.wait_for_load_state("networkidle", timeout=visit.ms(30))
        return {
            "form": form,
            "instances": [name for name in instances if name],
            "kept": visit.page.locator("#instanceId").input_value() == chosen,
            "models": visit.page.locator("#model option").evaluate_all("all => all.map(one => one.value)"),
            "told": visit.page.locator("#model").evaluate(TOLD),
        }

    return page.visit(steps=read, name="opened")


@observation(within="240 s")
def phone_page(page: Browser) -> PageView:
    """The testing page, opened on a phone."""

    def read(visit: Visit) -> dict[str, object]:
        form = visit.appears("#generateForm", within=10)
        wide = visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        return {"form": form, "scrolls_sideways": wide}

    return page.visit(device="phone", steps=read, name="opened")


@observation(within="240 s")
def typed_page(page: Browser, marker: str) -> PageView:
    """The testing page's own request for a typed prompt, answered in the browser so that nothing is spent."""

    def submit(visit: Visit) -> None:
        fill_in(visit, f"{marker} A typed prompt")
        with visit.page.expect_request("**/generate", timeout=visit.ms(15)):
            visit.page.locator("#generateBtn").click()

    return page.visit(
        steps=submit, answer={"*/generate": Answer(status=429, json={"error": "answered by us"})}, name="typed"
    )


@observation(spends={"generations": 1}, within="240 s")
def generating_page(page: Browser, marker: str, attached: LogMark, ledger: Ledger) -> PageView:
    """A generation made on the testing page, from the click to the picture."""
    ledger.own("leftover_pictures", "images", marker)

    def submit(visit: Visit) -> dict[str, object]:
        answers: list[Response] = []
        visit.page.on("response", lambda one: answers.append(one) if one.ok and one.url.endswith("/generate") else None)
        fill_in(visit, f"{marker} A picture on the page")
        visit.page.locator("#generateBtn").click()
        visit.appears('#generatedImage[src]:not([src=""])', within=30)
        shown = visit.page.locator("#generatedImage")
        shown.evaluate("one => one.decode().catch(() => null)")
        return {
            "answers": [answer.text() for answer in answers],
            "image": shown.get_attribute("src"),
            "width": shown.evaluate("one => one.complete ? one.naturalWidth : 0"),
            "url": visit.page.locator("#imageUrl").evaluate("one => one.value || one.innerText"),
            "status": visit.page.locator("#statusMessage").inner_text(),
        }

    return page.visit(steps=submit, name="generated")


@observation()
def linked_picture(worker: Http, generating_page: PageView) -> Exchange:
    """What the link under the testing page's picture leads to, without cookies."""
    return worker.fetch(generating_page.facts["url"])
