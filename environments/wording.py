"""How a refused value is worded: what was found, then what is allowed, the nearest first."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Longer texts are cut: a message is read in a terminal, and a whole line fits there.
SHOWN = 60


def refused(found: str, allowed: str) -> PydanticCustomError:
    """Return the error a validator raises: what stands there (never a secret), what may stand there."""
    return PydanticCustomError("refused", "found {found}; allowed: {allowed}", {"found": found, "allowed": allowed})


def shown(thing: Any) -> str:
    """Return a short, printable form of a value from a file; control characters become escapes."""
    if isinstance(thing, dict):
        return "a table"
    if isinstance(thing, list | tuple):
        return "a list"
    if isinstance(thing, bool):
        return str(thing).lower()
    if isinstance(thing, dt.date | dt.time):
        return thing.isoformat()
    text = ascii(thing)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def nearest_first(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names, those that look most like `name` first, the others by alphabet."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return near + [other for other in names if other not in near]
