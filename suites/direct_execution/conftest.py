"""What is looked at to verify direct_execution: keys, generations, webhooks, rights, credits, log, alerts and page.

Keys are compared by their digests alone: what a look returns about a key never holds it. The run's own records carry
its marker in their prompt, its own calls of functions carry it in their address.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fixtures.browser import Answer
from fixtures.observing import observation, removal
from fixtures.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixtures.browser import Browser, PageView, Visit
    from fixtures.command import Command
    from fixtures.confidential import Confidential
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Ledger, Run
    from fixtures.waiting import Patience

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]

IMAGE = "32e98d54-3e47-41f8-ae70-0b0c18b78b8f"  # runware_flux_1_schnell, by its record: two models carry the name
VIDEO = ("Text to Video", "Seedance", "V1 Lite")
SYNCHRONOUS = "4c680009-d3fe-436f-85a7-467c76e85f9e"  # Nano Banana by Lovable AI, likewise
FILM = "d7df81f6-dc86-4e04-9f75-d4e8c9b03fb2"  # Seedance_V1_Lite from an image: the test pair
GROUPS = {
    "Image to Image": "image_editing",
    "Text to Image": "prompt_to_image",
    "Text to Video": "prompt_to_video",
    "Image to Video": "image_to_video",
    "Audio Studio": "prompt_to_audio",
}
KEY_FUNCTION = "/functions/v1/get-api-key"
WEBHOOK = "/functions/v1/kie-ai-webhook"
FUNCTIONS = ("get-api-key", "kie-ai-webhook", "process-runware-response", "generate-content-sync")
PATTERNS = {
    "retrieved": r"^API key retrieval successful$",
    "not retrieved": r"^(?:Failed to retrieve API key|Error in get-api-key function)",
    "key handed out": r"^POST \| 200 \| \S*/get-api-key",
    "key refused": r"^POST \| (?:400|404|410|429|5\d\d) \| \S*/get-api-key",
    "probed": r"shakedown=",
    "webhook success": r"^generation_completed$",
    "error of kie-ai-webhook": r"^error$|SECURITY LAYER",
    "error of generate-content-sync": r"^(?:Provider error|Transaction error|Generation failed)$",
    "error of process-runware-response": r"^Processing failed",
    **{f"call of {name}": rf"^POST \| \d+ \| \S*/{name}(?:[?\s]|$)" for name in FUNCTIONS},
}
WORDS = re.compile(r"[A-Za-z0-9_.~-]{12,}")


@value
class KeyAnswer:
    """What get-api-key answered, without the key: its digest, its length, and which characters it is made of."""

    provider: str
    model: str
    name: str
    status: int
    elapsed_s: float
    json: bool
    fields: tuple[str, ...]
    error: str
    digest: str
    length: int
    alphabet: str
    allow_origin: str
    cache_control: str


@value
class Window:
    """Which state of the project is deployed. no_keys: why keys cannot be asked for, empty where they can."""

    name: str
    no_keys: str


def digest(text: str) -> str:
    """Return the SHA-256 of a text, as the platform lists its secrets."""
    return hashlib.sha256(text.encode()).hexdigest()


def alphabet(key: str) -> str:
    """Return which kinds of characters a key consists of."""
    kinds = {"letters": str.isalpha, "digits": str.isdigit, "others": lambda one: not one.isalnum()}
    return " ".join(name for name, belongs in kinds.items() if any(map(belongs, key)))


def session(project: Http, secrets: Confidential, facts: Facts, who: str) -> dict[str, str]:
    """Return the headers of the session of one of the suite's users, who is signed in once per run."""

    def sign_in() -> str:
        body = {"email": facts[f"{who}_email"], "password": secrets[f"{who}_password"]}
        answer = project.post("/auth/v1/token", params={"grant_type": "password"}, json=body)
        if answer.status != 200:
            raise RuntimeError(f"{facts[f'{who}_email']} cannot be signed in: status {answer.status}")
        return str(answer.json["access_token"])

    return {"Authorization": f"Bearer {secrets.once(f'session of {who}', sign_in)}"}


def user_id(project: Http, headers: dict[str, str]) -> str:
    """Return the id of a session's user."""
    return str(project.get("/auth/v1/user", headers=headers).json["id"])


def ask_key(project: Http, headers: dict[str, str], marker: str, secrets: Confidential, **asked: str) -> KeyAnswer:
    """Ask for a key and return the answer without it."""
    answer = project.post(KEY_FUNCTION, params={"shakedown": marker}, headers=headers, json=asked, within=20)
    body = answer.json if answer.is_json else {}
    key = str(body["apiKey"]) if "apiKey" in body else ""
    secrets.mask(key)
    return KeyAnswer(
        provider=asked.get("provider", ""),
        model=asked.get("modelId", ""),
        name=asked.get("use_api_key", ""),
        status=answer.status,
        elapsed_s=answer.elapsed_s,
        json=answer.is_json,
        fields=tuple(body),
        error=str(body.get("error", "")),
        digest=digest(key) if key else "",
        length=len(key),
        alphabet=alphabet(key),
        allow_origin=answer.header("access-control-allow-origin") or "",
        cache_control=answer.header("cache-control") or "",
    )


