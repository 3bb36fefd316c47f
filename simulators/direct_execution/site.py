"""The media studio's page: sign-in and Custom Creation, with the registry in its bundle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.registry import hidden
from simulators.serving import Request, Response, text_response

if TYPE_CHECKING:
    from simulators.direct_execution.registry import Model
    from simulators.faults import Faults

_PAGE = Path(__file__).parent / "page"
_ROUTES = ("/", "/auth", "/dashboard/custom-creation")
# What the page's script does wrong, by fault.
DEFECTS = (
    "button-never-enabled",
    "phone-without-models",
    "late-console-error",
    "never-polls",
    "polls-after-the-image",
    "provider-called-twice",
    "start-logged-without-type",
    "failure-logged-without-id",
    "real-unlogged-frontend",
    "real-runware-left-pending",
    "real-no-task-id",
    "real-schema-error-on-load",
    "key-left-in-storage",
    "button-does-nothing",
    "record-made-twice",
    "image-shown-late",
    "window-c",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudioSite:
    """The page's host. settings: what the build was given: addresses, the public key, the clock's speed."""

    models: list[Model]
    settings: dict[str, Any]
    faults: Faults

    def answer(self, request: Request) -> Response:
        """Serve one file of the page."""
        if request.method not in ("GET", "HEAD"):
            return Response(status=405)
        if request.path in _ROUTES:
            return text_response((_PAGE / "index.html").read_text(encoding="utf-8"), kind="text/html; charset=utf-8")
        if request.path == "/assets/app.js":
            return text_response(self._script(), kind="text/javascript")
        if request.path == "/assets/app.css":
            return text_response((_PAGE / "app.css").read_text(encoding="utf-8"), kind="text/css")
        return text_response("Not found", 404)

    def _script(self) -> str:
        models = [
            one
            for one in self.models
            if one["recordId"] != hidden()
            and not (self.faults.on("menu-lacks-audio") and one["contentType"] == "prompt_to_audio")
        ]
        defects = [name for name in DEFECTS if self.faults.on(name)]
        head = f"const SETTINGS = {json.dumps(self.settings)};\nconst DEFECTS = {json.dumps(defects)};\n"
        script = (_PAGE / "app.js").read_text(encoding="utf-8")
        return f"{head}const REGISTRY = {json.dumps(models)};\n{script}"
