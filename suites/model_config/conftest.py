"""What is looked at to verify model_config: Config Service, database, worker, bucket, log and testing page.

The prompts are the checklist's, preceded by the run's marker, so that the run's own requests, log lines and stored
pictures can be told from other traffic.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from fixtures.browser_page import Answer
from fixtures.observing import observation, removal

if TYPE_CHECKING:
    from fixtures.browser import Browser, PageView, Visit
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Ledger
    from fixtures.storage import Storage
    from fixtures.stored import StoredObject
    from fixtures.waiting import Patience

PATTERNS = {
    "fetch": r"Fetching model config for (\S+) from (\S+)",
    "fetched": r"Successfully fetched model config for (\S+)",
    "using": r"Using model config for (\S+) \(provider: ([^)]+)\)",
    "mapping": r"Applying payload mapping from model config",
    "not found": r"Model config not found for (\S+) - will use legacy mode",
    "fetch failed": r"(?:Failed to fetch|Error fetching) model config for (\S+?):",
    "falling back": r"falling back to legacy mode",
    "legacy": r"Using legacy adapter formatRequest",
    "provider answer": r"(?i)provider \S+ (?:responded|answered|did not respond|returned)|\S+ API (?:error|responded)",
    "success": r"success.*true",
    "upload failed": r"(?i)(?:R2|upload)\b.*\b(?:fail|error)",
    "generation error": r"Generation error:",
    "retry": r"(?i)\bretry",
    "error": r"(?i)error",
}
UNKNOWN = "nonexistent-model"
INSTANCES = ("default", "production", "development", "staging")
GENERATIONS = ("by_model_id", "by_default", "by_unknown_model", "by_model", "by_other_model", "by_both")
REFUSALS = ("without_prompt", "malformed_model_ids", "unknown_instance")


def generate(worker: Http, marker: str, prompt: str, *, within: float = 60, **body: Any) -> Exchange:
    """Ask for one picture; the limit of a generation is judged, so the look lasts well beyond it."""
    asked = {"prompt": f"{marker} {prompt}", "instance_id": "default", **body}
    return worker.post("/generate", json=asked, within=within)


def folder_day(moment: dt.datetime) -> str:
    """Return the first digits that keys written around a moment share: a day's worth of milliseconds since 1970."""
    return str(int(moment.timestamp() * 1000))[:5]


def delivered(generation: Exchange) -> bool:
    """Whether a generation named a picture to fetch."""
    return generation.trouble is None and generation.status == 200 and isinstance(generation.json["image_url"], str)


@observation()
def attached(tail: Log) -> LogMark:
    """The live log, attached before the run's first request."""
    return tail.attach()


@observation()
def config_root(config_service: Http) -> Exchange:
    """The Config Service's origin."""
    return config_service.get("/", within=5)


@observation()
def config_health(config_service: Http) -> Exchange:
    """The Config Service's health."""
    return config_service.get("/health", within=5)


@observation()
def config_list(config_service: Http) -> Exchange:
    """All model configs, as the Config Service lists them."""
    return config_service.get("/model-config")


@observation()
def config_of(config_service: Http) -> dict[str, Exchange]:
    """Single model configs: the default model's, another's, and that of a model which does not exist."""
    names = ("ideogram-v2", "dall-e-3", UNKNOWN)
    return {name: config_service.get(f"/model-config/{name}") for name in names}


@observation(within="120 s")
def config_burst(config_service: Http, attached: LogMark) -> list[int]:
    """The statuses of fifty lists of model configs in quick succession."""
    return [config_service.get("/model-config").status for _ in range(50)]


@observation()
def rows(config: Database) -> Snapshot:
    """The rows of model_configs, and the tables of that name."""
    return config.read(
        {
            "models": "SELECT * FROM model_configs",
            "listing": "SELECT model_id, provider_id, status FROM model_configs",
            "tables": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'model_configs'",
        }
    )


@observation(permit="writes")
def no_op_update(config: Database) -> int:
    """How many rows an update that fits none has changed: the right to write, without writing."""
    return config.execute("UPDATE model_configs SET status = status WHERE 1 = 0").changed


@observation()
def health(worker: Http, attached: LogMark) -> Exchange:
    """The worker's health."""
    return worker.get("/health", within=5)