def pair(model: dict[str, Any]) -> dict[str, str]:
    """Return what the page sends to get the key of a model."""
    names = {"provider": "provider", "use_api_key": "use_api_key", "modelId": "modelId", "recordId": "recordId"}
    return {sent: str(model[name]) for sent, name in names.items()}


# ---- registry and keys ----


@observation(within="90 s")
def models(registry: Command) -> Models:
    """The models of the release's registry."""
    return [dict(one) for one in registry.run().json]


@observation(within="90 s")
def attached(edge_log: Log) -> LogMark:
    """The functions' log, before the run's first call."""
    return edge_log.attach()


@observation(permit="probes", within="180 s")
def window(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, attached: LogMark
) -> Window:
    """Which of the project's states is deployed, as its key function tells."""
    model = next(one for one in models if one["recordId"] == IMAGE)
    headers = session(project, secrets, facts, "verifier")
    if ask_key(project, headers, marker, secrets, **pair(model)).status == 410:
        text = "the deployed window is C (or late B): get-api-key answers 410 to everyone and hands out no key"
        return Window(name="C", no_keys=text)
    return Window(name="A", no_keys="")


@observation(permit="probes", within="300 s")
def keys(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, attached: LogMark
) -> dict[str, KeyAnswer]:
    """What get-api-key answers for each model of the registry that names a key."""
    headers = session(project, secrets, facts, "verifier")
    named = [one for one in models if one["use_api_key"]]
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = pool.map(lambda one: ask_key(project, headers, marker, secrets, **pair(one)), named)
        return dict(zip([str(one["recordId"]) for one in named], answers, strict=True))


@observation(permit="probes", within="90 s")
def key_of_test_pair(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, keys: dict[str, Any]
) -> KeyAnswer:
    """What get-api-key answers for the test pair."""
    model = next(one for one in models if one["recordId"] == FILM)
    return ask_key(project, session(project, secrets, facts, "verifier"), marker, secrets, **pair(model))


def altered(token: str) -> str:
    """Return a token with another character in its signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[:1] == 'A' else 'A'}{signature[1:]}"


@observation(permit="probes", within="180 s")
def strangers(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, attached: LogMark
) -> dict[str, KeyAnswer]:
    """What get-api-key answers to callers without a session: no token, the public key, tokens nobody signed."""
    asked = pair(next(one for one in models if one["recordId"] == IMAGE))
    token = session(project, secrets, facts, "verifier")["Authorization"].removeprefix("Bearer ")
    bearers = {"the public key": secrets["anon_key"], "a forged signature": altered(token), "a word": "shakedown"}
    headers = {"no token": {}, **{who: {"Authorization": f"Bearer {text}"} for who, text in bearers.items()}}
    return {who: ask_key(project, sent, marker, secrets, **asked) for who, sent in headers.items()}


@observation(permit="probes", within="180 s")
def trespasses(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, attached: LogMark
) -> dict[str, KeyAnswer]:
    """What get-api-key answers a user who asks for a name that is not the model's: harmless ones, no other secret's."""
    asked = pair(next(one for one in models if one["recordId"] == IMAGE))
    headers = session(project, secrets, facts, "verifier")
    wanted = {
        "a name that is no secret's": {"use_api_key": f"SHAKEDOWN_{marker.upper()}"},
        "a variable that is no key": {"use_api_key": "SUPABASE_URL"},
        "another use case's key": {"use_api_key": "KIE_AI_API_KEY_PROMPT_TO_VIDEO"},
    }
    return {what: ask_key(project, headers, marker, secrets, **{**asked, **one}) for what, one in wanted.items()}


@observation(permit="probes", within="90 s")
def unknown_pair(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, attached: LogMark
) -> KeyAnswer:
    """What get-api-key answers for a model that the registry does not have."""
    asked = pair(next(one for one in models if one["recordId"] == IMAGE)) | {"modelId": f"shakedown/{marker}"}
    return ask_key(project, session(project, secrets, facts, "verifier"), marker, secrets, **asked)


@observation(within="90 s")
def preflight(project: Http, facts: Facts) -> Exchange:
    """The preflight of get-api-key from the app's origin."""
    wanted = "authorization, x-client-info, apikey, content-type"
    return project.options(
        KEY_FUNCTION,
        headers={
            "Origin": facts["app_origin"],
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": wanted,
        },
    )


