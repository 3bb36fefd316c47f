"""The database's clock against ours: how far apart they are, and whether that could change a verdict."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from judging import inputs
from judging.decision import Decision, figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALLOWED_OFFSET: Final = 0.05  # seconds: well below any window, and what a host with working time synchronisation keeps
RESOLUTION: Final = 1e-6  # seconds: databases tell microseconds, so less than one is no contradiction
TRIED: Final = 9  # offsets over the interval at which a decision is repeated: its ends, its middle, and six between


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probe:
    """One question for the time. sent, received: our clock, before and after; told: the other's answer. Seconds.

    Raises ValueError when the answer arrived before the question was sent: our own clock was set in between.
    """

    sent: float
    told: float
    received: float

    def __post_init__(self) -> None:
        for name in ("sent", "told", "received"):
            inputs.finite(name, getattr(self, name))
        if self.received < self.sent:
            raise ValueError(f"received: found {self.received}, allowed at least {self.sent}, when it was sent")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Offset:
    """How far the other clock is ahead of ours, in seconds, and the bounds that hold whatever the network did."""

    measured: float
    low: float
    high: float
    probes: int
    notes: tuple[str, ...] = ()


def measure_offset(probes: Sequence[Probe]) -> Offset | None:
    """Return the offset that agrees with every probe, None without probes.

    An answer was given between sending and receiving, so each probe bounds the offset from both sides, however unequal
    the two ways were; the bounds are those of all probes together. Probes that contradict each other (a clock was set
    or drifts) give the whole range they claim, and a note. Source: Marzullo and Owicki, ACM SIGOPS 19 (1985).
    """
    if not probes:
        return None
    lows = [probe.told - probe.received for probe in probes]
    highs = [probe.told - probe.sent for probe in probes]
    low, high = max(lows), min(highs)
    if low - high <= RESOLUTION:
        low, high = min(low, high), max(low, high)
        return Offset(measured=(low + high) / 2, low=low, high=high, probes=len(probes))
    low, high = min(lows), max(highs)
    notes = ("the probes contradict each other: a clock was set or drifts",)
    return Offset(measured=(low + high) / 2, low=low, high=high, probes=len(probes), notes=notes)


def decide_offset(offset: Offset | None, allowed: float = ALLOWED_OFFSET) -> Decision:
    """Decide whether two clocks agree to within `allowed` seconds; without a measurement it is inconclusive."""
    inputs.positive("allowed offset", allowed)
    if offset is None:
        return _offset_decision("the offset is unknown", None, allowed)
    span = f"({figure(offset.low, 's')} to {figure(offset.high, 's')})"
    return _offset_decision(
        f"the database's clock is {figure(offset.measured, 's')} ahead of ours {span}", offset, allowed
    )


def _offset_decision(said: str, offset: Offset | None, allowed: float) -> Decision:
    inside = offset is not None and -allowed <= offset.low and offset.high <= allowed
    outside = offset is not None and (offset.low > allowed or offset.high < -allowed)
    return Decision(
        outcome="pass" if inside else "fail" if outside else "inconclusive",
        statement=f"{said}, allowed at most {figure(allowed, 's')} either way",
        measured=None if offset is None else abs(offset.measured),
        low=None,
        high=None if offset is None else max(abs(offset.low), abs(offset.high)),
        limit=float(allowed),
        comparison="<=",
        unit="s",
        samples=0 if offset is None else offset.probes,
        method="bounds of every probe (Marzullo)",
        confidence=1.0,
        notes=() if offset is None else offset.notes,
    )


def under_skew(decide: Callable[[float], Decision], offset: Offset | None) -> Decision:
    """Return a decision about windows cut by our own moments, inconclusive if the skew could change it.

    decide: gets the offset in seconds to add to our moments, and decides; it must be pure. It is called at nine offsets
    over the bounds. An unknown offset is taken as 0 and leaves nothing decided.
    """
    if offset is None:
        unknown = decide(0.0)
        note = "the offset between the clocks is unknown"
        return dataclasses.replace(unknown, outcome="inconclusive", needed=None, notes=(*unknown.notes, note))
    step = (offset.high - offset.low) / (TRIED - 1)
    outcomes = {decide(offset.low + step * number).outcome for number in range(TRIED)}
    measured = decide(offset.measured)
    span = f"{figure(offset.low, 's')} to {figure(offset.high, 's')}"
    notes = (*measured.notes, *offset.notes, f"by the database's clock, {span} ahead of ours")
    if outcomes == {measured.outcome}:
        return dataclasses.replace(measured, notes=notes)
    changed = f"a skew of {span} could change the verdict: {', '.join(sorted(outcomes | {measured.outcome}))}"
    return dataclasses.replace(measured, outcome="inconclusive", needed=None, notes=(*notes, changed))
