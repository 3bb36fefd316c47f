"""Texts from outside, made harmless for the place they are shown in."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

# A pytest diff of a large body stays readable well below this, and 1,000 items at the limit make a report under 20 MB.
TEXT_LIMIT = 16_000
_NAME_LIMIT = 160  # the longest title of our checklists has 113 characters
_CI_COMMAND = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)  # Azure reads these anywhere in a line
_COLON_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)  # GitHub reads these at the start of a line, blanks or not
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$#!])")
_FENCE = re.compile(r"`+")


def visible(text: str) -> str:
    """Return `text` with every character that acts instead of showing (ESC, NUL, bidi, lone surrogates) as an escape.

    Newlines, tabs and wide blanks stay; a carriage return is shown, for it hides what stands before it.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or _blank(char) else _escape(char) for char in text)


def writable(form: Any) -> Any:
    """Return a form with half surrogate pairs, which no file and no pytest-xdist takes, as escapes in all its texts."""
    if isinstance(form, str):
        return _HALF_A_PAIR.sub(lambda half: _escape(half[0]), form)
    if isinstance(form, dict):
        return {writable(key): writable(part) for key, part in form.items()}
    return [writable(part) for part in form] if isinstance(form, list | tuple) else form


def capped(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text`, or its first `limit` characters with the length and the SHA-256 of the whole."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:limit]}\n[cut: {len(text):,} characters in all, sha256 {digest}]"


def one_line(text: str) -> str:
    r"""Return `text` on one line, each line break shown as `\n`."""
    return text.replace("\n", "\\n").replace("\t", " ")


def terminal(text: str) -> str:
    """Return `text` so that no terminal and no CI system takes a part of it for a command."""
    return _COLON_COMMAND.sub(r"\1: ", _CI_COMMAND.sub("# #", visible(text)))


def markdown(text: str) -> str:
    """Return `text` as Markdown that shows exactly it, on one line: no markup, no HTML, no link, no CI command."""
    plain = one_line(terminal(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", plain).replace("://", ":\\//").replace("@", "&#64;")


def code(text: str) -> str:
    """Return `text` as a Markdown code span, fit for a table cell; nothing for an empty text."""
    plain = one_line(terminal(text)).replace("|", "\\|")
    if not plain.strip():
        return ""
    fence = _fence(plain, shortest=1)
    pad = " " if "`" in plain or plain.startswith(" ") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def quoted(text: str) -> str:
    """Return `text` as a fenced block inside a Markdown quotation: each line starts with our own mark."""
    plain = terminal(text)
    fence = _fence(plain, shortest=3)
    return "\n".join(f"> {line}".rstrip() for line in [f"{fence}text", *plain.split("\n"), fence])


def ascii_name(text: str) -> str:
    """Return `text` as printable ASCII of at most 160 characters, without what pytest reads as structure in an id."""
    plain = unicodedata.normalize("NFKD", one_line(text)).encode("ascii", "replace").decode("ascii")
    plain = re.sub(":(?=:)", ": ", plain.translate(_STRUCTURE))
    return plain if len(plain) <= _NAME_LIMIT else f"{plain[: _NAME_LIMIT - 3]}..."


# Brackets open parameters in a test id; pytest-html decodes backslashes.
_STRUCTURE = str.maketrans({"[": "(", "]": ")", "\\": "/"})


def _blank(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    point = ord(char)
    if char == "\r":
        return "\\r"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"  # noqa: PLR2004 -- the widths of Python's own escapes


def _fence(text: str, *, shortest: int) -> str:
    longest = max((len(run) for run in _FENCE.findall(text)), default=0)
    return "`" * max(shortest, longest + 1)
