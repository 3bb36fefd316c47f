"""The registry of faults: what may be switched on in each simulated system, and what is."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).parent


class UnknownNameError(Exception):
    """A fault or a system of this name does not exist; the text lists those that do."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """A named defect. items: ids of the checklist items that it turns red. group: a name that switches on several."""

    name: str
    sentence: str
    items: tuple[str, ...]
    group: str = ""


class Faults:
    """The faults of one system that are switched on."""

    def __init__(self, known: Iterable[str], active: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._active = frozenset(active)

    @property
    def active(self) -> frozenset[str]:
        """The names of those that are switched on."""
        return self._active

    def on(self, name: str) -> bool:
        """Say whether the fault `name` is switched on. Raises UnknownNameError for a name no faults.toml defines."""
        if name not in self._known:
            raise UnknownNameError(
                f"fault {name!r} is asked for and not defined; defined: {', '.join(sorted(self._known))}"
            )
        return name in self._active


def systems() -> tuple[str, ...]:
    """Return the names of the systems that can be simulated."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/faults.toml")))


def catalogue(system: str) -> tuple[Fault, ...]:
    """Return the faults of `system`, in the order of its faults.toml. Raises UnknownNameError."""
    if system not in systems():
        raise UnknownNameError(f"system {system!r} is not simulated; known: {', '.join(systems())}")
    tables = tomllib.loads((HERE / system / "faults.toml").read_text(encoding="utf-8"))["fault"]
    return tuple(Fault(**{**table, "items": tuple(table["items"])}) for table in tables)


def switch(names: Iterable[str], catalogues: Mapping[str, Iterable[Fault]]) -> dict[str, Faults]:
    """Return each system's faults with those in `names` on; a group's name stands for all its members.

    Raises UnknownNameError for a name that no selected system knows.
    """
    wanted = frozenset(names)
    every = [fault for faults in catalogues.values() for fault in faults]
    known = {fault.name for fault in every} | {fault.group for fault in every if fault.group}
    if unknown := sorted(wanted - known):
        raise UnknownNameError(f"unknown fault {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    return {
        system: Faults(
            (fault.name for fault in faults),
            (fault.name for fault in faults if wanted & {fault.name, fault.group}),
        )
        for system, faults in catalogues.items()
    }
