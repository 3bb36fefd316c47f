"""What cannot be served is refused with a fitting answer, and what fails behind the worker does not break it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .asking import CREDENTIAL, in_turn

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

STATUSES = {"429": "429", "500": "500", "denied": "40[13]"}
PROVIDERS_WORDS = ("Invalid API key", "Too many requests", "The service is having a problem")


@pytest.mark.item("MCI-067")
def test_a_malformed_model_id_is_refused(malformed_model_ids: dict[str, Exchange]) -> None:
    """A model_id of the wrong type, too long or shaped like a path or SQL gets a JSON 4xx that names the field."""
    assert {name: one.trouble for name, one in malformed_model_ids.items()} == dict.fromkeys(malformed_model_ids)
    refused = {name: 400 <= one.status < 500 for name, one in malformed_model_ids.items()}
    assert refused == dict.fromkeys(malformed_model_ids, True)
    named = {name: "model" in one.json["error"].lower() for name, one in malformed_model_ids.items()}
    assert named == dict.fromkeys(malformed_model_ids, True)
    assert [name for name, one in malformed_model_ids.items() if " at " in one.json["error"]] == []


@pytest.mark.item("MCI-068")
def test_a_missing_prompt_is_refused_with_400(without_prompt: list[Exchange]) -> None:
    """Without a prompt, or with an empty or blank one, the answer is 400 with a JSON error."""
    assert [one.status for one in without_prompt] == [400, 400, 400, 400]
    assert [one.json["error_code"] for one in without_prompt] == ["INVALID_REQUEST"] * 4


@pytest.mark.item("MCI-069")
def test_an_unknown_instance_is_refused_with_404(unknown_instance: Exchange) -> None:
    """A generation for an instance that does not exist is answered 404 with a JSON error."""
    assert unknown_instance.status == 404
    assert unknown_instance.json["error_code"] == "INSTANCE_NOT_FOUND"


@pytest.mark.item("MCI-070")
def test_a_config_service_that_hangs_does_not_break_generation(
    config_service_hangs: Exchange, by_unknown_model: Exchange, hang_logged: LogView
) -> None:
    """While the Config Service hangs it is given up within 10 s, for a picture or a JSON 5xx, and that is logged."""
    assert config_service_hangs.trouble is None
    served = config_service_hangs.status == 200
    assert config_service_hangs.elapsed_s - (by_unknown_model.elapsed_s if served else 0) < 10
    assert config_service_hangs.is_json
    assert served or config_service_hangs.status >= 500
    assert ("image_url" if served else "error_code") in config_service_hangs.json
    assert hang_logged.counts["fetch failed"] >= 1


@pytest.mark.item("MCI-071")
def test_provider_failures_become_correct_answers(
    provider_fails: dict[str, Exchange], failures_logged: LogView, stored_despite_failure: list[str]
) -> None:
    """Each provider failure becomes a JSON error without the provider's words or a key, is logged, stores nothing."""
    assert {mode: one.trouble for mode, one in provider_fails.items()} == dict.fromkeys(provider_fails)
    assert {mode: one.status >= 400 for mode, one in provider_fails.items()} == dict.fromkeys(provider_fails, True)
    assert {mode: "error_code" in one.json for mode, one in provider_fails.items()} == dict.fromkeys(
        provider_fails, True
    )
    assert [mode for mode, one in provider_fails.items() if one.json.get("success") or "image_url" in one.json] == []
    assert [mode for mode, one in provider_fails.items() if any(words in one.text for words in PROVIDERS_WORDS)] == []
    assert [mode for mode, one in provider_fails.items() if CREDENTIAL.search(one.text)] == []
    logged = in_turn(failures_logged, provider_fails)
    assert {mode: group.event.level for mode, group in logged.items()} == dict.fromkeys(provider_fails, "error")
    said = {mode: " ".join(line.text for line in group.lines) for mode, group in logged.items()}
    assert [mode for mode, status in STATUSES.items() if not re.search(status, said[mode])] == []
    assert stored_despite_failure == []


@pytest.mark.item("MCI-119")
def test_transient_failures_are_retried(
    provider_stumbles: dict[str, Exchange],
    stumbles_logged: LogView,
    provider_fails: dict[str, Exchange],
    failures_logged: LogView,
) -> None:
    """After one 503 the generation succeeds, when all are 503 it ends after a few tries; a refused key ends it."""
    assert provider_stumbles["once"].status == 200
    assert "error" in provider_stumbles["always"].json
    retries = sorted(group.sequence.count("retry") for group in stumbles_logged.groups)
    assert 1 <= retries[0] <= 2  # one that names its beginning and its end has two lines
    assert 1 <= retries[1] <= 5
    assert "retry" not in in_turn(failures_logged, provider_fails)["denied"].flow
