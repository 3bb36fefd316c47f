"""The Image Optimization page opens, offers the test product's images, and sends what was typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .asking import PROMPT

if TYPE_CHECKING:
    from fixtures.browser import PageView


@pytest.mark.item("IMO-028")
def test_the_page_opens(opened_page: PageView, phone_page: PageView) -> None:
    """The page opens with its products within 20 s, on a desktop and on a phone, without errors."""
    assert (opened_page.status, phone_page.status) == (200, 200)
    assert (opened_page.facts["heading"], phone_page.facts["heading"]) == (True, True)
    assert (opened_page.facts["listed"], phone_page.facts["listed"]) == (True, True)
    assert (opened_page.facts["errors"], phone_page.facts["errors"]) == ([], [])


@pytest.mark.item("IMO-029")
def test_the_ten_images_of_the_product_are_offered(opened_page: PageView) -> None:
    """Of the test product exactly ten images are shown, whole, and all ten can be selected."""
    assert [width > 0 for width in opened_page.facts["widths"]] == [True] * 10
    assert opened_page.facts["images"] == 10
    assert "10 images" in opened_page.facts["label"]


@pytest.mark.item("IMO-030")
def test_the_page_sends_what_was_typed(opened_page: PageView, marker: str) -> None:
    """One click sends one request, with the prompt that was typed for each image, and each image once."""
    sent = [json.loads(request.post_data or "{}") for request in opened_page.requests_to("/api/image-optimization")]
    prompts = [[image["prompt"] for image in body["images"]] for body in sent]
    assert prompts == [[f"Remove the background of picture {n}, {marker}" for n in range(opened_page.facts["images"])]]
    assert len({image["imageId"] for image in sent[0]["images"]}) == opened_page.facts["images"]


@pytest.mark.item("IMO-030")
def test_a_request_creates_one_job_with_its_items(small_batch: dict[str, Any], marker: str) -> None:
    """One request makes one job with ten items, each image with its prompt, at 15 credits for each not failed."""
    (posted,) = small_batch["posted"]
    assert (posted.status, posted.json["success"], posted.json["creditsUsed"]) == (201, True, 150)
    rows = small_batch["rows"]
    assert [str(row["id"]) for row in rows["jobs"]] == [posted.json["job"]["id"]]
    asked = [(f"{marker}small-0-{n}", f"{PROMPT} {n} of job 0, {marker}small") for n in range(10)]
    assert sorted((row["image_id"], row["prompt"]) for row in rows["items"]) == asked
    (before,), (after,) = small_batch["before"].values(), small_batch["after"].values()
    kept = [row["status"] for row in rows["items"] if row["status"] != "FAILED"]
    assert before.json["creditsRemaining"] - after.json["creditsRemaining"] == 15 * len(kept)