@observation(within="90 s")
def held_secrets(management: Http) -> list[dict[str, str]]:
    """The names and digests of the project's secrets, as the platform lists them."""
    return [{"name": one["name"], "digest": one["value"]} for one in management.get("/secrets").json]


def about(view: LogView, name: str, model: str) -> list[Any]:
    """Return the matches of a pattern whose line is about a model."""
    return [one for one in view.matches[name] if one.line.labels.get("metadata.modelId") == model]


@observation(within="180 s")
def key_log(
    edge_log: Log,
    marker: str,
    attached: LogMark,
    key_of_test_pair: KeyAnswer,
    unknown_pair: KeyAnswer,
    keys: dict[str, Any],
) -> LogView:
    """What the log holds of the run's key calls, a minute after them at the latest."""

    def complete(view: LogView) -> bool:
        calls = len(about(view, "retrieved", key_of_test_pair.model))  # one with all models', and one by itself
        return calls > 1 and view.counts["not retrieved"] > 0

    return edge_log.since(attached, PATTERNS, keep=marker, until=complete, within=60)


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the words of some texts that are long enough to be a key."""
    return {word for text in texts for word in WORDS.findall(text)}


@observation(within="180 s")
def keys_in_log(
    edge_log: Log, attached: LogMark, key_log: LogView, keys: dict[str, Any], held_secrets: list[dict[str, str]]
) -> dict[str, Any]:
    """How many lines were written since the run began, and in which functions' lines a secret stands."""
    known = {one.digest for one in keys.values() if one.digest}
    known |= {one["digest"] for one in held_secrets if "KEY" in one["name"]}
    view = edge_log.since(attached, {"every line": ""})
    told = {line: words_of([line.text, *line.labels.values()]) for line in map(Line, view.lines)}
    shown = sorted({line.function for line, words in told.items() if known & {digest(word) for word in words}})
    return {"lines": len(told), "shown by": shown}


class Line:
    """A line of the log, told apart from others that say the same."""

    def __init__(self, line: Any) -> None:
        self.text: str = line.text
        self.labels: dict[str, str] = line.labels
        self.function = line.labels.get("function", "?")


@observation(permit="destructive", within="180 s", alone=True)
def unset_key(  # noqa: PLR0913, PLR0917  what a call of the key function takes, and the switch
    project: Http,
    controls: Http,
    models: Models,
    marker: str,
    secrets: Confidential,
    facts: Facts,
    patience: Patience,
) -> dict[str, KeyAnswer]:
    """A key before, while and after its secret is not set."""
    asked = pair(next(one for one in models if one["contentType"] == "prompt_to_audio"))
    headers = session(project, secrets, facts, "verifier")
    ask = partial(ask_key, project, headers, marker, secrets, **asked)
    before, unset = ask(), {"mode": "unset", "only": asked["use_api_key"]}
    if controls.post("/secret", json=unset).status != 200:
        raise RuntimeError("the rehearsal's switch did not take the secret away")
    try:
        without = ask()
    finally:
        controls.post("/secret", json={**unset, "mode": "ok"})
    after = patience.eventually(
        ask, lambda answer: answer.status == 200, within=60, hopeless=lambda answer: answer.status == 410
    )
    return {"before": before, "without": without, "after": after}


@observation(within="180 s")
def unset_key_log(edge_log: Log, marker: str, attached: LogMark, unset_key: dict[str, KeyAnswer]) -> LogView:
    """What the log holds of the key whose secret was not set."""
    model = unset_key["without"].model
    return edge_log.since(
        attached, PATTERNS, keep=marker, until=lambda view: bool(about(view, "not retrieved", model)), within=30
    )


# ---- the page ----


def sign_in(visit: Visit, facts: Facts, secrets: Confidential) -> bool:
    """Sign in on the page, which leads there; say whether the studio opened."""
    visit.page.locator("#email").fill(facts["verifier_email"])
    visit.page.locator("#password").fill(secrets["verifier_password"])
    visit.page.locator("button").filter(has_text=re.compile("^SIGN IN$")).click()
    return visit.appears("button:has-text('Text to Image')", within=30)


def model_button(visit: Visit) -> Any:
    """Return the dropdown behind the label Model."""
    return visit.page.locator("xpath=//*[normalize-space(text())='Model']/following::button[1]").first


def generate_button(visit: Visit) -> Any:
    """Return the button that starts a generation."""
    return visit.page.locator("button").filter(has_text=re.compile(r"^\s*Generate(?!d)")).first


def family_item(visit: Visit, family: str) -> Any:
    """Return a family's entry of the open model menu: its name and its lowest price."""
    return visit.page.get_by_role("menuitem").filter(has_text=re.compile(rf"^{re.escape(family)}\s*[\d.]+\+$")).first


