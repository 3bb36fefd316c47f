"""What get-api-key does is in the log, and no key is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.log_view import LogView

    Keys = dict[str, Any]
    Lines = list[Any]

CAUSES = ("errorMessage", "error", "metadata.errorMessage", "metadata.error", "error.message")
FIELDS = ("metadata.provider", "metadata.modelId", "metadata.keyType")


def _about(view: LogView, name: str, model: str) -> Lines:
    return [one.line for one in view.matches[name] if one.line.labels.get("metadata.modelId") == model]


@pytest.mark.item("MDE-026")
def test_a_retrieval_leaves_one_entry(window: Any, key_log: LogView, key_of_test_pair: Any, verifier_id: str) -> None:
    """Each of the run's two calls for the test pair leaves one entry, with its provider and model."""
    assert window.no_keys == ""
    entries = _about(key_log, "retrieved", key_of_test_pair.model)
    assert {one.labels.get("metadata.provider") for one in entries} == {key_of_test_pair.provider}
    requests = [one.group for one in entries if one.group]
    assert len(requests) == len(set(requests))
    # Entries that say whose they are can be told from those of others, who may use the model meanwhile.
    own = [one for one in entries if one.labels.get("userId") == verifier_id]
    assert len(own) == 2 if own else len(entries) >= 2


@pytest.mark.item("MDE-043")
def test_a_retrieval_is_logged_with_provider_model_and_key_type(window: Any, key_log: LogView, keys: Keys) -> None:
    """Every model's retrieval is logged: an info with provider, model and the secret's name, never its value."""
    assert window.no_keys == ""
    found = [one.line for one in key_log.matches["retrieved"]]
    pairs = {(one.provider, one.model, one.name) for one in keys.values()}
    assert {line.level for line in found} == {"info"}
    logged = {tuple(line.labels.get(field) for field in FIELDS) for line in found}
    assert logged - pairs == set()
    assert {
        (one.provider, one.model, one.name) for one in keys.values() if one.status == 200 and one.length
    } - logged == set()


@pytest.mark.item("MDE-044")
def test_a_failed_retrieval_is_logged_with_provider_and_model(window: Any, key_log: LogView, unknown_pair: Any) -> None:
    """The call for an unknown model leaves an error with its provider, its model and what went wrong."""
    assert window.no_keys == ""
    entries = _about(key_log, "not retrieved", unknown_pair.model)
    assert {(one.level, one.labels.get("metadata.provider")) for one in entries} == {("error", unknown_pair.provider)}
    assert {name for one in entries for name in CAUSES if one.labels.get(name)} != set()


@pytest.mark.item("MDE-064")
def test_errors_can_be_filtered(window: Any, key_log: LogView, unknown_pair: Any, trespasses: Keys) -> None:
    """The errors of get-api-key in the log are the run's own failing calls, the unknown model's among them."""
    assert window.no_keys == ""
    # These may be logged as failures, too, and need not say which name was asked for.
    refused = {(one.model, name) for one in trespasses.values() for name in (one.name, None)}
    errors = [one.line.labels for one in key_log.matches["not retrieved"] if one.line.level == "error"]
    others = [told for told in errors if (told.get(FIELDS[1]), told.get(FIELDS[2])) not in refused]
    assert {told.get(FIELDS[1], unknown_pair.model) for told in others} == {unknown_pair.model}


@pytest.mark.item("MDE-120")
def test_keys_leave_no_trace(
    window: Any, keys: Keys, keys_in_log: dict[str, Any], key_of_test_pair: Any, smoke_page: PageView
) -> None:
    """No log line, page storage or address holds a key, by the digests of their words, and no cache may keep one."""
    assert window.no_keys == ""
    assert keys_in_log["lines"] > 0
    assert keys_in_log["shown by"] == []
    handed = [key_of_test_pair, *(one for one in keys.values() if one.length)]
    assert {one.model for one in handed if "no-store" not in one.cache_control.lower()} == set()
    assert smoke_page.facts["handed_keys"] > 0
    assert len(smoke_page.facts["left_behind"]) > 0
    assert {one.digest for one in keys.values() if one.digest} & set(smoke_page.facts["left_behind"]) == set()


@pytest.mark.item("MDE-042")
def test_every_retrieval_since_the_release_succeeded(window: Any, since_release: LogView) -> None:
    """Of all calls of get-api-key since the release, the suite's own probes left out, none has failed."""
    assert window.no_keys == ""
    calls = [one for one in since_release.events if {"key handed out", "key refused"} & set(one.names)]
    others = [one for one in calls if "probed" not in one.names]
    if not others:
        raise UndecidedError("nobody but the suite has asked for a key since the release")
    assert [one.time for one in others if "key refused" in one.names] == []
