"""The little Markdown that answers use, as HTML."""

from __future__ import annotations

import re
from html import escape

_FENCE = re.compile(r"```\w*\n(.*?)\n?```", re.DOTALL)
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def html_of(text: str, *, trusted: bool = False) -> str:
    """Return paragraphs, bold words and code blocks as HTML. trusted: markup within the text is left as it is."""
    shown = text if trusted else escape(text, quote=False)
    parts = _FENCE.split(shown)
    blocks = []
    for number, part in enumerate(parts):
        if number % 2:
            blocks.append(f"<pre><code>{part}</code></pre>")
        else:
            paragraphs = [words.strip() for words in part.split("\n\n") if words.strip()]
            blocks += [_BOLD.sub(r"<strong>\1</strong>", f"<p>{words}</p>") for words in paragraphs]
    return "\n".join(blocks)