def choose(visit: Visit, group: str, family: str, variant: str) -> None:
    """Choose a model in the page's menu."""
    visit.page.locator("button").filter(has_text=re.compile(f"^{group}$")).click()
    model_button(visit).click()
    family_item(visit, family).click()
    visit.page.locator("[role=menu]").last.get_by_role("menuitem", name=variant, exact=True).click()


def place_of(models: Models, record: str) -> tuple[str, str, str]:
    """Return where a model stands in the page's menu: group, family, variant."""
    model = next(one for one in models if one["recordId"] == record)
    group = next(name for name, kind in GROUPS.items() if kind == model["contentType"])
    return group, model["modelFamily"], model["variantName"]


def start(visit: Visit, prompt: str) -> None:
    """Type a prompt and press Generate."""
    visit.page.get_by_placeholder("Describe what you want to create...").fill(prompt)
    generate_button(visit).click()


def offered(visit: Visit) -> dict[str, list[list[str]]]:
    """Return what the model menu of each group offers: family and variant, in their order."""
    found: dict[str, list[list[str]]] = {}
    for group in GROUPS:
        visit.page.locator("button").filter(has_text=re.compile(f"^{group}$")).click()
        model_button(visit).click()
        items = visit.page.get_by_role("menuitem").all_inner_texts()
        families = [re.sub(r"\s*[\d.]+\+$", "", text) for text in items]
        found[group] = []
        for family in families:
            family_item(visit, family).click()
            variants = visit.page.locator("[role=menu]").last.get_by_role("menuitem").all_inner_texts()
            found[group] += [[family, variant] for variant in variants]
        visit.page.keyboard.press("Escape")
        if visit.page.get_by_role("menu").count():
            model_button(visit).click()
    return found


def ready(visit: Visit) -> dict[str, object]:
    """Return whether the page's parts are there, and whether a prompt makes Generate available."""
    seen = visit.appears("textarea", within=5)
    menu = seen and model_button(visit).is_visible() and model_button(visit).inner_text() not in ("Generate", "Reset")
    if seen:
        visit.page.get_by_placeholder("Describe what you want to create...").fill("A blue door")
    enabled = seen and generate_button(visit).is_enabled()
    wide = visit.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return {"prompt": seen, "menu": menu, "generate": enabled, "scrolls_sideways": wide}


@observation(permit="probes", within="300 s")
def opened_page(page: Browser, facts: Facts, secrets: Confidential) -> PageView:
    """The Custom Creation page on a desktop: opened, left to itself for five seconds, and its model menus read."""

    def read(visit: Visit) -> dict[str, object]:
        if not sign_in(visit, facts, secrets):
            return {"studio": False}
        visit.page.reload()
        opened = visit.appears("button:has-text('Text to Image')", within=15)
        visit.page.wait_for_load_state("networkidle", timeout=visit.ms(30))
        visit.page.wait_for_timeout(visit.ms(5))
        visit.saw(studio=opened, **ready(visit))
        return {"offered": offered(visit)}

    return page.visit(steps=read, name="opened")


@observation(permit="probes", within="300 s")
def phone_page(page: Browser, facts: Facts, secrets: Confidential) -> PageView:
    """The Custom Creation page on a phone."""

    def read(visit: Visit) -> dict[str, object]:
        studio = sign_in(visit, facts, secrets)
        return {"studio": studio, **(ready(visit) if studio else {})}

    return page.visit(device="phone", steps=read, name="opened")


class Trace:
    """The page's own requests, phase by phase: method and address, without queries, which may hold what is secret."""

    def __init__(self, visit: Visit, secrets: Confidential) -> None:
        self._page = visit.page
        self._secrets = secrets
        self._calls: list[list[str]] = []
        self._answers: list[Any] = []
        self._words: set[str] = set()
        visit.page.on("request", self._heard)
        visit.page.on("response", self._answered)

    def _heard(self, request: Any) -> None:
        parts = urlsplit(request.url)
        self._words |= words_of([request.url])
        address = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._calls.append([request.method, address, "id" if "id=eq." in parts.query else ""])

    def _answered(self, response: Any) -> None:
        if response.request.method == "POST" and urlsplit(response.url).path == KEY_FUNCTION and response.ok:
            self._answers.append(response)

    def phase(self) -> list[list[str]]:
        """Return what was requested since the last phase, with every key that the page was handed masked."""
        while self._answers:
            self._secrets.mask(str(self._answers.pop().json().get("apiKey", "")))
        calls, self._calls = self._calls, []
        return calls

    def left_behind(self) -> list[str]:
        """Return the digests of all words that the page's storages and addresses hold."""
        stored = self._page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        return sorted(digest(word) for word in words_of([stored]) | self._words)


