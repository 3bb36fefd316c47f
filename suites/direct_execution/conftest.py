"""What is looked at to verify direct_execution, by theme."""

from .looks_alerts import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_keys import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_log import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_page import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_records import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_rights import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
