"""The testing page offers the models that the Config Service lists, with what each can do and costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.exchange import Exchange

PRICE = re.compile(r"[$€£]\s*\d|\d\s*(?:[$€£]|USD|EUR|cents?)|\b(?:USD|EUR)\s*\d", re.IGNORECASE)


@pytest.mark.item("MCI-114")
def test_the_models_come_from_the_config_service(opened_page: PageView, config_list: Exchange) -> None:
    """Opening the page asks for the model configs, and the active and beta ones are what it offers."""
    configs = config_list.json["data"]["configs"]
    assert len(opened_page.requests_to("/model-config")) >= 1
    offered = {name for name in opened_page.facts["models"] if name}
    assert offered == {one["model_id"] for one in configs if one["status"] in ("active", "beta")}


@pytest.mark.item("MCI-115")
def test_the_page_tells_what_each_model_can_do(opened_page: PageView, config_list: Exchange) -> None:
    """For each offered model the page names exactly the capabilities that its config states."""
    offered = [one for one in config_list.json["data"]["configs"] if one["status"] in ("active", "beta")]
    known = {name for one in offered for name in one["capabilities"]}
    shown = {one["model_id"]: _named(known, _said(opened_page, one)) for one in offered}
    assert shown == {one["model_id"]: {name for name, can in one["capabilities"].items() if can} for one in offered}


@pytest.mark.item("MCI-116")
def test_the_page_shows_prices(opened_page: PageView, config_list: Exchange) -> None:
    """For each offered model the page shows its config's amount and unit, and none where the config has none."""
    offered = [one for one in config_list.json["data"]["configs"] if one["status"] in ("active", "beta")]
    told = {one["model_id"]: _said(opened_page, one) for one in offered}
    priced = {one["model_id"]: one["pricing"] for one in offered if one.get("pricing")}
    assert [model for model, stated in priced.items() if not _amounts(stated) & set(_numbers(told[model]))] == []
    units = {model: str(stated.get("billing_unit") or stated.get("unit")) for model, stated in priced.items()}
    assert [model for model, unit in units.items() if unit.lower() not in told[model].lower()] == []
    assert [model for model, text in told.items() if model not in priced and PRICE.search(text)] == []


def _said(page: PageView, config: dict[str, Any]) -> str:
    """Return what the page says of a model besides its name and description, which may hold any word."""
    text: str = page.facts["told"][config["model_id"]]
    for known in (config.get("description"), config["display_name"], config["model_id"]):
        text = text.replace(known or "\0", " ")
    return text


def _named(known: set[str], text: str) -> set[str]:
    """Return the capabilities that a text names, in whatever case, with blanks or underscores; not those in a price."""
    found, rest = set(), re.sub(r"(?:\bper|/)\s*\w+", " ", text.lower())
    for name in sorted(known, key=len, reverse=True):  # `image_to_video` names neither an image nor a video
        words = rf"(?<!\w){re.escape(name.lower()).replace('_', '[_ -]')}(?!\w)"
        found |= {name} if re.search(words, rest) else set()
        rest = re.sub(words, " ", rest)
    return found


def _amounts(pricing: dict[str, Any]) -> set[float]:
    return {float(amount) for amount in pricing.values() if isinstance(amount, int | float)}


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)]
