"""A real Chromium in front of pages of a loopback server: what it sees, what it refuses, and that it always comes back."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from environments.models import BrowserConfig
from environments.secrets import SecretRef
from fixtures.browser import Answer, Browser, PageView, Visit
from fixtures.look import Look, NotPermittedError
from fixtures.values import UnseenError, decode, encode
from tests.looks import LocalShared, make_look

ROOT = Path(__file__).parent.parent
Reply = tuple[int, Mapping[str, str], str]
Page = str | Reply | Callable[[], Reply]


@dataclasses.dataclass
class Site:
    """A loopback site. pages: path to HTML, or status, headers and body, or a function; seen: every request."""

    pages: dict[str, Page]
    seen: list[tuple[str, str, dict[str, str]]]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[str]:
        return [method for method, asked, _ in self.seen if asked == path]

    def reply(self, path: str) -> Reply:
        page = self.pages.get(path.partition("?")[0], (404, {}, "not here"))
        page = page() if callable(page) else page
        return (200, {"Content-Type": "text/html"}, page) if isinstance(page, str) else page


def serve() -> Iterator[Site]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            site.seen.append((self.command, self.path, dict(self.headers)))
            status, headers, body = site.reply(self.path)
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_OPTIONS = do_GET  # noqa: N815  the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Keep the test's output to itself."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A browser that was killed reads no answer."""

    server = Server(("127.0.0.1", 0), Handler)
    site = Site(pages={}, seen=[], port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    yield from serve()


@pytest.fixture
def other() -> Iterator[Site]:
    yield from serve()


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalShared]:
    shared = LocalShared()
    yield shared
    shared.close()


@pytest.fixture
def look(tmp_path: Path, shared: LocalShared) -> Look:
    return dataclasses.replace(make_look(tmp_path, seconds=20), shared=shared)


def with_deadline(look: Look, seconds: float) -> Look:
    return dataclasses.replace(look, deadline=look.deadline.within(seconds))


def browser(site: Site, look: Look, *hosts: str) -> Browser:
    return Browser(BrowserConfig(url=site.url, hosts=hosts), look)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def trouble(view: PageView) -> str:
    assert view.trouble is not None
    return view.trouble.kind


def test_a_healthy_page_is_seen_whole_and_crosses_processes(site: Site, look: Look) -> None:
    site.pages = {"/": "<title>Shop</title><h1>Open</h1><script src=/app.js></script>"}
    site.pages["/app.js"] = (200, {"Content-Type": "text/javascript"}, "console.log('started')")
    view = browser(site, look).visit(steps=lambda visit: {"heading": visit.page.inner_text("h1"), "n": 2})
    assert (view.status, view.title, view.url) == (200, "Shop", f"{site.url}/")
    assert view.facts == {"heading": "Open", "n": 2}
    assert [(request.method, request.kind, request.status) for request in view.requests] == [
        ("GET", "document", 200),
        ("GET", "script", 200),
    ]
    assert [line.text for line in view.console] == ["started"]
    assert (view.console_errors, view.page_errors, view.failed_requests, view.blocked) == ((), (), (), ())
    assert decode(encode(view)) == view


def test_the_screenshot_is_a_png_in_the_record(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}
    views = [browser(site, look).visit(name="open page") for _ in range(2)]
    shots = [view.screenshot for view in views if view.screenshot]
    assert [shot.path for shot in shots] == [
        "evidence/system-observation-open_page-desktop.png",
        "evidence/system-observation-open_page-desktop-2.png",
    ]
    png = (look.run.evidence / Path(shots[0].path).name).read_bytes()
    assert png.startswith(b"\x89PNG\r\n")
    assert hashlib.sha256(png).hexdigest() == shots[0].sha256


def test_errors_of_a_page_are_told_apart(site: Site, look: Look) -> None:
    port = closed_port()
    site.pages = {
        "/": """<script>
            console.error("bad thing"); setTimeout(() => { throw new Error("nobody caught me") });
            Promise.reject(new Error("nor me"));
            </script><img src="/gone.png"><link rel=stylesheet href="http://127.0.0.1:PORT/refused.css">""".replace("PORT", str(port))
    }
    view = browser(site, look, f"127.0.0.1:{port}").visit()
    assert [error for error in view.console_errors if "bad thing" in error] == [f"bad thing ({site.url}/:1)"]
    assert sorted(view.page_errors) == ["nobody caught me", "nor me"]
    gone = view.requests_to("/gone.png")
    assert [(request.status, request.failure) for request in gone] == [(404, "")]
    assert {(request.url, request.failure != "") for request in view.failed_requests} == {
        (f"{site.url}/gone.png", False),
        (f"http://127.0.0.1:{port}/refused.css", True),
    }


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
    paths = {refused.url.removeprefix(other.url).removeprefix(f"http://localhost:{other.port}") for refused in view.blocked}
    expected = {"/image.png", "/frame", "/redirected", "/fetched", "/from-worker", "/beacon"}
    assert paths == expected | {f"ws://127.0.0.1:{other.port}/socket"}
    assert view.blocked[0].host == f"127.0.0.1:{other.port}"
    assert f"allowed: 127.0.0.1:{site.port}" in view.blocked[0].reason
    assert view.failed_requests == ()  # what we refuse is not held against the page
    assert view.console_errors == ()


