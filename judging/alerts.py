"""Alert conditions recomputed for every window since the deployment: what would have fired, when, and for how long.

An alert is a fact about what was recorded, not an estimate: its rule says how much data a window needs, and the windows
that had less are named. A mean over the day hides a burst of ten minutes; a rule over every window does not.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from judging import inputs
from judging.decision import Comparison, Decision, Outcome, figure, satisfies
from judging.readings import Reading, Sliding
from judging.windows import Window, clock, stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

NEGATED: Final[dict[str, Comparison]] = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
COVERAGE: Final = 0.9  # of the windows need enough data before "nothing fired" means anything: a tenth may be quiet


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlertRule:
    """When an alert fires and when it stops, as a checklist or a monitoring system states it.

    comparison, limit, unit: the condition that is bad. window, step: seconds each value covers, and between values.
    hold: seconds the condition has to last before it fires. clear: the limit that ends it (default: the same; set
    further inside for hysteresis). minimum: samples below which a window says nothing. coverage: the part of the
    windows that has to say something. severity, action: words of the checklist.

    Raises ValueError for `==`, for a `clear` on the wrong side of the limit, and for lengths that are not positive.
    """

    name: str
    comparison: Comparison
    limit: float
    unit: str = "share"
    window: float = 300.0
    step: float = 60.0
    hold: float = 0.0
    clear: float | None = None
    minimum: int = 1
    coverage: float = COVERAGE
    severity: str = ""
    action: str = ""

    def __post_init__(self) -> None:
        if self.comparison not in NEGATED:
            raise ValueError(f"comparison: found {self.comparison!r}, allowed {', '.join(NEGATED)}")
        inputs.finite("limit", self.limit)
        inputs.positive("window", self.window)
        inputs.positive("step", self.step)
        inputs.count("minimum", self.minimum)
        if inputs.finite("hold", self.hold) < 0:
            raise ValueError(f"hold: found {self.hold}, allowed at least 0 seconds")
        if not 0 <= inputs.finite("coverage", self.coverage) <= 1:
            raise ValueError(f"coverage: found {self.coverage}, allowed from 0 to 1")
        if self.clear is not None and self.clear != self.limit and satisfies(self.clear, self.comparison, self.limit):
            raise ValueError(
                f"clear: found {self.clear}, allowed a value that is not itself {self.comparison} {self.limit}"
            )

    def over(self, start: float, end: float) -> Sliding:
        """Return the rule's windows over what was observed, in seconds since the epoch by the database's clock."""
        return Sliding(start=start, end=end, window=self.window, step=self.step)

    def fires(self, value: float) -> bool:
        """Return whether this value satisfies the condition."""
        return satisfies(value, self.comparison, self.limit)

    def lasts(self, value: float) -> bool:
        """Return whether an alert that fires goes on at this value."""
        return satisfies(value, self.comparison, self.limit if self.clear is None else self.clear)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """An alert that would have fired. peak: its worst value. over: False where it still fired at the last reading."""

    start: float
    end: float
    peak: float
    over: bool

    def text(self, unit: str) -> str:
        """Return it as a person says it: at 12:03 for 4 min (peak 7.2 %)."""
        lasted = figure((self.end - self.start) / 60, "min")
        return f"at {clock(self.start)} for {lasted}{'' if self.over else ' and on'} (peak {figure(self.peak, unit)})"


def _blind(reading: Reading, rule: AlertRule) -> bool:
    return reading.value is None or reading.samples < rule.minimum


def episodes(readings: Sequence[Reading], rule: AlertRule) -> tuple[tuple[Episode, ...], float | None]:
    """Return every alert that would have fired, and since when the condition is pending at the end (None: it is not).

    readings: in order of time. A window with too little data neither starts nor ends anything: what fired goes on, what
    was pending stays pending.
    """
    found: list[Episode] = []
    pending: float | None = None
    for reading in readings:
        value = reading.value
        if value is None or _blind(reading, rule):
            continue
        if found and not found[-1].over:
            found[-1] = _continued(found[-1], reading, value, rule)
        elif not rule.fires(value):
            pending = None
        else:
            pending = reading.end if pending is None else pending
            if reading.end - pending >= rule.hold:
                found.append(Episode(start=reading.end, end=reading.end, peak=value, over=False))
                pending = None
    return tuple(found), pending


def _continued(episode: Episode, reading: Reading, value: float, rule: AlertRule) -> Episode:
    if not rule.lasts(value):
        return dataclasses.replace(episode, end=reading.end, over=True)
    worse = max(episode.peak, value) if rule.comparison in (">", ">=") else min(episode.peak, value)
    return dataclasses.replace(episode, end=reading.end, peak=worse)


def decide_alert(readings: Sequence[Reading], rule: AlertRule) -> Decision:
    """Decide whether an alert would have stayed silent. readings: every window since the deployment, in order of time.

    Fails when it would have fired. Inconclusive when there is no reading, when too many windows say nothing, or when
    the condition held at the end for less than the rule's `hold`. The measured value is the worst one. Raises
    ValueError for NaN and negative counts.
    """
    for reading in readings:
        inputs.count("samples", reading.samples)
        if reading.value is not None and math.isnan(reading.value):
            raise ValueError(f"value: found NaN at {clock(reading.end)}, allowed a number or None")
    fired, pending = episodes(readings, rule)
    values = [reading.value for reading in readings if reading.value is not None and not _blind(reading, rule)]
    covered = len(values) / len(readings) if readings else 0.0
    quiet: Outcome = "pass" if values and covered >= rule.coverage and pending is None else "inconclusive"
    worst = None if not values else (max(values) if rule.comparison in (">", ">=") else min(values))
    return Decision(
        outcome="fail" if fired else quiet,
        statement=_alert_text(rule, fired, worst, len(readings)),
        measured=None if worst is None or math.isinf(worst) else worst,
        low=None,
        high=None,
        limit=float(rule.limit),
        comparison=NEGATED[rule.comparison],
        unit=rule.unit,
        samples=len(values),
        method="alert rule over every window",
        confidence=1.0,
        notes=_alert_notes(readings, rule, pending, covered),
    )


def _alert_text(rule: AlertRule, fired: tuple[Episode, ...], worst: float | None, windows: int) -> str:
    condition = f"{rule.name} {rule.comparison} {figure(rule.limit, rule.unit)}"
    known = "nothing was seen" if worst is None else f"worst {figure(worst, rule.unit)}"
    if not fired:
        return f"{condition} would not have fired ({known}), {windows} windows of {figure(rule.window, 's')}"
    consequence = "; ".join(word for word in (rule.severity, rule.action) if word)
    when = ", ".join(episode.text(rule.unit) for episode in fired)
    return f"{condition} would have fired {when}, {windows} windows of {figure(rule.window, 's')}" + (
        f"; {consequence}" if consequence else ""
    )


def _alert_notes(
    readings: Sequence[Reading], rule: AlertRule, pending: float | None, covered: float
) -> tuple[str, ...]:
    blind = [
        Window(start=reading.end - rule.step, end=reading.end, count=reading.samples)
        for reading in readings
        if _blind(reading, rule)
    ]
    notes = [f"too little data for a value from {clock(gap.start)} to {clock(gap.end)}" for gap in stretches(blind)]
    if not readings:
        notes.append(f"no window of {figure(rule.window, 's')} fits into what was observed")
    elif covered < rule.coverage:
        notes.append(
            f"{figure(covered, 'share')} of the windows have data, at least {figure(rule.coverage, 'share')} asked"
        )
    if pending is not None:
        notes.append(f"the condition holds since {clock(pending)}, {figure(rule.hold, 's')} are needed to fire")
    return tuple(notes)
