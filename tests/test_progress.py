"""While observing: a live line on a terminal, and no control characters anywhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fixtures.progress import Progress
from reports.record import Spending
from tests.house import ROOT, House

if TYPE_CHECKING:
    from pathlib import Path

LOOK = """
@observation(within="60 s")
def front(api: Http) -> Exchange:
    \"\"\"The front page.\"\"\"
    return api.get("/front")
"""
CHECK = """
@pytest.mark.item("DEM-001")
def test_the_front_page_answers(front) -> None:
    \"\"\"The front page answers 200.\"\"\"
    assert front.status == 200
"""


def on_a_terminal(house: House, **variables: str) -> str:
    """Run the house with its standard error on a terminal and return what was shown there."""
    house.settle()
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "pytest", f"--env={house.root / 'environments' / 'here.toml'}", "--formats=none"]
    environment = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    with subprocess.Popen(words, cwd=house.root, env=environment, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        process.wait(60)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when nobody is left at the other end
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return shown.decode()


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest(LOOK)
    house.checks(CHECK)
    house.target.wait_s = 1.0
    return house


def test_a_terminal_shows_what_is_being_looked_at(house: House) -> None:
    shown = on_a_terminal(house)
    assert "0/1 checks · looking at front" in shown
    assert "spent 1 requests" in shown
    assert shown.endswith("\r\x1b[2K")  # the line is gone when the verdict comes


def test_no_colour_means_no_control_characters(house: House) -> None:
    assert "\x1b" not in on_a_terminal(house, NO_COLOR="1")


def test_elsewhere_a_plain_line_comes_every_half_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("fixtures.progress.time.monotonic", lambda: now[0])
    with Progress(lambda: (2, 5), lambda: {"requests": Spending(spent=7)}) as progress:
        for _ in range(121):
            now[0] += 0.5
            progress.draw(None)
    assert capsys.readouterr().err == "2/5 checks · looking at nothing · spent 7 requests\n" * 2
