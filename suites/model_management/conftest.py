"""What is looked at to verify model_management, by theme."""

from __future__ import annotations

import pytest

from judging.numerics import np, special

from .looks_behaviour import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_installation import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_metrics import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest


@pytest.fixture(scope="session", autouse=True)
def arithmetic(request: pytest.FixtureRequest) -> None:
    """What decides percentiles, loaded at the first check: the times come last, and a run would end later by 0.3 s."""
    if any("latencies" in getattr(item, "fixturenames", ()) for item in request.session.items):
        special.betainc(1.0, 1.0, np.float64(0.5))
