"""The providers: Runware's images, Kie.ai's tasks that call back, and the synchronous gateway of Lovable AI."""

from __future__ import annotations

import dataclasses
import json
import secrets
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from simulators.direct_execution.generating import IMAGE_S, SLOW_VIDEO_S, SYNCHRONOUS_S, VIDEO_S
from simulators.fetching import FetchError, fetch
from simulators.pictures import png
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.clock import Clock
    from simulators.direct_execution.keys import Vault
    from simulators.faults import Faults

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS",
}
MP4 = (  # the head of a film: its brand, and a movie header that says 5 s at 1000 ticks a second
    b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"
    b"\x00\x00\x00\x74moov\x00\x00\x00\x6cmvhd\x00\x00\x00\x00" + b"\x00" * 8
    + (1000).to_bytes(4, "big") + (5000).to_bytes(4, "big") + b"\x00\x01\x00\x00\x01\x00" + b"\x00" * 74
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Providers:
    """All three behind one origin. callback_token: what the account's callbacks carry in their address."""

    url: str
    clock: Clock
    vault: Vault
    faults: Faults
    callback_token: str
    files: dict[str, tuple[bytes, str]] = dataclasses.field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        """Serve one request of a page, a function, or somebody who fetches what was made."""
        if request.method == "OPTIONS":
            return Response(headers=CORS)
        if request.path in self.files:
            body, kind = self.files[request.path]
            return Response(body=body, headers={"Content-Type": kind, **CORS})
        key = request.header("Authorization").removeprefix("Bearer ")
        if key not in self.vault.held.values():
            return json_response({"code": 401, "msg": "You do not have access permissions"}, 401, CORS)
        route = {
            "/runware/v1": self._runware,
            "/kie/api/v1/jobs/createTask": self._task,
            "/lovable/v1/chat/completions": self._chat,
        }.get(request.path)
        if route is None:
            return json_response({"code": 404, "msg": "Not found"}, 404, CORS)
        reply = route(request.json())
        return dataclasses.replace(reply, headers={**reply.headers, **CORS})

    def _file(self, body: bytes, kind: str, ending: str) -> str:
        path = f"/files/{secrets.token_hex(12)}.{ending}"
        self.files[path] = body, kind
        return self.url + path

    def _picture(self, prompt: object) -> str:
        return self._file(png(f"{prompt} {secrets.token_hex(4)}", 896, 1152), "image/png", "png")

    def _runware(self, body: Any) -> Response:
        self.clock.sleep(IMAGE_S)
        made = {
            "taskUUID": secrets.token_hex(16),
            "imageURL": self._picture(body[0].get("positivePrompt")),
            "cost": 0.0013,
        }
        return json_response({"data": [made]})

    def _chat(self, body: Any) -> Response:
        self.clock.sleep(SYNCHRONOUS_S)
        image = {"image_url": {"url": self._picture(body["messages"][0]["content"])}}
        return json_response({"choices": [{"message": {"role": "assistant", "images": [image]}}]})

    def _task(self, body: Any) -> Response:
        task = secrets.token_hex(16)
        if body.get("callBackUrl"):
            threading.Thread(target=self._call_back, args=(task, body["callBackUrl"]), daemon=True).start()
        return json_response({"code": 200, "msg": "success", "data": {"taskId": task}})

    def _call_back(self, task: str, address: str) -> None:
        self.clock.sleep(SLOW_VIDEO_S if self.faults.on("video-takes-too-long") else VIDEO_S)
        made = json.dumps({"resultUrls": [self._file(MP4, "video/mp4", "mp4")]})
        payload = {
            "code": 200,
            "msg": "success",
            "data": {"taskId": task, "state": "success", "resultJson": made, "callbackType": "complete"},
        }
        try:
            fetch(f"{address}&{urlencode({'token': self.callback_token})}", method="POST", payload=payload, timeout=30)
        except FetchError:
            return  # the project is gone
