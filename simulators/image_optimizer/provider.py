"""Replicate: predictions that take a while, the pictures they deliver, and the account they belong to."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
import threading
from typing import TYPE_CHECKING, Any

from simulators.clock import iso
from simulators.pictures import png
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.clock import Clock
    from simulators.faults import Faults

MODEL = "google/nano-banana"
LATENCY_S = 0.2  # of one request, in the target's time
GENERATION_S = (3.0, 4.5)  # between them lies what a prediction takes
PAGE = 100
SMALL = 10
LATE = (400, 450, 500)
REPLICATE_HANGS = 130  # predictions, after which it hangs; a hundred of the large batch are not done then
NEVER_S = 1e6
SIDE = 64


@dataclasses.dataclass(kw_only=True)
class Prediction:
    """One prediction. ready: the moment at which it ends, as `ends` says. number: of those made since the start."""

    id: str
    prompt: str
    picture: str
    created: dt.datetime
    ready: dt.datetime
    ends: str = "succeeded"
    error: str | None = None
    number: int = 0


@dataclasses.dataclass(kw_only=True)
class Provider:
    """Replicate's API for one token. Not simulated: files, trainings, deployments, streams."""

    url: str
    clock: Clock
    faults: Faults
    token: str
    predictions: dict[str, Prediction] = dataclasses.field(default_factory=dict)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    created: int = 0

    def create(self, prompt: str, picture: str) -> tuple[int, dict[str, Any]]:
        """Begin a prediction; return the status and the body of the answer."""
        self.clock.sleep(LATENCY_S)
        if self.faults.on("creation-refused"):
            return 401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"}
        with self.lock:
            self.created += 1
            number = self.created
        name = secrets.token_hex(13)
        now = self.clock.now()
        taken = GENERATION_S[0] + (GENERATION_S[1] - GENERATION_S[0]) * (number * 7 % 10) / 10
        made = Prediction(
            id=name, prompt=prompt, picture=picture, created=now, number=number,
            ready=now + dt.timedelta(seconds=self.clock.ours(taken + self._delay(number))),
        )  # fmt: skip
        if self._fails(number):
            made.ends, made.error = "failed", "model exploded"
        self.predictions[name] = made
        return 201, self.view(made)

    def _delay(self, number: int) -> float:
        """Return by how much a prediction is late. The first ten are those of the small batch, if it comes first."""
        if self.faults.on("images-one-by-one") and number <= SMALL:
            return 14.0 * number
        lost = self.faults.on("one-image-never-ends") and number == SMALL // 2
        lost |= self.faults.on("late-images-lost") and number in LATE
        lost |= self.faults.on("replicate-hangs") and number > REPLICATE_HANGS
        return NEVER_S if lost else 0.0

    def _fails(self, number: int) -> bool:
        failing = ("one-image-fails", "failed-logged-completed", "failed-image-keeps-credits")
        early = any(self.faults.on(name) for name in failing)
        late = self.faults.on("late-images-fail") and number > REPLICATE_HANGS and number % 25 == 0
        return (early and number == SMALL // 2) or late

    def get(self, name: str) -> tuple[int, dict[str, Any]]:
        """Return one prediction, as its creator polls it."""
        self.clock.sleep(LATENCY_S)
        if name not in self.predictions:
            return 404, {"detail": "The requested resource could not be found.", "status": 404}
        return 200, self.view(self.predictions[name])

    def many(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Return several predictions as one page of the list holds them."""
        self.clock.sleep(LATENCY_S)
        return {name: self.view(self.predictions[name]) for name in names if name in self.predictions}

    def oldest(self) -> str:
        """Return where the picture of the oldest prediction lies."""
        return f"{self.url}/delivery/{next(iter(self.predictions))}.png"

    def view(self, made: Prediction) -> dict[str, Any]:
        """Return a prediction as the API shows it."""
        over = self.clock.now() >= made.ready
        status = made.ends if over else "processing"
        output = f"{self.url}/delivery/{made.id}.png" if status == "succeeded" else None
        if made.number and made.number % 40 == 0 and self.faults.on("results-missing"):
            output = None
        if output and self.faults.on("source-returned") and made is next(reversed(self.predictions.values())):
            output = made.picture
        return {
            "id": made.id,
            "model": "google/imagen-4" if self.faults.on("another-model") else MODEL,
            "input": {"prompt": made.prompt, "image_input": [made.picture], "output_format": "jpg"},
            "status": status,
            "output": output,
            "error": made.error if over else None,
            "created_at": iso(made.created),
            "completed_at": iso(made.ready) if over else None,
            "source": "api",
        }

    def answer(self, request: Request) -> Response:
        """Serve the API below /v1 to an observer, and pictures to anybody."""
        if request.path.startswith("/delivery/") or request.path == "/source.png":
            return Response(body=png(request.path, SIDE, SIDE), headers={"Content-Type": "image/png"})
        self.clock.sleep(8.0 if self.faults.on("replicate-slow") else LATENCY_S)
        if request.header("Authorization") != f"Bearer {self.token}":
            return json_response({"title": "Unauthenticated", "status": 401}, 401)
        return self._read(request, request.path.removeprefix("/v1"))

    def _read(self, request: Request, path: str) -> Response:
        if path == "/account":
            blocked = self.faults.on("account-blocked")
            return json_response(
                {"detail": "no credit"} if blocked else {"type": "organization"}, 402 if blocked else 200
            )
        if path == f"/models/{MODEL}" and not self.faults.on("model-unknown"):
            owner, _, name = MODEL.partition("/")
            return json_response({"owner": owner, "name": name})
        if path == "/predictions":
            return self._list(request)
        name = path.removeprefix("/predictions/")
        if self.faults.on("polls-slow"):
            self.clock.sleep(8.0)
        if self.faults.on("predictions-forgotten") or name not in self.predictions:
            return json_response({"detail": "The requested resource could not be found."}, 404)
        return json_response(self.view(self.predictions[name]))

    def _list(self, request: Request) -> Response:
        start = int(request.query.get("cursor", "0"))
        with self.lock:
            newest = sorted(self.predictions.values(), key=lambda one: one.created, reverse=True)
        page = [self.view(one) for one in newest[start : start + PAGE]]
        more = start + PAGE < len(newest)
        following = f"{self.url}/v1/predictions?cursor={start + PAGE}" if more else None
        return json_response({"next": following, "previous": None, "results": page})
