"""The Custom Creation page opens, offers the registry's models, and says what it does."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from .asking import IMAGE, SYNCHRONOUS
from .studio import GROUPS, context_of

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.database import Snapshot

    Models = list[dict[str, Any]]

STARTED = "[INFO] Starting direct model execution "
IGNORED = re.compile(r"'frame-ancestors' is ignored|google-analytics|googletagmanager|posthog")
WORKING = {"studio": True, "prompt": True, "menu": True, "generate": True}


def _said(view: PageView, start: str) -> list[dict[str, Any]]:
    """Return the contexts of the console lines that begin so; an empty one where none can be read."""
    return [context_of(one.text[len(start) :]) for one in view.console if one.text.startswith(start)]


def _errors(view: PageView) -> list[str]:
    """Return the errors on the console, those left out that are about analytics or about what a page cannot ask for."""
    return [text for text in view.console_errors if not IGNORED.search(text)]


def _failed(view: PageView) -> list[tuple[str, int | None]]:
    """Return the failed requests to the page's own origin; those that a reload or the end cut off have not failed."""
    own = urlsplit(view.url)[:2]
    ended = [one for one in view.failed_requests if one.failure != "net::ERR_ABORTED"]
    return [(one.url, one.status) for one in ended if urlsplit(one.url)[:2] == own]


def _parts(view: PageView) -> dict[str, object]:
    return {name: view.facts.get(name, False) for name in WORKING}


@pytest.mark.item("MDE-029")
def test_the_page_opens_in_working_order(opened_page: PageView, phone_page: PageView) -> None:
    """In Chromium, on a desktop and on a phone, model menu, prompt and Generate are usable within 15 s."""
    assert (opened_page.status, phone_page.status) == (200, 200)
    assert _parts(opened_page) == WORKING
    assert _parts(phone_page) == WORKING
    assert phone_page.facts["scrolls_sideways"] is False


@pytest.mark.item("MDE-030")
def test_the_menu_offers_the_registrys_models(opened_page: PageView, models: Models, hidden_models: set[str]) -> None:
    """Each group's menu offers exactly the active models of its content type that no setting hides, each once."""
    offered = [one for one in models if one["isActive"] and one["recordId"] not in hidden_models]
    wanted = {
        group: Counter((one["modelFamily"], one["variantName"]) for one in offered if one["contentType"] == kind)
        for group, kind in GROUPS.items()
    }
    found = {group: Counter(map(tuple, entries)) for group, entries in opened_page.facts.get("offered", {}).items()}
    assert found == wanted
    assert sum(map(len, found.values())) > 0


@pytest.mark.item("MDE-031")
def test_loading_writes_no_error(opened_page: PageView, phone_page: PageView) -> None:
    """From opening until five seconds after the network rests: no error, no exception, no failed request of its own."""
    assert _errors(opened_page) + _errors(phone_page) == []
    assert opened_page.page_errors + phone_page.page_errors == ()
    assert _failed(opened_page) + _failed(phone_page) == []


@pytest.mark.item("MDE-045")
def test_the_page_logs_the_start_of_each_execution(smoke_page: PageView, models: Models) -> None:
    """For each of the run's images the console says which model, provider and content type was started."""
    fields = ("modelId", "provider", "contentType")
    known = {one["recordId"]: {field: one[field] for field in fields} for one in models}
    told = [{field: one.get(field) for field in fields} for one in _said(smoke_page, STARTED)]
    assert told == [known[IMAGE], known[SYNCHRONOUS]]


@pytest.mark.item("MDE-046")
def test_the_page_logs_a_failed_generation(window: Any, failing_page: PageView, own_rows: Snapshot) -> None:
    """After a provider's error the console names the error, the model, and the record that was made."""
    assert window.no_keys == ""
    told = _said(failing_page, "[ERROR] Generation failed ")
    made = [row for row in own_rows["own"] if row["prompt"].endswith("A refused picture")]
    named = [(one.get("generationId"), one.get("modelId"), bool(one.get("error"))) for one in told]
    assert len(made) == 1
    assert (made[0]["id"], made[0]["model_id"], True) in named


@pytest.mark.item("MDE-083")
def test_the_page_is_not_broken(opened_page: PageView, failing_page: PageView) -> None:
    """The page and its Generate work: critical, roll back the frontend or fix it, and leave the backend alone."""
    assert _parts(opened_page) == WORKING
    assert opened_page.page_errors == ()
    assert [address for method, address, _ in failing_page.facts["calls"] if method == "POST"] != []
