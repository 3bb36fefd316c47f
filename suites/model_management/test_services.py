"""The services around the installation are the right ones, and every part can say that it is ill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.python import Call


@pytest.mark.item("MMS-020")
def test_the_orchestration_service_answers(orchestration: Exchange) -> None:
    """Its address answers with 200 within 2 s, and it is the orchestration service that answers."""
    assert orchestration.status == 200
    assert (orchestration.json["status"], orchestration.json["service"]) == ("healthy", "ai_integration")
    assert orchestration.json["version"]
    assert orchestration.elapsed_s < 2


@pytest.mark.item("MMS-021")
def test_the_story_teller_answers(story: Exchange) -> None:
    """Its address answers with 200 within 2 s, and it is the story teller that answers."""
    assert story.status == 200
    assert (story.json["status"], "story" in story.json["service"].lower()) == ("healthy", True)
    assert story.json["version"]
    assert story.elapsed_s < 2


@pytest.mark.item("MMS-078")
def test_every_part_can_report_that_it_is_ill(broken_health: Call) -> None:
    """With the database away, registry, log, deployment manager and guardrails each report a failure."""
    parts = ("registry", "guardrails", "deployment manager", "historical log")
    assert broken_health.result == dict.fromkeys(parts, True)
