"""The bucket generated-content, read over HTTP by anybody who knows a file's address."""

from __future__ import annotations

import datetime as dt
import threading

from simulators.serving import Request, Response, json_response

_PUBLIC = "/storage/v1/object/public/generated-content/"
_OWN = "/storage/v1/object/generated-content/"


class Bucket:
    """The files by their paths."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._files: dict[str, tuple[bytes, str, dt.datetime | None]] = {}
        self._forbidden: set[str] = set()
        self._spoilt: set[str] = set()
        self._lock = threading.Lock()

    def put(self, path: str, body: bytes, kind: str, *, readable_from: dt.datetime | None = None) -> None:
        """Store a file; nobody can read it before `readable_from`."""
        with self._lock:
            self._files[path] = body, kind, readable_from

    def forbid(self, path: str) -> None:
        """Let a file or a folder be listed and not be read."""
        self._forbidden.add(path)

    def spoil(self, path: str) -> None:
        """Let a folder's files be answered with an error's text, and success."""
        self._spoilt.add(path)

    def url(self, path: str) -> str:
        """Return a file's public address."""
        return self._url + _PUBLIC + path

    def answer(self, request: Request) -> Response:
        """Serve reading and removing."""
        if request.method == "DELETE" and request.path.startswith(_OWN):
            with self._lock:
                gone = self._files.pop(request.path.removeprefix(_OWN), None)
            return json_response({"message": "Successfully deleted"}) if gone else _absent()
        path = request.path.removeprefix(_PUBLIC)
        found = self._files.get(path)
        if any(path.startswith(prefix) for prefix in self._forbidden):
            return json_response({"statusCode": "403", "error": "Unauthorized", "message": "Access denied"}, 403)
        if any(path.startswith(prefix) for prefix in self._spoilt):
            return json_response({"error": "the object has expired"})
        if found is None or (found[2] is not None and dt.datetime.now(dt.UTC) < found[2]):
            return _absent()
        return Response(body=found[0], headers={"Content-Type": found[1], "Cache-Control": "no-cache"})


def _absent() -> Response:
    return json_response({"statusCode": "404", "error": "not_found", "message": "Object not found"}, 400)
