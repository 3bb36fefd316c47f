"""Whatever a page does, its visit ends by the deadline, and no browser outlives its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from fixtures.values import UnseenError
from tests.browser.site import Reply, Site, browser, trouble, with_deadline
from tests.looks import LocalShared, make_look

if TYPE_CHECKING:
    from fixtures.browser import Visit
    from fixtures.look import Look

ROOT = Path(__file__).parents[2]


def test_an_endless_redirect_is_no_page(site: Site, look: Look) -> None:
    site.pages = {"/": (302, {"Location": "/"}, "")}
    view = browser(site, look).visit()
    assert trouble(view) == "redirects"
    with pytest.raises(UnseenError, match="ERR_TOO_MANY_REDIRECTS"):
        _ = view.console_errors
    assert len(view.seen_so_far.requests) > 3


def test_a_page_that_moves_on_for_ever_ends_at_the_deadline(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>location.href = '/?' + Math.random()</script>"}
    began = time.monotonic()
    view = browser(site, with_deadline(look, 5)).visit(steps=lambda visit: {"found": visit.page.inner_text("#never")})
    assert trouble(view) == "timeout"
    assert len(view.seen_so_far.requests) > 3
    assert time.monotonic() - began < 9


def test_a_page_that_never_answers_ends_at_the_deadline_with_a_picture(site: Site, look: Look) -> None:
    answered = threading.Event()

    def hang() -> Reply:
        answered.wait(30)
        return 200, {}, "late"

    site.pages = {"/": hang}
    began = time.monotonic()
    view = browser(site, with_deadline(look, 5)).visit()
    took = time.monotonic() - began
    answered.set()
    assert trouble(view) == "timeout"
    assert took < 8
    assert view.screenshot is not None
    assert view.seen_so_far.status is None


def spin(visit: Visit) -> None:
    visit.saw(before=True)
    visit.page.evaluate("() => { for (;;); }")


def test_a_page_that_blocks_the_browser_is_killed_and_the_next_visit_works(site: Site, look: Look) -> None:
    site.pages = {"/": "<title>calm</title>", "/busy": "<title>busy</title>"}
    began = time.monotonic()
    view = browser(site, with_deadline(look, 5)).visit("/busy", steps=spin)
    assert time.monotonic() - began < 9
    assert view.trouble is not None
    assert view.trouble.kind == "timeout"
    assert "killed" in view.trouble.text
    assert view.seen_so_far.facts == {"before": True}
    assert browser(site, look).visit().title == "calm"


def test_an_element_is_not_said_to_be_missing_when_the_visit_ended_first(site: Site, look: Look) -> None:
    site.pages = {"/": "<h1>Open</h1>"}
    view = browser(site, with_deadline(look, 2)).visit(steps=lambda visit: {"seen": visit.appears("#never", within=60)})
    assert trouble(view) == "timeout"


def test_a_page_that_floods_the_console_is_not_seen_whole(site: Site, look: Look) -> None:
    site.pages = {"/": "<script>for (let n = 0; n < 3000; n++) console.log(n)</script>"}
    view = browser(site, look).visit()
    assert trouble(view) == "oversized"
    assert len(view.seen_so_far.console) == 2000


def group_of(shared: LocalShared) -> int:
    """Return the process group of the only browser among the shared things."""
    (seats,) = shared._made.values()
    (seat,) = seats._all
    return int(seat._pid_file.read_text())


def ends(group: int) -> bool:
    """Return whether the process group is gone within ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_the_end_of_a_run_ends_the_browser(site: Site, tmp_path: Path) -> None:
    site.pages = {"/": "<title>calm</title>"}
    look = make_look(tmp_path, seconds=20)
    shared = cast("LocalShared", look.shared)
    views = [browser(site, look).visit(steps=lambda _: None) for _ in range(2)]
    group = group_of(shared)
    assert [view.title for view in views] == ["calm", "calm"]
    os.killpg(group, 0)
    shared.close()
    assert ends(group)


VISITOR = """
import os, pathlib, signal, sys
from environments.models import BrowserConfig
from fixtures.browser import Browser
from tests.looks import make_look
from tests.browser.test_ends import group_of
look = make_look(pathlib.Path(sys.argv[2]), seconds=20)
assert Browser(BrowserConfig(url=sys.argv[1]), look).visit().status == 200
print(group_of(look.shared), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_leaves_no_browser_behind(site: Site, tmp_path: Path) -> None:
    site.pages = {"/": "<title>calm</title>"}
    program = [sys.executable, "-c", VISITOR, site.url, str(tmp_path)]
    with tempfile.TemporaryDirectory() as left_behind:  # not in tmp_path, which is too long for Chromium's socket
        env = {**os.environ, "TMPDIR": left_behind}
        done = subprocess.run(program, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert ends(int(done.stdout))
