"""The registry stores models as they were given, and each use case has exactly one current model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.python import Call

LAYERS = ("foundation_layer", "customization_layer", "interaction_layer", "coordination_layer")


def _found(lookups: Call, layer: str) -> Mapping[str, Any]:
    """Return the model that a lookup gave; a lookup that raised, hung or found none fails the check."""
    seen = lookups.result[layer]
    assert (seen["raised"], seen["hung"]) == ("", False)
    assert seen["returned"] is not None
    found: Mapping[str, Any] = seen["returned"]
    return found


def _current(rows: Snapshot, use_case: str) -> list[str]:
    return [row["model_id"] for row in rows["current"] if row["use_case"] == use_case]


@pytest.mark.item("MMS-019")
def test_the_endpoint_of_every_layer_answers(endpoints: Call) -> None:
    """Each current model's endpoint answers a minimal request with 200 and a text within 10 s."""
    answers = {layer: (one["status"], one["text"] != "", one["took_s"] < 10) for layer, one in endpoints.result.items()}
    assert answers == dict.fromkeys(LAYERS, (200, True, True))


@pytest.mark.item("MMS-022")
def test_the_registry_can_be_built_without_arguments(built: Call) -> None:
    """ModelRegistry is importable, needs no arguments, and its lookup works."""
    assert built.raised is None


@pytest.mark.item("MMS-023")
def test_a_registered_model_is_stored_as_given(registration: Call, rows: Snapshot, marker: str) -> None:
    """The row of a registered model holds every field unchanged; until it is promoted it is a candidate."""
    logged = [row["status"] for row in rows["models"] if row["use_case"] == f"verify_{marker}_log"]
    assert logged == ["candidate"]
    row = rows["models"].by("model_id")[registration.result["first"]]
    assert {name: row[name] for name in row if name != "status"} == {
        "model_id": registration.result["first"],
        "model_name": f"first-{marker}",
        "model_type": "self_hosted",
        "provider": "ollama",
        "use_case": f"verify_{marker}_registry",
        "version": "1.0",
        "model_path": "/models/verified",
        "configuration": {"endpoint": "http://127.0.0.1:9/generate"},
        "performance_metrics": {"p95": 0.5},
        "resource_requirements": {"gpu": 1},
        "kind": "object",
    }


@pytest.mark.item("MMS-024")
def test_the_first_model_is_registered_once(rows: Snapshot, facts: Mapping[str, str]) -> None:
    """foundation-model-v1 is there exactly once, however often the services were started."""
    assert rows["foundation"].only == {
        "model_type": "self_hosted",
        "provider": "ollama",
        "use_case": "foundation_layer",
        "version": "1.0",
        "endpoint": facts["foundation_endpoint"],
    }


@pytest.mark.item("MMS-024")
def test_a_second_registration_adds_nothing(registration: Call, rows: Snapshot, marker: str) -> None:
    """Whether it is refused or answered: a second registration of the same model leaves one row."""
    kept = [row["model_id"] for row in rows["models"] if row["model_name"] == f"first-{marker}"]
    assert kept == [registration.result["first"]]


@pytest.mark.item("MMS-025")
def test_a_promoted_model_is_the_current_one(registration: Call, rows: Snapshot, marker: str) -> None:
    """Each lookup returns the model promoted last, which alone is current in the end; a retired one is not found."""
    seen = registration.result
    assert seen["current"] == [seen["first"], seen["second"]]
    assert _current(rows, f"verify_{marker}_registry") == [seen["second"]]
    assert rows["models"].by("model_id")[seen["first"]]["status"] == "deprecated"
    assert seen["gone"] is None


@pytest.mark.item("MMS-025")
def test_simultaneous_promotions_leave_one_current_model(race: Call, rows: Snapshot, marker: str) -> None:
    """However often two models of one use case are promoted at the same moment, exactly one is current."""
    assert race.result["current"] == [1] * 12
    assert len(_current(rows, f"verify_{marker}_race")) == 1


@pytest.mark.item("MMS-029")
def test_the_registry_is_healthy(lookups: Call, rows: Snapshot, registry_service: dict[str, Exchange]) -> None:
    """The foundation layer's current model is the database's, whether Python or the service is asked."""
    found = _found(lookups, "foundation_layer")
    assert found["model_name"]
    assert found["configuration"]["endpoint"]
    assert [found["model_id"]] == _current(rows, "foundation_layer")
    assert registry_service["health"].json["status"] == "healthy"
    told = registry_service["current"].json
    same = ("model_id", "model_name", "use_case", "version", "status", "configuration")
    assert {name: told[name] for name in same} == {name: found[name] for name in same}


@pytest.mark.parametrize("layer", LAYERS[1:3], ids=["MMS-070", "MMS-062"])
def test_a_layer_has_one_current_model_that_answers(lookups: Call, endpoints: Call, rows: Snapshot, layer: str) -> None:
    """The layer has exactly one current model, the lookup returns it, and its endpoint answers."""
    assert [_found(lookups, layer)["model_id"]] == _current(rows, layer)
    assert (endpoints.result[layer]["status"], endpoints.result[layer]["text"] != "") == (200, True)
