"""What a page is refused: other hosts, writes, windows, downloads; and answers given in the target's place."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from environments.models import BrowserConfig
from environments.references import SecretRef
from fixtures.browser import Answer, Browser, Visit
from fixtures.look import Look, NotPermittedError
from tests.browser.site import Site, browser

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_a_host_that_is_not_allowed_is_never_reached(site: Site, other: Site, look: Look) -> None:
    site.pages = {
        "/": f"""<img src="{other.url}/image.png"><iframe src="{other.url}/frame"></iframe>
            <img src="/elsewhere"><script>
            fetch("http://localhost:{other.port}/fetched").catch(() => 0);
            new Worker("/worker.js"); new WebSocket("ws://127.0.0.1:{other.port}/socket");
            navigator.sendBeacon("{other.url}/beacon", "x");
            </script>""",
        "/elsewhere": (302, {"Location": f"{other.url}/redirected"}, ""),
        "/worker.js": (200, {"Content-Type": "text/javascript"}, f"fetch('{other.url}/from-worker').catch(() => 0)"),
    }
    view = browser(site, look).visit()
    assert other.seen == []
    assert {(urlsplit(refused.url).scheme, urlsplit(refused.url).path) for refused in view.blocked} == {
        ("ws", "/socket"),
        *(("http", f"/{name}") for name in ("image.png", "frame", "redirected", "fetched", "from-worker", "beacon")),
    }
    assert view.blocked[0].host == f"127.0.0.1:{other.port}"
    assert f"allowed: 127.0.0.1:{site.port}" in view.blocked[0].reason
    assert view.failed_requests == ()  # what we refuse is not held against the page
    assert view.console_errors == ()


def test_an_allowed_host_is_reached(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": f'<img src="{other.url}/image.png">'}
    view = browser(site, look, f"127.0.0.1:{other.port}").visit()
    assert other.asked("/image.png") == ["GET"]
    assert view.blocked == ()


def test_a_redirect_to_another_host_is_denied_and_named(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": (302, {"Location": f"{other.url}/login"}, "")}
    view = browser(site, look).visit()
    assert other.seen == []
    assert view.trouble is not None
    assert view.trouble.kind == "denied"
    assert f"{other.url}/login" in view.trouble.text


def test_a_page_changes_nothing_without_a_permit(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>fetch('/orders', {method: 'POST', body: 'one pizza'}).catch(() => 0)</script>"}
    refused = browser(site, look).visit()
    assert site.asked("/orders") == []
    assert [(blocked.method, blocked.url) for blocked in refused.blocked] == [("POST", f"{site.url}/orders")]

    allowed = browser(site, dataclasses.replace(look, permits=frozenset({"read_only", "writes"}))).visit()
    assert site.asked("/orders") == ["POST"]
    assert [request.post_data for request in allowed.requests_to("/orders")] == ["one pizza"]


def test_a_path_that_could_mean_another_host_is_refused(site: Site, look: Look) -> None:
    with pytest.raises(NotPermittedError):
        browser(site, look).visit("@example.test/")


def test_dialogs_downloads_and_popups_are_refused_and_told(site: Site, look: Look) -> None:
    site.pages = {
        "/": """<a id=file href=/file download>file</a><script>
            const said = [confirm("Really?"), prompt("Name?"), alert("Hello")];
            function more() { window.open("/window"); document.getElementById("file").click(); return said }
            </script>""",
        "/file": (200, {"Content-Type": "application/octet-stream"}, "bytes"),
        "/window": "<title>pop-up</title>",
    }

    def steps(visit: Visit) -> Mapping[str, object]:
        said = visit.page.evaluate("more()")
        visit.page.wait_for_timeout(500)  # a pop-up and a download have no event that a page's visitor could wait for
        return {"said": said, "windows": len(visit.page.context.pages)}

    view = browser(site, look).visit(steps=steps)
    assert [(dialog.kind, dialog.text) for dialog in view.dialogs] == [
        ("confirm", "Really?"),
        ("prompt", "Name?"),
        ("alert", "Hello"),
    ]
    assert view.facts == {"said": [False, None, None], "windows": 1}
    assert view.popups == (f"{site.url}/window",)
    assert view.downloads == (f"{site.url}/file",)


def test_credentials_go_to_the_pages_own_origin_only(
    site: Site, other: Site, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_TOKEN", "a" * 20)
    site.pages = {
        "/": (302, {"Location": "/home"}, ""),
        "/home": f'<img src="{other.url}/image.png"><img src="/elsewhere">',
        "/elsewhere": (302, {"Location": f"{other.url}/redirected"}, ""),
    }
    config = BrowserConfig(
        url=site.url, hosts=(f"127.0.0.1:{other.port}",), headers={"X-Token": SecretRef(env="PAGE_TOKEN")}
    )
    Browser(config, look).visit()
    sent = {path: headers.get("X-Token") for _, path, headers in [*site.seen, *other.seen] if path != "/favicon.ico"}
    assert sent == {
        "/": "a" * 20,
        "/home": "a" * 20,
        "/elsewhere": "a" * 20,
        "/image.png": None,
        "/redirected": None,
    }


GENERATOR = """<input id=prompt><button onclick="
    fetch('{url}', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},
                     body: JSON.stringify({{prompt: document.getElementById('prompt').value}})}})
      .then(answer => answer.json()).then(answer => document.body.append(answer.image))
      .catch(() => document.body.append('network failure'))
    ">Generate</button>"""


def type_a_prompt(visit: Visit) -> Mapping[str, object]:
    visit.page.fill("#prompt", "A serene lake")
    visit.page.click("button")
    visit.page.wait_for_selector("text=/lake.png|network failure/")
    return {"shown": visit.page.is_visible("text=lake.png")}


def test_an_answer_given_in_the_browser_sends_nothing(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": GENERATOR.format(url=f"{other.url}/generate")}
    view = browser(site, look).visit(steps=type_a_prompt, answer={"*/generate": Answer(json={"image": "lake.png"})})
    assert view.facts == {"shown": True}
    asked = view.requests_to("/generate")
    assert [(request.method, request.post_data, request.answered_by_us) for request in asked] == [
        ("POST", '{"prompt":"A serene lake"}', True)
    ]
    assert other.seen == []
    assert view.blocked == ()


def test_a_refused_preflight_is_not_hidden(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": GENERATOR.format(url=f"{other.url}/generate")}
    other.pages = {"/generate": (403, {}, "")}
    permitted = dataclasses.replace(look, permits=frozenset({"read_only", "costs"}))
    view = browser(site, permitted, f"127.0.0.1:{other.port}").visit(steps=type_a_prompt)
    assert view.facts == {"shown": False}
    assert other.asked("/generate") == ["OPTIONS"]
    assert any("CORS policy" in error for error in view.console_errors)
