"""What the tests of the browser share: two sites, and browsers that they use in turn."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.browser.site import serve
from tests.looks import LocalShared, make_look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.look import Look

site = pytest.fixture(serve, name="site")
other = pytest.fixture(serve, name="other")


@pytest.fixture(scope="session")
def shared_browsers() -> Iterator[LocalShared]:
    """Browsers that all these tests use in turn."""
    shared = LocalShared()
    yield shared
    shared.close()


@pytest.fixture
def look(tmp_path: Path, shared_browsers: LocalShared) -> Look:
    """Twenty seconds to look, without a permit to write."""
    return dataclasses.replace(make_look(tmp_path, seconds=20), shared=shared_browsers)
