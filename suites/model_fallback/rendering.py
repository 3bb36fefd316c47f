"""Texts as a page shows them, against the Markdown that is stored of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What stands in Markdown and not on the page: fences with their language, the numbers of a list, the targets of links.
_UNSHOWN = re.compile(r"^\s*(?:```|~~~)[^\n]*|^[\s>*+-]*\d+[.)]\s|(?<=\])\([^)\s]*(?:\s[^)]*)?\)", re.MULTILINE)


def _words(text: str) -> str:
    """Return the letters and digits of a text."""
    return "".join(char for char in text if char.isalnum())


def in_order(shown: str, contents: Iterable[str]) -> bool:
    """Return whether a page shows these contents one after the other, each with all of its lines.

    Between two lines the page may show words of its own, such as the button that copies a block of code.
    """
    text, at = _words(shown), 0
    for line in (_words(one) for content in contents for one in _UNSHOWN.sub("", content).splitlines()):
        at = text.find(line, at)
        if at < 0:
            return False
        at += len(line)
    return True
