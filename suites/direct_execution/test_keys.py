"""get-api-key hands a signed-in user the key of the model that is named, and nothing else to anybody."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.exchange import Exchange

    Keys = dict[str, Any]
    Models = list[dict[str, Any]]
    Secrets = list[dict[str, str]]

EMPTY = hashlib.sha256(b"").hexdigest()
WANTED = {"authorization", "x-client-info", "apikey", "content-type"}


def _digests(held_secrets: Secrets) -> dict[str, str]:
    return {one["name"]: one["digest"] for one in held_secrets}


@pytest.mark.item("MDE-002")
def test_every_provider_has_had_a_key_fetched(window: Any, keys: Keys, models: Models) -> None:
    """For each provider whose models name a key at least one call was answered with a key."""
    assert window.no_keys == ""
    served = {answer.provider for answer in keys.values() if answer.status == 200 and answer.length > 0}
    assert {one["provider"] for one in models if one["use_api_key"]} - served == set()
    assert len(served) > 0


@pytest.mark.item("MDE-007")
def test_the_secrets_hold_every_key_that_is_asked_for(held_secrets: Secrets, models: Models) -> None:
    """At least fifteen keys are set, among them each one that a model names, and none is empty."""
    held = {name: found for name, found in _digests(held_secrets).items() if "API_KEY" in name}
    assert len(held) >= 15
    assert {one["use_api_key"] for one in models if one["use_api_key"]} - set(held) == set()
    assert [name for name, found in held.items() if found == EMPTY] == []


@pytest.mark.item("MDE-008")
def test_every_model_gets_the_key_that_it_names(window: Any, keys: Keys, held_secrets: Secrets) -> None:
    """For every model the answer is 200 with the key that is stored under the model's own name, by its digest."""
    assert window.no_keys == ""
    digests = _digests(held_secrets)
    wrong = {one.model: one.status for one in keys.values() if (one.status, one.digest) != (200, digests.get(one.name))}
    assert wrong == {}
    assert len(keys) > 0


@pytest.mark.item("MDE-010")
def test_keys_are_separated_by_use_case(window: Any, keys: Keys, held_secrets: Secrets) -> None:
    """Image-to-video and prompt-to-video models each get their own scope's key, not one without a scope."""
    assert window.no_keys == ""
    digests = _digests(held_secrets)
    scoped = [one for one in keys.values() if one.name.endswith("_TO_VIDEO")]
    assert {one.name.partition("_API_KEY_")[2] for one in scoped} == {"IMAGE_TO_VIDEO", "PROMPT_TO_VIDEO"}
    assert {one.name: one.digest for one in scoped} == {one.name: digests.get(one.name) for one in scoped}
    unscoped = {digests.get("KIE_AI_API_KEY"), digests.get("RUNWARE_API_KEY")}
    assert [one.model for one in scoped if one.digest in unscoped] == []


@pytest.mark.item("MDE-025")
def test_the_test_pair_gets_a_key_in_time(window: Any, key_of_test_pair: Any, keys: Keys) -> None:
    """For the test pair get-api-key answers 200 with JSON that holds a key, the faster of two calls within 5 s."""
    assert window.no_keys == ""
    assert (key_of_test_pair.status, key_of_test_pair.json) == (200, True)
    assert key_of_test_pair.fields == ("apiKey",)
    assert key_of_test_pair.length > 0
    calls = [key_of_test_pair, *(one for one in keys.values() if one.model == key_of_test_pair.model)]
    assert min(one.elapsed_s for one in calls) < 5


@pytest.mark.item("MDE-027")
def test_the_app_may_call_from_its_origin(
    window: Any, preflight: Exchange, key_of_test_pair: Any, unknown_pair: Any, facts: dict[str, str]
) -> None:
    """The preflight, the answer with a key and the answer with an error all allow the app's origin."""
    assert window.no_keys == ""
    allowed = {"*", facts["app_origin"]}
    assert preflight.status in (200, 204)
    assert preflight.header("access-control-allow-origin") in allowed
    named = (preflight.header("access-control-allow-headers") or "").lower().split(",")
    assert WANTED - {name.strip() for name in named} == set()
    assert key_of_test_pair.allow_origin in allowed
    assert unknown_pair.allow_origin in allowed


@pytest.mark.item("MDE-067")
def test_an_unknown_pair_gets_404_and_no_key(window: Any, unknown_pair: Any) -> None:
    """For a model that the registry does not have the answer is 404 with a JSON error and without a key."""
    assert window.no_keys == ""
    assert unknown_pair.status == 404
    assert unknown_pair.error != ""
    assert unknown_pair.length == 0


@pytest.mark.item("MDE-119")
def test_a_key_is_for_signed_in_users_and_for_the_name_they_may_ask_for(
    window: Any, strangers: Keys, trespasses: Keys
) -> None:
    """Without a valid session the answer is 401 or 403; with one, a name that is not the model's is refused."""
    assert window.no_keys == ""
    assert {who: one.length for who, one in {**strangers, **trespasses}.items() if one.length} == {}
    assert {who: one.status for who, one in strangers.items() if one.status not in (401, 403)} == {}
    assert {what: one.status for what, one in trespasses.items() if not 400 <= one.status < 500} == {}


@pytest.mark.item("MDE-082")
def test_no_key_is_missing(window: Any, keys: Keys) -> None:
    """No model's key is missing: high, no rollback, add the named key to the secrets."""
    assert window.no_keys == ""
    assert {one.name: one.status for one in keys.values() if one.status in (404, 500)} == {}
    assert len(keys) > 0