@observation(spends={"generations": 1}, within="60 s")
def by_model_id(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names its model by model_id."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A serene mountain landscape", model_id="ideogram-v2")


@observation(spends={"generations": 1}, within="60 s")
def by_default(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names no model."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A futuristic city")


@observation(spends={"generations": 1}, within="60 s")
def by_unknown_model(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation for a model that has no config."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "Test fallback", model_id=UNKNOWN)


@observation(spends={"generations": 1}, within="60 s")
def by_model(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation as clients wrote it before the release: the model is named by `model`."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A serene lake", model="ideogram-v2")


@observation(spends={"generations": 1}, within="60 s")
def by_other_model(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names, by `model`, another model than the default one."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A quiet harbour", model=UNKNOWN)


@observation(spends={"generations": 1}, within="60 s")
def by_both(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names one model by model_id and another by model."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A narrow bridge", model_id="ideogram-v2", model=UNKNOWN)


@observation()
def generations(
    by_model_id: Exchange,
    by_default: Exchange,
    by_unknown_model: Exchange,
    by_model: Exchange,
    by_other_model: Exchange,
    by_both: Exchange,
) -> dict[str, Exchange]:
    """All generations of the run, by the observation that asked for them."""
    return dict(
        zip(GENERATIONS, (by_model_id, by_default, by_unknown_model, by_model, by_other_model, by_both), strict=True)
    )


@observation()
def pictures(worker: Http, generations: dict[str, Exchange]) -> dict[str, Exchange]:
    """The picture of each generation, as anybody can fetch it."""
    return {name: worker.fetch(found.json["image_url"]) for name, found in generations.items() if delivered(found)}


@observation()
def stored(images: Storage, generations: dict[str, Exchange]) -> dict[str, StoredObject]:
    """What the bucket holds under the key that each generation named."""
    served = {name: found for name, found in generations.items() if found.trouble is None and found.status == 200}
    return {name: images.head(found.json["r2_path"]) for name, found in served.items()}


@observation(within="300 s")
def two_days(history: Log, marker: str, facts: dict[str, str]) -> LogView:
    """The worker's log from a day before the deployment until now."""
    since = dt.datetime.fromisoformat(facts["deployed"]) - dt.timedelta(hours=24)
    return history.past(PATTERNS, window_s=(dt.datetime.now(dt.UTC) - since).total_seconds(), keep=marker)


@observation(within="60 s")
def picture_times(images: Storage, past_hour: LogView) -> list[float]:
    """When the bucket's pictures of the past hour were written, as their keys say, in seconds since 1970."""
    first, last = past_hour.first, past_hour.last
    days = {folder_day(moment) for moment in (first, last) if moment is not None}
    keys = [key for day in days for instance in INSTANCES for key in images.list(f"{instance}/{day}").keys]
    return sorted(int(key.rpartition("/")[2].partition("_")[0]) / 1000 for key in keys)


@observation(permit="probes")
def without_prompt(worker: Http, attached: LogMark) -> list[Exchange]:
    """Generations without a prompt: absent, with and without a model, empty and blank."""
    bodies: list[dict[str, Any]] = [{}, {"model_id": "ideogram-v2"}, {"prompt": ""}, {"prompt": "   "}]
    return [worker.post("/generate", json={"instance_id": "default", **body}, within=5) for body in bodies]


@observation(permit="probes")
def unknown_instance(worker: Http, marker: str, attached: LogMark) -> Exchange:
    """A generation for an instance that does not exist."""
    body = {"prompt": f"{marker} Nobody's picture", "model_id": "ideogram-v2", "instance_id": f"no-{marker}"}
    return worker.post("/generate", json=body)


@observation(permit="probes")
def malformed_model_ids(worker: Http, marker: str, attached: LogMark) -> dict[str, Exchange]:
    """Generations whose model_id is of a wrong type, too long, or shaped like a path or a piece of SQL."""
    names: dict[str, object] = {
        "number": 7,
        "object": {},
        "empty": "",
        "10 kB": "m" * 10_000,
        "path": "../health",
        "SQL": "x' OR '1'='1",
    }
    return {
        name: worker.post("/generate", json={"prompt": f"{marker} A refused picture", "model_id": model}, within=5)
        for name, model in names.items()
    }


@observation(permit="probes")
def without_key(worker: Http, marker: str, attached: LogMark) -> Exchange:
    """A generation for a model whose provider has no key: it ends before anything is spent, as an error in the log."""
    return generate(worker, marker, "A picture of a text model", model_id="claude-3-5-sonnet")


@observation()
def refusals(
    without_prompt: list[Exchange],
    unknown_instance: Exchange,
    malformed_model_ids: dict[str, Exchange],
    without_key: Exchange,
) -> list[Exchange]:
    """All generations of the run that a healthy worker refuses."""
    return [*without_prompt, unknown_instance, *malformed_model_ids.values(), without_key]


@observation(within="60 s")
def requests(
    tail: Log,
    marker: str,
    attached: LogMark,
    health: Exchange,
    generations: dict[str, Exchange],
    refusals: list[Exchange],
) -> LogView:
    """What the live log holds of the run's own requests, once it holds all of them."""
    sent = len([health, *generations.values(), *refusals])

    def logged(view: LogView) -> int:  # rehearsals carry the marker too, and are not waited for
        names = ("health", *GENERATIONS, *REFUSALS, "without_key")
        return sum(view.tag_count(f"{marker}/{name})") for name in names)

    return tail.since(attached, PATTERNS, keep=marker, until=lambda view: logged(view) >= sent, within=30)


@observation(within="120 s")
def past_hour(history: Log, marker: str) -> LogView:
    """The worker's log of the past hour."""
    return history.past(PATTERNS, window_s=3600, keep=marker)


def rehearse(controls: Http, part: str, mode: str, only: str, times: int | None = None) -> None:
    """Make a part behind the worker fail, for requests that carry `only`; `ok` ends it."""
    answer = controls.post(f"/{part}", json={"mode": mode, "only": only, **({"times": times} if times else {})})
    if answer.status != 200:
        raise RuntimeError(f"the rehearsal's switch for {part} answered {answer.status}: {answer.text}")


@observation(permit="destructive", within="60 s", spends={"generations": 1})
def config_service_hangs(worker: Http, controls: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation while the Config Service holds its answers open."""
    ledger.own("leftover_pictures", "images", marker)
    rehearse(controls, "config-service", "hang", f"{marker} While configs hang")
    try:
        return generate(worker, marker, "While configs hang", within=20, model_id="ideogram-v2")
    finally:
        rehearse(controls, "config-service", "ok", f"{marker} While configs hang")


@observation(permit="destructive", within="200 s")
def provider_fails(worker: Http, controls: Http, marker: str, attached: LogMark) -> dict[str, Exchange]:
    """Generations while the provider limits, breaks, refuses the key, and holds its answer open."""
    answers = {}
    for mode in ("429", "500", "denied", "hang"):
        words = f"{marker} While the provider does {mode}"
        rehearse(controls, "provider", mode, words)
        try:
            answers[mode] = generate(
                worker, marker, f"While the provider does {mode}", within=40, model_id="ideogram-v2"
            )
        finally:
            rehearse(controls, "provider", "ok", words)
    return answers


@observation(within="60 s")
def failures_logged(tail: Log, marker: str, attached: LogMark, provider_fails: dict[str, Exchange]) -> LogView:
    """What the live log holds of the generations whose provider failed."""
    label, sent = f"{marker}/provider_fails", len(provider_fails)
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= sent, within=30)
    return view.tagged(label)


@observation(permit="destructive", within="60 s", spends={"generations": 1})
def provider_stumbles(worker: Http, controls: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation whose provider answers 503 once."""
    ledger.own("leftover_pictures", "images", marker)
    rehearse(controls, "provider", "503", f"{marker} After a stumble", times=1)
    try:
        return generate(worker, marker, "After a stumble", model_id="ideogram-v2")
    finally:
        rehearse(controls, "provider", "ok", f"{marker} After a stumble")


@observation(within="60 s")
def stumble_logged(tail: Log, marker: str, attached: LogMark, provider_stumbles: Exchange) -> LogView:
    """What the live log holds of the generation whose provider stumbled."""
    label = f"{marker}/provider_stumbles"
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= 1, within=30)
    return view.tagged(label)


def fill_in(visit: Visit, prompt: str) -> None:
    """Fill the testing page's form, with mock mode off."""
    page = visit.page
    page.locator("#apiKey").fill("not needed")
    page.locator("#instanceId").select_option("production")
    page.locator("#prompt").fill(prompt)
    page.locator("#useMockApi").uncheck()


@observation()
def page_head(gui: Http) -> Exchange:
    """The testing page's answer to HEAD."""
    return gui.head("/")


@observation(within="120 s")
def opened_page(page: Browser) -> PageView:
    """The testing page, opened on a desktop."""

    def read(visit: Visit) -> dict[str, object]:
        form = visit.appears("#generateForm", within=10)
        instances = visit.page.locator("#instanceId option").evaluate_all("all => all.map(one => one.value)")
        chosen = next((name for name in instances if name), "")
        visit.page.locator("#instanceId").select_option(chosen)
        visit.page.wait_for_load_state("networkidle", timeout=visit.ms(30))
        return {
            "form": form,
            "instances": [name for name in instances if name],
            "kept": visit.page.locator("#instanceId").input_value() == chosen,
            "models": visit.page.locator("#model option").evaluate_all("all => all.map(one => one.value)"),
            "told": visit.page.locator("[data-model-id]").evaluate_all(
                "all => Object.fromEntries(all.map(one => [one.dataset.modelId, one.innerText]))"
            ),
        }

    return page.visit(steps=read, name="opened")


@observation(within="120 s")
def phone_page(page: Browser) -> PageView:
    """The testing page, opened on a phone."""

    def read(visit: Visit) -> dict[str, object]:
        form = visit.appears("#generateForm", within=10)
        wide = visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        return {"form": form, "scrolls_sideways": wide}

    return page.visit(device="phone", steps=read, name="opened")


@observation(within="120 s")
def typed_page(page: Browser, marker: str) -> PageView:
    """The testing page's own request for a typed prompt, answered in the browser so that nothing is spent."""

    def submit(visit: Visit) -> None:
        fill_in(visit, f"{marker} A typed prompt")
        with visit.page.expect_request("**/generate", timeout=visit.ms(15)):
            visit.page.locator("#generateBtn").click()

    return page.visit(
        steps=submit, answer={"*/generate": Answer(status=429, json={"error": "answered by us"})}, name="typed"
    )


@observation(spends={"generations": 1}, within="120 s")
def generating_page(page: Browser, marker: str, attached: LogMark, ledger: Ledger) -> PageView:
    """A generation made on the testing page, from the click to the picture."""
    ledger.own("leftover_pictures", "images", marker)

    def submit(visit: Visit) -> dict[str, object]:
        fill_in(visit, f"{marker} A picture on the page")
        visit.page.locator("#generateBtn").click()
        visit.appears("#generatedImage[src]", within=30)
        shown = visit.page.locator("#generatedImage")
        shown.evaluate("one => one.decode().catch(() => null)")
        return {
            "image": shown.get_attribute("src"),
            "width": shown.evaluate("one => one.complete ? one.naturalWidth : 0"),
            "url": visit.page.locator("#imageUrl").inner_text(),
            "status": visit.page.locator("#statusMessage").inner_text(),
        }

    return page.visit(steps=submit, name="generated")


@observation()
def linked_picture(worker: Http, generating_page: PageView) -> Exchange:
    """What the link under the testing page's picture leads to, without cookies."""
    return worker.fetch(generating_page.facts["url"])


@observation(spends={"generations": 3}, within="90 s")
def by_other_providers(
    worker: Http, marker: str, attached: LogMark, ledger: Ledger, rows: Snapshot
) -> dict[str, Exchange]:
    """Generations with DALL-E 3, with the first Stable Diffusion model there is, and with the default model."""
    ledger.own("leftover_pictures", "images", marker)
    stable = [name for name in rows["models"].column("model_id") if name.startswith("stable-diffusion")][:1]
    names = ("dall-e-3", *stable, "ideogram-v2")
    return {name: generate(worker, marker, f"By {name}", model_id=name) for name in names}


@observation()
def their_pictures(worker: Http, by_other_providers: dict[str, Exchange]) -> dict[str, Exchange]:
    """The pictures of the generations with several providers."""
    return {
        name: worker.fetch(found.json["image_url"]) for name, found in by_other_providers.items() if delivered(found)
    }


@observation(within="60 s")
def their_requests(tail: Log, marker: str, attached: LogMark, by_other_providers: dict[str, Exchange]) -> LogView:
    """What the live log holds of the generations with several providers."""
    label, sent = f"{marker}/by_other_providers", len(by_other_providers)
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= sent, within=30)
    return view.tagged(label)


