"""The one place that turns references into secrets."""

from __future__ import annotations

import re
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import parse_qsl, unquote

from environments import keepers
from environments.references import SecretMissingError, SecretRef, SecretWeakError
from environments.strength import weakness

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from environments.redaction import Redactor


class Secret(str):
    """A revealed secret: text for whoever sends it, masked in every repr, and unable to leave the process by pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a revealed secret stays in the process that revealed it; pass its reference on")


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
        if ref.file is not None:
            raw = keepers.read(ref, self._directory)
        else:
            raw = keepers.output(ref, self._directory, self._variables)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise SecretMissingError(f"{ref} gives bytes that are not UTF-8 text") from None
        return text.removesuffix("\n").removesuffix("\r")
