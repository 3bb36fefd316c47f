"""The models the chat tries, in order, with the names that users see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.faults import Faults

# The checklist names the first of five; the others are the next four of the real hierarchy.
STATED = {
    "gemini-exp-1206": "Gemini Experimental",
    "gemini-2.5-flash": "Gemini 2.5 Flash",
    "gemma-3-27b": "Gemma 3 27B",
    "gemma-3-12b": "Gemma 3 12B",
    "gemma-3-4b": "Gemma 3 4B",
}
BUILT = {
    "gemini-3-flash": "Gemini 3 Flash",
    "gemini-2.5-flash": "Gemini 2.5 Flash",
    "gemma-3-27b": "Gemma 3 27B",
    "gemma-3-12b": "Gemma 3 12B",
    "gemma-3-4b": "Gemma 3 4B",
    "gemma-3-2b": "Gemma 3 2B",
    "gemini-2.5-flash-lite": "Gemini 2.5 Flash Lite",
    "gemma-3-1b": "Gemma 3 1B",
}


def deployed(faults: Faults) -> dict[str, str]:
    """Return the hierarchy that the code has, as its faults leave it."""
    names = dict(BUILT if faults.on("real-hierarchy-of-eight") else STATED)
    if faults.on("hierarchy-lost-four"):
        return dict(list(names.items())[:1])
    return names
