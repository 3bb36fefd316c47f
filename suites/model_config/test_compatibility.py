"""Clients of before the release are served as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView

ANSWER = {"success": bool, "image_url": str, "r2_path": str, "metadata": dict, "request_id": str, "timestamp": str}
METADATA = {"provider": str, "model": str, "dimensions": str, "format": str, "generation_time_ms": int}


@pytest.mark.item("MCI-061")
def test_the_old_parameter_still_selects_the_model(by_model: Exchange, requests: LogView) -> None:
    """`model` selects the model when model_id is absent, and model_id wins when both are there."""
    assert by_model.status == 200
    assert by_model.json["metadata"]["model"] == "ideogram-v2"
    names = ("by_other_model", "by_both")
    fetched = {
        name: [one.groups[0] for one in requests.group(f"/{name})").matches if one.name == "fetch"] for name in names
    }
    assert fetched == {"by_other_model": ["nonexistent-model"], "by_both": ["ideogram-v2"]}


@pytest.mark.item("MCI-102")
def test_clients_of_before_the_release_find_what_they_found(by_model: Exchange) -> None:
    """A request as it was written before the release gets every field of then, of its type."""
    assert by_model.status == 200
    assert {name: isinstance(by_model.json.get(name), kind) for name, kind in ANSWER.items()} == dict.fromkeys(
        ANSWER, True
    )
    metadata = by_model.json["metadata"]
    assert {name: isinstance(metadata.get(name), kind) for name, kind in METADATA.items()} == dict.fromkeys(
        METADATA, True
    )
