"""What the chat writes into its log."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

EXHAUSTED = "Service temporarily unavailable. All model rate limits reached. Please try again later."
REFUSED = "All model rate limits reached. Please try again later."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the past. module: that of the code which writes it."""

    at: dt.datetime
    level: str
    text: str
    module: str = "model_fallback"

    def __str__(self) -> str:
        stamp = self.at.strftime("%Y-%m-%d %H:%M:%S,") + f"{self.at.microsecond // 1000:03d}"
        return f"{self.level} {stamp} {self.module} {self.text}\n"


def attempting(number: int, count: int, model: str) -> str:
    """Return the line before a model is asked; `number` counts from 1."""
    return f"Attempting model {number}/{count}: {model}"


def succeeded(model: str, attempt: int) -> str:
    """Return the line after a model answered."""
    return f"Success with {model} on attempt {attempt}"


def limited(model: str, attempt: int, found: str) -> str:
    """Return the line after a refusal that is worth another try."""
    return f"Rate limit hit for {model} (attempt {attempt}/2): {found[:100]}..."


def moving_on(model: str) -> str:
    """Return the line after a model's last try."""
    return f"Max retries reached for {model}, moving to next model"


def processed(session: int, model: str) -> str:
    """Return the line after a message was answered and stored."""
    return f"Chat message processed for session {session} using {model}"
