"""The model_config simulator: the contract of the real parts over real HTTP, D1, S3 and log."""

from __future__ import annotations

import io
import itertools
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from PIL import Image

from simulators.fetching import fetch
from tests.simulated import SPEED, Target, agent_of, lines_of, target_with

if TYPE_CHECKING:
    from collections.abc import Iterator

SIX = {
    ("ideogram-v2", "ideogram", "active"),
    ("gemini-veo-3.1", "gemini", "active"),
    ("gemini-2.5-flash-nano-banana", "gemini", "beta"),
    ("dall-e-3", "openai", "active"),
    ("dall-e-2", "openai", "deprecated"),
    ("claude-3-5-sonnet", "anthropic", "active"),
}
DYNAMIC = [
    r"Fetching model config for ideogram-v2 from http://127\.0\.0\.1:\d+",
    r"Successfully fetched model config for ideogram-v2",
    r"Using model config for ideogram-v2 \(provider: ideogram\)",
    r"Applying payload mapping from model config",
    r"Provider ideogram responded with status 200",
    r"Generation completed .*success.*true.*",
]
LEGACY = [
    r"Fetching model config for nonexistent-model from http://127\.0\.0\.1:\d+",
    r"Model config not found for nonexistent-model - will use legacy mode",
    r"Model config not found for nonexistent-model, falling back to legacy mode with provider: ideogram",
    r"Using legacy adapter formatRequest",
    r"Provider ideogram responded with status 200",
    r"Generation completed .*success.*true.*",
]


def new_tag() -> str:
    return f"mark-{uuid.uuid4().hex[:12]}"


def matches(lines: list[str], patterns: list[str]) -> bool:
    return len(lines) == len(patterns) and all(
        re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines, strict=True)
    )


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with target_with() as found:
        yield found


# ---- the worker ----


def test_health_answers_as_the_contract_says(target: Target) -> None:
    reply = target.call("worker", "/health")
    assert reply.json() == {"status": "healthy", "service": "image-gen", "r2_configured": True}
    assert reply.headers["access-control-allow-origin"] == "*"
    assert target.call("worker", "/health", method="HEAD").status == 404


def test_preflight_and_unknown_routes(target: Target) -> None:
    preflight = target.call("worker", "/generate", method="OPTIONS")
    assert (preflight.status, preflight.body) == (200, b"")
    assert preflight.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert preflight.headers["access-control-max-age"] == "86400"
    unknown = target.call("worker", "/nowhere")
    assert (unknown.status, unknown.json()["error_code"]) == (404, "ROUTE_NOT_FOUND")
    assert unknown.headers["x-request-id"] == unknown.json()["request_id"]


