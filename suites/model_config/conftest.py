"""What is looked at to verify model_config, by theme."""

from .looks_generation import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_log import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_page import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_rehearsal import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_services import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
