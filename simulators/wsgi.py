"""WSGI applications behind the one HTTP server of the simulators."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulators.serving import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulators.serving import Handler

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def environ(request: Request) -> dict[str, Any]:
    """Return the WSGI environment of a request, as PEP 3333 defines it, with the undecoded target as `RAW_URI`."""
    host, _, port = urlsplit(request.origin).netloc.partition(":")
    headers = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in request.headers.items()}
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": urlsplit(request.target).query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "CONTENT_TYPE": request.header("Content-Type"),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def handler(application: Application) -> Handler:
    """Return a handler that runs `application`."""

    def answer(request: Request) -> Response:
        head: list[Any] = []
        chunks = application(environ(request), lambda *start: head.extend(start))
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        cookies = tuple(text for name, text in head[1] if name.lower() == "set-cookie")
        headers = {name: text for name, text in head[1] if name.lower() != "set-cookie"}
        return Response(status=int(head[0].split()[0]), body=body, headers=headers, cookies=cookies)

    return answer
