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
            """Import the module, answer, and keep the answer."""
            found = getattr(import_module(self._name), attribute)
            setattr(self, attribute, found)
            return found

    np = _Late("numpy")
    special = _Late("scipy.special")

__all__ = ["np", "special"]
