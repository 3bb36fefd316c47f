"""The worker generates, in dynamic and in legacy mode, and what it names is stored and public."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from fixtures.pictures import is_whole_picture, picture_type

from .asking import GENERATIONS, LEGACY, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fixtures.exchange import Exchange
    from fixtures.stored import StoredObject
    from fixtures.thresholds import Limit

    Sampled = Callable[[Sequence[float]], Sequence[float]]
    Threshold = Callable[..., Limit]

SKEW = dt.timedelta(seconds=60)  # by which the bucket's clock may be behind ours; an earlier picture is hours old


@pytest.mark.item("MCI-036")
def test_the_worker_is_healthy(health: Exchange) -> None:
    """The worker's health answers 200 with JSON within 5 s, and not from a cache."""
    assert health.status == 200
    assert health.json["status"] == "healthy"
    assert health.header("cf-cache-status") not in ("HIT", "STALE", "UPDATING", "REVALIDATED")
    assert health.header("age") in (None, "0")
    assert health.elapsed_s < 5


@pytest.mark.item("MCI-037")
def test_the_worker_has_its_bucket(health: Exchange) -> None:
    """The running worker says that its bucket is configured."""
    assert health.json["r2_configured"] is True


@pytest.mark.item("MCI-040")
def test_a_named_model_produces_an_image(by_model_id: Exchange, pictures: dict[str, Exchange]) -> None:
    """A generation with model_id answers 200 with success and the URL of its own, whole picture."""
    assert by_model_id.status == 200
    assert by_model_id.json["success"] is True
    assert str(by_model_id.json["image_url"]).endswith(by_model_id.json["r2_path"])
    assert by_model_id.json["metadata"]["model"] == "ideogram-v2"
    assert is_whole_picture(pictures["by_model_id"].body)


@pytest.mark.item("MCI-041")
def test_no_model_produces_an_image(by_default: Exchange, pictures: dict[str, Exchange]) -> None:
    """A generation without model_id answers 200 with success and the URL of its own, whole picture."""
    assert by_default.status == 200
    assert by_default.json["success"] is True
    assert str(by_default.json["image_url"]).endswith(by_default.json["r2_path"])
    assert is_whole_picture(pictures["by_default"].body)


@pytest.mark.item("MCI-048")
def test_an_unknown_model_is_served_in_legacy_mode(by_unknown_model: Exchange, pictures: dict[str, Exchange]) -> None:
    """A generation for a model without a config answers 200 in legacy mode, with its own, whole picture."""
    assert by_unknown_model.status == 200
    assert by_unknown_model.json["success"] is True
    assert str(by_unknown_model.json["image_url"]).endswith(by_unknown_model.json["r2_path"])
    assert by_unknown_model.json["metadata"]["model"] == LEGACY
    assert is_whole_picture(pictures["by_unknown_model"].body)


@pytest.mark.item("MCI-060")
def test_every_picture_is_stored(generations: dict[str, Exchange], stored: dict[str, StoredObject]) -> None:
    """The bucket holds each served generation's own picture, not empty, as an image, written for this request."""
    served = {name: one.sent_at - SKEW for name, one in generations.items() if one.status == 200}
    assert len(served) > 0
    assert {name: one.exists for name, one in stored.items()} == dict.fromkeys(served, True)
    assert [one.key for name, one in stored.items() if slug(generations[name]) not in one.key] == []
    assert [name for name, one in stored.items() if one.size == 0 or one.modified < served[name]] == []
    assert {one.content_type.partition("/")[0] for one in stored.values()} == {"image"}


@pytest.mark.item("MCI-062")
def test_every_image_url_is_public(generations: dict[str, Exchange], pictures: dict[str, Exchange]) -> None:
    """Anybody can fetch each returned URL: 200, a whole picture, of the type the answer states."""
    served = [name for name, one in generations.items() if one.status == 200]
    assert len(served) > 0
    assert {name: one.status for name, one in pictures.items()} == dict.fromkeys(served, 200)
    stated = {name: (one.header("content-type") or "").partition(";")[0] for name, one in pictures.items()}
    assert stated == {name: picture_type(one.body) for name, one in pictures.items()}
    assert [name for name, one in pictures.items() if not is_whole_picture(one.body)] == []


@pytest.mark.item("MCI-063")
def test_every_generation_takes_less_than_ten_seconds(
    generations: dict[str, Exchange], sampled: Sampled, threshold: Threshold
) -> None:
    """Each of the run's generations is answered in less than 10 s, or than the environment's tighter limit."""
    assert len(generations) == len(GENERATIONS)
    assert max(sampled([one.elapsed_s for one in generations.values()])) < threshold().value
