"""What a simulated system is given to stand on, and what it gives back once it runs."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.clock import Clock
    from simulators.faults import Faults

# An environment table as JSON: instruments by kind and name, and facts. See environments/models.py for its keys.
Table = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Site:
    """One system's ground: a folder of its own, the clock, its faults, and where it leaves what must be ended.

    A system `name` is a package `simulators.name` with a function `start(site: Site) -> Table`.
    variables: secrets the system made, by the name of the variable that hands them to an observer.
    """

    folder: Path
    clock: Clock
    faults: Faults
    variables: dict[str, str] = dataclasses.field(default_factory=dict)
    ending: contextlib.ExitStack = dataclasses.field(default_factory=contextlib.ExitStack)

    def secret(self, variable: str) -> str:
        """Make a random secret (32 characters) that is announced as `variable`."""
        return self.variables.setdefault(variable, secrets.token_hex(16))
