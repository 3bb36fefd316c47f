"""A small HTTP/1.1 server over the standard library: a handler is a function from a request to a response."""

from __future__ import annotations

import dataclasses
import json
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message

    Handler = Callable[["Request"], "Response"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it arrived: `target` is undecoded, `path` decoded and without the query."""

    method: str
    target: str
    headers: Message
    body: bytes
    origin: str

    @property
    def path(self) -> str:
        """The decoded path."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, the last of each name."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    def header(self, name: str) -> str:
        """Return the header `name`, or an empty string."""
        return str(self.headers.get(name, ""))

    def json(self) -> Any:
        """Return the decoded JSON body. Raises ValueError."""
        return json.loads(self.body)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Response:
    """One response; Content-Length is added where `headers` does not carry it. cookies: a Set-Cookie header each."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cookies: tuple[str, ...] = ()


def json_response(payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `payload` as a JSON response."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status=status, body=body, headers={"Content-Type": "application/json", **(headers or {})})


def text_response(text: str, status: int = 200, kind: str = "text/plain;charset=UTF-8") -> Response:
    """Return `text` as a response of content type `kind`."""
    return Response(status=status, body=text.encode(), headers={"Content-Type": kind})


class _Exchange(BaseHTTPRequestHandler):
    """One connection: requests are read one after the other and handed to the server's handler."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered, so that head and body leave in one packet
    server: _Server

    def answer(self) -> None:
        """Hand the request over and write the response; only bodies with a Content-Length are read."""
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            return self.write(Response(status=411))
        length = int(self.headers.get("Content-Length") or 0)
        host = self.headers.get("Host") or self.server.netloc
        request = Request(
            method=self.command,
            target=self.path,
            headers=self.headers,
            body=self.rfile.read(length) if length else b"",
            origin=f"http://{host}",
        )
        return self.write(self.server.handler(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer  # noqa: N815  # the names are the standard library's

    def write(self, response: Response) -> None:
        """Write `response`; HEAD gets its head alone."""
        self.send_response(response.status)
        for name, text in response.headers.items():
            self.send_header(name, text)
        for cookie in response.cookies:
            self.send_header("Set-Cookie", cookie)
        if not any(name.lower() == "content-length" for name in response.headers):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def version_string(self) -> str:
        """Return what the Server header says."""
        return "simulator"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the standard library's
        """Stay silent: the simulated systems keep their own logs."""


class _Server(socketserver.ThreadingTCPServer):
    """A listening socket with one thread per connection, none of which outlives the process."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # an observer may open all its connections at once

    def __init__(self, handler: Handler, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Exchange)
        self.handler = handler
        self.netloc = f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Report a handler that raised; a client that went away is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed through unread


class Listener:
    """A server that listens at once and serves from `serve` on, so that addresses are known before handlers are.

    port: a certain one, for a part that was restarted; by default any that is free.
    """

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(lambda _: Response(status=503), port)
        self.netloc = self._server.netloc
        self.url = f"http://{self.netloc}"

    def serve(self, handler: Handler) -> None:
        """Answer with `handler`, on daemon threads, until the process ends."""
        self._server.handler = handler
        threading.Thread(target=self._server.serve_forever, name=self.netloc, daemon=True).start()