def shown_image(visit: Visit, within: float, but: str = "") -> str:
    """Wait for a generated image and return its address; an empty text when none appears."""
    selector = "img[src*='generated-content']" + (f":not([src='{but}'])" if but else "")
    end = time.monotonic() + visit.ms(within) / 1000
    while time.monotonic() < end:
        if visit.page.locator(selector).count():
            return str(visit.page.locator(selector).first.get_attribute("src"))
        visit.page.wait_for_timeout(20)
    return ""


def readable(project: Http, patience: Patience, address: str) -> bool:
    """Wait until an address can be read."""
    last = patience.eventually(lambda: project.fetch(address), lambda answer: answer.status == 200, within=60)
    return last.status == 200


@observation(spends={"generations": 2}, permit="costs", within="480 s")
def smoke_page(  # noqa: PLR0913, PLR0917  a page, who uses it, and what it is judged by
    page: Browser,
    project: Http,
    models: Models,
    facts: Facts,
    secrets: Confidential,
    marker: str,
    run: Run,
    ledger: Ledger,
    patience: Patience,
    balance_before: float,
) -> PageView:
    """An image of Flux.1 Schnell and one of Nano Banana, made on the page and watched for half a minute after."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")

    def make(visit: Visit) -> dict[str, object]:
        sign_in(visit, facts, secrets)
        choose(visit, *place_of(models, IMAGE))
        trace = Trace(visit, secrets)
        start(visit, f"{marker} A red apple on a table")
        first = shown_image(visit, within=120)
        began = time.monotonic()
        image_there = bool(first) and readable(project, patience, first)
        visit.saw(image_there=image_there, readable_s=(time.monotonic() - began) * run.speed, image_calls=trace.phase())
        visit.saw(left_behind=trace.left_behind())
        choose(visit, *place_of(models, SYNCHRONOUS))
        start(visit, f"{marker} Simple test image")
        visit.saw(instant=shown_image(visit, within=120, but=first))
        visit.page.wait_for_timeout(visit.ms(30))
        return {"instant_calls": trace.phase()}

    return page.visit(steps=make, name="made")


@observation(spends={"generations": 1}, permit="costs", within="600 s")
def video_page(  # noqa: PLR0913, PLR0917  likewise
    page: Browser,
    app: Database,
    facts: Facts,
    secrets: Confidential,
    marker: str,
    run: Run,
    ledger: Ledger,
    balance_before: float,
) -> PageView:
    """A video of Seedance V1 Lite, made on the page and watched until its record has ended."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")
    record = "SELECT status, provider_task_id FROM generations WHERE prompt LIKE :tag ORDER BY created_at DESC LIMIT 1"

    def over(began: float) -> bool:
        rows = list(app.read({"video": record}, {"tag": f"{marker} Ocean%"})["video"])
        lived = (time.monotonic() - began) * run.speed
        hopeless = lived > 30 and not (rows and rows[0]["provider_task_id"])  # no task, so nobody will ever call back
        return hopeless or bool(rows and rows[0]["status"] in ("completed", "failed"))

    def make(visit: Visit) -> dict[str, object]:
        sign_in(visit, facts, secrets)
        choose(visit, *VIDEO)
        trace, began = Trace(visit, secrets), time.monotonic()
        start(visit, f"{marker} Ocean waves crashing")
        while visit.ms(10) > 1 and not over(began):
            visit.page.wait_for_timeout(200)
        visit.page.wait_for_timeout(visit.ms(10))
        return {"calls": trace.phase()}

    return page.visit(steps=make, name="filmed")


@observation(permit="writes", within="300 s")
def failing_page(
    page: Browser, models: Models, facts: Facts, secrets: Confidential, marker: str, ledger: Ledger
) -> PageView:
    """A generation whose provider answer the browser replaces by an error, so that nothing is spent."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")

    def make(visit: Visit) -> dict[str, object]:
        sign_in(visit, facts, secrets)
        choose(visit, *place_of(models, IMAGE))
        trace = Trace(visit, secrets)
        start(visit, f"{marker} A refused picture")
        told = visit.appears("text=Generation Failed", within=30)
        visit.page.wait_for_timeout(visit.ms(2))
        return {"told": told, "calls": trace.phase()}

    error = Answer(status=500, json={"errors": [{"message": "answered by us"}]})
    # In later states of the project the page asks the server, which would pay the provider.
    replaced = {f"{facts['runware_api']}*": error, "*/functions/v1/generate-content": error}
    return page.visit(steps=make, answer=replaced, name="refused")


# ---- records, credits, files ----


def balance(project: Http, headers: dict[str, str]) -> float:
    """Return a session's credits."""
    rows = project.get("/rest/v1/user_subscriptions", params={"select": "tokens_remaining"}, headers=headers).json
    return float(rows[0]["tokens_remaining"])


