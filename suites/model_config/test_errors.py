"""What cannot be served is refused with a fitting answer, and what fails behind the worker does not break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

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
    config_service_hangs: Exchange, hang_logged: LogView
) -> None:
    """While the Config Service hangs, a generation is answered within 10 s, by picture or JSON error, and logged."""
    assert config_service_hangs.trouble is None
    assert config_service_hangs.elapsed_s < 10
    assert config_service_hangs.is_json
    assert ("image_url" if config_service_hangs.status == 200 else "error_code") in config_service_hangs.json
    assert hang_logged.counts["fetch failed"] == 1


@pytest.mark.item("MCI-071")
def test_provider_failures_become_correct_answers(
    provider_fails: dict[str, Exchange], failures_logged: LogView
) -> None:
    """Each provider failure becomes a JSON error without the provider's words, is logged, and stores nothing."""
    assert {mode: one.trouble for mode, one in provider_fails.items()} == dict.fromkeys(provider_fails)
    assert {mode: one.status >= 400 for mode, one in provider_fails.items()} == dict.fromkeys(provider_fails, True)
    assert {mode: "error_code" in one.json for mode, one in provider_fails.items()} == dict.fromkeys(
        provider_fails, True
    )
    assert [mode for mode, one in provider_fails.items() if one.json.get("success") or "image_url" in one.json] == []
    assert [mode for mode, one in provider_fails.items() if any(words in one.text for words in PROVIDERS_WORDS)] == []
    assert [group.event.level for group in failures_logged.groups] == ["error"] * len(provider_fails)


@pytest.mark.item("MCI-119")
def test_transient_failures_are_retried(provider_stumbles: dict[str, Exchange], stumbles_logged: LogView) -> None:
    """After one 503 of the provider the generation succeeds; when all are 503 it ends, after a few tries."""
    assert provider_stumbles["once"].status == 200
    assert "error" in provider_stumbles["always"].json
    retries = sorted(group.sequence.count("retry") for group in stumbles_logged.groups)
    assert retries[0] == 1
    assert 1 <= retries[1] <= 5