def test_a_generation_by_model_id_is_stored_served_and_logged(target: Target) -> None:
    tag = new_tag()
    reply = target.generate(tag, model_id="ideogram-v2", instance_id="default")
    body = reply.json()
    assert (reply.status, body["success"]) == (200, True)
    assert reply.headers["x-request-id"] == body["request_id"]
    assert re.fullmatch(rf"default/\d{{13}}_A_red_kite_{tag.replace('-', '_')}\.png", body["r2_path"])
    assert body["image_url"] == target.table["http"]["worker"]["url"] + "/images/" + body["r2_path"]
    assert body["metadata"] | {"generation_time_ms": 0} == {
        "provider": "ideogram",
        "model": "ideogram-v2",
        "dimensions": "1024x1024",
        "format": "png",
        "generation_time_ms": 0,
    }
    assert body["metadata"]["generation_time_ms"] >= 2600
    served = fetch(body["image_url"])
    assert (served.status, served.headers["content-type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(served.body)).convert("RGB").size == (1024, 1024)
    stored = obstore.get(target.store(), body["r2_path"])
    assert bytes(stored.bytes()) == served.body
    assert stored.attributes["Content-Type"] == "image/png"
    assert {"instance_id": "default", "provider": "ideogram", "prompt": f"A red kite {tag}"}.items() <= dict(
        stored.attributes
    ).items()
    (event,) = target.events(tag)
    assert matches(lines_of(event), DYNAMIC), lines_of(event)
    assert {log["level"] for log in event["logs"]} == {"log"}
    assert (event["outcome"], event["scriptName"], event["event"]["response"]["status"]) == ("ok", "image-gen", 200)
    assert abs(event["wallTime"] - body["metadata"]["generation_time_ms"]) < 500


def test_an_unknown_model_is_served_in_legacy_mode(target: Target) -> None:
    tag = new_tag()
    reply = target.generate(tag, model_id="nonexistent-model")
    assert (reply.status, reply.json()["metadata"]["model"]) == (200, "V_2")
    assert fetch(reply.json()["image_url"]).status == 200
    (event,) = target.events(tag)
    assert matches(lines_of(event), LEGACY), lines_of(event)
    assert [log["level"] for log in event["logs"]] == ["log", "log", "warn", "log", "log", "log"]


@pytest.mark.parametrize(
    ("named", "fetched"),
    [
        ({}, "ideogram-v2"),
        ({"model": "dall-e-3"}, "dall-e-3"),
        ({"model": "dall-e-3", "model_id": "ideogram-v2"}, "ideogram-v2"),
        ({"model": ""}, "ideogram-v2"),
    ],
)
def test_the_model_comes_from_model_id_then_model_then_the_default(
    target: Target, named: dict[str, str], fetched: str
) -> None:
    tag = new_tag()
    assert target.generate(tag, **named).json()["metadata"]["model"] == fetched
    assert target.lines(tag)[0].startswith(f"Fetching model config for {fetched} from ")


def test_options_reach_the_provider(target: Target) -> None:
    reply = target.generate(model_id="ideogram-v2", options={"aspect_ratio": "16:9"}, project_id="spring")
    assert reply.json()["metadata"]["dimensions"] == "1280x720"
    assert reply.json()["r2_path"].startswith("default/spring/")
    assert Image.open(io.BytesIO(fetch(reply.json()["image_url"]).body)).size == (1280, 720)


@pytest.mark.parametrize("model", ["dall-e-3", "stable-diffusion-3"])
def test_other_providers_generate_too(target: Target, model: str) -> None:
    metadata = target.generate(model_id=model).json()["metadata"]
    assert (metadata["model"], metadata["provider"]) == (model, {"d": "openai", "s": "stability"}[model[0]])


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        ({"prompt": None}, 400, "INVALID_REQUEST", "Prompt is required"),
        ({"prompt": ""}, 400, "INVALID_REQUEST", "Prompt is required"),
        ({"prompt": "  "}, 400, "INVALID_REQUEST", "Prompt is required"),
        ({"prompt": 7}, 400, "INVALID_REQUEST", "Prompt is required"),
        ({"model_id": 7}, 400, "INVALID_REQUEST", "model_id"),
        ({"model_id": {"a": 1}}, 400, "INVALID_REQUEST", "model_id"),
        ({"model_id": ""}, 400, "INVALID_REQUEST", "model_id"),
        ({"model_id": "x" * 10_240}, 400, "INVALID_REQUEST", "model_id"),
        ({"model_id": "../health"}, 400, "INVALID_REQUEST", "model_id"),
        ({"model_id": "x' OR '1'='1"}, 400, "INVALID_REQUEST", "model_id"),
        ({"model": "../health"}, 400, "INVALID_REQUEST", "model"),
        ({"instance_id": "nobody"}, 404, "INSTANCE_NOT_FOUND", "Instance not found: nobody"),
    ],
)
def test_a_bad_request_is_refused_at_once_and_leaves_no_line(
    target: Target, body: dict[str, object], status: int, code: str, text: str
) -> None:
    tag = new_tag()
    reply = target.generate(tag, **body)
    assert (reply.status, reply.json()["error_code"]) == (status, code)
    assert text in reply.json()["error"]
    assert reply.headers["x-request-id"] == reply.json()["request_id"]
    assert target.lines(tag) == []


def test_a_model_without_a_key_stops_after_the_choice_and_logs_the_error(target: Target) -> None:
    tag = new_tag()
    reply = target.generate(tag, model_id="claude-3-5-sonnet")
    assert (reply.status, reply.json()["error_code"]) == (500, "MISSING_API_KEY")
    (event,) = target.events(tag)
    assert lines_of(event)[2:] == [
        "Using model config for claude-3-5-sonnet (provider: anthropic)",
        "Generation error: API key not configured for provider: anthropic",
    ]
    assert event["logs"][-1]["level"] == "error"


