"""The project's secrets hold a key for each use case, and each use case gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .asking import NO_KEYS, digest, digests_of

if TYPE_CHECKING:
    Keys = dict[str, Any]
    Models = list[dict[str, Any]]
    Secrets = list[dict[str, str]]

UNFILLED = {digest(text) for text in NO_KEYS}
SCOPES = ("_IMAGE_TO_VIDEO", "_PROMPT_TO_VIDEO")
CROSSED = (("image_to_video", "_PROMPT_TO_VIDEO"), ("prompt_to_video", "_IMAGE_TO_VIDEO"))


@pytest.mark.item("MDE-007")
def test_the_secrets_hold_every_key_that_is_asked_for(held_secrets: Secrets, models: Models) -> None:
    """At least fifteen keys are set, among them each one that a model names, and none is left to be filled in."""
    held = {name: found for name, found in digests_of(held_secrets).items() if "API_KEY" in name}
    assert len(held) >= 15
    assert {one["use_api_key"] for one in models if one["use_api_key"]} - set(held) == set()
    assert [name for name, found in held.items() if found in UNFILLED] == []


@pytest.mark.item("MDE-010")
def test_keys_are_separated_by_use_case(window: Any, keys: Keys, held_secrets: Secrets, models: Models) -> None:
    """Image-to-video and prompt-to-video models each get their own scope's key, not the other's, nor a general one."""
    assert window.no_keys == ""
    digests = digests_of(held_secrets)
    scoped = [one for one in keys.values() if one.name.endswith(SCOPES)]
    assert {one.name.partition("_API_KEY")[2] for one in scoped} == set(SCOPES)
    assert {one.name: one.digest for one in scoped} == {one.name: digests.get(one.name) for one in scoped}
    unscoped = {digests.get("KIE_AI_API_KEY"), digests.get("RUNWARE_API_KEY")}
    assert [one.model for one in scoped if one.digest in unscoped] == []
    # Of the two providers with video models Runware has one scope for all its videos.
    assert len({digests.get(f"KIE_AI_API_KEY{scope}") for scope in SCOPES}) == len(SCOPES)
    named = {(one["contentType"], one["use_api_key"]): one["modelId"] for one in models}
    assert {named.get((kind, f"KIE_AI_API_KEY{other}")) for kind, other in CROSSED} == {None}