@observation(permit="probes", within="90 s")
def balance_before(project: Http, secrets: Confidential, facts: Facts) -> float:
    """The credits of the suite's user before the run's first generation."""
    return balance(project, session(project, secrets, facts, "verifier"))


# A column that may be missing is read through to_jsonb, which has NULL in its place.
OWN_ROWS = """
    SELECT id::text, type, status, prompt, model_id, model_record_id::text AS record, output_url,
        tokens_used::float8 AS used, coalesce(tokens_charged, 0)::float8 AS charged,
        settings - '_webhook_token' AS settings, provider_task_id IS NOT NULL AS has_task,
        extract(epoch FROM (to_jsonb(g) ->> 'completed_at')::timestamptz - created_at)::float8 AS seconds
    FROM generations AS g WHERE prompt ~ :tag ORDER BY created_at
"""


@observation(within="180 s")
def own_rows(
    app: Database, marker: str, smoke_page: PageView, video_page: PageView, failing_page: PageView, patience: Patience
) -> Snapshot:
    """The records of the run's generations on the page, once all of them have ended."""

    def ended(seen: Snapshot) -> bool:
        return all(row["status"] in ("completed", "failed") for row in seen["own"])

    names = ("A red apple", "Simple test", "Ocean waves", "A refused")
    pattern = "^" + marker + " (" + "|".join(names) + ")"
    return patience.eventually(lambda: app.read({"own": OWN_ROWS}, {"tag": pattern}), ended, within=20)


@observation(permit="probes", within="180 s")
def balances(
    project: Http, secrets: Confidential, facts: Facts, marker: str, own_rows: Snapshot, balance_before: float
) -> dict[str, float]:
    """The credits before and after the run's generations, and after one of them was asked to be settled again."""
    headers = session(project, secrets, facts, "verifier")
    after = balance(project, headers)
    done = [row["id"] for row in own_rows["own"] if row["status"] == "completed"]
    for one in done[:1]:
        body = {"generationId": one, "status": "completed"}
        project.post("/functions/v1/settle-generation-credits", headers=headers, json=body)
    return {"before": balance_before, "after": after, "again": balance(project, headers)}


def own_row(own_rows: Snapshot, words: str) -> dict[str, Any] | None:
    """Return the record of a generation by the words of its prompt."""
    return next((row for row in own_rows["own"] if words in row["prompt"]), None)


@observation(within="180 s")
def made_files(project: Http, own_rows: Snapshot) -> dict[str, Exchange]:
    """The stored outputs of the run's generations, as anybody can read them."""
    return {
        str(row["prompt"]).partition(" ")[2]: project.fetch(row["output_url"])
        for row in own_rows["own"]
        if row["output_url"]
    }


@observation(permit="probes", within="300 s")
def old_files(project: Http, secrets: Confidential, facts: Facts) -> list[dict[str, Any]]:
    """A hundred of the suite's user's records from before the release, and what is read at their outputs' addresses."""
    headers = session(project, secrets, facts, "verifier")
    wanted = {
        "user_id": f"eq.{user_id(project, headers)}",
        "select": "id,type,status,output_url",
        "status": "eq.completed",
        "created_at": f"lt.{facts['deployed']}",
        "order": "created_at.desc",
        "limit": "100",
    }
    rows = project.get("/rest/v1/generations", params=wanted, headers=headers).json

    def read(row: dict[str, Any]) -> dict[str, Any]:
        answer = project.fetch(row["output_url"])
        return {"id": row["id"], "status": answer.status, "bytes": len(answer.body)}

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(read, rows))


