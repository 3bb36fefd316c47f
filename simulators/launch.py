"""Starting the selected systems, announcing where they are, and ending with the one who asked for them."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import math
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.clock import Clock
from simulators.faults import Fault, Faults, UnknownNameError, catalogue, switch, systems
from simulators.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.site import Table

USAGE_ERROR = 4
USAGE = "usage: python -m simulators [--list-faults [SYSTEM]]"
# A generation of 4 s takes 0.4 s; an answer's own 10 ms stay below a tenth of the target's second.
DEFAULT_SPEED = 10.0


class UsageError(Exception):
    """The command or a variable asks for something that does not exist."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be started: the faults of each selected system, and the clock."""

    faults: Mapping[str, Faults]
    clock: Clock


def order(arguments: Sequence[str], variables: Mapping[str, str]) -> Order:
    """Read SHAKEDOWN_SYSTEMS, SHAKEDOWN_FAULTS and SHAKEDOWN_SPEED. Raises UsageError, UnknownNameError."""
    if arguments:
        raise UsageError(f"unknown argument {arguments[0]!r}; {USAGE}")
    selected = _names(variables.get("SHAKEDOWN_SYSTEMS", "")) or systems()
    catalogues = {system: catalogue(system) for system in selected}
    given = variables.get("SHAKEDOWN_SPEED") or str(DEFAULT_SPEED)
    try:
        speed = float(given)
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise UsageError(f"SHAKEDOWN_SPEED: {given!r}; allowed: a number of target seconds per second, above 0")
    faults = switch(_names(variables.get("SHAKEDOWN_FAULTS", "")), catalogues)
    return Order(faults=faults, clock=Clock(speed=speed))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit status: 0, or 4 for a usage error."""
    try:
        if arguments[:1] == ["--list-faults"]:
            sys.stdout.write(fault_list(arguments[1:] or systems()))
            return 0
        wanted = order(arguments, os.environ)
    except (UsageError, UnknownNameError) as error:
        sys.stderr.write(f"simulators: {error}\n")
        return USAGE_ERROR
    over = _end_of_parent()
    with tempfile.TemporaryDirectory(prefix="simulators-") as folder, contextlib.ExitStack() as ending:
        announcement = start(wanted, Path(folder), ending)
        sys.stdout.write(json.dumps(announcement) + "\n")
        sys.stdout.flush()
        over.wait()
    return 0


def fault_list(selected: Sequence[str]) -> str:
    """Return every fault of the `selected` systems: its name, the items it turns red, its sentence."""
    lines = [f"{system}\n" + "".join(map(_entry, catalogue(system))) for system in selected]
    return "\n".join(lines)


def _entry(fault: Fault) -> str:
    reds = ", ".join(fault.items) or "no item"
    group = f"; in group {fault.group}" if fault.group else ""
    return f"  {fault.name}\n      {fault.sentence}\n      turns red: {reds}{group}\n"


def start(wanted: Order, folder: Path, ending: contextlib.ExitStack) -> dict[str, object]:
    """Start the systems side by side; return their environment tables and the variables with their secrets."""
    sites = {
        system: Site(folder=folder / system, clock=wanted.clock, faults=faults)
        for system, faults in wanted.faults.items()
    }
    for site in sites.values():
        site.folder.mkdir()
        ending.enter_context(site.ending)
    # One after the other: threads that import one package at a time may each see the other's unfinished module.
    programs = [importlib.import_module(f"simulators.{system}") for system in sites]
    with ThreadPoolExecutor(max_workers=len(sites)) as pool:
        started = pool.map(lambda program, site: program.start(site), programs, sites.values())
        tables: dict[str, Table] = dict(zip(sites, started, strict=True))
    variables = {name: secret for site in sites.values() for name, secret in site.variables.items()}
    return {"systems": tables, "variables": variables}


def _end_of_parent() -> threading.Event:
    """Return an event that is set once standard input closes or a signal asks us to end."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())

    def drain() -> None:
        # os.read, because a thread inside sys.stdin's lock would abort the interpreter's shutdown
        with contextlib.suppress(OSError):
            while os.read(0, 65536):
                pass
        over.set()

    threading.Thread(target=drain, name="standard input", daemon=True).start()
    return over
