"""What keeps a secret outside the process: a file, or a program such as a vault's CLI."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from environments.references import SecretMissingError, SecretRef

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A vault's CLI answers in about a second; one that waits for a password or a dead network is not waited for.
COMMAND_DEADLINE = 10.0
# The longest secrets in use are certificate chains with their key, some 10 KiB.
SIZE_LIMIT = 64 * 1024


def read(ref: SecretRef, directory: Path) -> bytes:
    """Return what the reference's file holds. Raises SecretMissingError unless its owner alone can reach it."""
    try:
        # Non-blocking: a pipe in place of the file must not hold the run.
        opened = os.open(directory / (ref.file or ""), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SecretMissingError(f"{ref} cannot be opened: {error.strerror}") from None
    try:
        _private(ref, os.fstat(opened))
        # No regular file answers with less than it has, short of its end.
        return _bounded(ref, os.read(opened, SIZE_LIMIT + 1))
    finally:
        os.close(opened)


def _private(ref: SecretRef, status: os.stat_result) -> None:
    """Raise unless this is a regular file that its owner alone can reach."""
    if not stat.S_ISREG(status.st_mode):
        raise SecretMissingError(f"{ref} is not a regular file")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(status.st_mode)
        raise SecretMissingError(f"{ref} has mode {mode:04o}; allowed: access for its owner only, as by chmod 600")


def _bounded(ref: SecretRef, raw: bytes) -> bytes:
    if len(raw) > SIZE_LIMIT:
        raise SecretMissingError(f"{ref} gives more than {SIZE_LIMIT} bytes; a secret is shorter")
    return raw


def output(ref: SecretRef, directory: Path, variables: Mapping[str, str]) -> bytes:
    """Return what the reference's command prints. Raises SecretMissingError where it fails or does not end.

    Its standard error is dropped: a vault's CLI may print the secret there.
    """
    until = time.monotonic() + COMMAND_DEADLINE
    try:
        process = subprocess.Popen(  # noqa: S603  # the owner of the environment file names the program; there is no shell
            ref.command or (),
            cwd=directory,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise SecretMissingError(
            f"{ref} cannot be started: {getattr(error, 'strerror', None) or 'bad argument'}"
        ) from None
    read: list[bytes] = []
    # The thread never outlives the process group, whose end closes the pipe.
    reader = threading.Thread(target=lambda: read.append(_drained(process)), daemon=True)
    raw = status = None
    try:
        reader.start()
        reader.join(COMMAND_DEADLINE)
        if read:
            raw = _bounded(ref, read[0])
            status = process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        pass  # it has closed its output and goes on
    finally:
        _end_group(process, reader)
    if raw is None or status is None:
        raise SecretMissingError(f"{ref} gave no answer within {COMMAND_DEADLINE:g} s and was ended")
    if status != 0:
        raise SecretMissingError(
            f"{ref} ended with status {status}; its messages are not shown, run it by hand to read them"
        )
    return raw


def _drained(process: subprocess.Popen[bytes]) -> bytes:
    stream: Any = process.stdout
    raw: bytes = stream.read(SIZE_LIMIT + 1)
    return raw


def _end_group(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the whole group has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    reader.join()
    if process.stdout is not None:
        process.stdout.close()
