"""The image-gen worker: its routes, its answers' form, and the event each request leaves in the tail."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

from simulators.clock import iso
from simulators.model_config.asking import GenerationError, read
from simulators.model_config.generation import Generation, Studio
from simulators.model_config.tail import Invocation, Tail
from simulators.serving import Request, Response, json_response, text_response

if TYPE_CHECKING:
    from simulators.model_config.wording import Lines

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, X-API-Key, Authorization",
}
_FIRST_FAILURE = 400


@dataclasses.dataclass(frozen=True, kw_only=True)
class Worker:
    """The worker's routes."""

    studio: Studio
    tail: Tail

    def answer(self, request: Request) -> Response:
        """Serve one request and let its event appear in the tail."""
        clock = self.studio.clock
        started = clock.seconds()
        invocation = Invocation(
            method=request.method,
            url=request.origin + request.target,
            headers=dict(request.headers.items()),
            at=clock.now(),
        )
        response = self._route(request, invocation)
        invocation.status = response.status
        invocation.wall_s = clock.seconds() - started
        self._emit(invocation, response)
        return response

    def _emit(self, invocation: Invocation, response: Response) -> None:
        faults = self.studio.faults
        if faults.on("failed-requests-leave-no-event") and response.status >= _FIRST_FAILURE:
            return
        if faults.on("wall-time-is-cpu-time"):
            invocation.wall_s = invocation.cpu_s
        if faults.on("rejection-after-success") and response.status < _FIRST_FAILURE and invocation.lines:
            text = "TypeError: Cannot read properties of undefined (reading 'waitUntil')"
            invocation.exceptions.append(
                {"name": "TypeError", "message": text, "timestamp": round(invocation.at.timestamp() * 1000)}
            )
            invocation.outcome = "exception"
        self.tail.emit(invocation, attached=not faults.on("tail-of-another-worker"))

    def _route(self, request: Request, invocation: Invocation) -> Response:
        if request.method == "OPTIONS":
            return Response(headers={**CORS, "Access-Control-Max-Age": "86400"})
        path = request.path
        if request.method == "GET" and path == "/health":
            return self._health()
        if request.method == "POST" and path == "/generate":
            return self._generate(request, invocation)
        if request.method == "GET" and path.startswith("/images/"):
            return self._image(path.removeprefix("/images/"))
        if request.method == "GET" and path == "/test-r2":
            self.studio.store.put(self.studio.bucket, "test/test.txt", b"test", "text/plain")
            url = f"{request.origin}/images/test/test.txt"
            return json_response({"success": True, "uploaded": True, "url": url})
        return _error(GenerationError(404, "ROUTE_NOT_FOUND", "Not Found"), str(uuid.uuid4()))

    def _health(self) -> Response:
        bound = not self.studio.faults.on("r2-reported-unbound")
        headers = dict(CORS)
        if self.studio.faults.on("health-from-stale-cache"):
            headers |= {"CF-Cache-Status": "HIT", "Age": "86400"}
        return json_response({"status": "healthy", "service": "image-gen", "r2_configured": bound}, headers=headers)

    def _image(self, key: str) -> Response:
        stored = self.studio.store.get(self.studio.bucket, key)
        if stored is None:
            missing = text_response("Image not found", 404)
            return dataclasses.replace(missing, headers={**missing.headers, **CORS})
        kind = "image/jpeg" if self.studio.faults.on("picture-labelled-jpeg") else stored.content_type
        cache = {"ETag": stored.etag, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(body=stored.body, headers={"Content-Type": kind, **cache, **CORS})

    def _generate(self, request: Request, invocation: Invocation) -> Response:
        studio, request_id = self.studio, str(uuid.uuid4())

        def say(lines: Lines) -> None:
            invocation.say(lines, studio.clock.now())

        try:
            asked = read(request, studio.default_model, studio.faults)
            words = (asked.prompt, request.header("User-Agent"))
            browser = bool(request.header("Origin"))
            generation = Generation(
                studio=studio, asked=asked, words=words, say=say, origin=request.origin, browser=browser
            )
            answer = generation.run()
        except GenerationError as error:
            if studio.faults.on("prompt-checked-late") and error.code == "INVALID_REQUEST":
                say(studio.wording.mapping() + studio.wording.answered("ideogram", 200))
            if error.logged:
                say(studio.wording.generation_error(str(error)))
            return _error(error, request_id)
        return json_response(self._success(answer, request_id), headers={"X-Request-ID": request_id, **CORS})

    def _success(self, answer: dict[str, Any], request_id: str) -> dict[str, Any]:
        stamp = "time" if self.studio.faults.on("timestamp-field-renamed") else "timestamp"
        return {**answer, "request_id": request_id, stamp: iso(self.studio.clock.now())}


def _error(error: GenerationError, request_id: str) -> Response:
    body = {"error": str(error), "error_code": error.code, "request_id": request_id}
    if error.details is not None:
        body["details"] = error.details
    return json_response(body, error.status, {"X-Request-ID": request_id, **CORS})
