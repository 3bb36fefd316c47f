"""Looks at the metrics that the installation exports, and at the alerts that stand on them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

from .asking import ALERTS, METRICS, rules_about

if TYPE_CHECKING:
    from fixtures.database import Database
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.python import Call
    from fixtures.waiting import Patience

_SCRAPED_S = 60  # target seconds: two of the longest usual intervals between two scrapes
HISTORIES = {
    "registry": "model_registry_up",
    "writes": "inference_log_writes_total",
}


def query(prometheus: Http, selector: str) -> Exchange:
    """Ask for the present values of some series; those without a sample in five minutes are not among them."""
    return prometheus.get("/api/v1/query", params={"query": selector})


def names(answer: Exchange) -> set[str]:
    """Return the names of the series in an answer, without asking whether there are any."""
    if answer.trouble is not None or answer.status != 200 or "data" not in answer.json:
        return set()
    return {one["metric"]["__name__"] for one in answer.json["data"].get("result", [])}


def scraped(prometheus: Http, patience: Patience, selector: str, *wanted: str) -> Exchange:
    """Return the series of a selector once all that are wanted have been scraped, or as they are a minute later."""
    expected = {METRICS[name] for name in wanted}
    return patience.eventually(
        lambda: query(prometheus, selector), lambda seen: expected <= names(seen), within=_SCRAPED_S
    )


@observation(within="90 s")
def registry_series(
    prometheus: Http, patience: Patience, marker: str, registration: Call, log_written: Call
) -> Exchange:
    """The series about the run's own registrations, lookups, status changes and log writes."""
    wanted = ("lookup latency", "registrations", "status changes", "log writes", "log latency")
    return scraped(prometheus, patience, f'{{use_case=~"verify_{marker}_(registry|status|log)"}}', *wanted)


@observation(within="90 s")
def guardrails_series(prometheus: Http, patience: Patience, verdicts: Call) -> Exchange:
    """The series about the outputs that the run had judged."""
    models = "|".join(one["model_id"] for one in verdicts.result.values())
    wanted = ("violations", "checks", "monitoring latency")
    return scraped(prometheus, patience, f'{{__name__=~"guardrails_.+",model_id=~"{models}"}}', *wanted)


@observation(within="90 s")
def deployment_series(
    prometheus: Http, patience: Patience, marker: str, strategies: Call, disappointments: Call
) -> Exchange:
    """The series about the run's own deployments."""
    cases = "blue_green|canary|all_at_once|errors|slowness|late"
    wanted = ("deployments", "rollbacks", "strategies")
    return scraped(prometheus, patience, f'{{use_case=~"verify_{marker}_({cases})"}}', *wanted)


@observation()
def log_storage(prometheus: Http, models: Database) -> dict[str, Any]:
    """What the log takes up, as the metric says and as the database says before and after it."""
    sql = {"size": "SELECT pg_total_relation_size('model_historical_logs') AS bytes"}
    before = models.read(sql)
    metric = query(prometheus, METRICS["log storage"])
    return {"before": before, "metric": metric, "after": models.read(sql)}


@observation(within="90 s")
def exported(
    prometheus: Http,
    patience: Patience,
    registry_series: Exchange,
    guardrails_series: Exchange,
    refused_deployment: Call,
    default_deployment: Call,
) -> Exchange:
    """The names of all metrics that there are, once the run's own have been scraped."""
    return patience.eventually(
        lambda: prometheus.get("/api/v1/label/__name__/values"),
        lambda seen: seen.trouble is not None or set(METRICS.values()) <= set(seen.json["data"]),
        within=_SCRAPED_S,
    )


@observation()
def alert_rules(prometheus: Http) -> Exchange:
    """The alert rules."""
    return prometheus.get("/api/v1/rules", params={"type": "alert"})


@observation()
def alert_histories(prometheus: Http, facts: dict[str, str], alert_rules: Exchange) -> dict[str, Exchange]:
    """What was recorded of the registry, the log and their alerts since the deployment, at most a day back."""
    told = alert_rules.trouble is None and alert_rules.status == 200 and "data" in alert_rules.json
    rules = {name: rules_about(alert_rules, *parts) if told else [] for name, parts in ALERTS.items()}
    alerts = {
        name: f'ALERTS{{alertname=~"{"|".join(rule["name"] for rule in found)}",alertstate="firing"}}'
        for name, found in rules.items()
        if found
    }
    now = dt.datetime.now(dt.UTC)
    since = max(dt.datetime.fromisoformat(facts["deployed"]), now - dt.timedelta(hours=24))
    window = {"start": f"{since.timestamp():.0f}", "end": f"{now.timestamp():.0f}", "step": "15"}
    return {
        name: prometheus.get("/api/v1/query_range", params={"query": selector, **window})
        for name, selector in {**HISTORIES, **alerts}.items()
    }


def alerts_about(prometheus: Http, patience: Patience, model_id: str) -> list[Any]:
    """Return the firing alerts about a model once there are any, or none half a minute later."""

    def active() -> list[Any]:
        alerts = prometheus.get("/api/v1/alerts").json["data"]["alerts"]
        firing = [one for one in alerts if one["state"] == "firing"]
        return [one for one in firing if one["labels"].get("model_id") == model_id]

    return patience.eventually(active, bool, within=30)


@observation(within="60 s")
def violation_alerts(prometheus: Http, patience: Patience, verdicts: Call) -> list[Any]:
    """The active alerts about the model whose output violated critically."""
    return alerts_about(prometheus, patience, verdicts.result["kill"]["model_id"])


@observation(within="60 s")
def deployment_alerts(prometheus: Http, patience: Patience, refused_deployment: Call) -> list[Any]:
    """The active alerts about the model whose deployment was refused."""
    return alerts_about(prometheus, patience, refused_deployment.result["ids"]["new"])