def test_missing_pictures_and_the_r2_test_route(target: Target) -> None:
    missing = target.call("worker", "/images/default/none.png")
    assert (missing.status, missing.body) == (404, b"Image not found")
    reply = target.call("worker", "/test-r2")
    assert fetch(reply.json()["url"]).body == b"test"
    assert "access-control-allow-origin" not in reply.headers


def test_the_hundred_and_first_request_of_a_minute_is_refused(target: Target) -> None:
    tag = new_tag()
    with target.failing("provider", "500", tag), ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: target.generate(tag, instance_id="staging"), range(101)))
    refused = [reply.json() for reply in replies if reply.status == 429]
    assert len(refused) == 1
    assert refused[0]["error_code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= refused[0]["details"]["retry_after"] <= 60
    assert refused[0]["details"]["reset"] > time.time()


# ---- rehearsals ----


@pytest.mark.parametrize(
    ("mode", "status", "code", "logged"),
    [
        ("429", 502, "PROVIDER_RATE_LIMIT", "Provider ideogram responded with status 429"),
        ("500", 500, "GENERATION_ERROR", "Provider ideogram responded with status 500"),
        ("denied", 500, "GENERATION_ERROR", "Provider ideogram responded with status 401"),
        ("hang", 504, "GATEWAY_TIMEOUT", "Provider ideogram did not respond: .*timeout"),
    ],
)
def test_a_failing_provider_is_answered_logged_and_stores_nothing(
    target: Target, mode: str, status: int, code: str, logged: str
) -> None:
    tag = new_tag()
    with target.failing("provider", mode, tag):
        reply = target.generate(tag)
        assert target.generate(new_tag()).status == 200  # nobody else is disturbed
    assert (reply.status, reply.json()["error_code"]) == (status, code)
    assert "Invalid API key" not in reply.json()["error"]
    (event,) = target.events(tag)
    errors = [line for line, log in zip(lines_of(event), event["logs"], strict=True) if log["level"] == "error"]
    assert re.fullmatch(logged, errors[0])
    assert errors[1].startswith("Generation error:")
    assert not [path for path in target.objects() if tag.replace("-", "_") in path]


def test_a_config_service_that_holds_its_answer_open_is_given_up(target: Target) -> None:
    tag = new_tag()
    started = time.monotonic()
    with target.failing("config-service", "hang", tag):
        reply = target.generate(tag, model_id="ideogram-v2")
    assert (time.monotonic() - started) * SPEED < 60
    assert (reply.status, reply.json()["metadata"]["model"]) == (200, "V_2")
    assert "Error fetching model config for ideogram-v2:" in target.lines(tag)[1]


@pytest.mark.parametrize(
    ("part", "times", "model"), [("provider", 1, "ideogram-v2"), ("config-service", 1, "ideogram-v2")]
)
def test_one_transient_failure_is_retried_once(target: Target, part: str, times: int, model: str) -> None:
    tag = new_tag()
    with target.failing(part, "503", tag, times):
        reply = target.generate(tag, model_id="ideogram-v2")
    assert (reply.status, reply.json()["metadata"]["model"]) == (200, model)
    assert len([line for line in target.lines(tag) if "after status 503 (attempt 2)" in line]) == 1


def test_a_config_service_that_stays_down_leads_to_legacy_mode(target: Target) -> None:
    tag = new_tag()
    with target.failing("config-service", "503", tag):
        reply = target.generate(tag, model_id="ideogram-v2")
    assert reply.json()["metadata"]["model"] == "V_2"
    assert "Failed to fetch model config for ideogram-v2: 503 Service Unavailable" in target.lines(tag)


def test_controls_refuse_what_they_do_not_know(target: Target) -> None:
    assert "429, 500, 503, denied, hang, ok" in target.control("provider", "slow").json()["error"]
    assert "config-service, provider" in target.control("nothing", "ok").json()["error"]
    assert target.call("controls", "/provider").json() == []


# ---- Config Service ----


def test_the_list_holds_the_six_models_in_order(target: Target) -> None:
    data = target.call("config_service", "/model-config").json()["data"]
    found = {(config["model_id"], config["provider_id"], config["status"]) for config in data["configs"]}
    assert found == SIX | {("stable-diffusion-3", "stability", "active")}
    assert data["total"] == 7
    keys = [(config["provider_id"], config["display_name"]) for config in data["configs"]]
    assert keys == sorted(keys)


def test_the_list_can_be_filtered(target: Target) -> None:
    by_provider = target.call("config_service", "/model-config/?provider_id=openai").json()["data"]["configs"]
    assert {config["model_id"] for config in by_provider} == {"dall-e-3", "dall-e-2"}
    both = target.call("config_service", "/model-config?provider_id=openai&status=deprecated").json()["data"]
    assert [config["model_id"] for config in both["configs"]] == ["dall-e-2"]
    assert target.call("config_service", "/model-config?status=none").json()["data"] == {"configs": [], "total": 0}


def test_one_config_is_found_by_either_id(target: Target) -> None:
    by_model = target.call("config_service", "/model-config/ideogram-v2")
    by_config = target.call("config_service", "/model-config/cfg_ideogram_v2")
    assert by_model.json()["data"] == by_config.json()["data"]
    assert by_model.json()["data"]["payload_mapping"]["body"]["image_request"]["prompt"] == "{prompt}"
    uuid.UUID(by_model.json()["request_id"])
    unknown = target.call("config_service", "/model-config/none")
    assert unknown.json() | {"request_id": ""} == {"error": "Model config not found", "request_id": "", "status": 404}


def test_health_other_routes_and_cors(target: Target) -> None:
    for path in ("/health", "/"):
        assert target.call("config_service", path).json() == {"status": "healthy", "service": "config-service"}
    assert target.call("config_service", "/nowhere").status == 404
    assert target.call("config_service", "/dev-credentials").status == 401
    assert target.call("config_service", "/provider-key/x").status == 500
    preflight = target.call("config_service", "/model-config", method="OPTIONS")
    assert preflight.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE, OPTIONS"


def a_config(**changes: object) -> dict[str, object]:
    mapping = {"endpoint": "/", "method": "POST", "headers": {}, "body": {}, "response_mapping": {}}
    return {
        "model_id": "kite-1",
        "provider_id": "kite",
        "display_name": "Kite 1",
        "capabilities": {"image": True},
        "payload_mapping": mapping,
        "status": "beta",
        **changes,
    }


def test_a_config_is_created_changed_and_deleted(target: Target) -> None:
    created = target.call("config_service", "/model-config", a_config())
    assert (created.status, created.json()["data"]["config_id"]) == (200, "cfg_kite_kite_1")
    again = target.call("config_service", "/model-config", a_config())
    assert (again.status, again.json()["error"]) == (409, 'Model config with model_id "kite-1" already exists')
    changed = target.call("config_service", "/model-config/kite-1", {"status": "active"}, "PUT")
    assert changed.json()["data"]["status"] == "active"
    assert target.call("config_service", "/model-config/kite-1", {}, "PUT").json()["error"] == "No fields to update"
    assert target.call("config_service", "/model-config/kite-1", {"status": "old"}, "PUT").status == 400
    deleted = target.call("config_service", "/model-config/kite-1", method="DELETE")
    assert deleted.json()["data"] == {"deleted": True, "config_id": "cfg_kite_kite_1", "model_id": "kite-1"}
    assert target.call("config_service", "/model-config/kite-1", method="DELETE").status == 404


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model_id": "", "status": None}, "Missing required fields: model_id, status"),
        ({"model_id": "Kite.1"}, "Invalid model_id format"),
        ({"status": "inactive"}, "Invalid status. Must be one of: active, beta, deprecated"),
        ({"payload_mapping": {"endpoint": "/"}}, "Invalid payload_mapping. Must include: endpoint, method"),
        ({"capabilities": {"image": False}}, "At least one capability must be true"),
    ],
)
def test_an_invalid_config_is_refused(target: Target, changes: dict[str, object], text: str) -> None:
    reply = target.call("config_service", "/model-config", a_config(**changes))
    assert reply.status == 400
    assert reply.json()["error"].startswith(text)


