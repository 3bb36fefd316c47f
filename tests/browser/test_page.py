"""A real Chromium before pages of a loopback server: what it sees and tells."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from fixtures.values import UnseenError, decode, encode
from tests.browser.site import Reply, Site, browser, closed_port, trouble
from tests.looks import LocalShared, make_look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.browser import Visit
    from fixtures.look import Look

ROOT = Path(__file__).parents[2]


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
            </script><img src="/gone.png"><link rel=stylesheet href="URL/refused.css">""".replace(
            "URL", f"http://127.0.0.1:{port}"
        )
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


def test_an_element_that_does_not_appear_is_a_fact(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>setTimeout(() => document.body.innerHTML = '<img id=late alt=x>late', 200)</script>"}
    view = browser(site, look).visit(
        steps=lambda visit: {"late": visit.appears("#late", within=10), "never": visit.appears("#never", within=0.2)}
    )
    assert view.facts == {"late": True, "never": False}


def test_waits_are_in_the_targets_seconds(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}
    fast = dataclasses.replace(look, run=dataclasses.replace(look.run, speed=10))
    view = browser(site, fast).visit(steps=lambda visit: {"ms": visit.ms(30), "capped": visit.ms(100_000) < 20_000})
    assert view.facts == {"ms": 3000, "capped": True}


def test_a_step_that_times_out_names_what_it_waited_for(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}

    def steps(visit: Visit) -> Mapping[str, object]:
        visit.saw(heading=visit.page.inner_text("h1"))
        visit.page.click("#generate", timeout=visit.ms(0.2))
        return {"clicked": True}

    view = browser(site, look).visit(steps=steps)
    assert view.trouble is not None
    assert view.trouble.kind == "timeout"
    assert "#generate" in view.trouble.text
    assert "\n" not in view.trouble.text
    assert view.seen_so_far.facts == {"heading": "Open"}
    assert view.screenshot is not None
    with pytest.raises(UnseenError, match="#generate"):
        _ = view.facts


def test_what_a_step_raises_of_its_own_is_raised_and_the_browser_stays(site: Site, look: Look) -> None:
    site.pages = {"/": "<title>calm</title>"}
    assert browser(site, look).visit(steps=lambda _: None).title == "calm"
    (seats,) = cast("LocalShared", look.shared)._made.values()
    free = list(seats._free)
    with pytest.raises(ValueError, match="invalid literal"):
        browser(site, look).visit(steps=lambda visit: {"count": int(visit.page.title())})
    assert len(list(look.run.evidence.glob("*.png"))) == 2
    assert seats._free == free


def test_an_unreachable_page_is_refused_not_empty(site: Site, look: Look) -> None:
    assert trouble(browser(dataclasses.replace(site, port=closed_port()), look).visit()) == "refused"


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
