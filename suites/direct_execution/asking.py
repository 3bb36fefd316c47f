"""How the project is asked for keys and credits.

Keys are compared by their digests alone: what a look returns about a key never holds it. The run's own calls of
functions carry its marker in their address.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from fixtures.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixtures.confidential import Confidential
    from fixtures.http import Http

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]

IMAGE = "32e98d54-3e47-41f8-ae70-0b0c18b78b8f"  # runware_flux_1_schnell, by its record: two models carry the name
FILM = "d7df81f6-dc86-4e04-9f75-d4e8c9b03fb2"  # Seedance_V1_Lite from an image: the test pair
SYNCHRONOUS = "4c680009-d3fe-436f-85a7-467c76e85f9e"  # Nano Banana by Lovable AI, likewise
KEY_FUNCTION = "/functions/v1/get-api-key"
WORDS = re.compile(r"[A-Za-z0-9_.~-]{12,}")
STARTS = re.compile(r"(?<![A-Za-z0-9])\S")  # where a key may begin in a text
# What stands in the place of a secret that nobody has filled in.
NO_KEYS = (
    "",
    " ",
    "\n",
    "-",
    "null",
    "None",
    "undefined",
    "changeme",
    "CHANGEME",
    "TODO",
    "placeholder",
    "your-api-key",
)


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


def digests_of(held_secrets: list[dict[str, str]]) -> dict[str, str]:
    """Return the digest of each stored secret."""
    return {one["name"]: one["digest"] for one in held_secrets}


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
    """Ask for a key and return the answer without it. A key is a text; what else may stand in its place is none."""
    answer = project.post(KEY_FUNCTION, params={"shakedown": marker}, headers=headers, json=asked, within=20)
    found = answer.json if answer.is_json else {}
    body = found if isinstance(found, dict) else {}
    key = body["apiKey"] if isinstance(body.get("apiKey"), str) else ""
    if not key.startswith("http"):  # an address is no secret; masked, it would be missing from all that was seen
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


def unsigned(token: str) -> str:
    """Return a token with the claims of another, which states that it needs no signature."""
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def pair(model: dict[str, Any]) -> dict[str, str]:
    """Return what the page sends to get the key of a model."""
    names = {"provider": "provider", "use_api_key": "use_api_key", "modelId": "modelId", "recordId": "recordId"}
    return {sent: str(model[name]) for sent, name in names.items()}


def words_of(texts: Iterable[str], lengths: Iterable[int] = ()) -> set[str]:
    """Return what may be a key in some texts: words that are long enough, and what has a key's length."""
    read = [*texts]
    words = {word for text in read for word in WORDS.findall(text)}
    return words | {
        text[one.start() : one.start() + n] for text in read for one in STARTS.finditer(text) for n in lengths
    }


def balance(project: Http, headers: dict[str, str]) -> float:
    """Return the credits of a session's user."""
    asked = {"select": "tokens_remaining", "user_id": f"eq.{user_id(project, headers)}"}
    rows = project.get("/rest/v1/user_subscriptions", params=asked, headers=headers).json
    return float(rows[0]["tokens_remaining"])


def price(model: dict[str, Any], settings: dict[str, Any] | None) -> float:
    """Return what a model's calculateCost asks for: the base cost, times the factor of each setting that has one."""
    cost = float(model["baseCreditCost"])
    for name, factors in (model.get("costMultipliers") or {}).items():
        chosen = (settings or {}).get(name)
        whole = isinstance(chosen, float) and chosen.is_integer()
        word = (
            str(chosen).lower() if isinstance(chosen, bool) else f"{chosen:.0f}" if whole else str(chosen)
        )  # as in JS
        cost *= float(factors.get(word, 1)) if isinstance(factors, dict) else 1
    return cost
