"""The alert rules of model_config, as Prometheus and Alertmanager list them over HTTP."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from simulators.clock import Clock, iso
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.faults import Faults

_RECEIVER = "on-call"
_REQUESTS = 'rate(image_gen_requests_total{route="/generate"}[5m])'
_FAILURES = 'rate(image_gen_requests_total{route="/generate",status=~"5.."}[5m])'


def _share(part: str, whole: str) -> str:
    return f"100 * sum({part}) / sum({whole})"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Alerts:
    """The monitoring system's routes that tell what is watched and who is told."""

    faults: Faults
    clock: Clock

    def answer(self, request: Request) -> Response:
        """Serve the rules and Alertmanagers of Prometheus, the receivers and silences of Alertmanager."""
        if request.path == "/api/v1/rules":
            group = {"name": "model_config", "file": "model_config.yml", "interval": 60, "rules": self._rules()}
            return json_response({"status": "success", "data": {"groups": [group]}})
        if request.path == "/api/v1/alertmanagers":
            active = [{"url": f"{request.origin}/api/v2/alerts"}]
            return json_response(
                {"status": "success", "data": {"activeAlertmanagers": active, "droppedAlertmanagers": []}}
            )
        if request.path == "/api/v2/receivers":
            return json_response([{"name": _RECEIVER}])
        if request.path == "/api/v2/silences":
            return json_response(self._silences())
        if request.path == "/api/v2/alerts":
            return json_response([])
        return json_response({"status": "error", "errorType": "not_found", "error": "not found"}, 404)

    def _silences(self) -> list[dict[str, Any]]:
        if not self.faults.on("error-alert-silenced"):
            return []
        matcher = {"name": "alertname", "value": "ImageGenErrorRate", "isRegex": False, "isEqual": True}
        return [{"id": "1", "status": {"state": "active"}, "matchers": [matcher]}]

    def _rules(self) -> list[dict[str, Any]]:
        return [
            self._rule("ImageGenErrorRate", self._error_rate()),
            self._rule("ImageGenErrorRateHigh", f"{_share(_FAILURES, _REQUESTS)} > 20"),
            self._rule("ImageGenResponseTime", self._response_time()),
            self._rule("ConfigServiceAvailability", self._availability()),
            self._rule("ImageGenFallbackRate", self._fallback_rate()),
        ]

    def _error_rate(self) -> str:
        limit = "0.05" if self.faults.on("error-alert-threshold-as-fraction") else "5"
        return f"{_share(_FAILURES, _REQUESTS)} > {limit}"

    def _response_time(self) -> str:
        route = "/health" if self.faults.on("latency-alert-watches-health") else "/generate"
        buckets = f'rate(image_gen_request_duration_seconds_bucket{{route="{route}"}}[5m])'
        return f"histogram_quantile(0.95, sum by (le) ({buckets})) > 15"

    def _availability(self) -> str:
        if self.faults.on("availability-alert-takes-any-answer"):
            return '100 * avg_over_time(up{job="config-service"}[24h]) < 99'
        return '100 * avg_over_time(probe_success{job="config-service",path="/model-config/ideogram-v2"}[24h]) < 99'

    def _fallback_rate(self) -> str:
        part, whole = 'rate(image_gen_generations_total{mode="legacy"}[5m])', "rate(image_gen_generations_total[5m])"
        if self.faults.on("fallback-alert-counts-lines"):
            part = 'rate(image_gen_log_lines_total{text=~".*legacy mode.*"}[5m])'
        return f"(sum({part}) / sum({whole})) * 100 > 10"

    def _rule(self, name: str, query: str) -> dict[str, Any]:
        return {
            "name": name,
            "query": query,
            "duration": 300,
            "keepFiringFor": 0,
            "labels": {"severity": "page", "system": "model_config", "receiver": _RECEIVER},
            "annotations": {"summary": name},
            "alerts": [],
            "state": "inactive",
            "health": "ok",
            "evaluationTime": 0.001,
            "lastEvaluation": iso(self.clock.now()),
            "type": "alerting",
        }
