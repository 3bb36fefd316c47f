"""A secret is taken away and given back: the key function says so at once, both times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.log_view import LogView

    Keys = dict[str, Any]


@pytest.mark.item("MDE-068")
def test_an_unset_secret_gets_500_and_no_key(window: Any, unset_key: Keys, unset_key_log: LogView) -> None:
    """While a model's secret is not set the answer is 500 with an error and without a key, and the log says so."""
    assert window.no_keys == ""
    assert (unset_key["without"].status, unset_key["without"].length) == (500, 0)
    assert unset_key["without"].error != ""
    model = unset_key["without"].model
    logged = [one.line.labels.get("metadata.modelId") for one in unset_key_log.matches["not retrieved"]]
    assert model in logged


@pytest.mark.item("MDE-078")
def test_a_key_that_was_added_is_used_at_once(window: Any, unset_key: Keys) -> None:
    """Once a secret is set again its key is handed out within a minute, without a redeploy."""
    assert window.no_keys == ""
    assert unset_key["before"].status == 200
    assert (unset_key["after"].status, unset_key["after"].digest) == (200, unset_key["before"].digest)