# Records of this suite's runs carry a marker in their prompt: `sd`, a date, `t`, a time.
QUERIES = {
    "traffic": """
        SELECT id::text, type, status, model_record_id::text AS record, model_id AS model,
            tokens_used::float8 AS used, coalesce(tokens_charged, 0)::float8 AS charged,
            settings - '_webhook_token' AS settings, to_jsonb(g) -> 'provider_response' ->> 'error' AS error,
            extract(epoch FROM created_at)::float8 AS begun,
            extract(epoch FROM (to_jsonb(g) ->> 'completed_at')::timestamptz)::float8 AS ended
        FROM generations AS g
        WHERE created_at >= :deployed::timestamptz AND NOT prompt ~ 'sd20[0-9]{6}t[0-9]{6}' ORDER BY created_at
    """,
    "baseline": """
        SELECT type, count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            percentile_cont(0.1) WITHIN GROUP (ORDER BY seconds)::float8 AS p10,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::float8 AS p50,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)::float8 AS p90
        FROM generations AS g, LATERAL (
            SELECT extract(epoch FROM (to_jsonb(g) ->> 'completed_at')::timestamptz - created_at) AS seconds
        ) AS took
        WHERE created_at < :deployed::timestamptz AND created_at >= :deployed::timestamptz - interval '14 days'
            AND status IN ('completed', 'failed')
        GROUP BY type
    """,
    "recent": """
        SELECT model_id, status, COUNT(*) as count,
            AVG(EXTRACT(EPOCH FROM (updated_at - created_at))) as avg_duration_seconds
        FROM generations WHERE created_at > NOW() - INTERVAL '1 hour'
        GROUP BY model_id, status ORDER BY count DESC
    """,
    "failures": """
        SELECT id, model_id, status, provider_response->'error' as error_message, created_at FROM generations
        WHERE status = 'failed' AND created_at > NOW() - INTERVAL '1 hour' ORDER BY created_at DESC LIMIT 20
    """,
    "last hour": """
        SELECT count(*) AS rows, count(*) FILTER (WHERE status = 'failed') AS failed,
            extract(epoch FROM now() - interval '1 hour')::float8 AS since
        FROM generations WHERE created_at > now() - interval '1 hour'
    """,
    "columns": """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'generations'
    """,
    "legacy": """
        SELECT name, to_regclass('public.' || name)::text AS found
        FROM unnest(string_to_array(:legacy, ',')) AS name
    """,
    "used models": """
        SELECT DISTINCT model_record_id::text AS record FROM generations
        WHERE created_at > now() - interval '90 days' AND model_record_id IS NOT NULL
            AND NOT prompt ~ 'sd20[0-9]{6}t[0-9]{6}'
    """,
}


@observation(within="180 s")
def records(app: Database, facts: Facts) -> Snapshot:
    """The records since the release, those of the two weeks before it summed up, and the checklist's own queries."""
    return app.read(QUERIES, {"deployed": facts["deployed"], "legacy": ",".join(facts["legacy_tables"])})


def price(model: dict[str, Any], settings: dict[str, Any] | None) -> float:
    """Return what a model's calculateCost asks for: the base cost, times the factor of each setting that has one."""
    cost = float(model["baseCreditCost"])
    for name, factors in (model.get("costMultipliers") or {}).items():
        cost *= float(factors.get(str((settings or {}).get(name)), 1))
    return cost


@pytest.fixture(scope="session")
def traffic(records: Snapshot, models: Models) -> list[dict[str, Any]]:
    """The records since the release, each with its model's provider and price; those of this suite's runs left out."""
    known = {str(model["recordId"]): model for model in models}
    rows = []
    for row in records["traffic"]:
        model = known.get(str(row["record"]), {})
        rows.append(
            {
                **row,
                "provider": model.get("provider", "unknown"),
                "price": price(model, row["settings"]) if model else None,
                "expected_s": float(model.get("estimatedTimeSeconds") or 0),
                "seconds": None if row["ended"] is None else row["ended"] - row["begun"],
            }
        )
    return rows


@pytest.fixture(scope="session")
def finished(traffic: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records since the release that have ended, well or not."""
    return [row for row in traffic if row["status"] in ("completed", "failed")]


@observation(permit="writes", within="180 s")
def rights(
    project: Http, app: Database, secrets: Confidential, facts: Facts, marker: str, ledger: Ledger
) -> dict[str, Any]:
    """Who sees, makes and changes a record: its owner, a neighbour, an operator, nobody in particular."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")
    sessions = {who: session(project, secrets, facts, who) for who in ("verifier", "neighbour", "operator")}
    owner, path = user_id(project, sessions["verifier"]), "/rest/v1/generations"
    row = {
        "user_id": owner,
        "type": "image",
        "prompt": f"{marker} Whose is this?",
        "tokens_used": 0,
        "status": "failed",
        "provider_response": {"error": "made by the verification"},
    }
    back = {"Prefer": "return=representation"}

    def sees(headers: dict[str, str]) -> int:
        found = project.get(path, params={"select": "id", "prompt": f"like.*{marker} Whose*"}, headers=headers)
        return len(found.json) if found.status == 200 else 0

    made = project.post(path, json=row, headers={**sessions["verifier"], **back})
    forged = {
        who: project.post(path, json={**row, "prompt": f"{marker} Whose else?"}, headers=headers).status
        for who, headers in (("neighbour", sessions["neighbour"]), ("nobody", {}))
    }
    held = app.read({"there": "SELECT id FROM generations WHERE prompt LIKE :tag"}, {"tag": f"{marker} Whose is%"})
    return {
        "inserted": made.status,
        "forged": forged,
        "there": len(held["there"]),
        "seen": {who: sees(headers) for who, headers in {**sessions, "nobody": {}}.items()},
        "credits": credits_changed(project, sessions["verifier"], owner),
    }


