"""What each fault of the model_config simulator changes, seen from outside wherever that is cheap."""

from __future__ import annotations

import itertools
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from fixtures.browser_program import find_program
from simulators.clock import Clock
from simulators.faults import Faults, catalogue
from simulators.fetching import FetchError, fetch
from simulators.model_config import seed
from simulators.model_config.alerts import Alerts
from simulators.model_config.database import Database
from simulators.model_config.history import History
from simulators.model_config.wording import Wording
from simulators.serving import Listener
from tests.simulated import Target, agent_of, target_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

NAMES = [fault.name for fault in catalogue("model_config")]
TAG_PAUSE_S = 0.3  # an event of a request is in the log by then


def only(*names: str) -> Faults:
    return Faults(NAMES, names)


# ---- the database ----


def dump(*names: str) -> list[tuple[Any, ...]]:
    """Return everything that a database filled with these faults holds, its schema included."""
    database = Database()
    seed.fill(database, seed.rows("http://provider", only(*names)), only(*names))
    tables = database.run("SELECT type, name, sql FROM sqlite_master ORDER BY name").rows
    return [*tables, *database.run("SELECT * FROM model_configs ORDER BY model_id").rows]


def column(names: str, column: str) -> dict[str, Any]:
    database = Database()
    seed.fill(database, seed.rows("http://provider", only(names)), only(names))
    return {row[0]: row[1] for row in database.run(f"SELECT model_id, {column} FROM model_configs").rows}  # noqa: S608  # ours


@pytest.mark.parametrize(
    "name",
    [
        "table-is-a-view",
        "seed-stopped-half-way",
        "models-seeded-twice",
        "ideogram-marked-beta",
        "veo-id-dashed",
        "nano-marked-active",
        "dalle-provider-misnamed",
        "dalle2-marked-active",
        "last-insert-never-ran",
        "mapping-cut-off",
        "stable-diffusion-deprecated",
        "restored-row-is-stamped",
        "delete-touches-neighbours",
        "real-ideogram-only",
    ],
)
def test_a_fault_of_the_seed_changes_the_database(name: str) -> None:
    assert dump(name) != dump()


def test_the_seed_faults_change_what_they_say() -> None:
    assert column("ideogram-marked-beta", "status")["ideogram-v2"] == "beta"
    assert "gemini-veo-3-1" in column("veo-id-dashed", "status")
    assert column("dalle-provider-misnamed", "provider_id")["dall-e-3"] == "dalle"
    assert len(column("mapping-cut-off", "payload_mapping")["dall-e-2"]) == 255
    assert set(column("seed-stopped-half-way", "status")) == set(column("real-no-retry", "status")) - {
        "dall-e-2",
        "claude-3-5-sonnet",
    }


def test_deleting_a_row_changes_the_others_only_when_the_fault_is_on() -> None:
    for names, touched in (((), False), (("delete-touches-neighbours",), True)):
        database = Database()
        seed.fill(database, seed.rows("http://provider", only(*names)), only(*names))
        before = database.run("SELECT * FROM model_configs WHERE model_id <> 'ideogram-v2'").rows
        deleted = database.run("DELETE FROM model_configs WHERE model_id = 'ideogram-v2'")
        assert deleted.changes == 1
        assert (database.run("SELECT * FROM model_configs").rows != before) == touched


# ---- the lines ----


def script(*names: str) -> list[str]:
    """Return every line of a dynamic and of a legacy generation."""
    wording = Wording(faults=only(*names), config_url="http://configs", default_model="ideogram-v2")
    lines = wording.fetching("m") + wording.fetched("m") + wording.chosen("m", "p") + wording.mapping()
    lines += wording.fetching("n") + wording.not_found("n") + wording.falling_back("n", "p") + wording.legacy()
    lines += wording.answered("p", 200) + wording.succeeded("p", "m")
    return [" ".join(map(str, line.message)) for line in lines]


