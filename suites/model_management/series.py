"""The series of the Prometheus API, read by name and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixtures.exchange import Exchange

JITTER_S = 0.05  # between the caller's clock and the measuring one lies an event loop, on a machine with other work


def series(answer: Exchange, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
    """Return the series of this name and these labels with their values; without one, the check fails."""
    found = [
        (one["metric"], float(one["value"][1]))
        for one in answer.json["data"]["result"]
        if {"__name__": name, **labels}.items() <= one["metric"].items()
    ]
    assert found != []
    return found


def total(answer: Exchange, name: str, **labels: str) -> float:
    """Return the sum of the series of this name and these labels."""
    return sum(value for _, value in series(answer, name, **labels))


def by(answer: Exchange, name: str, label: str, **labels: str) -> dict[str, float]:
    """Return the sums of these series for each value of a label."""
    found: dict[str, float] = {}
    for metric, value in series(answer, name, **labels):
        found[metric[label]] = found.get(metric[label], 0) + value
    return found
