"""The testing page opens, sends what was typed, and shows the generated picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from fixtures.pictures import is_whole_picture

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.exchange import Exchange


@pytest.mark.item("MCI-052")
def test_the_page_opens(opened_page: PageView, phone_page: PageView) -> None:
    """The page opens with its form, on a desktop and on a phone, without script errors or missing files."""
    assert (opened_page.status, phone_page.status) == (200, 200)
    assert (opened_page.facts["form"], phone_page.facts["form"]) == (True, True)
    assert (opened_page.page_errors, phone_page.page_errors) == ((), ())
    origin = urljoin(opened_page.url, "/")
    assert [one.url for one in opened_page.failed_requests if one.url.startswith(origin)] == []


@pytest.mark.item("MCI-053")
def test_the_page_answers_head(page_head: Exchange) -> None:
    """The page answers HEAD with 200 and HTML, on its own host."""
    assert page_head.status == 200
    assert (page_head.header("content-type") or "").startswith("text/html")


@pytest.mark.item("MCI-054")
def test_an_instance_can_be_selected(opened_page: PageView) -> None:
    """The page offers instances, `default` among them, and keeps the selection."""
    assert "default" in opened_page.facts["instances"]
    assert opened_page.facts["kept"] is True


@pytest.mark.item("MCI-055")
def test_the_typed_prompt_is_the_one_that_is_sent(typed_page: PageView, marker: str) -> None:
    """The page's request carries the prompt that was typed."""
    sent = [json.loads(request.post_data or "{}") for request in typed_page.requests_to("/generate")]
    assert {body["prompt"] for body in sent} == {f"{marker} A typed prompt"}


@pytest.mark.item("MCI-056")
def test_one_click_sends_one_generation(generating_page: PageView, marker: str) -> None:
    """One click sends one generation, with the chosen instance and prompt, and it is answered 200."""
    sent = generating_page.requests_to("/generate")
    assert [(request.method, request.status) for request in sent] == [("POST", 200)]
    body = json.loads(sent[0].post_data or "{}")
    assert (body["instance_id"], body["prompt"]) == ("production", f"{marker} A picture on the page")


@pytest.mark.item("MCI-057")
def test_the_generated_image_appears(generating_page: PageView) -> None:
    """The page ends with the generated image, complete, from a URL that the worker answered."""
    answered = [json.loads(answer)["image_url"] for answer in generating_page.facts["answers"]]
    assert generating_page.facts["width"] > 0
    assert generating_page.facts["image"] in answered


@pytest.mark.item("MCI-058")
def test_the_link_under_the_image_works(linked_picture: Exchange, generating_page: PageView) -> None:
    """The link that the page shows is the one that the worker answered, and delivers a whole picture to anybody."""
    assert linked_picture.status == 200
    assert (linked_picture.header("content-type") or "").startswith("image/")
    assert is_whole_picture(linked_picture.body)
    assert generating_page.facts["url"] in [json.loads(one)["image_url"] for one in generating_page.facts["answers"]]