@pytest.mark.parametrize(
    ("name", "gone", "come"),
    [
        ("fetch-line-from-undefined", 2, ["Fetching model config for m from undefined"]),
        ("fetch-line-reworded", 2, ["Loading configuration of m"]),
        ("fetch-line-names-default", 2, ["Fetching model config for ideogram-v2 from http://configs"]),
        ("fetched-line-missing", 1, []),
        ("provider-undefined-in-line", 1, ["Using model config for m (provider: undefined)"]),
        ("not-found-line-reworded", 1, ["No configuration of n"]),
        ("legacy-line-missing", 1, []),
        ("legacy-mode-silent", 3, []),
        ("fallback-warning-missing", 1, []),
        ("benign-error-words", 0, ["Request statistics - errors: 0, retries: 0"]),
        ("real-provider-answers-unlogged", 1, []),
        ("real-success-unlogged", 1, []),
    ],
)
def test_a_fault_of_the_log_changes_its_lines(name: str, gone: int, come: list[str]) -> None:
    healthy, faulty = script(), script(name)
    assert len([line for line in healthy if line not in faulty]) == gone
    assert [line for line in faulty if line not in healthy][: len(come)] == come


def test_the_mapping_line_can_come_too_early_or_too_often() -> None:
    mapping = "Applying payload mapping from model config"
    assert script("flow-out-of-order").index(mapping) == script().index(mapping) - 1
    assert (script().count(mapping), script("mapping-line-always").count(mapping)) == (1, 2)


# ---- the past ----


def past(*names: str) -> list[dict[str, Any]]:
    """Return the clients' events of the two days before now."""
    return [event for event in everybodys_past(*names) if not agent_of(event).startswith("shakedown")]


def everybodys_past(*names: str) -> list[dict[str, Any]]:
    """Return all events of the two days before now."""
    wording = Wording(faults=only(*names), config_url="http://configs", default_model="ideogram-v2")
    history = History(now=Clock(speed=1).now(), url="http://worker", wording=wording, faults=only(*names))
    return [invocation.event() for invocation in history.invocations(history.visits())]


def since(events: list[dict[str, Any]], hours: float) -> list[dict[str, Any]]:
    return [event for event in events if event["eventTimestamp"] > (time.time() - hours * 3600) * 1000]


def share(events: list[dict[str, Any]], what: Callable[[dict[str, Any]], bool]) -> float:
    return sum(map(what, events)) / len(events)


def failed(event: dict[str, Any]) -> bool:
    return bool(event["event"]["response"] and event["event"]["response"]["status"] >= 500)


