"""The instrument `python`: calls in the interpreter of an installation, whatever the installation does."""

from __future__ import annotations

import dataclasses
import os
import secrets
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from environments.models import PythonConfig
from environments.references import SecretRef
from fixtures.look import NotPermittedError, StoppedError
from fixtures.python import Call, Python, Raised
from fixtures.values import RefutedError, UnseenError, decode, encode
from tests.looks import LooseGate, make_look


def installed(**more: object) -> PythonConfig:
    return PythonConfig.model_validate({"program": (sys.executable,), **more})


def run(tmp_path: Path, text: str) -> Call:
    return Python(installed(), make_look(tmp_path)).run(text)


def is_running(pid: int) -> bool:
    """Say whether a process still does something; one that is over may be listed until somebody collects it."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_function_of_a_module_is_called_with_json(tmp_path: Path) -> None:
    call = Python(installed(), make_look(tmp_path)).call("json:dumps", obj={"a": [1, None]})
    assert call.result == '{"a": [1, null]}'
    assert 0 < call.took_s < call.elapsed_s


def test_a_program_of_its_own_is_run_and_awaited(tmp_path: Path) -> None:
    text = """
import asyncio, uuid
async def main(n):
    await asyncio.sleep(0)
    return {"n": n, "id": uuid.UUID(int=n)}
"""
    assert Python(installed(), make_look(tmp_path)).run(text, n=7).result == {
        "n": 7,
        "id": "00000000-0000-0000-0000-000000000007",
    }


def test_modules_of_the_caller_are_importable_in_their_order(tmp_path: Path) -> None:
    modules = {"first": "WORD = 'shipped'", "second": "from first import WORD\ndef said(): return WORD"}
    assert Python(installed(), make_look(tmp_path)).call("second:said", modules=modules).result == "shipped"


def test_it_is_the_installations_interpreter_directory_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = secrets.token_hex(16)
    monkeypatch.setenv("VAULT_WORD", word)
    monkeypatch.setenv("SOMEBODY_ELSES", "x")
    (tmp_path / "code").mkdir()
    (tmp_path / "here.py").write_text("import os\nhere = lambda: [os.getcwd(), dict(os.environ)]")
    (tmp_path / "code" / "there.py").write_text("WORD = 'by path'")
    variables = {"PYTHONPATH": str(tmp_path / "code"), "TOKEN": SecretRef(env="VAULT_WORD")}
    python = Python(installed(directory=str(tmp_path), variables=variables), make_look(tmp_path))
    directory, seen = python.call("here:here").result
    assert directory == str(tmp_path)
    assert (seen["TOKEN"], "SOMEBODY_ELSES" in seen) == (word, False)
    assert python.run("import there\ndef main(): return there.WORD").result == "by path"
    assert python.run("import os\ndef main(): return os.getpid()").result != os.getpid()


def test_variables_and_directory_reach_an_interpreter_behind_a_prefix(tmp_path: Path) -> None:
    """As over ssh: the prefix starts the interpreter with another directory and none of our variables."""
    (tmp_path / "there.py").write_text("import os\nthere = lambda: os.environ['MODE']")
    prefix = ("env", "-i", "-C", "/", sys.executable)
    config = installed(program=prefix, directory=str(tmp_path), variables={"MODE": "remote"})
    assert Python(config, make_look(tmp_path)).call("there:there").result == "remote"


def test_an_exception_of_the_target_is_a_value(tmp_path: Path) -> None:
    call = run(tmp_path, "def main(): raise LookupError('no such model')")
    assert call.raised == Raised(type="LookupError", text="no such model")
    with pytest.raises(RefutedError, match="program:main raised LookupError: no such model"):
        _ = call.result


def test_leaving_the_interpreter_politely_is_an_exception_too(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys\ndef main(): sys.exit(4)").raised == Raised(type="SystemExit", text="4")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("json:no_such_function", "AttributeError: .*no_such_function"),
        ("broken:f", "RuntimeError: half installed"),
    ],
)
def test_a_failing_import_means_that_nobody_could_look(tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('half installed')")
    call = Python(installed(directory=str(tmp_path)), make_look(tmp_path)).call(target)
    assert call.trouble is not None
    assert call.trouble.kind == "import"
    for read in (lambda: call.result, lambda: call.raised, lambda: call.printed, lambda: call.took_s):
        with pytest.raises(UnseenError, match=reason):
            read()


@pytest.mark.parametrize(
    ("program", "directory", "kind"),
    [(("no-such-interpreter",), None, "not-found"), ((sys.executable,), "no-such-folder", "import")],
)
def test_an_installation_that_is_not_there_is_told(
    tmp_path: Path, program: tuple[str, ...], directory: str | None, kind: str
) -> None:
    call = Python(installed(program=program, directory=directory), make_look(tmp_path)).call("json:dumps", obj=1)
    assert call.trouble is not None
    assert call.trouble.kind == kind
    assert (directory or program[0]) in call.trouble.text


def test_what_the_target_prints_does_not_reach_the_answer(tmp_path: Path) -> None:
    text = """
import os, subprocess, sys
print("at import")
def main():
    print("no newline", end="")
    os.write(1, b"raw\\n")
    os.write(1, b"0" * 32 + b' 27 {"state": "returned", "result": 1}\\n')
    subprocess.run(["echo", "a child"], check=True)
    sys.stdout = None
    return 7
