"""Fixtures that ask: the http instrument for a URL, and servers that end with the test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from environments.models import HttpConfig
from fixtures.http import Http
from tests.hostile import Hostile
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def http(tmp_path: Path) -> Callable[..., Http]:
    """Make the instrument for a URL; other arguments go to its configuration or its look."""

    def make(url: str, *, resolver: Any = None, look: Any = None, **options: Any) -> Http:
        names = set(HttpConfig.model_fields)
        config = HttpConfig(url=url, **{name: option for name, option in options.items() if name in names})
        facts = {name: option for name, option in options.items() if name not in names}
        extra = {"resolver": resolver} if resolver else {}
        return Http(config, look or make_look(tmp_path, **facts), **extra)

    return make


@pytest.fixture
def serve() -> Iterator[Callable[..., Hostile]]:
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda behave, **options: stack.enter_context(Hostile(behave, **options))