def says(words: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: any(words in str(log["message"]) for log in event["logs"])


def outcome(event: dict[str, Any]) -> bool:
    words = ("Successfully fetched", "will use legacy mode", "Failed to fetch", "Error fetching")
    return any(says(word)(event) for word in words)


def test_a_healthy_past_has_its_rare_failures_before_the_deployment() -> None:
    events = past()
    assert 0 < share(events, failed) < 0.005
    assert share(since(events, 24), failed) == 0
    assert 0.01 < share(since(events, 24), says("falling back to legacy mode")) < 0.04


def test_the_past_holds_earlier_runs_and_clients_who_hung_up() -> None:
    runs = [event for event in everybodys_past() if agent_of(event).startswith("shakedown (")]
    assert [failed(event) for event in runs].count(True) == 8
    left = [event for event in past() if event["outcome"] == "canceled"]
    assert 0 < len(left) < 20
    assert {str(event["event"]["response"]) for event in left} == {"None"}
    answered = share(past("config-service-half-an-hour-out"), says("Failed to fetch model config"))
    assert 0 < answered < 0.01
    limited = [event for event in past("worker-fetches-limited") if says("Too Many Requests")(event)]
    assert len(limited) == 1


def test_faults_of_the_past_are_as_large_as_they_say() -> None:
    burst = since(past("error-burst"), 0.5)
    assert share(burst[:100], failed) > 0.2
    assert share(burst[100:], failed) < 0.05
    assert 0.015 < share(since(past("error-rate-twentyfold"), 1), failed) < 0.03
    assert share(since(past("fallback-share-up"), 1), says("falling back to legacy mode")) > 0.12
    assert [event["outcome"] for event in past("memory-kills")].count("exceededMemory") == 3
    slow = [event for event in past("slow-spell") if event["wallTime"] > 15_000]
    assert 10 < len(slow) < 20
    outage = share(since(past("config-service-two-hours-out"), 24), says("Failed to fetch model config"))
    assert 0.01 < outage < 0.05
    warned = [event for event in past("hourly-new-warning") if says("R2 put took 2 attempts")(event)]
    assert 20 < len(warned) < 26
    assert share(past("real-defaults-lost"), says("Template variable not provided: aspect_ratio")) > 0
    times = [event["eventTimestamp"] for event in past("recording-gap")]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) > 38 * 60_000
    quiet = [event for event in past("quiet-hour-half-failed") if failed(event)][-5:]
    assert len(since(quiet, 24)) == 5
    untold = [event for event in past("failed-fetches-leave-no-line") if says("Fetching")(event) and not outcome(event)]
    assert len(untold) >= 10
    assert max(event["wallTime"] for event in past("wall-time-is-cpu-time")) < 10


# ---- the alert rules ----


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("error-alert-threshold-as-fraction", "> 0.05"),
        ("latency-alert-watches-health", 'route="/health"'),
        ("availability-alert-takes-any-answer", "avg_over_time(up{"),
        ("fallback-alert-counts-lines", "image_gen_log_lines_total"),
    ],
)
def test_a_fault_of_the_alerts_changes_one_rule(name: str, words: str) -> None:
    queries = []
    for faults in (only(), only(name)):
        listener = Listener()
        listener.serve(Alerts(faults=faults, clock=Clock(speed=1)).answer)
        groups = fetch(f"{listener.url}/api/v1/rules").json()["data"]["groups"]
        queries.append([rule["query"] for rule in groups[0]["rules"]])
    (changed,) = [faulty for healthy, faulty in zip(*queries, strict=True) if healthy != faulty]
    assert words in changed


# ---- running systems, each with faults that do not get into each other's way ----


@pytest.fixture(scope="module")
def front() -> Iterator[Target]:
    with target_with(
        "health-from-stale-cache",
        "r2-reported-unbound",
        "model-field-ignored",
        "missing-prompt-answers-200",
        "timestamp-field-renamed",
        "picture-labelled-jpeg",
        "image-url-null",
        "rejection-after-success",
        "gui-head-needs-login",
        "gui-stylesheet-404",
        "config-origin-530",
        "config-health-html",
        "config-list-page-limit",
        "config-single-error-envelope",
        "config-service-rate-limits",
        "config-cached-an-hour",
        "retries-without-limit",
        "provider-failure-answers-200",
        "uploads-lost",
    ) as found:
        yield found


@pytest.fixture(scope="module")
def deployment() -> Iterator[Target]:
    with target_with(
        "r2-preview-bucket",
        "default-model-unknown",
        "config-url-staging",
        "config-single-ignores-id",
        "config-list-plain-text",
        "tail-of-another-worker",
        "legacy-adapter-missing",
        "openai-key-missing",
        "d1-token-read-only",
    ) as found:
        yield found


@pytest.fixture(scope="module")
def mixed() -> Iterator[Target]:
    with target_with(
        "service-reads-other-database",
        "failed-requests-leave-no-event",
        "mapping-as-string",
        "default-skips-lookup",
        "both-modes-run",
        "provider-url-returned",
        "slow-tail-of-generations",
        "default-provider-answers-all",
        "gui-sends-example-prompt",
        "gui-submits-twice",
        "gui-picture-broken",
        "gui-link-404",
        "gui-capabilities-of-first",
        "gui-missing-price-as-zero",
    ) as found:
        yield found