def test_a_body_that_is_no_object_is_refused(target: Target) -> None:
    assert target.call("config_service", "/model-config", [1]).json()["error"] == "Invalid JSON body"


# ---- D1 ----


def test_d1_answers_a_query_in_its_envelope(target: Target) -> None:
    reply = target.query("SELECT model_id, provider_id, status FROM model_configs")
    envelope = reply.json()
    assert (reply.status, envelope["success"], envelope["errors"], envelope["messages"]) == (200, True, [], [])
    (part,) = envelope["result"]
    assert {tuple(row.values()) for row in part["results"]} >= SIX
    assert list(part["results"][0]) == ["model_id", "provider_id", "status"]
    assert part["meta"]["changed_db"] is False
    assert part["meta"]["served_by_primary"] is True
    assert part["meta"]["rows_read"] == 7


def test_d1_runs_several_statements_as_one_transaction(target: Target) -> None:
    script = "SELECT 'a;b' AS text; -- a comment; with a semicolon\nSELECT 2 AS n"
    assert [part["results"] for part in target.query(script).json()["result"]] == [[{"text": "a;b"}], [{"n": 2}]]
    broken = target.query("DELETE FROM model_configs; SELECT * FROM no_such_table")
    assert broken.status == 400
    assert broken.json()["errors"] == [{"code": 7500, "message": "no such table: no_such_table: SQLITE_ERROR"}]
    assert len(target.rows("SELECT 1 FROM model_configs")) == 7


