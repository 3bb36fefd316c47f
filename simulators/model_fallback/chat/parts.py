"""What the views of this process work with; set once, before it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.model_fallback.chat.model_fallback import Cascade

FAULTS: Faults
CASCADE: Cascade
SPEED: float
