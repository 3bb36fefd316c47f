"""Printing where perhaps nobody reads any more: a verdict is a file and an exit status, not a line that was cut off."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def tell(stream: TextIO | None, text: str) -> None:
    """Print `text`; where nobody reads it any more (`| head`, a closed terminal, a full disk), drop it."""
    if stream is None:  # it was closed before we were started
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        # What waits in the stream's buffer would fail again when Python ends, and that changes the exit status.
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a device
            os.dup2(nowhere.fileno(), stream.fileno())