def test_d1_binds_parameters_and_counts_changes(target: Target) -> None:
    assert target.rows("SELECT provider_id FROM model_configs WHERE model_id = ?", "dall-e-3") == [
        {"provider_id": "openai"}
    ]
    meta = target.query("UPDATE model_configs SET status = status WHERE 1 = 0").json()["result"][0]["meta"]
    assert (meta["changes"], meta["changed_db"]) == (0, False)
    meta = target.query("UPDATE model_configs SET status = status").json()["result"][0]["meta"]
    assert (meta["changes"], meta["changed_db"]) == (7, True)


@pytest.mark.parametrize(
    ("replaced", "status", "code"),
    [
        ({"token": "wrong"}, 401, 10000),
        ({"account": "another"}, 403, 10000),
        ({"database": "another"}, 404, 7404),
    ],
)
def test_d1_refuses_strangers(target: Target, replaced: dict[str, str], status: int, code: int) -> None:
    reply = target.query("SELECT 1", **replaced)
    assert (reply.status, reply.json()["errors"][0]["code"]) == (status, code)
    assert reply.json()["success"] is False


@pytest.mark.parametrize(
    ("sql", "code", "text"),
    [
        ("SELEC 1", 7500, "syntax error: SQLITE_ERROR"),
        ("INSERT INTO model_configs SELECT * FROM model_configs", 7500, "UNIQUE constraint failed"),
        ("BEGIN", 7500, "not authorized: SQLITE_AUTH"),
        ("ATTACH 'x' AS y", 7500, "not authorized: SQLITE_AUTH"),
        ("PRAGMA journal_mode", 7500, "not authorized: SQLITE_AUTH"),
        ("", 7400, "no statement"),
    ],
)
def test_d1_says_what_is_wrong_with_a_statement(target: Target, sql: str, code: int, text: str) -> None:
    reply = target.query(sql)
    (error,) = reply.json()["errors"]
    assert (reply.status, error["code"]) == (400, code)
    assert text in error["message"]


