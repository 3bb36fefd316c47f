"""numpy and scipy.special, imported at first use: together they cost half a second, and many runs decide no figure."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from scipy import special
else:

    class _Late:
        """Stands for a module until somebody asks it for a name."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:
            """Import the module, answer, and keep the answer; pytest asks everything in a suite for `__wrapped__`."""
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            found = getattr(import_module(self._name), attribute)
            setattr(self, attribute, found)
            return found

    np = _Late("numpy")
    special = _Late("scipy.special")

__all__ = ["load", "np", "special"]


def load() -> None:
    """Import both now: for whoever will decide figures and has to wait for something else anyway."""
    _ = np.float64, special.betainc
