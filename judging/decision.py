"""What every judgement of a figure comes to: one value that a check compares, a report prints and a record keeps."""

from __future__ import annotations

import dataclasses
import math
from typing import Final, Literal

Outcome = Literal["pass", "fail", "inconclusive"]
Comparison = Literal["<", "<=", ">", ">=", "=="]

OUTCOMES: Final = ("pass", "fail", "inconclusive")
COMPARISONS: Final = ("<", "<=", ">", ">=", "==")

ALPHA: Final = 0.05  # the chance of a false pass: one in twenty, and a bad release rarely breaks one figure alone
BETA: Final = 0.05  # the chance of a false fail: the same, since a needless rollback costs users about as much


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decision:
    """A figure, decided.

    statement: one sentence for a person. measured, low, high: the point and its interval, None where there is none
    (an interval may be open at one end). limit, comparison: what is allowed. unit: of all four; `share` means a
    fraction of 1. confidence: of each bound of the interval. margin: the stated indifference margin, None where the
    method has none. needed: how many more samples an inconclusive decision would need, None where samples would not
    help or none are needed.

    Raises ValueError for an unknown outcome or comparison and for a number that is not finite. Has no truth value: a
    check that wrote `assert decide(...)` would otherwise be green whatever the outcome.
    """

    outcome: Outcome
    statement: str
    measured: float | None
    low: float | None
    high: float | None
    limit: float
    comparison: Comparison
    unit: str
    samples: int
    method: str
    confidence: float
    margin: float | None = None
    needed: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise ValueError(f"outcome: found {self.outcome!r}, allowed {', '.join(OUTCOMES)}")
        if self.comparison not in COMPARISONS:
            raise ValueError(f"comparison: found {self.comparison!r}, allowed {', '.join(COMPARISONS)}")
        for name in ("measured", "low", "high", "limit", "confidence", "margin"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{name}: found {number}, allowed a finite number")

    def __bool__(self) -> bool:
        raise TypeError(f'a decision is not true or false; compare its outcome with "pass" (it is {self.outcome!r})')


def figure(number: float | None, unit: str) -> str:
    """Return a number as a person reads it: three significant digits and its unit; shares as percentages.

    `None` becomes `unbounded`, which is what an interval's open end is, and an infinite number is one that never came.
    """
    if number is None:
        return "unbounded"
    if math.isinf(number):
        return "beyond the timeout"
    if unit == "share":
        return f"{_digits(100 * number)} %"
    return f"{_digits(number)} {unit}".rstrip()


def _digits(number: float) -> str:
    if number != 0 and (abs(number) >= 1_000_000 or abs(number) < 0.0001):  # noqa: PLR2004 - beyond these a person counts zeros
        return f"{number:.2e}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"  # noqa: PLR2004 - three digits show all of it


def interval_text(low: float | None, high: float | None, unit: str, confidence: float) -> str:
    """Return an interval as text, naming the confidence of its bounds; empty when it has no bound at all."""
    if low is None and high is None:
        return ""
    return f" ({figure(low, unit)} to {figure(high, unit)}, each bound at {_digits(100 * confidence)} %)"


def satisfies(measured: float, comparison: str, limit: float) -> bool:
    """Return whether `measured comparison limit` holds. Raises ValueError for an unknown comparison."""
    if comparison not in COMPARISONS:
        raise ValueError(f"comparison: found {comparison!r}, allowed {', '.join(COMPARISONS)}")
    return {
        "<": measured < limit,
        "<=": measured <= limit,
        ">": measured > limit,
        ">=": measured >= limit,
        "==": measured == limit,
    }[comparison]
