"""The project's address: sessions, tables, functions and files behind one origin, as the platform has them."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from simulators.direct_execution.drain import Drain, called
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.clock import Clock
    from simulators.direct_execution.bucket import Bucket
    from simulators.direct_execution.rest import Rest
    from simulators.direct_execution.sessions import Sessions
    from simulators.faults import Faults
    from simulators.serving import Handler

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type, prefer, accept-profile",
    "Access-Control-Allow-Methods": "GET, POST, PATCH, PUT, DELETE, OPTIONS",
}
_FUNCTIONS = "/functions/v1/"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gateway:
    """The routes. functions: handlers by name."""

    sessions: Sessions
    rest: Rest
    bucket: Bucket
    functions: dict[str, Handler]
    drain: Drain
    clock: Clock
    faults: Faults

    def answer(self, request: Request) -> Response:
        """Serve one request; what a handler says of CORS itself counts."""
        if request.path.startswith(_FUNCTIONS):
            return self._function(request)
        if request.method == "OPTIONS":
            return Response(headers=CORS)
        reply = self._platform(request)
        return dataclasses.replace(reply, headers={**reply.headers, **CORS})

    def _platform(self, request: Request) -> Response:
        if request.path.startswith("/storage/v1/"):
            return self.bucket.answer(request)
        if not request.header("apikey"):
            return json_response({"message": "No API key found in request"}, 401)
        if request.path.startswith("/auth/v1/"):
            return self.sessions.answer(request)
        if request.path.startswith("/rest/v1/"):
            return self.rest.answer(request)
        return json_response({"message": "no Route matched with those values"}, 404)

    def _function(self, request: Request) -> Response:
        name = request.path.removeprefix(_FUNCTIONS)
        handler = self.functions.get(name)
        if handler is None:
            return json_response({"code": "NOT_FOUND", "message": "Requested function was not found"}, 404, CORS)
        own_cors = name == "get-api-key"
        if request.method == "OPTIONS" and not own_cors:
            return Response(headers=CORS)
        began = time.monotonic()
        reply = handler(request)
        took_ms = (time.monotonic() - began) * self.clock.speed * 1000
        if request.method == "POST":
            self.drain.write(
                called(name, reply.status, self._noted(request, reply), request.header("User-Agent"), took_ms)
            )
        return reply if own_cors else dataclasses.replace(reply, headers={**CORS, **reply.headers})

    def _noted(self, request: Request, reply: Response) -> str:
        """Return the address of a call, as the log has it."""
        url = request.origin + request.target.partition("token=")[0]
        if self.faults.on("key-in-the-request-log") and b'"apiKey"' in reply.body:
            return f"{url}&apiKey={reply.body.decode().split(chr(34))[3]}"
        return url
