"""Secret references, and the one place that turns them into secrets."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol
from urllib.parse import parse_qsl, unquote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from environments.strength import weakness
from environments.wording import refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from environments.redaction import Redactor

# A vault's CLI answers in about a second; one that waits for a password or a dead network is not waited for.
COMMAND_DEADLINE = 10.0
# The longest secrets in use are certificate chains with their key, some 10 KiB.
SIZE_LIMIT = 64 * 1024


class SecretError(Exception):
    """A reference that gives no usable secret. The message names the reference and never the secret."""


class SecretMissingError(SecretError):
    """There is nothing behind the reference: a variable, a file or an answer that is absent or empty."""


class SecretWeakError(SecretError):
    """What is behind the reference is too short or too ordinary to be found and masked in a report."""


class Secret(str):
    """A revealed secret: text for whoever sends it, masked in every repr, and unable to leave the process by pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a revealed secret stays in the process that revealed it; pass its reference on")


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise refused("text that is no name of a variable", "the name of a variable: letters, digits, underscores")
    return name


class SecretRef(BaseModel):
    """Where a secret is kept: exactly one of `env`, `file` or `command`. `prefix` is put before it, as in "Bearer "."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: Annotated[str, AfterValidator(_variable)] | None = Field(default=None, description="A variable's name.")
    file: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="A file only its owner can read, relative to the environment file."
    )
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="A program with its arguments, such as a vault's CLI, that prints the secret."
    )
    prefix: str = Field(default="", description='Text put before the secret, as in "Bearer ".')

    @model_validator(mode="after")
    def _one_place(self) -> SecretRef:
        places = [name for name in ("env", "file", "command") if getattr(self, name) is not None]
        if len(places) != 1:
            raise refused(" and ".join(places) or "no place", "exactly one of env, file, command")
        return self

    def __str__(self) -> str:
        if self.command is not None:
            return f"the command {self.command[0]!r}"
        return f"the variable {self.env}" if self.env is not None else f"the file {self.file!r}"


class Secrets(Protocol):
    """Resolves references, late and once. Everything it returns is known to the redactor before it is returned."""

    def reveal(self, ref: str | SecretRef) -> str:
        """Return the text behind `ref`; a plain string is itself. Raises SecretMissingError."""
        ...


_URL = re.compile(r"(?:https?|postgres(?:ql)?|mysql|rediss?|amqps?)://", re.IGNORECASE)
_PAIR = r"\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))"


def sensitive_parts(text: str) -> Iterator[str]:
    """Yield what is secret in a revealed text: of a URL or connection string the credentials, else the whole text.

    The host and database of a connection string occur all over a report; masking them would hide what was measured.
    """
    pairs = {key: quoted or plain for key, quoted, plain in re.findall(_PAIR, text)}
    if _URL.match(text):
        yield from _sensitive_in_url(text)
    elif pairs.keys() & {"host", "dbname", "service"} and re.fullmatch(rf"(?:{_PAIR})+\s*", text):
        yield from (re.sub(r"\\(.)", r"\1", pairs[key]) for key in ("password", "sslpassword") if key in pairs)
    else:
        yield text


def _sensitive_in_url(text: str) -> Iterator[str]:
    address = text.partition("://")[2]
    place, _, path = address.partition("/")
    user, _, password = place.rpartition("@")[0].partition(":")
    web = text[:4].lower() == "http"
    # In the userinfo of a web address a lone name is a token; of a database it is the role.
    credential = password or (user if web else "")
    if web and not credential:
        # The address of a webhook is its own password.
        yield path
    if credential:
        yield from {credential, unquote(credential)}
    yield from (value for key, value in parse_qsl(path.partition("?")[2]) if key == "password")


class SecretStore:
    """Resolves references for one run: each once, whichever thread asks first; whatever it returns can be masked."""

    def __init__(self, variables: Mapping[str, str], redactor: Redactor, directory: Path) -> None:
        """`variables`: what `env` reads and commands inherit. `directory`: that of the environment file."""
        self._variables = dict(variables)
        self._redactor = redactor
        self._directory = directory
        self._lock = threading.Lock()
        self._revealed: dict[SecretRef, Future[str]] = {}

    def __repr__(self) -> str:
        return f"SecretStore(revealed={len(self._revealed)}, values='***')"

    def reveal(self, ref: str | SecretRef) -> str:
        """Return the text behind `ref`; a plain string is itself.

        Raises SecretMissingError when there is nothing, SecretWeakError when it cannot be masked safely. A failure is
        final for the run: a vault that is down is asked once, not once per observation.
        """
        if isinstance(ref, str):
            return ref
        place = ref.model_copy(update={"prefix": ""})
        with self._lock:
            asked = place in self._revealed
            answer = self._revealed.setdefault(place, Future())
        if not asked:
            self._resolve(place, answer)
        return Secret(ref.prefix + answer.result())

    def _resolve(self, ref: SecretRef, answer: Future[str]) -> None:
        try:
            text = self._text(ref)
            if not text:
                raise SecretMissingError(f"{ref} is empty")  # noqa: TRY301  # every failure is kept for the next asker
            for part in sensitive_parts(text):
                if (why := weakness(part)) is not None:
                    raise SecretWeakError(f"{ref} holds {why}")  # noqa: TRY301  # likewise
                self._redactor.learn(part)
        except BaseException as error:  # noqa: BLE001  # threads that wait for this answer must not wait for ever
            answer.set_exception(error)
        else:
            answer.set_result(text)

    def _text(self, ref: SecretRef) -> str:
        if ref.env is not None:
            if ref.env not in self._variables:
                raise SecretMissingError(f"{ref} is not set")
            return self._variables[ref.env]
        raw = self._file(ref) if ref.file is not None else _output(ref, self._directory, self._variables)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise SecretMissingError(f"{ref} gives bytes that are not UTF-8 text") from None
        return text.removesuffix("\n").removesuffix("\r")

    def _file(self, ref: SecretRef) -> bytes:
        try:
            # Non-blocking: a pipe in place of the file must not hold the run.
            opened = os.open(self._directory / (ref.file or ""), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
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


def _output(ref: SecretRef, directory: Path, variables: Mapping[str, str]) -> bytes:
    """Return what the command prints. Its standard error is dropped: a vault's CLI may print the secret there."""
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