def credits_changed(project: Http, headers: dict[str, str], owner: str) -> dict[str, bool]:
    """Return which ways to change one's own credits are open; each is tried with a change of nothing."""
    same = balance(project, headers)
    change = {"tokens_remaining": same}
    own = project.patch(
        "/rest/v1/user_subscriptions", params={"user_id": f"eq.{owner}"}, json=change,
        headers={**headers, "Prefer": "return=representation"},
    )  # fmt: skip
    nothing = {"user_id_param": owner, "amount": 0}
    added = {
        who: project.post("/rest/v1/rpc/increment_tokens", json=nothing, headers=sent)
        for who, sent in (("a user adds credits", headers), ("nobody adds credits", {}))
    }
    written = own.status in (200, 201) and bool(own.json)
    return {"a user sets the balance": written, **{who: answer.status < 300 for who, answer in added.items()}}


@observation(permit="writes", within="300 s")
def callbacks(
    project: Http, secrets: Confidential, facts: Facts, marker: str, ledger: Ledger, attached: LogMark
) -> dict[str, dict[str, Any]]:
    """What the webhook does with forged, hasty, partial, repeated, good and late callbacks."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")
    headers, verify, task = session(project, secrets, facts, "verifier"), token_hex(16), f"{marker}-task"
    secrets.mask(verify)
    row = {
        "user_id": user_id(project, headers), "type": "video", "prompt": f"{marker} Called back", "tokens_used": 0,
        "status": "processing", "model_id": "shakedown", "provider_task_id": task,
        "settings": {"_webhook_token": verify},
        # Its beginning lies ahead, so that a callback that reports success comes too early, however slow this run is.
        "created_at": (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)).isoformat(),
    }  # fmt: skip
    project.post("/rest/v1/generations", json=row, headers=headers)
    address = {"token": secrets["webhook_url_token"], "verify": verify}
    made = {"state": "success", "resultJson": '{"resultUrls":["https://example.invalid/film.mp4"]}'}

    def call(state: dict[str, str], **changed: str) -> dict[str, Any]:
        body = {"code": 200, "msg": "success", "data": {"taskId": changed.pop("task", task), **state}}
        answer = project.post(WEBHOOK, params={**address, **changed}, json=body, within=20)
        wanted = {"select": "status", "prompt": f"like.*{marker} Called*"}
        now = project.get("/rest/v1/generations", params=wanted, headers=headers).json
        return {"status": answer.status, "text": answer.text[:200], "row": [one["status"] for one in now]}

    failed, partly = {"state": "failed", "failMsg": "stopped by the verification"}, {"state": "waiting"}
    return {
        "forged address": call(failed, token=token_hex(16)),
        "forged verification": call(failed, verify=token_hex(16)),
        "without a task": call(failed, task=""),
        "of an unknown task": call(failed, task=f"{marker}-none"),
        "too early": call(made),
        "in part": call(partly),
        "repeated": call(partly),
        "at the end": call(failed),
        "after the end": call(failed),
    }


# ---- log, alerts ----


@observation(within="300 s")
def since_release(edge_log: Log, marker: str, facts: Facts) -> LogView:
    """The functions' log since the release."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    window_s = (dt.datetime.now(dt.UTC) - deployed).total_seconds()
    return edge_log.past(PATTERNS, window_s=window_s, keep=marker)


@observation(within="300 s")
def finished_log(edge_log: Log, facts: Facts) -> LogView:
    """What the log holds of finished asynchronous generations since the release."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    window_s = (dt.datetime.now(dt.UTC) - deployed).total_seconds()
    return edge_log.past({"webhook success": PATTERNS["webhook success"]}, window_s=window_s)


@observation(within="90 s")
def alert_rules(alerts: Http) -> list[dict[str, Any]]:
    """The alerting rules, as Prometheus lists them."""
    groups = alerts.get("/api/v1/rules", params={"type": "alert"}).json["data"]["groups"]
    return [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]


@removal
def leftover_records(project: Http, secrets: Confidential, key: str) -> None:
    """Remove the records that carry a run's marker, and their files, as the user who made them."""
    email, _, marker = key.partition(" ")
    body = {"email": email, "password": secrets["verifier_password"]}
    answer = project.post("/auth/v1/token", params={"grant_type": "password"}, json=body)
    headers = {"Authorization": f"Bearer {secrets.mask(answer.json['access_token'])}"}
    which: dict[str, str] = {"prompt": f"like.*{marker}*"}
    rows = project.get("/rest/v1/generations", params={**which, "select": "storage_path"}, headers=headers).json
    for row in rows:
        if row["storage_path"]:
            project.delete(f"/storage/v1/object/generated-content/{row['storage_path']}", headers=headers)
    if project.delete("/rest/v1/generations", params=which, headers=headers).status >= 300:
        raise RuntimeError(f"the records of {marker} were not removed")
