"""Outgoing HTTP requests of the simulated systems, to each other."""

from __future__ import annotations

import dataclasses
import http.client
import json
import posixpath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class FetchError(Exception):
    """No answer came: refused, reset or timed out. `timed_out` tells the last from the others."""

    def __init__(self, text: str, *, timed_out: bool = False) -> None:
        super().__init__(text)
        self.timed_out = timed_out


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: its status, reason phrase, headers (names in lower case) and body."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is a success."""
        return 200 <= self.status < 300  # noqa: PLR2004  # the class of successes

    def json(self) -> Any:
        """Return the decoded JSON body. Raises ValueError."""
        return json.loads(self.body)


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    payload: object = None,
    timeout: float | None = None,
) -> Reply:
    """Send one request, with `payload` as JSON where given; `timeout` is in our seconds. Raises FetchError."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise FetchError(f"Fetch API cannot load: {url}")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    body = None if payload is None else json.dumps(payload).encode()
    path = quote(posixpath.normpath(parts.path or "/"), safe="/%:@") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        named = {name.lower(): text for name, text in answer.headers.items()}
        return Reply(status=answer.status, reason=answer.reason, headers=named, body=answer.read())
    except TimeoutError as error:
        raise FetchError("The operation was aborted due to timeout", timed_out=True) from error
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(f"Network connection lost: {error}") from error
    finally:
        connection.close()
