"""Programs are bounded: in time, in output, in what they inherit; and none of their processes outlives them."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from environments.models import CommandConfig
from environments.references import SecretRef
from fixtures.command import Command, Execution
from fixtures.look import BudgetSpentError, Deadline
from fixtures.program import OUTPUT_LIMIT, Capture, SecretArgumentError, _follow
from fixtures.values import RefutedError, UnseenError, decode, encode
from tests.looks import make_look

if TYPE_CHECKING:
    from fixtures.look import Look


def python(source: str) -> CommandConfig:
    return CommandConfig(program=(sys.executable, "-c", textwrap.dedent(source)))


def run(look: Look, source: str, *args: str, within: float | None = None) -> Execution:
    return Command(python(source), look).run(*args, within=within)


def is_alive(pid: int) -> bool:
    """Whether the process still runs; one that is dead and not yet collected by its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_arguments_arrive_as_they_are_and_no_shell_reads_them(tmp_path: Path) -> None:
    hostile = "a b; touch /nowhere && $(id) `id` *"
    seen = run(make_look(tmp_path), "import sys, json; print(json.dumps(sys.argv[1:]))", hostile, "")
    assert seen.json == [hostile, ""]
    assert (seen.exit_status, seen.signal, seen.stderr) == (0, None, "")
    assert seen.program[-2:] == (hostile, "")


def test_exit_status_and_both_outputs_are_seen(tmp_path: Path) -> None:
    seen = run(make_look(tmp_path), "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (seen.exit_status, seen.stdout, seen.stderr) == (3, "out\n", "err\n")


def test_a_signal_is_named_and_is_no_exit_status(tmp_path: Path) -> None:
    seen = run(make_look(tmp_path), "import os, signal; os.kill(os.getpid(), signal.SIGUSR1)")
    assert (seen.signal, seen.exit_status, seen.trouble) == ("SIGUSR1", None, None)
    seen = run(make_look(tmp_path), "import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)")
    assert seen.signal == f"signal {signal.SIGRTMIN + 3}"


def test_invalid_utf8_is_shown_as_escapes(tmp_path: Path) -> None:
    seen = run(make_look(tmp_path), r"import os; os.write(1, b'caf\xc3\xa9 \xff\xfe')")
    assert seen.stdout == "café \\xff\\xfe"


def test_standard_input_is_closed_or_what_was_given(tmp_path: Path) -> None:
    echo = python("import sys; sys.stdout.write(sys.stdin.read().upper())")
    command = Command(echo, make_look(tmp_path))
    assert command.run().stdout == ""
    assert command.run(input="grüße\n").stdout == "GRÜSSE\n"
    assert len(command.run(input=b"x" * 1_000_000).stdout) == 1_000_000


def test_our_own_standard_input_is_not_handed_on(tmp_path: Path) -> None:
    waiting, held_open = os.pipe()
    ours = os.dup(0)
    os.dup2(waiting, 0)
    try:
        seen = run(make_look(tmp_path), "import sys; print(len(sys.stdin.read()))")
    finally:
        os.dup2(ours, 0)
        for descriptor in (ours, waiting, held_open):
            os.close(descriptor)
    assert seen.stdout == "0\n"


def test_what_an_ended_program_left_in_its_pipes_is_read() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "print('x' * 60_000)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        process.wait()
        outputs = Capture(limit=100_000), Capture(limit=100_000)
        assert not _follow(process, outputs, Deadline(at=time.monotonic() + 5))
    assert outputs[0].total == 60_001


def test_only_a_few_variables_are_inherited_and_secrets_come_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secrets.token_hex(16)
    monkeypatch.setenv("VAULT_WORD", secret)
    monkeypatch.setenv("SOMEBODY_ELSES_TOKEN", "x")
    config = python("import os, json; print(json.dumps(dict(os.environ)))").model_copy(
        update={"variables": {"TOKEN": SecretRef(env="VAULT_WORD", prefix="Bearer "), "MODE": "fast"}}
    )
    variables = Command(config, make_look(tmp_path)).run().json
    assert variables["TOKEN"] == f"Bearer {secret}"
    assert variables["MODE"] == "fast"
    assert set(variables) <= {"PATH", "HOME", "LANG", "TZ", "TOKEN", "MODE", "LC_CTYPE"}  # Python itself sets the last


def test_a_secret_among_the_arguments_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secrets.token_hex(16)
    monkeypatch.setenv("VAULT_WORD", secret)
    marker = tmp_path / "ran"
    config = python(f"open({str(marker)!r}, 'w')").model_copy(
        update={"variables": {"TOKEN": SecretRef(env="VAULT_WORD")}}
    )
    with pytest.raises(SecretArgumentError, match="the secret of the variable TOKEN") as caught:
        Command(config, make_look(tmp_path)).run(f"--token={secret}")
    assert secret not in str(caught.value)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("program", "directory", "kind"),
    [
        (("no-such-program-anywhere",), None, "not-found"),
        ((sys.executable,), "/no/such/folder", "not-found"),
        (("/etc/hostname",), None, "denied"),
    ],
)
def test_a_program_that_cannot_start_is_a_trouble(
    tmp_path: Path, program: tuple[str, ...], directory: str | None, kind: str
) -> None:
    seen = Command(CommandConfig(program=program, directory=directory), make_look(tmp_path)).run()
    assert seen.trouble is not None
    assert seen.trouble.kind == kind
    with pytest.raises(UnseenError, match=kind):
        _ = seen.exit_status


