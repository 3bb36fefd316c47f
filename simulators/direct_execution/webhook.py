"""The function kie-ai-webhook: a provider's callback, let through four layers of doubt."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.drain import said
from simulators.direct_execution.generating import ENDED
from simulators.fetching import FetchError
from simulators.serving import Request, Response, json_response, text_response

if TYPE_CHECKING:
    from simulators.direct_execution.data import Row
    from simulators.direct_execution.generating import Studio

NAME = "kie-ai-webhook"
_TOO_FAST_S = 2.85
_RETRIES_S = (1, 2, 3)
_FIRST_FAILURE = 400


class TurnedAwayError(Exception):
    """A callback that a layer refuses."""

    def __init__(self, status: int, text: str, logged: str) -> None:
        super().__init__(text)
        self.status = status
        self.logged = logged


@dataclasses.dataclass(frozen=True, kw_only=True)
class Webhook:
    """The handler. token: what the address has to carry."""

    studio: Studio
    token: str

    def answer(self, request: Request) -> Response:
        """Serve one callback."""
        faults = self.studio.faults
        if faults.on("webhook-wants-a-session") and not request.header("Authorization"):
            return json_response({"code": 401, "message": "Missing authorization header"}, 401)
        bare = "token" not in request.query and faults.on("webhook-accepts-bare-addresses")
        if request.query.get("token") != self.token and not (bare or faults.on("webhook-accepts-forged")):
            self._say("warn", "SECURITY LAYER 1 FAILED: Invalid or missing URL token")
            return text_response("Not Found", 404)
        try:
            return self._handled(request)
        except TurnedAwayError as away:
            self._say("warn", away.logged)
            return json_response({"error": str(away)}, away.status)

    def _handled(self, request: Request) -> Response:
        payload = request.json()
        material = payload.get("data") or {}
        task = material.get("taskId") or material.get("task_id")
        if not task:
            raise TurnedAwayError(400, "Missing taskId in payload", "Missing taskId in payload")
        success = _is_success(payload, material)
        row = self._row(task, request.query.get("verify", ""), success=success)
        self._check_timing(row, success=success)
        if not self._is_new(task, material):
            self._say("warn", "SECURITY LAYER 4: Duplicate webhook detected (idempotency check)")
            return json_response({"success": True, "message": "Webhook already processed"})
        self._say("info", "All security layers passed - processing webhook", metadata={"taskId": task})
        if _is_failure(payload, material):
            text = material.get("failMsg") or payload.get("msg") or "failed"
            self.studio.fail(row, text)
            self.studio.drain.write(
                {"event": "generation_failed", "function": NAME, "generationId": str(row["id"]), "error": text}
            )
            return json_response({"success": True, "message": "Generation marked as failed"})
        if not success:
            self.studio.data.change(row["id"], status="processing")
            return json_response({"success": True, "message": "Partial webhook acknowledged"})
        return self._finished(row, json.loads(material["resultJson"])["resultUrls"][0])

    def _finished(self, row: Row, url: str) -> Response:
        try:
            self.studio.complete(row, url)
        except FetchError:
            self.studio.fail(row, "Download failed")
            return json_response({"success": True, "message": "Download failed - user refunded"})
        lived = (self.studio.moment(row) - row["created_at"]).total_seconds()
        self._say("info", "Parent generation completed", metadata={"generationId": str(row["id"])})
        if not self.studio.faults.on("real-webhook-success-unlogged"):
            self.studio.drain.write(success_line(str(row["id"]), "kie_ai", lived))
        return json_response({"success": True, "message": "Generation completed", "outputs_processed": 1})

    def _row(self, task: str, verify: str, *, success: bool) -> Row:
        faults = self.studio.faults
        unverified = (not verify and faults.on("webhook-verifies-what-is-there")) or (
            success and faults.on("webhook-verifies-failures-alone")
        )
        if not verify and not unverified:
            raise TurnedAwayError(400, "Missing verify token", "SECURITY LAYER 2 FAILED: Missing verify token")
        row = self._found(task)
        if row is None:
            raise TurnedAwayError(404, "Invalid task ID", "Security: Rejected webhook for unknown task")
        known = (row["settings"] or {}).get("_webhook_token") == verify
        if not (known or unverified or faults.on("webhook-accepts-forged")):
            raise TurnedAwayError(403, "Invalid verify token", "SECURITY LAYER 2 FAILED: Invalid verify token")
        if row["status"] in ENDED and not faults.on("webhook-accepts-late"):
            raise TurnedAwayError(400, "Generation already processed", "Generation already processed")
        return row

    def _found(self, task: str) -> Row | None:
        for pause in (*_RETRIES_S, None):
            found = self.studio.data.run(
                "SELECT * FROM generations WHERE provider_task_id = %s ORDER BY created_at DESC LIMIT 1", task
            )
            if found or pause is None:
                return found[0] if found else None
            self.studio.clock.sleep(pause)
        return None

    def _check_timing(self, row: Row, *, success: bool) -> None:
        lived = (self.studio.clock.now() - row["created_at"]).total_seconds() * self.studio.clock.speed
        if success and lived < _TOO_FAST_S and not self.studio.faults.on("webhook-accepts-too-fast"):
            self.studio.data.run(
                "INSERT INTO audit_logs (user_id, action) VALUES (%s, 'webhook_rejected_timing')", row["user_id"]
            )
            text = "Request processing too fast - potential security issue"
            raise TurnedAwayError(429, text, "SECURITY LAYER 3 FAILED: Webhook too fast - possible replay attack")

    def _is_new(self, task: str, material: dict[str, Any]) -> bool:
        kind = material.get("callbackType") or (
            "unknown" if self.studio.faults.on("real-partial-blocks-success") else material.get("state")
        )
        key = f"{task}-{kind}-{time.monotonic()}" if self.studio.faults.on("webhook-repeats") else f"{task}-{kind}"
        made = self.studio.data.run(
            "INSERT INTO webhook_events (idempotency_key, event_type) VALUES (%s, 'kie_ai_callback')"
            " ON CONFLICT DO NOTHING RETURNING id",
            key,
        )
        return bool(made)

    def _say(self, level: str, text: str, **fields: Any) -> None:
        self.studio.drain.write(said(NAME, level, text, **fields))


def success_line(generation: str, provider: str, seconds: float) -> dict[str, Any]:
    """Return webhookLogger.success of a generation that took so many seconds."""
    return {
        "event": "generation_completed",
        "function": NAME,
        "generationId": generation,
        "provider": provider,
        "duration": round(seconds * 1000),
    }


def _is_success(payload: dict[str, Any], material: dict[str, Any]) -> bool:
    return payload.get("code") == 200 and material.get("state") == "success" and bool(material.get("resultJson"))  # noqa: PLR2004  success


def _is_failure(payload: dict[str, Any], material: dict[str, Any]) -> bool:
    return material.get("state") == "failed" or (payload.get("code") or 0) >= _FIRST_FAILURE
