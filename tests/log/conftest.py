"""What every test of the log instrument starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.look import Look


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    given_look = make_look(tmp_path, seconds=20)
    yield given_look
    given_look.shared.close()  # type: ignore[attr-defined]  # the test's shared things