def test_d1_shows_the_tables_of_the_contract(target: Target) -> None:
    tables = {row["name"] for row in target.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables >= {"model_configs", "organizations", "instances", "users", "projects", "api_keys", "usage_logs"}
    columns = {row["name"]: row for row in target.rows("PRAGMA table_info(model_configs)")}
    assert (columns["payload_mapping"]["type"], columns["payload_mapping"]["notnull"]) == ("JSON", 1)


def test_a_deleted_config_takes_effect_at_once_and_can_be_restored(target: Target) -> None:
    (row,) = target.rows("SELECT * FROM model_configs WHERE model_id = 'stable-diffusion-3'")
    deleted = target.query("DELETE FROM model_configs WHERE model_id = 'stable-diffusion-3'")
    assert deleted.json()["result"][0]["meta"]["changes"] == 1
    assert target.generate(model_id="stable-diffusion-3").json()["metadata"]["model"] == "V_2"
    marks = ", ".join("?" * len(row))
    target.query(f"INSERT INTO model_configs ({', '.join(row)}) VALUES ({marks})", *row.values())  # noqa: S608  # its own columns
    assert target.rows("SELECT * FROM model_configs WHERE model_id = 'stable-diffusion-3'") == [row]
    assert target.generate(model_id="stable-diffusion-3").json()["metadata"]["model"] == "stable-diffusion-3"


# ---- storage and log ----


def test_the_bucket_refuses_a_wrong_signature(target: Target) -> None:
    for replaced in ({"secret": "x" * 32}, {"key": "y" * 32}):
        with pytest.raises(obstore.exceptions.PermissionDeniedError):
            obstore.head(target.store(**replaced), "default/any.png")


def delivered(event: dict[str, Any]) -> bool:
    request = event["event"]["request"]
    status = (event["event"]["response"] or {}).get("status")
    return (request["method"], status) == ("POST", 200)


def test_the_past_is_two_days_of_unbroken_traffic(target: Target) -> None:
    now = time.time() * 1000
    past = [event for event in target.log("history") if not agent_of(event).startswith(("mark-", "test", "shakedown"))]
    times = [event["eventTimestamp"] for event in past]
    assert times == sorted(times)
    assert 47 < (now - times[0]) / 3_600_000 < 48
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 15 * 60_000
    past_hour = [event for event in past if now - event["eventTimestamp"] < 3_600_000]
    assert len(past_hour) > 550
    shares = sum(any("falling back" in line for line in lines_of(event)) for event in past_hour) / len(past_hour)
    assert 0 < shares < 0.05
    assert not [event for event in past_hour if (event["event"]["response"] or {"status": 0})["status"] >= 500]


def test_each_delivered_picture_since_the_deployment_is_stored(target: Target) -> None:
    since = time.time() * 1000 - 24 * 3_600_000
    past = [event for event in target.log("history") if not agent_of(event).startswith("shakedown")]
    events = [event for event in past if event["eventTimestamp"] > since and delivered(event)]
    stored = [path for path in target.objects() if not path.startswith("test/")]
    assert len(stored) == len(events) > 700


def test_a_tail_holds_no_past_and_masks_secrets(target: Target) -> None:
    tag = new_tag()
    url = target.table["http"]["worker"]["url"] + "/health"
    fetch(url, headers={"User-Agent": tag, "Authorization": "Bearer hidden", "X-API-Key": "hidden"})
    (event,) = target.events(tag)
    assert event["event"]["request"]["headers"]["authorization"] == "REDACTED"
    assert event["event"]["request"]["headers"]["x-api-key"] == "REDACTED"
    assert min(event["eventTimestamp"] for event in target.log("tail")) > time.time() * 1000 - 600_000


# ---- testing page ----


def test_the_testing_page_is_served(target: Target) -> None:
    head = target.call("gui", "/", method="HEAD")
    assert (head.status, head.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = target.call("gui", "/").body.decode()
    assert "<title>Testing GUI - Cloudflare Multi-Agent</title>" in page
    for name in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        assert target.call("gui", name).status == 200
    assert "//" not in re.sub(r"<!doctype.*?>", "", page).replace("http://www.w3.org", "")
    assert target.call("gui", "/").headers["x-frame-options"] == "DENY"
    assert target.call("gui", "/nowhere").status == 404


def test_the_alert_rules_are_listed_with_their_receiver(target: Target) -> None:
    groups = target.call("alerts", "/api/v1/rules").json()["data"]["groups"]
    limits = {rule["name"]: re.split(r" [<>] ", rule["query"])[1] for group in groups for rule in group["rules"]}
    assert limits == {
        "ImageGenErrorRate": "5",
        "ImageGenErrorRateHigh": "20",
        "ImageGenResponseTime": "15",
        "ConfigServiceAvailability": "99",
        "ImageGenFallbackRate": "10",
    }
    receivers = {receiver["name"] for receiver in target.call("alerts", "/api/v2/receivers").json()}
    assert {rule["labels"]["receiver"] for group in groups for rule in group["rules"]} <= receivers
