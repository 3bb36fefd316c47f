"""What is looked at to verify model_management, by theme."""

from __future__ import annotations

from .looks_behaviour import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_installation import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_metrics import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
