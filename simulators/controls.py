"""Switches for rehearsals: parts of a running system are made to fail, for everybody or for marked requests only."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from simulators.serving import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.serving import Request

# The system's parts pass on, in this header, the words by which a rehearsal may recognise its own requests.
SCOPE_HEADER = "x-rehearsal-scope"


@dataclasses.dataclass
class _Setting:
    mode: str
    only: str
    times: int | None


class Controls:
    """The modes of each part. `parts` maps a part's name to the modes it knows; all are `ok` at the start."""

    def __init__(self, parts: Mapping[str, tuple[str, ...]]) -> None:
        self._parts = parts
        self._settings: dict[str, list[_Setting]] = {part: [] for part in parts}
        self._lock = threading.Lock()

    def mode(self, part: str, *words: str) -> str:
        """Return the mode that `part` has for a request that carries `words`; uses up one of its `times`."""
        with self._lock:
            for setting in self._settings[part]:
                if setting.times != 0 and any(setting.only in word for word in words):
                    setting.times = None if setting.times is None else setting.times - 1
                    return setting.mode
        return "ok"

    def answer(self, request: Request) -> Response:
        """Serve the control endpoint: POST /<part> {"mode", "only"?, "times"?}; GET /<part> lists what is set."""
        part = request.path.strip("/")
        if part not in self._parts:
            return json_response({"error": f"unknown part {part!r}; known: {', '.join(sorted(self._parts))}"}, 404)
        if request.method != "POST":
            return json_response([dataclasses.asdict(setting) for setting in self._settings[part]])
        try:
            setting = _setting(request.json(), part, (*self._parts[part], "ok"))
        except ValueError as error:
            return json_response({"error": str(error)}, 400)
        with self._lock:
            kept = [known for known in self._settings[part] if known.only != setting.only]
            self._settings[part] = kept if setting.mode == "ok" else [*kept, setting]
        return json_response(dataclasses.asdict(setting))


def _setting(body: Any, part: str, modes: tuple[str, ...]) -> _Setting:
    if not isinstance(body, dict):
        raise ValueError(f"/{part}: a JSON object is needed")  # noqa: TRY004  # all bad bodies are one kind of error here
    mode, only, times = body.get("mode"), body.get("only", ""), body.get("times")
    if mode not in modes:
        raise ValueError(f"/{part}: unknown mode {mode!r}; known: {', '.join(modes)}")
    if not isinstance(only, str) or not (times is None or isinstance(times, int)):
        raise ValueError(f"/{part}: `only` is a text and `times` a number")
    return _Setting(mode=mode, only=only, times=times)


def scope(*words: str) -> dict[str, str]:
    """Return the header that passes `words` on to the system's other parts."""
    return {SCOPE_HEADER: quote("\n".join(words))}


def scope_of(request: Request) -> tuple[str, ...]:
    """Return the words of a request: those passed on to it, its User-Agent and its body."""
    return unquote(request.header(SCOPE_HEADER)), request.header("User-Agent"), request.body.decode(errors="replace")