@pytest.fixture(scope="module")
def built() -> Iterator[Target]:
    more = ("model-id-required", "mapping-ignored", "empty-list-500", "gui-models-hardcoded")
    with target_with("as-built", *more) as found:
        yield found


def test_faults_of_the_workers_answers(front: Target) -> None:
    health = front.call("worker", "/health")
    assert (health.headers["cf-cache-status"], health.headers["age"]) == ("HIT", "86400")
    assert health.json()["r2_configured"] is False
    reply = front.generate("answers", model="dall-e-3")
    assert reply.json()["metadata"]["model"] == "ideogram-v2"
    assert {"time"} == {"time", "timestamp"} & set(reply.json())
    assert fetch(reply.json()["image_url"]).headers["content-type"] == "image/jpeg"
    assert front.generate(model_id="ideogram-v2").json()["image_url"] is None
    missing = front.generate(prompt="")
    assert (missing.status, missing.json()["error_code"]) == (200, "INVALID_REQUEST")
    (event,) = front.events("answers")
    assert (event["outcome"], event["exceptions"][0]["name"]) == ("exception", "TypeError")


def test_faults_under_failure(front: Target) -> None:
    with front.failing("provider", "denied", "deny-me"):
        reply = front.generate("deny-me")
    assert reply.status == 200
    assert "Invalid API key: " in reply.json()["error"]
    with front.failing("provider", "503", "again-and-again"):
        front.generate("again-and-again")
    assert len([line for line in front.lines("again-and-again") if line.startswith("Retrying")]) == 11


def test_a_cached_config_outlives_its_row(front: Target) -> None:
    front.generate(model_id="dall-e-3")
    front.query("DELETE FROM model_configs WHERE model_id = 'dall-e-3'")
    assert front.generate(model_id="dall-e-3").json()["metadata"]["model"] == "dall-e-3"


def test_faults_of_the_config_service(front: Target) -> None:
    assert front.call("config_service", "/").status == 530
    assert front.call("config_service", "/health").headers["content-type"] == "text/html"
    assert "error" in front.call("config_service", "/model-config/ideogram-v2").json()
    first = front.call("config_service", "/model-config").json()["data"]
    assert (len(first["configs"]), first["total"]) == (5, 5)
    assert 429 in [front.call("config_service", "/model-config").status for _ in range(40)]


def test_faults_of_the_testing_pages_host(front: Target) -> None:
    assert front.call("gui", "/", method="HEAD").status == 302
    assert front.call("gui", "/").status == 200
    assert front.call("gui", "/styles.css").status == 404


def test_lost_uploads_are_missing_from_the_bucket(front: Target) -> None:
    past_hour = [event for event in since(front.log("history"), 1) if says("Generation completed")(event)]
    stored = {path.partition("/")[2].partition("_")[0] for path in front.objects()}
    lost = [event for event in past_hour if str(event["eventTimestamp"]) not in stored and event["wallTime"] > 1000]
    assert len([event for event in lost if "GalleryApp" in str(event) or "requests" in str(event)]) >= 5


def test_faults_of_the_deployment(deployment: Target) -> None:
    reply = deployment.generate("elsewhere", model_id="ideogram-v2")
    assert reply.status == 200
    assert not [path for path in deployment.objects() if "elsewhere" in path]
    assert deployment.generate("none").status == 500  # its default model has no config, and there is no adapter
    assert deployment.generate(model_id="dall-e-3").json()["error_code"] == "MISSING_API_KEY"
    assert deployment.call("config_service", "/model-config").body == b"Not implemented"
    assert deployment.call("config_service", "/model-config/dall-e-3").json()["data"]["model_id"] == "ideogram-v2"
    assert deployment.call("config_service", "/model-config/none").status == 200
    assert deployment.query("UPDATE model_configs SET status = status WHERE 1 = 0").status == 403
    assert len(deployment.rows("SELECT 1 FROM model_configs")) == 7
    time.sleep(TAG_PAUSE_S)
    assert deployment.log("tail") == []
    hosts = set(re.findall(r"from (http://[0-9.:]+)", str(deployment.log("history")[-3:])))
    assert len(hosts) == 1
    assert deployment.table["facts"]["config_service_url"] not in hosts


