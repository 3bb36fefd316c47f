"""get-api-key hands a signed-in user the key of the model that is named, and nothing else to anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .asking import IMAGE, digests_of

if TYPE_CHECKING:
    from fixtures.exchange import Exchange

    Keys = dict[str, Any]
    Models = list[dict[str, Any]]
    Secrets = list[dict[str, str]]

WANTED = {"authorization", "x-client-info", "apikey", "content-type"}


@pytest.mark.item("MDE-002")
def test_every_provider_has_had_a_key_fetched(window: Any, keys: Keys, models: Models) -> None:
    """For each provider whose models name a key at least one call was answered with a key."""
    assert window.no_keys == ""
    served = {answer.provider for answer in keys.values() if answer.status == 200 and answer.length > 0}
    assert {one["provider"] for one in models if one["use_api_key"]} - served == set()
    assert len(served) > 0


@pytest.mark.item("MDE-008")
def test_every_model_gets_the_key_that_it_names(
    window: Any, keys: Keys, key_of_test_pair: Any, held_secrets: Secrets
) -> None:
    """For every model, the test pair twice, the answer is 200 with the key stored under the model's own name."""
    assert window.no_keys == ""
    digests, answers = digests_of(held_secrets), [*keys.values(), key_of_test_pair]
    wrong = {one.model: one.status for one in answers if (one.status, one.digest) != (200, digests.get(one.name))}
    assert wrong == {}
    assert len(keys) > 0


@pytest.mark.item("MDE-025")
def test_the_test_pair_gets_a_key_in_time(window: Any, key_of_test_pair: Any, keys: Keys) -> None:
    """For the test pair get-api-key answers 200 with JSON that holds a key, the faster of two calls within 5 s."""
    assert window.no_keys == ""
    assert (key_of_test_pair.status, key_of_test_pair.json) == (200, True)
    assert ("apiKey" in key_of_test_pair.fields, "error" in key_of_test_pair.fields) == (True, False)
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
    window: Any, strangers: Keys, trespasses: Keys, keys: Keys
) -> None:
    """Without a valid session it answers 401 or 403; with one, it refuses or ignores a name that is not the model's."""
    assert window.no_keys == ""
    assert {who: one.length for who, one in strangers.items() if one.length} == {}
    assert {who: one.status for who, one in strangers.items() if one.status not in (401, 403)} == {}
    own = keys[IMAGE].digest or "none"
    answered = {what: (one.status, one.length) for what, one in trespasses.items() if one.digest != own}
    assert {what: found for what, found in answered.items() if not 400 <= found[0] < 500 or found[1]} == {}


@pytest.mark.item("MDE-082")
def test_no_key_is_missing(window: Any, keys: Keys) -> None:
    """No model's key is missing: high, no rollback, add the named key to the secrets."""
    assert window.no_keys == ""
    assert {one.name: one.status for one in keys.values() if one.status in (404, 500)} == {}
    assert len(keys) > 0
