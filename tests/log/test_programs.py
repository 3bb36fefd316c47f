"""Programs that print a log: followed, asked for the past, and ended."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from environments.models import CommandLogConfig
from fixtures.log import log
from fixtures.values import decode, encode
from tests.log.reading import append, stamp, texts
from tests.looks import make_look

if TYPE_CHECKING:
    from fixtures.look import Look


def _program(script: str, **more: Any) -> CommandLogConfig:
    program = (sys.executable, "-u", "-c", script)
    return CommandLogConfig(kind="command", program=program, format="plain", **more)


PRINTS = (
    "import sys, time\nprint('INFO up')\ntime.sleep(0.3)\nprint('INFO n1')\nprint('INFO n2', end='')\ntime.sleep(60)"
)


def test_a_followed_program_is_started_once_and_heard_from_the_mark_on(look: Look) -> None:
    config = _program(PRINTS, live="first_byte")
    first, second = log(config, look), log(config, look)
    mark = decode(encode(first.attach()))
    view = first.since(mark, {"n": r"n(\d)"}, until=lambda seen: seen.counts["n"] == 2, within=10)
    assert (view.total, view.counts) == (2, {"n": 2})  # what came before the mark is not new
    later = second.attach()
    assert later.position["folder"] == mark.position["folder"]
    assert second.since(later, {}).trouble is not None


def test_a_program_that_ends_at_once_says_why(look: Look) -> None:
    script = "import sys\nsys.exit('authentication failed')"
    mark = log(_program(script, settle=5), look).attach()
    assert mark.trouble is not None
    assert mark.trouble.kind == "ended"
    assert "status 1: authentication failed" in mark.trouble.text
    absent = CommandLogConfig(kind="command", program=("no-such-program",), format="plain")
    missing = log(absent, look).attach()
    assert missing.trouble is not None
    assert missing.trouble.kind == "not-found"


def test_a_followed_program_that_ends_later_is_not_believed(look: Look) -> None:
    source = log(_program("import time\nprint('INFO up')\ntime.sleep(0.3)\nprint('INFO n1')", live="first_byte"), look)
    mark = source.attach()
    view = source.since(mark, {"n": "n2"}, until=lambda seen: seen.counts["n"] > 0, within=10)
    assert view.trouble is not None
    assert view.trouble.kind == "ended"


STUBBORN = """
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('INFO deaf', flush=True); time.sleep(60)"])
signal.signal(15, lambda *_: (pathlib.Path(sys.argv[1]).write_text("left by itself"), sys.exit(0)))
print("INFO", child.pid)
time.sleep(60)
"""


def test_a_followed_program_may_leave_by_itself_and_its_whole_group_is_ended(tmp_path: Path) -> None:
    look, farewell = make_look(tmp_path, seconds=20), tmp_path / "farewell"
    program = (sys.executable, "-u", "-c", STUBBORN, str(farewell))
    source = log(CommandLogConfig(kind="command", program=program, format="plain", live="first_byte"), look)
    mark = source.attach()
    folder = Path(mark.position["folder"])
    deadline = time.monotonic() + 10
    while (folder / "output").read_text().count("INFO") < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    found = re.search(r"INFO (\d+)", (folder / "output").read_text())
    assert found is not None
    assert folder.stat().st_mode & 0o077 == 0
    look.shared.close()  # type: ignore[attr-defined]  # the test's shared things
    assert farewell.read_text() == "left by itself"
    assert not folder.exists()
    status = Path(f"/proc/{found[1]}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"  # killed; its new parent has yet to collect it


def test_a_flood_is_stopped_at_the_limit(look: Look) -> None:
    script = "import time\nprint('INFO up')\ntime.sleep(0.2)\nwhile True: print('INFO ' + 'x' * 1000)"
    source = log(_program(script, live="first_byte", byte_limit=100_000), look)
    mark = source.attach()
    view = source.since(mark, {}, until=lambda _seen: False, within=15)
    assert view.trouble is not None
    assert view.trouble.kind == "oversized"
    assert (Path(mark.position["folder"]) / "output").stat().st_size < 1_000_000


def test_a_live_tail_knows_no_past(look: Look) -> None:
    trouble = log(_program(PRINTS), look).past({}, window_s=60).trouble
    assert trouble is not None
    assert trouble.kind == "uncovered"


def test_a_program_that_prints_the_past_is_run_for_each_look(tmp_path: Path, look: Look) -> None:
    rows = f"{stamp(4000)} INFO old\\n{stamp(10)} ERROR recent\\nINFO undated\\n"
    source = log(_program(f"print('{rows}')", follow=False), look)
    view = source.past({"old": "old", "recent": "recent"}, window_s=60)
    assert (view.counts, view.total) == ({"old": 0, "recent": 1}, 2)
    journal = tmp_path / "journal"
    journal.write_text(f"{stamp(10)} INFO before\n")
    reader = log(_program(f"print(open({str(journal)!r}).read())", follow=False), look)
    mark = reader.attach()
    append(journal, f"{stamp(-1)} INFO after\n")
    seen = reader.since(mark, {"any": "before|after"}, until=lambda view: view.total > 0, within=10)
    assert texts(seen)[0].endswith("after")
    assert len(texts(seen)) == 1


def test_a_program_that_fails_is_not_believed(look: Look) -> None:
    script = f"import sys\nprint('{stamp(1)} INFO half')\nsys.exit('no access')"
    trouble = log(_program(script, follow=False), look).past({}, window_s=60).trouble
    assert trouble is not None
    assert (trouble.kind, "no access" in trouble.text) == ("ended", True)


def test_a_program_that_hangs_is_ended_at_the_deadline(tmp_path: Path) -> None:
    began = time.monotonic()
    source = log(_program("import time\ntime.sleep(60)", follow=False), make_look(tmp_path, seconds=0.5))
    trouble = source.past({}, window_s=60).trouble
    assert trouble is not None
    assert trouble.kind == "timeout"
    assert time.monotonic() - began < 10
