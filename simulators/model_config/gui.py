"""The testing page and its files, pointed at the local worker and Config Service."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.pictures import png
from simulators.serving import Request, Response, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.faults import Faults

_PAGE = Path(__file__).parent / "page"
_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_LOGIN = "/cdn-cgi/access/login"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gui:
    """The page's host. models: the Config Service's list, for a page that does not ask for it."""

    faults: Faults
    worker_url: str
    config_url: str
    models: Callable[[], object]

    def answer(self, request: Request) -> Response:
        """Serve one file of the page."""
        response = self._file(request)
        return dataclasses.replace(response, headers={**response.headers, **_HEADERS})

    def _file(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(status=405)
        if request.path == "/":
            return self._index(request)
        if request.path == "/app.js":
            return text_response(self._script(), kind="text/javascript")
        if request.path == "/styles.css" and not self.faults.on("gui-stylesheet-404"):
            return text_response((_PAGE / "styles.css").read_text(encoding="utf-8"), kind="text/css")
        if request.path == "/mock.png":
            return Response(body=png("mock", 1024, 1024), headers={"Content-Type": "image/png"})
        return text_response("Not found", 404)

    def _index(self, request: Request) -> Response:
        if request.method == "HEAD" and self.faults.on("gui-head-needs-login"):
            return Response(status=302, headers={"Location": "http://login.example.com" + _LOGIN})
        text = (_PAGE / "index.html").read_text(encoding="utf-8")
        if self.faults.on("real-gui-lacks-default-instance"):
            text = text.replace('<option value="default">default</option>', "")
        return text_response(text, kind="text/html; charset=utf-8")

    def _script(self) -> str:
        settings: dict[str, object] = {
            "worker": self.worker_url,
            "configs": self.config_url,
            "defects": self._defects(),
        }
        if self.faults.on("gui-models-hardcoded"):
            settings["models"] = self.models()
        text = (_PAGE / "app.js").read_text(encoding="utf-8")
        return f"const SETTINGS = {json.dumps(settings)};\n{text}"

    def _defects(self) -> dict[str, bool]:
        """Return what the page's script does wrong."""
        faults = self.faults
        return {
            "exampleSent": faults.on("gui-sends-example-prompt"),
            "sentTwice": faults.on("gui-submits-twice"),
            "pictureBroken": faults.on("gui-picture-broken"),
            "linkBroken": faults.on("gui-link-404"),
            "linkOfMock": faults.on("gui-link-of-another-picture"),
            "capabilitiesOfFirst": faults.on("gui-capabilities-of-first"),
            "missingPriceAsZero": faults.on("gui-missing-price-as-zero"),
            "capabilitiesHidden": faults.on("real-gui-shows-no-capabilities"),
            "pricesHidden": faults.on("real-gui-shows-no-prices"),
        }
