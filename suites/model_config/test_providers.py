"""More models: other providers than the default one generate in dynamic mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.pictures import is_whole_picture

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.log_view import LogView


@pytest.mark.item("MCI-111")
def test_dall_e_3_generates(
    rows: Snapshot, by_other_providers: dict[str, Exchange], their_pictures: dict[str, Exchange]
) -> None:
    """DALL-E 3 is active, its provider is openai, and a generation with it delivers a whole picture."""
    row = rows["models"].by("model_id")["dall-e-3"]
    assert (row["provider_id"], row["status"]) == ("openai", "active")
    assert by_other_providers["dall-e-3"].status == 200
    assert by_other_providers["dall-e-3"].json["metadata"]["provider"] == "openai"
    assert _own(by_other_providers["dall-e-3"])
    assert is_whole_picture(their_pictures["dall-e-3"].body)


@pytest.mark.item("MCI-112")
def test_stable_diffusion_generates(
    rows: Snapshot, by_other_providers: dict[str, Exchange], their_pictures: dict[str, Exchange]
) -> None:
    """A Stable Diffusion model is active, and a generation with it delivers a whole picture by its own provider."""
    (name,) = [one for one in by_other_providers if "stable" in one]
    row = rows["models"].by("model_id")[name]
    assert row["status"] == "active"
    assert by_other_providers[name].status == 200
    assert by_other_providers[name].json["metadata"]["provider"] == row["provider_id"]
    assert _own(by_other_providers[name])
    assert is_whole_picture(their_pictures[name].body)


@pytest.mark.item("MCI-113")
def test_several_providers_serve_in_dynamic_mode(their_requests: LogView) -> None:
    """At least two providers each serve a generation in dynamic mode, as the log names them."""
    served = [group for group in their_requests.groups if group.status == 200]
    used = {match.groups[1] for group in served for match in group.matches if match.name == "using"}
    assert len(used) >= 2
    assert "undefined" not in used


def _own(generation: Exchange) -> bool:
    """Return whether the answer's address is that of the object that the generation was stored as."""
    return str(generation.json["image_url"]).endswith(generation.json["r2_path"])
