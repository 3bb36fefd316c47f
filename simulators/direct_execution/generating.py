"""The functions around a generation: material taken over from a provider, settled credits, synchronous models."""

from __future__ import annotations

import dataclasses
import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.registry import SYNCHRONOUS, output_type, price
from simulators.fetching import FetchError, fetch
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.clock import Clock
    from simulators.direct_execution.bucket import Bucket
    from simulators.direct_execution.data import Data, Row
    from simulators.direct_execution.drain import Drain
    from simulators.direct_execution.keys import Vault
    from simulators.direct_execution.registry import Model
    from simulators.direct_execution.sessions import Sessions
    from simulators.faults import Faults

# In the target's seconds. They are well inside the checklist's limits, and short: a video calls back after twenty.
IMAGE_S, SYNCHRONOUS_S, VIDEO_S, SLOW_VIDEO_S = 1.5, 1.0, 20.0, 320.0
ADDED_S = 1.0  # what the project itself adds: taking a file over, settling
ENDED = ("completed", "failed", "cancelled")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Studio:
    """What the functions share."""

    data: Data
    bucket: Bucket
    sessions: Sessions
    models: list[Model]
    drain: Drain
    clock: Clock
    faults: Faults
    providers_url: str
    vault: Vault

    def row(self, generation: object) -> Row | None:
        """Return a generation, or None."""
        found = self.data.run("SELECT * FROM generations WHERE id::text = %s", str(generation))
        return found[0] if found else None

    def moment(self, row: Row) -> dt.datetime:
        """Return when the row ended by the target's clock, on which what this machine adds takes no time."""
        lived = (self.clock.now() - row["created_at"]).total_seconds() * self.clock.speed
        ended: dt.datetime = row["created_at"] + dt.timedelta(seconds=max(0.1, min(lived, self._longest(row))))
        return ended

    def _longest(self, row: Row) -> float:
        """Return how long the providers let a generation like this last, in the target's seconds."""
        if row["type"] == "video":
            return (SLOW_VIDEO_S if self.faults.on("video-takes-too-long") else VIDEO_S) + ADDED_S
        return max(IMAGE_S, SYNCHRONOUS_S) + ADDED_S

    def complete(self, row: Row, url: str) -> str:
        """Take a finished output over into the bucket and settle the row; return where it is."""
        reply = fetch(url, timeout=30)
        body, kind = reply.body, reply.headers.get("content-type", "")
        synchronous = self.faults.on("synchronous-image-is-an-error") and str(row["model_record_id"]) == SYNCHRONOUS
        if synchronous or (self.faults.on("stored-file-is-an-error") and row["type"] == "image"):
            body, kind = b'{"error":"expired"}', "image/png"
        path = f"{row['user_id']}/{row['created_at']:%Y-%m-%d}/{row['id']}.{'mp4' if row['type'] == 'video' else 'png'}"
        late = self.clock.now() + dt.timedelta(seconds=self.clock.ours(25))
        hidden = self.faults.on("file-readable-late") and row["type"] == "image"
        self.bucket.put(path, body, kind, readable_from=late if hidden else None)
        if self.faults.on("output-answers-403") and row["type"] == "video":
            self.bucket.forbid(path)
        place = self.bucket.url(path)
        done = {} if self.faults.on("completed-without-moment") else {"completed_at": self.moment(row)}
        self.data.change(
            row["id"], status="completed", output_url=place, storage_path=path, file_size_bytes=len(body),
            updated_at=self.moment(row), **done,
        )  # fmt: skip
        self.settle(row["id"], "completed")
        return place

    def fail(self, row: Row, text: str) -> None:
        """End a row whose provider failed; nothing is charged."""
        self.data.change(
            row["id"],
            status="failed",
            provider_response={"error": text},
            completed_at=self.moment(row),
            updated_at=self.moment(row),
        )
        self.settle(row["id"], "failed")

    def settle(self, generation: object, status: str) -> dict[str, Any]:
        """Charge a completed generation once."""
        again = self.faults.on("real-settled-again-and-again")
        with self.data.transaction() as connection:
            row = connection.execute(
                "SELECT * FROM generations WHERE id::text = %s FOR UPDATE", (str(generation),)
            ).fetchone()
            if row is None:
                raise LookupError("Generation not found")
            again = again or (self.faults.on("videos-settled-again") and row["type"] == "video")
            if row["tokens_charged"] > 0 and not again:
                return {"message": "Already settled"}
            if status == "failed":
                return {"success": True, "charged": 0}
            if status != "completed":
                return {"message": "No action needed"}
            times = 2 if self.faults.on("charged-twice") else 1
            cost = row["tokens_used"]
            connection.execute(
                "UPDATE user_subscriptions SET tokens_remaining = tokens_remaining - %s WHERE user_id = %s",
                (cost * times, row["user_id"]),
            )
            connection.execute("UPDATE generations SET tokens_charged = %s WHERE id = %s", (cost, row["id"]))
        return {"success": True, "charged": float(cost)}

    def process_runware(self, request: Request) -> Response:
        """Serve process-runware-response."""
        row = self.row(request.json().get("generation_id"))
        if row is None:
            return json_response({"error": "Generation not found"}, 404)
        if row["status"] == "completed":
            return json_response(
                {"success": True, "message": "Generation already completed", "storage_path": row["storage_path"]}
            )
        material = ((row["provider_response"] or {}).get("data") or [{}])[0].get("imageURL")
        if not material:
            return json_response({"error": "No media URL found in provider response"}, 400)
        try:
            place = self.complete(row, material)
        except FetchError as error:
            return json_response({"error": "Processing failed", "message": str(error)}, 500)
        return json_response({"success": True, "generation_id": str(row["id"]), "output_url": place})

    def settle_call(self, request: Request) -> Response:
        """Serve settle-generation-credits."""
        asked = request.json()
        if not asked.get("generationId") or not asked.get("status"):
            return json_response({"error": "Missing generationId or status"}, 500)
        try:
            return json_response(self.settle(asked["generationId"], asked["status"]))
        except LookupError as error:
            return json_response({"error": str(error)}, 500)

    def poll_status(self, request: Request) -> Response:
        """Serve poll-kie-status."""
        asked = request.json()
        if not asked.get("generation_id") and not asked.get("task_id"):
            return json_response({"error": "Missing generation_id or task_id"}, 400)
        row = self.row(asked.get("generation_id"))
        if row is None:
            return json_response({"error": "Generation not found"}, 500)
        if not row["provider_task_id"]:
            return json_response({"error": "No task_id found in generation"}, 500)
        urls = [row["output_url"]] if row["output_url"] else []
        return json_response({"success": True, "status": row["status"], "message": "Task", "result_urls": urls})

    def synchronous(self, request: Request) -> Response:
        """Serve generate-content-sync: the answer itself carries the finished result."""
        asked, session = request.json(), self.sessions.of(request)
        model = next((one for one in self.models if one["recordId"] == asked.get("model_record_id")), None)
        if self.faults.on("real-synchronous-refused") or not asked.get("model_record_id"):
            return json_response({"error": "Invalid request parameters", "code": "GENERATE_CONTENT_SYNC_ERROR"}, 400)
        if model is None:
            return json_response({"error": "Resource not found", "code": "GENERATE_CONTENT_SYNC_ERROR"}, 404)
        row = self._record(model, session.user, asked["prompt"], asked.get("custom_parameters") or {})
        if self.faults.on("synchronous-answers-pending"):
            return json_response({"id": str(row["id"]), "status": "pending", "content_type": "image"}, 202)
        headers = {"Authorization": f"Bearer {self.vault.held['LOVABLE_API_KEY']}"}
        payload = {"model": model["modelId"], "messages": [{"role": "user", "content": asked["prompt"]}]}
        reply = fetch(
            f"{self.providers_url}/lovable/v1/chat/completions",
            method="POST",
            headers=headers,
            payload=payload,
            timeout=60,
        )
        image = reply.json()["choices"][0]["message"]["images"][0]["image_url"]["url"]
        place = self.complete(row, image)
        if self.faults.on("synchronous-answers-without-image"):
            return json_response({"id": str(row["id"]), "status": "processing", "content_type": "image"})
        return json_response(
            {
                "id": str(row["id"]),
                "status": "completed",
                "output_url": place,
                "tokens_used": float(row["tokens_used"]),
                "content_type": "image",
            }
        )

    def _record(self, model: Model, user: str, prompt: str, settings: dict[str, Any]) -> Row:
        """Insert a generation that is to be made."""
        (row,) = self.data.run(
            "INSERT INTO generations (user_id, type, prompt, tokens_used, model_id, model_record_id, settings)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING *",
            user, output_type(model["contentType"]), prompt, price(model, settings), model["modelId"],
            model["recordId"], settings,
        )  # fmt: skip
        return row

    def by_the_server(self, request: Request) -> Response:
        """Serve generate-content, as a later state of the project has it: the server itself calls the provider."""
        asked, user = request.json(), self.sessions.of(request).user
        model = next(one for one in self.models if one["recordId"] == asked["model_config"]["recordId"])
        token = secrets.token_hex(16)
        settings = {**asked.get("custom_parameters", {}), "_webhook_token": token}
        row = self._record(model, user, asked["prompt"], settings)
        headers = {"Authorization": f"Bearer {self.vault.held[model['use_api_key']]}"}
        if model["provider"] == "runware":
            payload: object = [{"taskType": "imageInference", "positivePrompt": asked["prompt"]}]
            made = fetch(
                f"{self.providers_url}/runware/v1", method="POST", headers=headers, payload=payload, timeout=60
            ).json()
            self.complete(row, made["data"][0]["imageURL"])
        else:
            callback = f"{request.origin}/functions/v1/kie-ai-webhook?verify={token}"
            payload = {"model": model["modelId"], "callBackUrl": callback, "input": {"prompt": asked["prompt"]}}
            url = f"{self.providers_url}/kie/api/v1/jobs/createTask"
            made = fetch(url, method="POST", headers=headers, payload=payload, timeout=60).json()
            self.data.change(row["id"], status="processing", provider_task_id=made["data"]["taskId"])
        answer = {"id": str(row["id"]), "generation_id": str(row["id"]), "status": "processing", "is_async": True}
        return json_response({**answer, "tokens_used": float(row["tokens_used"])}, 202)