@observation()
def alert_rules(alerts: Http) -> Exchange:
    """The alert rules, as Prometheus lists them."""
    return alerts.get("/api/v1/rules", params={"type": "alert"})


@observation()
def alert_receivers(alerts: Http) -> Exchange:
    """Who is told of alerts, as Alertmanager lists them."""
    return alerts.get("/api/v2/receivers")


@observation(permit="destructive", within="120 s", spends={"generations": 2}, alone=True)
def quick_rollback(
    config: Database, worker: Http, marker: str, attached: LogMark, ledger: Ledger, patience: Patience
) -> dict[str, Any]:
    """The quick rollback, rehearsed: the config of ideogram-v2 is saved, deleted, missed, and brought back."""
    before = config.read({"models": "SELECT * FROM model_configs ORDER BY model_id"})["models"]
    saved = [row for row in before if row["model_id"] == "ideogram-v2"]
    ledger.own("leftover_pictures", "images", marker)
    ledger.own("missing_rows", "config", json.dumps(saved))
    deleted = config.execute("DELETE FROM model_configs WHERE model_id = 'ideogram-v2'").changed
    others = config.read({"models": "SELECT * FROM model_configs ORDER BY model_id"})["models"]
    without = patience.eventually(
        lambda: generate(worker, marker, "While its config is gone", model_id="ideogram-v2"),
        lambda answer: answer.status != 200 or answer.json["metadata"]["model"] != "ideogram-v2",
        within=60,
    )
    restore(config, saved)
    ledger.disown("missing_rows", "config", json.dumps(saved))
    after = config.read({"models": "SELECT * FROM model_configs ORDER BY model_id"})["models"]
    again = generate(worker, marker, "After its config came back", model_id="ideogram-v2")
    return {
        "before": list(before),
        "deleted": deleted,
        "others": list(others),
        "without": without,
        "after": list(after),
        "again": again,
    }