def test_the_directory_is_the_configured_one(tmp_path: Path) -> None:
    config = python("import os; print(os.getcwd())").model_copy(update={"directory": str(tmp_path)})
    assert Command(config, make_look(tmp_path)).run().stdout.strip() == str(tmp_path.resolve())


def test_a_deadline_ends_the_program_and_its_grandchildren(tmp_path: Path) -> None:
    source = """
        import subprocess, sys, time
        nested = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
        subprocess.Popen([sys.executable, "-c", nested])
        time.sleep(60)
    """
    started = time.monotonic()
    seen = run(make_look(tmp_path, seconds=1), source)
    assert time.monotonic() - started < 1 + 0.5
    assert seen.trouble is not None
    assert seen.trouble.kind == "timeout"
    grandchild = int(seen.raw_stdout)
    assert not is_alive(grandchild)
    for guarded in ("exit_status", "signal", "stdout", "stderr", "json"):
        with pytest.raises(UnseenError, match="timeout"):
            getattr(seen, guarded)


def test_a_grandchild_that_keeps_the_output_open_neither_delays_nor_survives_the_program(tmp_path: Path) -> None:
    source = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"
    started = time.monotonic()
    seen = run(make_look(tmp_path, seconds=20), source)
    assert time.monotonic() - started < 5
    assert seen.exit_status == 0
    assert not is_alive(int(seen.stdout))


def test_a_process_that_left_the_group_cannot_hold_us(tmp_path: Path) -> None:
    source = "import subprocess; print(subprocess.Popen(['sleep', '3'], start_new_session=True).pid)"
    started = time.monotonic()
    seen = run(make_look(tmp_path, seconds=20), source)
    assert time.monotonic() - started < 2.5
    os.kill(int(seen.stdout), signal.SIGKILL)


def test_within_is_in_the_targets_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    seen = run(make_look(tmp_path, speed=10, seconds=20), "import time; time.sleep(60)", within=5)
    assert time.monotonic() - started < 0.5 + 1
    assert 5 <= seen.elapsed_s < 15


def test_output_beyond_the_limit_is_counted_and_not_kept(tmp_path: Path) -> None:
    seen = run(make_look(tmp_path, seconds=20), f"import sys; sys.stdout.write('x' * {OUTPUT_LIMIT + 5})")
    assert seen.trouble is not None
    assert seen.trouble.kind == "oversized"
    assert (seen.stdout_bytes, len(seen.raw_stdout)) == (OUTPUT_LIMIT + 5, OUTPUT_LIMIT)
    exactly = run(make_look(tmp_path, seconds=20), f"import sys; sys.stderr.write('x' * {OUTPUT_LIMIT})")
    assert (exactly.trouble, len(exactly.stderr)) == (None, OUTPUT_LIMIT)


def test_an_endless_output_ends_at_the_deadline(tmp_path: Path) -> None:
    started = time.monotonic()
    seen = run(make_look(tmp_path, seconds=1), "while True: print('x' * 4096)")
    assert time.monotonic() - started < 1 + 0.5
    assert seen.trouble is not None
    assert seen.trouble.kind == "timeout"


@pytest.mark.parametrize("printed", ["", "{", '{"a": 1, "a": 2}', "NaN", "{} {}"])
def test_output_that_is_no_strict_json_refutes(tmp_path: Path, printed: str) -> None:
    seen = run(make_look(tmp_path), "import sys; print(sys.argv[1])", printed)
    with pytest.raises(RefutedError):
        _ = seen.json


def test_a_program_runs_only_through_the_gate(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(BudgetSpentError):
        run(make_look(tmp_path, budgets={"requests": 0}), f"open({str(marker)!r}, 'w')")
    assert not marker.exists()


def test_an_execution_crosses_processes(tmp_path: Path) -> None:
    seen = run(make_look(tmp_path), "print('out')")
    assert decode(encode(seen)) == seen