def test_faults_of_the_flow(mixed: Target) -> None:
    assert mixed.generate("defaulted").json()["metadata"]["model"] == "V_2"
    assert not [line for line in mixed.lines("defaulted") if line.startswith("Fetching")]
    reply = mixed.generate("unknown", model_id="nonexistent-model")
    assert [line for line in mixed.lines("unknown") if line.startswith("Using")] == [
        "Using legacy adapter formatRequest",
        "Using model config for ideogram-v2 (provider: ideogram)",
    ]
    assert "/pictures/" in reply.json()["image_url"]
    assert not [path for path in mixed.objects() if "unknown" in path]
    assert mixed.generate(model_id="dall-e-3").json()["metadata"]["provider"] == "ideogram"
    assert mixed.generate("slow").json()["metadata"]["generation_time_ms"] > 2600
    assert mixed.generate("refused", instance_id="nobody").status == 404
    mixed.call("worker", "/health", tag="refused")
    assert [event["event"]["response"]["status"] for event in mixed.events("refused")] == [200]


def test_every_second_generation_is_slow(mixed: Target) -> None:
    times = []
    for _ in range(4):
        started = time.monotonic()
        mixed.generate("timed", model_id="ideogram-v2")
        times.append(time.monotonic() - started)
    *ordinary, first, second = sorted(times)
    assert first > 2  # 40 s of the target's
    assert first - max(ordinary) > 1
    assert second > 2


def test_faults_of_what_the_service_reads(mixed: Target) -> None:
    models = {config["model_id"] for config in mixed.call("config_service", "/model-config").json()["data"]["configs"]}
    stored = {row["model_id"] for row in mixed.rows("SELECT model_id FROM model_configs")}
    assert models - stored == {"ideogram-v3-preview"}
    config = mixed.call("config_service", "/model-config/dall-e-3").json()["data"]
    assert isinstance(config["payload_mapping"], str)


def test_the_system_as_built_departs_from_its_checklist(built: Target) -> None:
    assert built.generate(model="ideogram-v2", instance_id="nobody").status == 200
    assert built.generate(model_id="../health").json()["error"] == "API key not configured for provider: undefined"
    assert built.generate(model_id=7).json()["metadata"]["model"] == "V_2"
    assert built.generate(prompt=7).json()["error"] == "body.prompt.trim is not a function"
    tag = "as-built"
    assert built.generate(tag, model="ideogram-v2").status == 200
    assert not [line for line in built.lines(tag) if "success" in line or line.startswith("Provider")]
    assert "claude-3-5-sonnet" in str(built.rows("SELECT model_id FROM model_configs"))
    assert built.rows("SELECT 1 FROM model_configs WHERE model_id LIKE 'stable%'") == []
    assert built.table["facts"]["added_models"] == []
    assert built.generate(model_id="dall-e-3").json()["error_code"] == "MISSING_API_KEY"
    with built.failing("provider", "500", "fail-me"):
        assert built.generate("fail-me", model="ideogram-v2").json()["error"] == "The service is having a problem"


@pytest.mark.parametrize("part", ["provider", "config-service"])
def test_the_system_as_built_hangs_with_the_parts_it_waits_for(built: Target, part: str) -> None:
    url = built.table["http"]["worker"]["url"] + "/generate"
    with built.failing(part, "hang", "hang-me"), pytest.raises(FetchError, match="timeout"):
        fetch(url, method="POST", payload={"prompt": "hang-me", "model": "ideogram-v2"}, timeout=2.5)  # 50 s