@observation(permit="destructive", within="60 s", spends={"generations": 1}, alone=True)
def emptied_table(
    config: Database, config_service: Http, worker: Http, marker: str, attached: LogMark, ledger: Ledger
) -> dict[str, Any]:
    """The database rollback, rehearsed: all configs are saved, deleted, missed, and brought back."""
    saved = list(config.read({"models": "SELECT * FROM model_configs"})["models"])
    ledger.own("leftover_pictures", "images", marker)
    ledger.own("missing_rows", "config", json.dumps(saved))
    config.execute("DELETE FROM model_configs")
    try:
        left = config.read({"models": "SELECT count(*) AS n FROM model_configs"})["models"].only["n"]
        listed = config_service.get("/model-config")
        without = generate(worker, marker, "While all configs are gone", model_id="ideogram-v2")
    finally:
        restore(config, saved)
        ledger.disown("missing_rows", "config", json.dumps(saved))
    return {"left": left, "listed": listed, "without": without}


@observation(within="60 s")
def rollback_logged(tail: Log, marker: str, attached: LogMark, quick_rollback: dict[str, Any]) -> LogView:
    """What the live log holds of the generations around the quick rollback."""
    label = f"{marker}/quick_rollback"
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= 2, within=30)
    return view.tagged(label)


def restore(config: Database, rows: list[dict[str, Any]]) -> None:
    """Insert rows as they were; one that is there already stays as it is."""
    for row in rows:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        config.execute(f"INSERT OR IGNORE INTO model_configs ({names}) VALUES ({values})", row)  # noqa: S608  columns that the database named


@removal
def missing_rows(config: Database, key: str) -> None:
    """Insert the rows again that a rehearsal had deleted."""
    restore(config, json.loads(key))


@removal
def leftover_pictures(images: Storage, key: str) -> None:
    """Remove the pictures that carry a run's marker."""
    moment = dt.datetime.strptime(key[2:18].upper(), "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    for day in {folder_day(moment), folder_day(moment + dt.timedelta(hours=1))}:
        for instance in INSTANCES:
            for name in images.list(f"{instance}/{day}").keys:
                if key in name:
                    images.delete(name)
