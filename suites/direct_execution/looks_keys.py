"""Looks at the registry, and at the function that hands out the keys of its models."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

from .asking import FILM, IMAGE, KEY_FUNCTION, KeyAnswer, Window, ask_key, pair, session, unsigned, user_id

if TYPE_CHECKING:
    from fixtures.command import Command
    from fixtures.confidential import Confidential
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_view import LogMark
    from fixtures.waiting import Patience

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]


@observation(within="90 s")
def models(registry: Command) -> Models:
    """The models of the release's registry; a model that needs no key may leave its name out."""
    return [{**one, "use_api_key": one.get("use_api_key") or ""} for one in registry.run().json]


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


@observation(permit="probes", within="90 s")
def verifier_id(project: Http, secrets: Confidential, facts: Facts) -> str:
    """The id of the suite's user."""
    return user_id(project, session(project, secrets, facts, "verifier"))


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
    return ask_key(project, from_the_app(project, secrets, facts), marker, secrets, **pair(model))


def from_the_app(project: Http, secrets: Confidential, facts: Facts) -> dict[str, str]:
    """Return the headers of a call by the app's page; who looks at the origin answers differently without it."""
    return {**session(project, secrets, facts, "verifier"), "Origin": facts["app_origin"]}


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
    bearers = {
        "the public key": secrets["anon_key"],
        "a forged signature": altered(token),
        "no signature": unsigned(token),
        "a word": "shakedown",
    }
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
        "a name like its key's": {"use_api_key": f"RUNWARE_API_KEY_{marker.upper()}"},
        "a variable that is no key": {"use_api_key": "SUPABASE_URL"},
        "another use case's key": {"use_api_key": "KIE_AI_API_KEY_PROMPT_TO_VIDEO"},
    }
    return {what: ask_key(project, headers, marker, secrets, **{**asked, **one}) for what, one in wanted.items()}


@observation(permit="probes", within="90 s")
def unknown_pair(
    project: Http, models: Models, marker: str, secrets: Confidential, facts: Facts, attached: LogMark
) -> KeyAnswer:
    """What get-api-key answers for a model that the registry does not have, by its name or by its record."""
    unknown = {"modelId": f"shakedown/{marker}", "recordId": str(uuid.uuid4())}
    asked = pair(next(one for one in models if one["recordId"] == IMAGE)) | unknown
    return ask_key(project, from_the_app(project, secrets, facts), marker, secrets, **asked)


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
