"""What is looked at to verify model_fallback, by theme."""

from .looks_log import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_messages import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_page import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_rehearsal import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_surroundings import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