def test_faults_beside_those_as_built(built: Target) -> None:
    assert built.generate().json()["error"] == "model_id is required"
    built.generate("ignored", model_id="ideogram-v2")
    assert "Using legacy adapter formatRequest" in built.lines("ignored")
    kept = built.rows("SELECT * FROM model_configs")
    built.query("DELETE FROM model_configs")
    assert built.call("config_service", "/model-config").status == 500
    for row in kept:
        marks = ", ".join("?" * len(row))
        built.query(f"INSERT INTO model_configs VALUES ({marks})", *row.values())  # noqa: S608  # its own columns
    assert built.call("config_service", "/model-config").status == 200


# ---- the testing page in a browser ----


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_program(), args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def fill_in(page: Page, target: Target, instance: str) -> None:
    page.goto(target.table["browser"]["page"]["url"])
    page.wait_for_selector("#model optgroup", state="attached")
    page.fill("#apiKey", "anything")
    page.select_option("#instanceId", instance)
    page.fill("#prompt", "A red kite over the sea")
    page.locator("#useMockApi").dispatch_event("click")  # the box itself is hidden behind a drawn switch


def generate_on(page: Page) -> list[Any]:
    """Click, wait for the end, and return what was sent to /generate."""
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "POST" else None)
    page.click("#generateBtn")
    page.wait_for_selector("#resultsDisplay:not(.hidden)")
    return sent


def test_a_healthy_page_generates_an_image(page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with target_with() as target:
        fill_in(page, target, "default")
        assert page.eval_on_selector_all("#model optgroup", "groups => groups.map(group => group.label)") == [
            "ANTHROPIC",
            "GEMINI",
            "IDEOGRAM",
            "OPENAI",
            "STABILITY",
        ]
        assert page.locator('[data-model-id="gemini-2.5-flash-nano-banana"] .price').inner_text() == "no price stated"
        assert page.locator('[data-model-id="gemini-veo-3.1"] .capability').all_inner_texts() == [
            "video",
            "image to video",
        ]
        assert page.locator('[data-model-id="ideogram-v2"] .price').inner_text() == "0.08 USD per image"
        assert page.inner_text("#promptLength") == "23 characters"
        page.select_option("#model", "ideogram-v2")
        sent = generate_on(page)
        assert [(body["prompt"], body["instance_id"]) for body in sent] == [("A red kite over the sea", "default")]
        page.wait_for_function("document.querySelector('#generatedImage').naturalWidth > 0")
        assert fetch(page.input_value("#imageUrl")).status == 200
        assert page.inner_text("#metaModel") == "ideogram-v2"
        assert page.inner_text("#statusMessage") == "Image generated successfully!"
    assert errors == []


def test_a_faulty_page_shows_its_faults(page: Page, mixed: Target) -> None:
    fill_in(page, mixed, "production")
    prices = page.locator('[data-model-id="gemini-2.5-flash-nano-banana"] .price')
    assert prices.inner_text() == "0 USD per image"
    assert page.locator('[data-model-id="gemini-veo-3.1"] .capability').all_inner_texts() == ["text"]
    sent = generate_on(page)
    assert {body["prompt"] for body in sent} == {"A lighthouse in a storm"}
    assert len(sent) == 2
    page.wait_for_function(
        "(one => one.getAttribute('src') && one.complete)(document.querySelector('#generatedImage'))"
    )
    assert page.evaluate("document.querySelector('#generatedImage').naturalWidth") == 0


def test_the_page_as_built_lacks_what_the_next_steps_ask(page: Page, built: Target) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(built.table["browser"]["page"]["url"])
    page.wait_for_selector("#model optgroup", state="attached")
    assert page.locator(".price, .capability").count() == 0
    assert page.locator('#instanceId option[value="default"]').count() == 0
    assert not [url for url in asked if url.endswith("/model-config")]
