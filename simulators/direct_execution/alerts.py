"""The alert rules of direct_execution, as Prometheus lists them over HTTP."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.direct_execution.alert_history import Past
    from simulators.faults import Faults

_FAILED = 'increase(generations_total{{status="failed"}}[{0}])'
_ENDED = 'increase(generations_total{{status=~"completed|failed"}}[{0}])'


def _share(window: str, by: str = "") -> str:
    group = f" by ({by})" if by else ""
    return f"100 * sum{group} ({_FAILED.format(window)}) / sum{group} ({_ENDED.format(window)})"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Alerts:
    """The monitoring system's routes that tell what is watched and who is told."""

    faults: Faults
    past: Past

    def answer(self, request: Request) -> Response:
        """Serve the rules of Prometheus and the receivers of Alertmanager."""
        if request.path == "/api/v1/rules":
            group = {"name": "direct_execution", "file": "direct_execution.yml", "interval": 60, "rules": self._rules()}
            return json_response({"status": "success", "data": {"groups": [group]}})
        if request.path == "/api/v1/query_range":
            return json_response(
                {"status": "success", "data": {"resultType": "matrix", "result": self._range(request)}}
            )
        if request.path == "/api/v2/receivers":
            return json_response([{"name": "on-call"}])
        return json_response({"status": "error", "errorType": "not_found", "error": "not found"}, 404)

    def _range(self, request: Request) -> list[dict[str, Any]]:
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        if request.query["query"].startswith("ALERTS"):
            return self.past.series(start, end, step)
        values = [[start + n * step, "1"] for n in range(int((end - start) // step) + 1)]
        return [{"metric": {"job": "functions"}, "values": values}]

    def _rules(self) -> list[dict[str, Any]]:
        return [
            _rule("SuccessRateLow", self._success(), "high"),
            _rule("ApiKeyRetrievalFailed", self._key_failures(), "high"),
            _rule("GenerationTooSlow", self._too_slow(), "medium"),
            _rule("ProviderErrorRate", self._providers(), "high"),
            _rule("TokenAmountUnexpected", self._tokens(), "warning"),
            _rule("ApiKeyMissing", self._missing(), "critical"),
            _rule("HighErrorRate", self._high(), "critical"),
            _rule("AllGenerationsFailing", self._all(), "critical"),
            _rule("LatencyIncreased", self._latency(), "warning"),
            _rule("ModelFailing", self._model(), "warning"),
        ]

    def _success(self) -> str:
        if self.faults.on("success-alert-averages-models"):
            return 'avg by (window) (generation_success_percent{window="1h"}) < 90'
        return f"100 - {_share('1h')} < 90"

    def _key_failures(self) -> str:
        calls = 'sum(increase(function_calls_total{function="get-api-key",status!="200",probe=""}[5m]))'
        return f"{calls} > {5 if self.faults.on('key-alert-needs-five') else 0}"

    def _too_slow(self) -> str:
        if self.faults.on("one-limit-for-all-types"):
            return "max(generation_seconds) / 300 > 2"
        return "max by (type) (generation_seconds / on (type) group_left () expected_seconds) > 2"

    def _providers(self) -> str:
        return f"{_share('1h', '' if self.faults.on('provider-alert-watches-the-total') else 'provider')} > 10"

    def _tokens(self) -> str:
        expected = "base_credit_cost" if self.faults.on("token-alert-compares-base-cost") else "calculated_cost"
        return f"max by (model_id) (abs(tokens_charged - {expected})) > 0"

    def _missing(self) -> str:
        statuses = "500" if self.faults.on("missing-key-alert-knows-500-alone") else "404|500"
        return f'sum(increase(function_calls_total{{function="get-api-key",status=~"{statuses}",probe=""}}[5m])) > 0'

    def _high(self) -> str:
        return f"{_share('1h' if self.faults.on('error-alert-over-an-hour') else '15m')} > 20"

    def _all(self) -> str:
        if self.faults.on("failing-alert-divides-by-completed"):
            return (
                f'100 * sum({_FAILED.format("5m")}) / sum(increase(generations_total{{status="completed"}}[5m])) >= 100'
            )
        return f"{_share('5m')} >= 100"

    def _latency(self) -> str:
        group = "" if self.faults.on("latency-alert-mixes-types") else " by (type)"
        return f"avg{group} (avg_over_time(generation_seconds[1h])) / avg{group} (baseline_seconds) > 2"

    def _model(self) -> str:
        enough = 100 if self.faults.on("model-alert-needs-a-hundred") else 4
        ended = f"sum by (model_id) ({_ENDED.format('1h')})"
        return f"({ended} >= {enough}) * 0 + {_share('1h', 'model_id')} > 50"


def _rule(name: str, query: str, severity: str) -> dict[str, Any]:
    return {
        "name": name,
        "query": query,
        "duration": 0,
        "labels": {"severity": severity, "receiver": "on-call"},
        "annotations": {"summary": name},
        "alerts": [],
        "state": "inactive",
        "health": "ok",
        "type": "alerting",
    }
