"""The image providers: Ideogram's API and one in OpenAI's shape, with real pictures to download."""

from __future__ import annotations

import dataclasses
import itertools
import random
import secrets
from typing import TYPE_CHECKING, Any

from simulators.clock import Clock, iso
from simulators.controls import Controls, scope_of
from simulators.pictures import png
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODES = ("429", "500", "503", "denied", "hang")
HELD_OPEN_S = 600.0  # far beyond any caller's patience
_LATENCY_S = (2.6, 3.4)  # what a picture takes
_SIZES = {"16:9": (1280, 720), "9:16": (720, 1280), "4:3": (1152, 864), "3:4": (864, 1152)}
_KEPT = 64  # pictures are temporary: the oldest are forgotten


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provider:
    """The provider's routes. keys: the accepted API keys."""

    url: str
    clock: Clock
    controls: Controls
    keys: Mapping[str, str]
    pictures: dict[str, bytes] = dataclasses.field(default_factory=dict)
    numbers: Iterator[int] = dataclasses.field(default_factory=lambda: itertools.count(1))

    def answer(self, request: Request) -> Response:
        """Serve `POST /generate`, `POST /v1/images/generations` and `GET /pictures/{name}`."""
        if request.path.startswith("/pictures/"):
            picture = self.pictures.get(request.path)
            return Response(body=picture, headers={"Content-Type": "image/png"}) if picture else Response(status=404)
        if request.method != "POST" or request.path not in ("/generate", "/v1/images/generations"):
            return json_response({"error": "Not found"}, 404)
        failure = self._failure(request, self.controls.mode("provider", *scope_of(request)))
        return failure or self._picture(request.json())

    def _failure(self, request: Request, mode: str) -> Response | None:
        key = request.header("Api-Key") or request.header("Authorization").removeprefix("Bearer ")
        if mode == "hang":
            self.clock.sleep(HELD_OPEN_S)
        if mode == "denied" or key not in self.keys.values():
            return json_response({"error": f"Invalid API key: {key}"}, 401)
        if mode == "429":
            return json_response({"error": "Too many requests"}, 429)
        if mode in ("500", "503"):
            return json_response({"message": "The service is having a problem"}, int(mode))
        return None

    def _picture(self, body: Any) -> Response:
        asked = body.get("image_request", body)
        self.clock.sleep(random.uniform(*_LATENCY_S))  # noqa: S311  # latency, not secrecy
        width, height = _SIZES.get(str(asked.get("aspect_ratio")), (1024, 1024))
        path = f"/pictures/{secrets.token_hex(12)}.png"
        self.pictures[path] = png(f"{asked.get('prompt')} {next(self.numbers)}", width, height)
        for old in list(self.pictures)[:-_KEPT]:
            self.pictures.pop(old, None)
        one = {"url": self.url + path, "resolution": f"{width}x{height}", "is_image_safe": True, "seed": 1}
        return json_response({"created": iso(self.clock.now()), "data": [one]})
