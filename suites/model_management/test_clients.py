"""Clients use the registry and the deployment manager they are given, and survive without a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.python import Call


@pytest.mark.item("MMS-026")
@pytest.mark.parametrize("layer", ["foundation", "customization", "interaction", "coordination"])
def test_the_client_takes_its_endpoint_from_the_registry(wiring: Call, layer: str) -> None:
    """A layer's text is asked for at the endpoint that the given registry names, and carries that model's id."""
    seen = wiring.result["layers"][layer]
    assert seen["reached"] == [200]
    assert (seen["answer"]["success"], seen["answer"]["text"]) == (True, f"answered by {layer}")
    assert seen["answer"]["model_id"] == seen["model_id"]


@pytest.mark.item("MMS-027")
def test_the_coordinator_works_through_the_given_manager(wiring: Call) -> None:
    """A coordinated deployment is one call of the given manager, with the given ids and strategy."""
    assert wiring.result["asked"] == [["new", "old", "canary"]]


@pytest.mark.item("MMS-028")
def test_every_narrative_passes_the_given_monitor(narratives: Call) -> None:
    """The given monitor has been handed each narrative, once, before the caller gets it."""
    seen = narratives.result["none"]
    assert [seen["told"] in " ".join(one["outputs"]) for one in seen["given"]].count(True) == 1


@pytest.mark.item("MMS-043")
@pytest.mark.parametrize("way", ["refuses", "hangs", "knows nothing"])
def test_texts_come_without_a_registry(outage: Call, facts: Mapping[str, str], way: str) -> None:
    """With a registry that refuses, hangs or knows nothing, the hard-coded endpoint answers within 10 s."""
    seen = outage.result[way]
    assert (seen["raised"], seen["hung"]) == ("", False)
    assert seen["url"] == facts["hard_coded_endpoint"]
    assert (seen["returned"]["success"], seen["returned"]["model_id"]) == (True, None)
    assert seen["returned"]["text"] != ""


@pytest.mark.item("MMS-044")
def test_the_next_request_asks_the_registry_again(outage: Call) -> None:
    """The same client takes the hard-coded endpoint while the registry is away, and its model's once it is back."""
    seen = outage.result["returns"]
    assert (seen["first"]["returned"]["success"], seen["first"]["returned"]["model_id"]) == (True, None)
    assert (seen["reached"], seen["second"]["returned"]["text"]) == (1, "answered by back")
