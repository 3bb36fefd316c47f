"""The rehearsal's switches: each model's failures, the passing of time, and a restart of the spare instance."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.controls import Controls
    from simulators.model_fallback.process import Process


@dataclasses.dataclass(frozen=True, kw_only=True)
class Switches:
    """POST /<model> as in `Controls`; POST /clock {"advance": seconds}; POST /restart."""

    models: Controls
    process: Process

    def answer(self, request: Request) -> Response:
        """Do what is asked, and answer once it is done."""
        if request.method == "POST" and request.path == "/clock":
            body = request.json()
            seconds = body.get("advance") if isinstance(body, dict) else None
            if not isinstance(seconds, int | float) or seconds < 0:
                return json_response({"error": "/clock: `advance` is a number of seconds"}, 400)
            self.process.advance(seconds)
            return json_response({"advanced": seconds})
        if request.method == "POST" and request.path == "/restart":
            self.process.restart()
            return json_response({"restarted": True})
        return self.models.answer(request)
