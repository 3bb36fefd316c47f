"""When the alerts on shares and times have fired since the release, as Prometheus remembers it."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections import defaultdict
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.registry import output_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from simulators.direct_execution.history import Happened, History
    from simulators.faults import Faults

    Worst = Callable[[list[Happened]], float]

_HOUR = 3600
_CRITICAL = ("ApiKeyMissing", "HighErrorRate", "AllGenerationsFailing")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Past:
    """The samples of ALERTS. The monitoring system looks once a minute, or as often as it is asked to."""

    history: History
    faults: Faults

    def series(self, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """Return one series for each alert that fired in this time."""
        moments = [start + n * step for n in range(int((end - start) // step) + 1)]
        found = {name: list(self._fired(name, moments)) for name in dict.fromkeys((*_CRITICAL, *_RULES))}
        return [
            {"metric": {**_labels(name), "alertstate": "firing"}, "values": [[at, "1"] for at in fired]}
            for name, fired in found.items()
            if fired
        ]

    def _fired(self, name: str, moments: list[float]) -> Iterator[float]:
        deployed = self.history.deployed.timestamp()
        ended = sorted((one for one in self.history.happened if not one.before), key=lambda one: one.at)
        times = [one.at.timestamp() for one in ended]
        window, least, limit, worst = _RULES.get(name, (_HOUR, 1, 1.0, _never))
        normal = self._normal()
        for moment in moments:
            minute = (moment - deployed) / 60
            seen = ended[bisect_left(times, moment - window) : bisect_left(times, moment)]
            silent = name == "HighErrorRate" and self.faults.on("error-alert-slept")
            met = len(seen) >= least and worst(seen, normal) > limit
            if (met and not silent) or self._wrongly(name, minute):
                yield moment

    def _wrongly(self, name: str, minute: float) -> bool:
        """Whether an alert fires without its condition."""
        told = {
            "HighErrorRate": ("error-alert-cried-wolf", 180),
            "AllGenerationsFailing": ("failing-alert-cried-wolf", 30),
            "ApiKeyMissing": ("key-alert-in-the-third-hour", 170),
        }
        fault, begin = told.get(name, ("", 0))
        return bool(fault) and self.faults.on(fault) and begin <= minute < begin + 4

    def _normal(self) -> dict[str, float]:
        took = defaultdict(list)
        for one in self.history.happened:
            if one.before and not one.failed:
                took[output_type(one.model["contentType"])].append(one.seconds)
        return {kind: median(found) for kind, found in took.items()}


def _labels(name: str) -> dict[str, str]:
    severity = "critical" if name in _CRITICAL else "warning"
    return {"__name__": "ALERTS", "alertname": name, "severity": severity}


def _share(seen: Iterable[Happened]) -> float:
    return fmean(one.failed for one in seen)


def _all(seen: list[Happened], _: dict[str, float]) -> float:
    return _share(seen)


def _never(_seen: list[Happened], _: dict[str, float]) -> float:
    return 0.0


def _by(key: Callable[[Happened], str], least: int) -> Callable[[list[Happened], dict[str, float]], float]:
    def worst(seen: list[Happened], _: dict[str, float]) -> float:
        groups = defaultdict(list)
        for one in seen:
            groups[key(one)].append(one)
        return max((_share(group) for group in groups.values() if len(group) >= least), default=0.0)

    return worst


def _slowest(seen: list[Happened], normal: dict[str, float]) -> float:
    took = defaultdict(list)
    for one in seen:
        if not one.failed:
            took[output_type(one.model["contentType"])].append(one.seconds)
    return max((fmean(found) / normal[kind] for kind, found in took.items() if kind in normal), default=0.0)


# Window, fewest generations, limit, and what is compared with it.
_RULES: dict[str, tuple[float, int, float, Any]] = {
    "SuccessRateLow": (_HOUR, 1, 0.10, _all),
    "ProviderErrorRate": (_HOUR, 1, 0.10, _by(lambda one: str(one.model["provider"]), 10)),
    "HighErrorRate": (900, 5, 0.20, _all),
    "AllGenerationsFailing": (300, 3, 0.9999, _all),
    "LatencyIncreased": (_HOUR, 1, 2.0, _slowest),
    "ModelFailing": (_HOUR, 1, 0.5, _by(lambda one: str(one.model["recordId"]), 4)),
}
