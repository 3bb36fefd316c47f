"""The HTTP services around the installation: model management, AI integration and story teller."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from simulators.serving import Listener, json_response

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.model_management.layers import Layers
    from simulators.serving import Request, Response

PREFIX = "/api/v1/model-management"
_FIELDS = ("model_name", "model_type", "provider", "use_case", "version")
_INSERT = """
    INSERT INTO models (model_name, model_type, provider, use_case, version, configuration)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING model_id::text
"""
_CURRENT = "SELECT * FROM models WHERE use_case = %s AND status = 'current' ORDER BY updated_at DESC LIMIT 1"


class Services:
    """Three services, each on a port of its own."""

    def __init__(self, dsn: str, layers: Layers, faults: Faults) -> None:
        self._dsn = dsn
        self._layers = layers
        self._faults = faults
        self._listeners = {name: Listener() for name in ("registry", "ai_integration", "story_teller")}
        for name, listener in self._listeners.items():
            listener.serve(getattr(self, f"_{name}"))

    def origins(self) -> dict[str, dict[str, str]]:
        """Return where the services are."""
        urls = {name: listener.url for name, listener in self._listeners.items()}
        if self._faults.on("story-teller-address-is-orchestration"):
            urls["story_teller"] = urls["ai_integration"]
        return {name: {"url": url} for name, url in urls.items()}

    def _registry(self, request: Request) -> Response:
        path = request.path
        if request.method == "GET" and path == "/health":
            return json_response({"status": "healthy"})
        if request.method == "GET" and path.startswith(f"{PREFIX}/current/"):
            return self._found(_CURRENT, path.rpartition("/")[2], "No current model found")
        if request.method == "GET" and path.startswith(f"{PREFIX}/models/"):
            return self._model(path.rpartition("/")[2])
        if request.method == "POST" and path == f"{PREFIX}/register":
            return self._register(request.json())
        return json_response({"detail": "Not Found"}, 404)

    def _model(self, name: str) -> Response:
        try:
            uuid.UUID(name)
        except ValueError as error:
            return json_response({"detail": str(error)}, 500)
        return self._found("SELECT * FROM models WHERE model_id = %s", name, "Model not found")

    def _found(self, sql: str, key: str, absent: str) -> Response:
        with psycopg.connect(self._dsn, row_factory=dict_row) as connection:
            row = connection.execute(sql.encode(), (key,)).fetchone()
        if row is None:
            return json_response({"detail": absent}, 404)
        if self._faults.on("service-serves-a-stale-model"):
            row["model_id"] = uuid.UUID(int=1)
        if self._faults.on("service-serves-a-stale-endpoint"):
            row["configuration"] = {"endpoint": "http://127.0.0.1:9/generate"}
        return json_response({name: _plain(cell) for name, cell in row.items()})

    def _register(self, body: dict[str, Any]) -> Response:
        missing = [name for name in _FIELDS if name not in body]
        if missing:
            errors = [{"type": "missing", "loc": ["body", name], "msg": "Field required"} for name in missing]
            return json_response({"detail": errors}, 422)
        values = [*(body[name] for name in _FIELDS), json.dumps(body.get("configuration", {}))]
        try:
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                row = connection.execute(_INSERT, values).fetchone()
        except psycopg.Error as error:
            return json_response({"detail": str(error)}, 500)
        return json_response({"model_id": row[0] if row else "", "status": "registered"})

    def _ai_integration(self, request: Request) -> Response:
        status = {"status": "healthy", "service": "ai_integration", "version": "1.0.0"}
        if self._faults.on("orchestration-at-previous-host"):
            status["service"] = "orchestrator"
        head = {
            "service": "AI Integration Service",
            "version": "1.0.0",
            "status": "running",
            "description": "AI services",
        }
        layers = {
            layer: {"url": url, "circuit_breaker_state": "CLOSED", "failure_count": 0, "success_count": 0,
                    "retry_count": 0, "weight": 1, "request_count": 0}
            for layer, url in self._layers.hard_coded.items()
        }  # fmt: skip
        answers: dict[str, Any] = {
            "/": head,
            "/health": status,
            "/ai/health": {"status": "healthy", "service": "ai_integration"},
            "/ai/services/status": {"llm_services": layers, "service_health": {}, "performance_metrics": {}},
        }
        known = request.method == "GET" and request.path in answers
        return json_response(answers[request.path]) if known else json_response({"detail": "Not Found"}, 404)

    def _story_teller(self, request: Request) -> Response:
        if request.method != "GET" or not re.fullmatch(r"/health/?", request.path):
            return json_response({"detail": "Not Found"}, 404)
        dependencies = {"postgresql": "healthy", "redis": "healthy"}
        return json_response(
            {"service": "story_teller", "status": "healthy", "version": "0.1.0", "dependencies": dependencies,
             "timestamp": dt.datetime.now(dt.UTC).isoformat()}
        )  # fmt: skip


def _plain(cell: object) -> object:
    if isinstance(cell, dt.datetime):
        return cell.isoformat()
    return str(cell) if isinstance(cell, uuid.UUID) else cell