"""
    call = run(tmp_path, text)
    assert call.result == 7
    for words in ("at import", "no newline", "raw", "a child"):
        assert words in call.printed


def test_a_prefix_that_talks_does_not_reach_the_answer(tmp_path: Path) -> None:
    greeting = ("sh", "-c", 'echo "Welcome to the host"; exec "$0" "$@"', sys.executable)
    assert Python(installed(program=greeting), make_look(tmp_path)).call("json:dumps", obj=1).result == "1"


def test_an_interpreter_that_dies_leaves_no_answer(tmp_path: Path) -> None:
    call = run(
        tmp_path, "import os, sys\ndef main():\n    print('last words')\n    sys.stdout.flush()\n    os._exit(9)"
    )
    assert call.trouble is not None
    assert call.trouble.kind == "no-answer"
    assert call.trouble.text == "exit status 9 without an answer: last words"
    assert call.raw_printed == "last words\n"


@pytest.mark.parametrize("text", ["object()", "float('nan')", "'x' * 5_000_000"])
def test_a_result_that_cannot_cross_is_no_answer(tmp_path: Path, text: str) -> None:
    call = run(tmp_path, f"def main(): return {text}")
    assert call.trouble is not None
    assert call.trouble.kind in ("protocol", "oversized")


def test_a_hanging_call_is_ended_with_its_children(tmp_path: Path) -> None:
    text = """
import pathlib, subprocess, time
def main(path):
    child = subprocess.Popen(["sleep", "60"])
    pathlib.Path(path).write_text(str(child.pid))
    time.sleep(60)
"""
    began = time.monotonic()
    python = Python(installed(), make_look(tmp_path, speed=2))
    call = python.call("program:main", modules={"program": text}, within=2, path=str(tmp_path / "pid"))
    assert time.monotonic() - began < 5
    assert call.trouble is not None
    assert (call.trouble.kind, call.trouble.after_s >= 2) == ("timeout", True)
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_an_answer_does_not_wait_for_threads_that_hang(tmp_path: Path) -> None:
    text = (
        "import threading, time\ndef main():\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    return 1"
    )
    assert run(tmp_path, text).result == 1


@pytest.mark.parametrize("hang", ["time.sleep(60)", "ctypes.PyDLL(None).sleep(60)"], ids=["waits", "holds the lock"])
def test_an_interpreter_whose_caller_is_gone_ends_by_itself(tmp_path: Path, hang: str) -> None:
    """As over ssh, where the end of our own side kills nothing on the other."""
    detached = ("setsid", "--wait", sys.executable)
    text = f"""
import ctypes, os, pathlib, time
def main(path):
    pathlib.Path(path).write_text(str(os.getpid()))
    {hang}
"""
    python = Python(installed(program=detached), make_look(tmp_path))
    call = python.call("program:main", modules={"program": text}, within=1, path=str(tmp_path / "pid"))
    assert call.trouble is not None
    assert_it_ends(int((tmp_path / "pid").read_text()), within_s=10)


def assert_it_ends(pid: int, *, within_s: float) -> None:
    end = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(pid)


def test_a_call_is_ended_with_the_run_wherever_it_runs(tmp_path: Path) -> None:
    """Its traces are removed then, and what it would write afterwards nobody would remove."""
    gate = LooseGate()
    look = dataclasses.replace(make_look(tmp_path, seconds=60), gate=gate)
    path = tmp_path / "pid"
    text = """
import os, pathlib, time
def main(path):
    pathlib.Path(path).write_text(str(os.getpid()))
    time.sleep(60)
"""

    def stop() -> None:
        while not (path.exists() and path.read_text()):
            time.sleep(0.05)
        gate.stopped = True

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(StoppedError, match="during the call of program:main"):
        Python(installed(program=("setsid", "--wait", sys.executable)), look).run(text, path=str(path))
    assert_it_ends(int(path.read_text()), within_s=20)


def test_no_more_interpreters_run_at_once_than_the_environment_allows(tmp_path: Path) -> None:
    text = "import time\ndef main():\n    began = time.time()\n    time.sleep(0.2)\n    return [began, time.time()]"
    look = make_look(tmp_path)
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(Python(installed(at_once=1), look).run, text) for _ in range(3)]
    times = sorted(call.result().result for call in calls)
    assert all(before[1] <= after[0] for before, after in pairwise(times))


def test_a_call_that_changes_something_needs_the_permit(tmp_path: Path) -> None:
    touch = "import pathlib\ndef main(path): pathlib.Path(path).touch()"
    path = tmp_path / "touched"
    with pytest.raises(NotPermittedError, match="writes"):
        Python(installed(), make_look(tmp_path)).run(touch, permit="writes", path=str(path))
    assert not path.exists()
    Python(installed(), make_look(tmp_path, permits=["writes"])).run(touch, permit="writes", path=str(path))
    assert path.exists()
    allowed = make_look(tmp_path, permits=["read_only", "destructive"])
    assert Python(installed(), allowed).run("def main(): pass", permit="writes").result is None


def test_a_malformed_target_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed 'module:function'"):
        Python(installed(program=("no-such-interpreter",)), make_look(tmp_path)).call("os.system('x')")


def test_a_call_crosses_to_the_judge(tmp_path: Path) -> None:
    call = run(tmp_path, "def main(): return [1]")
    assert decode(encode(call)) == call
