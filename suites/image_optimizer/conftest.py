"""What is looked at to verify image_optimizer: batches followed by API, tables, limiter and log at once, and the past.

A difference of two moments is the target's time: it is multiplied by the run's speed, which is 1 but for simulators.
All jobs are tagged: their product's id begins with the run's marker. The API cannot remove jobs, so they stay.
"""

from .looks_batches import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_log import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_page import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_replicate import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
from .looks_tables import *  # noqa: F403  pytest finds the fixtures of a suite in its conftest