def test_an_allowed_host_is_reached(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": f'<img src="{other.url}/image.png">'}
    view = browser(site, look, f"127.0.0.1:{other.port}").visit()
    assert other.asked("/image.png") == ["GET"]
    assert view.blocked == ()


def test_a_page_changes_nothing_without_a_permit(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>fetch('/orders', {method: 'POST', body: 'one pizza'}).catch(() => 0)</script>"}
    refused = browser(site, look).visit()
    assert site.asked("/orders") == []
    assert [(blocked.method, blocked.url) for blocked in refused.blocked] == [("POST", f"{site.url}/orders")]

    allowed = browser(site, dataclasses.replace(look, permits=frozenset({"read_only", "writes"}))).visit()
    assert site.asked("/orders") == ["POST"]
    assert [request.post_data for request in allowed.requests_to("/orders")] == ["one pizza"]


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


def test_an_endless_redirect_is_no_page(site: Site, look: Look) -> None:
    site.pages = {"/": (302, {"Location": "/"}, "")}
    view = browser(site, look).visit()
    assert trouble(view) == "redirects"
    with pytest.raises(UnseenError, match="ERR_TOO_MANY_REDIRECTS"):
        _ = view.console_errors
    assert len(view.seen_so_far.requests) > 10


def test_a_redirect_to_another_host_is_denied_and_named(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": (302, {"Location": f"{other.url}/login"}, "")}
    view = browser(site, look).visit()
    assert other.seen == []
    assert view.trouble is not None
    assert view.trouble.kind == "denied"
    assert f"{other.url}/login" in view.trouble.text


def test_a_page_that_moves_on_for_ever_ends_at_the_deadline(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>location.href = '/?' + Math.random()</script>"}
    began = time.monotonic()
    view = browser(site, with_deadline(look, 3)).visit(steps=lambda visit: {"found": visit.page.inner_text("#never")})
    assert trouble(view) == "timeout"
    assert len(view.seen_so_far.requests) > 10
    assert time.monotonic() - began < 6


def test_a_page_that_never_answers_ends_at_the_deadline_with_a_picture(site: Site, look: Look) -> None:
    answered = threading.Event()

    def hang() -> Reply:
        answered.wait(30)
        return 200, {}, "late"

    site.pages = {"/": hang}
    began = time.monotonic()
    view = browser(site, with_deadline(look, 3)).visit()
    took = time.monotonic() - began
    answered.set()
    assert trouble(view) == "timeout"
    assert took < 5
    assert view.screenshot is not None
    assert view.seen_so_far.status is None


def test_a_page_that_blocks_the_browser_is_killed_and_the_next_visit_works(site: Site, look: Look) -> None:
    site.pages = {"/": "<title>calm</title>", "/busy": "<title>busy</title>"}
    began = time.monotonic()
    view = browser(site, with_deadline(look, 3)).visit(
        "/busy", steps=lambda visit: (visit.saw(before=True), visit.page.evaluate("() => { for (;;); }"))[1]
    )
    assert time.monotonic() - began < 6
    assert view.trouble is not None
    assert view.trouble.kind == "timeout"
    assert "killed" in view.trouble.text
    assert view.seen_so_far.facts == {"before": True}
    assert browser(site, look).visit().title == "calm"


def test_a_step_that_times_out_names_what_it_waited_for(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}

    def steps(visit: Visit) -> Mapping[str, object]:
        visit.saw(heading=visit.page.inner_text("h1"))
        visit.page.click("#generate", timeout=visit.ms(0.2))
        return {"clicked": True}

    view = browser(site, look).visit(steps=steps)
    assert view.trouble is not None
    assert view.trouble.kind == "timeout"
    assert '#generate' in view.trouble.text
    assert "\n" not in view.trouble.text
    assert view.seen_so_far.facts == {"heading": "Open"}
    assert view.screenshot is not None
    with pytest.raises(UnseenError, match="#generate"):
        _ = view.facts


def test_an_element_that_does_not_appear_is_a_fact(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>setTimeout(() => document.body.innerHTML = '<img id=late alt=x>late', 200)</script>"}
    view = browser(site, look).visit(
        steps=lambda visit: {"late": visit.appears("#late", within=10), "never": visit.appears("#never", within=0.2)}
    )
    assert view.facts == {"late": True, "never": False}


def test_an_element_is_not_said_to_be_missing_when_the_visit_ended_first(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}
    view = browser(site, with_deadline(look, 2)).visit(steps=lambda visit: {"seen": visit.appears("#never", within=60)})
    assert trouble(view) == "timeout"


def test_waits_are_in_the_targets_seconds(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}
    fast = dataclasses.replace(look, run=dataclasses.replace(look.run, speed=10))
    view = browser(site, fast).visit(steps=lambda visit: {"ms": visit.ms(30), "capped": visit.ms(100_000) < 20_000})
    assert view.facts == {"ms": 3000, "capped": True}


def test_what_a_step_raises_of_its_own_is_raised_and_the_browser_stays(site: Site, look: Look) -> None:
    site.pages = {"/": "<title>calm</title>"}
    with pytest.raises(KeyError, match="typo"):
        browser(site, look).visit(steps=lambda visit: {"x": {}["typo"], "y": visit})
    assert len(list(look.run.evidence.glob("*.png"))) == 1
    assert browser(site, look).visit().title == "calm"


def test_a_phone_has_a_small_touch_screen(site: Site, look: Look) -> None:
    site.pages = {"/": "<meta name=viewport content='width=device-width'>"}
    facts = "({width: innerWidth, touch: navigator.maxTouchPoints > 0, mobile: /Mobile/.test(navigator.userAgent)})"
    seen = {
        device: browser(site, look).visit(device=device, steps=lambda visit: visit.page.evaluate(facts)).facts
        for device in ("desktop", "phone")
    }
    assert seen == {
        "desktop": {"width": 1280, "touch": False, "mobile": False},
        "phone": {"width": 412, "touch": True, "mobile": True},
    }
    assert all(f"shakedown/{look.run.id}" in headers["User-Agent"] for _, path, headers in site.seen if path == "/")


GENERATOR = """<input id=prompt><button onclick="
    fetch('{url}', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},
                     body: JSON.stringify({{prompt: document.getElementById('prompt').value}})}})
      .then(answer => answer.json()).then(answer => document.body.append(answer.image))
      .catch(() => document.body.append('network failure'))
    ">Generate</button>"""


def type_a_prompt(visit: Visit) -> Mapping[str, object]:
    visit.page.fill("#prompt", "A serene lake")
    visit.page.click("button")
    return {"shown": visit.appears("text=lake.png", within=5), "failed": visit.appears("text=network", within=0.1)}


def test_an_answer_given_in_the_browser_sends_nothing(site: Site, other: Site, look: Look) -> None:
    site.pages = {"/": GENERATOR.format(url=f"{other.url}/generate")}
    view = browser(site, look).visit(steps=type_a_prompt, answer={"*/generate": Answer(json={"image": "lake.png"})})
    assert view.facts == {"shown": True, "failed": False}
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
    assert other.asked("/generate") == ["OPTIONS"]
    assert any("CORS policy" in error for error in view.console_errors)


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


def test_each_visit_starts_with_a_fresh_profile(site: Site, look: Look) -> None:
    site.pages = {
        "/": "<script>window.before = localStorage.length; localStorage.setItem('x', 1)</script>",
        "/worker.js": (200, {"Content-Type": "text/javascript"}, "self.addEventListener('fetch', () => 0)"),
    }
    register = "() => navigator.serviceWorker.register('/worker.js').then(r => !!r?.installing, () => false)"
    for _ in range(2):
        view = browser(site, look).visit(
            steps=lambda visit: {"before": visit.page.evaluate("before"), "worker": visit.page.evaluate(register)}
        )
        assert view.facts == {"before": 0, "worker": False}
    assert site.asked("/worker.js") == []


def test_a_page_that_floods_the_console_is_not_seen_whole(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>for (let n = 0; n < 3000; n++) console.log(n)</script>"}
    view = browser(site, look).visit()
    assert trouble(view) == "oversized"
    assert len(view.seen_so_far.console) == 2000


def test_a_path_that_could_mean_another_host_is_refused(site: Site, look: Look) -> None:
    with pytest.raises(NotPermittedError):
        browser(site, look).visit("@example.test/")


def test_an_unreachable_page_is_refused_not_empty(site: Site, look: Look) -> None:
    assert trouble(browser(dataclasses.replace(site, port=closed_port()), look).visit()) == "refused"


def test_visits_at_once_do_not_wait_for_each_other(site: Site, look: Look) -> None:
    both = threading.Barrier(2, timeout=15)

    def meet() -> Reply:
        both.wait()
        return 200, {"Content-Type": "text/html"}, "<title>met</title>"

    site.pages = {"/": meet}
    with ThreadPoolExecutor(2) as pool:
        views = list(pool.map(lambda _: browser(site, look).visit(), range(2)))
    assert [view.title for view in views] == ["met", "met"]


@pytest.mark.parametrize(("program", "reason"), [("no-such-browser", "not a program"), ("false", "did not start")])
def test_without_a_browser_nothing_is_said_of_the_page(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    monkeypatch.setenv("SHAKEDOWN_BROWSER", program)
    look = make_look(tmp_path)
    view = browser(site, look).visit()
    cast("LocalShared", look.shared).close()
    assert view.trouble is not None
    assert view.trouble.kind == "browser"
    assert reason in view.trouble.text


def test_the_instrument_loads_without_playwright() -> None:
    program = "import sys, fixtures.browser; print('playwright' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
