"""The Config Service: model configs as a JSON API over the database."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import uuid
from typing import TYPE_CHECKING, Any

from simulators.clock import Clock, iso
from simulators.controls import Controls, scope_of
from simulators.model_config.config_body import RefusedError, body_of, cells, check_status, decoded, validated
from simulators.model_config.seed import insert
from simulators.serving import Request, Response, json_response, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.faults import Faults
    from simulators.model_config.database import Database

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}
# Cloudflare adds this header to a worker's own requests; who lacks it is an outside caller.
WORKER_HEADER = "CF-Worker"
HELD_OPEN_S = 600.0  # far beyond any caller's patience


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfigService:
    """The service's routes. Faults that concern outside callers leave the worker's own requests alone."""

    data: Database
    faults: Faults
    clock: Clock
    controls: Controls
    recent: list[float] = dataclasses.field(default_factory=list)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response:
        """Serve one request in the envelope `data` / `error`, with CORS."""
        if (early := self._early(request)) is not None:
            return dataclasses.replace(early, headers={**early.headers, **_CORS})
        status = 200
        try:
            payload: dict[str, Any] = {"data": self._data(request)}
        except RefusedError as refusal:
            status, payload = refusal.status, {"error": str(refusal)}
        except sqlite3.Error:
            status, payload = 500, {"error": "Database error"}
        payload["request_id"] = str(uuid.uuid4())
        if status != 200:  # noqa: PLR2004  # success
            payload["status"] = status
        return json_response(payload, status, _CORS)

    def _early(self, request: Request) -> Response | None:
        """Return the answers that come before any route: rehearsals, preflight, health, faults of the front."""
        mode = self.controls.mode("config-service", *scope_of(request))
        if mode == "hang":
            self.clock.sleep(HELD_OPEN_S)
        if mode == "503":
            return text_response("error code: 503", 503)
        if request.method == "OPTIONS":
            return Response()
        path = request.path.rstrip("/") or "/"
        if path in ("/", "/health"):
            return self._health(path)
        if path == "/model-config" and request.method == "GET":
            return self._list_faults()
        return self._outside_faults(request)

    def _health(self, path: str) -> Response:
        if path == "/" and self.faults.on("config-origin-530"):
            return text_response("error code: 1016", 530)
        if path == "/health" and self.faults.on("config-health-html"):
            return text_response("<!doctype html><title>Error</title>", kind="text/html")
        return json_response({"status": "healthy", "service": "config-service"})

    def _list_faults(self) -> Response | None:
        if self.faults.on("config-list-plain-text"):
            return text_response("Not implemented")
        if self.faults.on("config-service-rate-limits") and self._is_burst():
            return text_response("error code: 1015", 429)
        return None

    def _is_burst(self) -> bool:
        """Say whether more than 30 lists were asked for within 10 s."""
        with self.lock:
            now = self.clock.seconds()
            self.recent[:] = [*(moment for moment in self.recent if moment > now - 10), now]
            return len(self.recent) > 30  # noqa: PLR2004  # below the burst of 50 that the checklist allows

    def _outside_faults(self, request: Request) -> Response | None:
        if not request.path.startswith("/model-config/") or request.header(WORKER_HEADER):
            return None
        if self.faults.on("config-single-error-envelope"):
            return json_response({"error": "not found", "request_id": str(uuid.uuid4())})
        return None

    def _data(self, request: Request) -> Any:
        parts = [part for part in request.path.split("/") if part]
        if parts[0] == "provider-key":
            raise RefusedError(500, "Provider key storage not configured")
        if parts[0] == "dev-credentials":
            raise RefusedError(401, "Unauthorized - valid API key required")
        routes: dict[tuple[str, int], Callable[..., Any]] = {
            ("GET", 1): self._list,
            ("POST", 1): self._create,
            ("GET", 2): self._get,
            ("PUT", 2): self._update,
            ("DELETE", 2): self._delete,
        }
        route = routes.get((request.method, len(parts)))
        if parts[0] != "model-config" or route is None:
            raise RefusedError(404, "Route not found")
        return route(request, *parts[1:])

    def configs(self) -> list[dict[str, Any]]:
        """Return all configs as the list route delivers them."""
        rows = self.data.run("SELECT * FROM model_configs ORDER BY provider_id, display_name").objects
        return [decoded(row) for row in rows]

    def _list(self, request: Request) -> dict[str, Any]:
        wanted = {name: request.query[name] for name in ("provider_id", "status") if name in request.query}
        configs = self.configs()
        if not configs and self.faults.on("empty-list-500"):
            raise RefusedError(500, "Database error")
        kept = [config for config in configs if all(config[name] == text for name, text in wanted.items())]
        if self.faults.on("config-list-page-limit"):
            kept = kept[:5]
        return {"configs": kept, "total": len(kept)}

    def _get(self, request: Request, name: str) -> dict[str, Any]:
        outside = not request.header(WORKER_HEADER)
        if outside and self.faults.on("config-single-ignores-id"):
            return decoded(self.data.run("SELECT * FROM model_configs ORDER BY rowid LIMIT 1").objects[0])
        config = self._find(name)
        if outside and self.faults.on("mapping-stale") and name == "ideogram-v2":
            config["payload_mapping"] = {**config["payload_mapping"], "endpoint": "https://api.example.com/v0/generate"}
        if outside and self.faults.on("config-single-cuts-dots") and "." in name:
            raise RefusedError(404, "Model config not found")
        if outside and self.faults.on("mapping-as-string"):
            config["payload_mapping"] = json.dumps(config["payload_mapping"])
        return config

    def _find(self, name: str) -> dict[str, Any]:
        rows = self.data.run("SELECT * FROM model_configs WHERE config_id = ?1 OR model_id = ?1", (name,)).objects
        if not rows:
            raise RefusedError(404, "Model config not found")
        return decoded(rows[0])

    def _create(self, request: Request) -> dict[str, Any]:
        body = validated(body_of(request))
        model, provider, now = body["model_id"], body["provider_id"], iso(self.clock.now())
        if self.data.run("SELECT 1 FROM model_configs WHERE model_id = ?", (model,)).rows:
            raise RefusedError(409, f'Model config with model_id "{model}" already exists')
        config_id = f"cfg_{provider}_{model.replace('-', '_')}"
        row = {"config_id": config_id, "model_id": model, "provider_id": provider, **cells(body)}
        insert(self.data, {**row, "created_at": now, "updated_at": now})
        return self._find(config_id)

    def _update(self, request: Request, name: str) -> dict[str, Any]:
        config_id = self._find(name)["config_id"]
        changes = cells(body_of(request))
        if not changes:
            raise RefusedError(400, "No fields to update")
        if "status" in changes:
            check_status(changes["status"])
        changes["updated_at"] = iso(self.clock.now())
        assignments = ", ".join(f"{column} = ?" for column in changes)
        sql = f"UPDATE model_configs SET {assignments} WHERE config_id = ?"  # noqa: S608  # our column names
        self.data.run(sql, (*changes.values(), config_id))
        return self._find(config_id)

    def _delete(self, _: Request, name: str) -> dict[str, Any]:
        config = self._find(name)
        self.data.run("DELETE FROM model_configs WHERE config_id = ?", (config["config_id"],))
        return {"deleted": True, "config_id": config["config_id"], "model_id": config["model_id"]}
