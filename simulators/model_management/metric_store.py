"""The metrics and alerts of the installation, behind the HTTP API of Prometheus."""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from simulators.model_management.metric_past import past
from simulators.model_management.metric_rules import rules
from simulators.serving import Listener, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.faults import Faults
    from simulators.serving import Request, Response

Labels = dict[str, str]

_STORAGE = "inference_log_storage_bytes"

_SELECTOR = re.compile(r"(?P<name>\w*)(?:\{(?P<matchers>.*)\})?")
_BUCKETS = ("0.05", "0.1", "0.2", "0.5", "+Inf")
_MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')
# Measurements that a fault keeps from being exported.
_UNEXPORTED = {"lookups-not-exported": "model_registry_lookup_seconds"}


class MetricStore:
    """Counts what the installation sends in datagrams, and answers queries. address: where the datagrams go."""

    def __init__(self, faults: Faults, deployed: dt.datetime, storage: Callable[[], int]) -> None:
        self._faults = faults
        self._past = past(deployed, faults)
        self._storage = storage
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._alerts: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # a burst of a run's measurements
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._receive, name="metrics", daemon=True).start()
        listener = Listener()
        listener.serve(self._answer)
        self.url = listener.url

    def _receive(self) -> None:
        while True:
            kind, name, labels, amount = json.loads(self._socket.recv(65536))
            if any(self._faults.on(fault) and name.startswith(begin) for fault, begin in _UNEXPORTED.items()):
                continue
            with self._lock:
                for part, labelled, more in _parts(kind, name, labels, amount):
                    key = (part, tuple(sorted(labelled.items())))
                    self._series[key] = self._series.get(key, 0.0) + more
                self._raise_alerts(name, labels)

    def _raise_alerts(self, name: str, labels: Labels) -> None:
        if name == "guardrails_violations_total" and labels["severity"] == "critical":
            delay = 180.0 if self._faults.on("violation-alert-batched") else 0.5
            self._alert("CriticalGuardrailsViolation", {"model_id": labels["model_id"]}, delay)
        silent = self._faults.on("rolled-back-deployment-raises-no-alert")
        if name == "model_deployments_total" and labels["outcome"] != "succeeded" and not silent:
            named = {"model_id": labels["model_id"], "use_case": labels["use_case"]}
            self._alert("ModelDeploymentFailed", named, 0.5)

    def _alert(self, name: str, labels: Labels, delay: float) -> None:
        at = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=delay)).isoformat()
        self._alerts.append({"labels": {"alertname": name, **labels}, "state": "firing", "activeAt": at, "value": "1"})

    def _answer(self, request: Request) -> Response:
        asked = request.query
        answers: dict[str, Callable[[], Any]] = {
            "/api/v1/query": lambda: self._now(asked.get("query", "")),
            "/api/v1/query_range": lambda: self._range(asked),
            "/api/v1/rules": lambda: {"groups": [{"name": "model_management", "rules": rules(self._faults)}]},
            "/api/v1/label/__name__/values": self._names,
            "/api/v1/alerts": lambda: {"alerts": list(self._alerts)},
        }
        if self._faults.on("real-nothing-exported"):
            answers["/api/v1/rules"] = lambda: {"groups": []}
            answers["/api/v1/alerts"] = lambda: {"alerts": []}
            answers["/api/v1/label/__name__/values"] = list
            answers["/api/v1/query"] = answers["/api/v1/query_range"] = lambda: {"resultType": "vector", "result": []}
        if request.path not in answers:
            return json_response({"status": "error", "error": "not found"}, 404)
        return json_response({"status": "success", "data": answers[request.path]()})

    def _names(self) -> list[str]:
        return sorted(
            {_STORAGE} | {name for name, _ in self._series} | {labels["__name__"] for labels, _ in self._past}
        )

    def _now(self, query: str) -> dict[str, Any]:
        with self._lock:
            held = {**self._series, (_STORAGE, ()): float(self._storage())}
        now = time.time()
        found = [
            {"metric": {"__name__": name, **dict(labels)}, "value": [now, f"{number:g}"]}
            for (name, labels), number in held.items()
            if _selected(query, {"__name__": name, **dict(labels)})
        ]
        return {"resultType": "vector", "result": found}

    def _range(self, asked: dict[str, str]) -> dict[str, Any]:
        start, end = float(asked["start"]), float(asked["end"])
        found = [
            {"metric": labels, "values": [[at, f"{number:g}"] for at, number in points if start <= at <= end]}
            for labels, points in self._past
            if _selected(asked["query"], labels)
        ]
        return {"resultType": "matrix", "result": found}


def _parts(kind: str, name: str, labels: Labels, amount: float) -> list[tuple[str, Labels, float]]:
    """Return what one message adds to which series: a distribution's are its buckets, count and sum."""
    if kind == "counter":
        return [(name, labels, amount)]
    buckets = [bound for bound in _BUCKETS if amount <= float(bound)]
    counted = [(f"{name}_bucket", {**labels, "le": bound}, 1.0) for bound in buckets]
    return [*counted, (f"{name}_count", labels, 1.0), (f"{name}_sum", labels, amount)]


def _selected(query: str, labels: Labels) -> bool:
    """Say whether an instant vector selector with `=` and `=~` takes a series."""
    match = _SELECTOR.fullmatch(query.strip())
    if match is None:
        return False
    wanted = [("__name__", "=", match["name"])] if match["name"] else []
    wanted += _MATCHER.findall(match["matchers"] or "")
    return all(
        re.fullmatch(text, labels.get(name, "")) if way == "=~" else labels.get(name, "") == text
        for name, way, text in wanted
    )
