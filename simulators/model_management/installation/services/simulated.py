"""What makes this installation a simulated one: its faults, and where its measurements go."""

from __future__ import annotations

import json
import os
import socket

_FAULTS = frozenset(os.environ.get("SIMULATED_FAULTS", "").split(","))
_METRICS = os.environ.get("SIMULATED_METRICS", "")
_SHOWN: dict[str, int] = {}
_SOCKET = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def faulty(name: str) -> bool:
    """Say whether the fault `name` is switched on."""
    return name in _FAULTS


def faulty_at_times(name: str) -> bool:
    """Say whether the fault `name` is switched on and shows this time: once in five times."""
    _SHOWN[name] = _SHOWN.get(name, 0) + 1
    return name in _FAULTS and _SHOWN[name] % 5 == 0


def count(name: str, amount: float = 1, /, **labels: str) -> None:
    """Add to a counter."""
    _send("counter", name, labels, amount)


def measure(name: str, seconds: float, /, **labels: str) -> None:
    """Add one measurement to a distribution."""
    _send("distribution", name, labels, seconds)


def _send(kind: str, name: str, labels: dict[str, str], amount: float) -> None:
    if _METRICS:
        host, _, port = _METRICS.partition(":")
        _SOCKET.sendto(json.dumps([kind, name, labels, amount]).encode(), (host, int(port)))
