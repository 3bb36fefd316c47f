"""A loopback site for the tests of the browser."""

from __future__ import annotations

import dataclasses
import http.server
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from environments.models import BrowserConfig
from fixtures.browser import Browser, PageView

if TYPE_CHECKING:
    from fixtures.look import Look

Reply = tuple[int, Mapping[str, str], str]
Page = str | Reply | Callable[[], Reply]


@dataclasses.dataclass
class Site:
    """A loopback site. pages: path to HTML, or status, headers and body, or a function; seen: every request."""

    pages: dict[str, Page]
    seen: list[tuple[str, str, dict[str, str]]]
    port: int

    @property
    def url(self) -> str:
        """The origin, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[str]:
        """Return the methods with which `path` was asked for."""
        return [method for method, asked, _ in self.seen if asked == path]

    def reply(self, path: str) -> Reply:
        """Return what is answered at `path`, whatever its query."""
        page = self.pages.get(path.partition("?")[0], (404, {}, "not here"))
        page = page() if callable(page) else page
        return (200, {"Content-Type": "text/html"}, page) if isinstance(page, str) else page


class _Server(http.server.ThreadingHTTPServer):
    site: Site

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that was killed reads no answer."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        """Answer whatever the method."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.site.seen.append((self.command, self.path, dict(self.headers)))
        status, headers, body = self.server.site.reply(self.path)
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_OPTIONS = do_GET  # noqa: N815  the names http.server looks for

    def log_message(self, *_: object) -> None:
        """Keep the test's output to itself."""


def serve() -> Iterator[Site]:
    """Yield a site that nobody has seen yet, and end it afterwards."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = Site(pages={}, seen=[], port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.site
    server.shutdown()
    thread.join()
    server.server_close()


def with_deadline(look: Look, seconds: float) -> Look:
    """Return a look that ends sooner."""
    return dataclasses.replace(look, deadline=look.deadline.within(seconds))


def browser(site: Site, look: Look, *hosts: str) -> Browser:
    """Return the instrument for a site, with further hosts it may talk to."""
    return Browser(BrowserConfig(url=site.url, hosts=hosts), look)


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def trouble(view: PageView) -> str:
    """Return the kind of a view's trouble; there has to be one."""
    assert view.trouble is not None
    return view.trouble.kind
