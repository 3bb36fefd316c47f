"""What judgements refuse: numbers that are none, counts below zero, shares beyond one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from judging.numerics import np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def finite(name: str, number: float) -> float:
    """Return `number` as a float. Raises ValueError unless it is finite."""
    if isinstance(number, bool | str) or not math.isfinite(number):
        raise ValueError(f"{name}: found {number!r}, allowed a finite number")
    return float(number)


def positive(name: str, number: float) -> float:
    """Return `number` as a float. Raises ValueError unless it is finite and above zero."""
    if finite(name, number) <= 0:
        raise ValueError(f"{name}: found {number}, allowed a number above 0")
    return float(number)


def count(name: str, number: int) -> int:
    """Return `number` as an int. Raises ValueError unless it is a whole number of at least zero."""
    whole = finite(name, number)
    if whole < 0 or whole != int(whole):
        raise ValueError(f"{name}: found {number}, allowed a whole number of at least 0")
    return int(whole)


def part(name: str, number: int, of: str, whole: int) -> tuple[int, int]:
    """Return both counts. Raises ValueError unless 0 <= number <= whole."""
    small, large = count(name, number), count(of, whole)
    if small > large:
        raise ValueError(f"{name}: found {small}, allowed at most the {large} {of}")
    return small, large


def probability(name: str, number: float) -> float:
    """Return `number` as a float. Raises ValueError unless it lies strictly between 0 and 1."""
    if not 0 < finite(name, number) < 1:
        raise ValueError(f"{name}: found {number}, allowed a number between 0 and 1")
    return float(number)


def measurements(name: str, values: Sequence[float | None] | NDArray[Any]) -> tuple[NDArray[np.float64], int]:
    """Return the measured values as an array, and how many were missing (None: nothing came back in time).

    Raises ValueError for NaN and infinities, saying where: a missing measurement has to be said, not computed with.
    """
    if isinstance(values, np.ndarray):
        array = np.asarray(values, dtype=float)
    else:
        known = [value for value in values if value is not None]
        array = np.array(known, dtype=float)
    if array.ndim != 1:
        raise ValueError(f"{name}: found {array.ndim} dimensions, allowed 1")
    sound = np.isfinite(array)
    if not sound.all():
        at = int(np.argmin(sound))
        raise ValueError(f"{name}: found {array[at]} at position {at}, allowed finite numbers (None for a missing one)")
    return array, len(values) - len(array)
