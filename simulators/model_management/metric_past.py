"""What Prometheus has recorded since the deployment: one outage that counts, one that does not, a bad five minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.model_management.metric_rules import ENTRIES_LOST, REGISTRY_GONE

if TYPE_CHECKING:
    import datetime as dt

    from simulators.faults import Faults

Points = list[tuple[float, float]]
Series = list[tuple[dict[str, str], Points]]

STEP = 15
HOURS = 2
_PER_STEP = 15  # log writes: one a second
_LONG, _SHORT = range(240, 243), range(360, 361)  # steps without the registry: 45 s, and 15 s
_BAD = range(160, 180)  # five minutes in which one write in five fails
_WINDOW = 20  # steps of the rule's five minutes


def past(deployed: dt.datetime, faults: Faults) -> Series:
    """Return the series since the deployment, a point every fifteen seconds."""
    start = deployed.timestamp()
    times = [start + STEP * step for step in range(HOURS * 3600 // STEP + 1)]
    down = [step in _LONG or step in _SHORT for step in range(len(times))]
    failed, written = _writes(len(times))
    outage = [step == _LONG[-1] for step in range(len(times))]
    if faults.on("outage-without-alert"):
        outage = [False] * len(times)
    logging = [_share(failed, written, step) > 0.05 for step in range(len(times))]  # noqa: PLR2004 - the rule's limit
    if faults.on("logging-failures-without-alert"):
        logging = [False] * len(times)
    return [
        ({"__name__": "model_registry_up"}, [(at, float(not gone)) for at, gone in zip(times, down, strict=True)]),
        _alert(REGISTRY_GONE, times, outage),
        ({"__name__": "inference_log_writes_total", "outcome": "failed"}, list(zip(times, failed, strict=True))),
        ({"__name__": "inference_log_writes_total", "outcome": "written"}, list(zip(times, written, strict=True))),
        _alert(ENTRIES_LOST, times, logging),
    ]


def _writes(steps: int) -> tuple[list[float], list[float]]:
    failed, written = [0.0], [0.0]
    for step in range(1, steps):
        lost = _PER_STEP / 5 if step in _BAD else 0.0
        failed.append(failed[-1] + lost)
        written.append(written[-1] + _PER_STEP - lost)
    return failed, written


def _share(failed: list[float], written: list[float], step: int) -> float:
    first = max(0, step - _WINDOW)
    lost, kept = failed[step] - failed[first], written[step] - written[first]
    return lost / (lost + kept) if lost else 0.0


def _alert(name: str, times: list[float], firing: list[bool]) -> tuple[dict[str, str], Points]:
    points = [(at, 1.0) for at, on in zip(times, firing, strict=True) if on]
    return {"__name__": "ALERTS", "alertname": name, "alertstate": "firing"}, points
