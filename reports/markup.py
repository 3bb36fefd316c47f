"""HTML that is safe by default: plain text is escaped, and only this module makes markup."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterable

Child = Union[str, "Markup", "Iterable[Child]", None]

_VOID = frozenset({"br", "hr", "img", "meta", "input"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: Child, **attributes: str | None) -> Markup:
    """Return an element. Texts among children and attributes are escaped; `class_` is `class`, `a_b` is `a-b`.

    An attribute that is None is left out; None among the children is nothing.
    """
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    opening = "".join(f' {key}="{html.escape(value)}"' for key, value in given)
    if name in _VOID:
        return Markup(f"<{name}{opening}>")
    return Markup(f"<{name}{opening}>{join(children)}</{name}>")


def join(children: Child) -> Markup:
    """Return children one after the other, texts escaped."""
    if children is None:
        return Markup()
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(html.escape(children))
    return Markup("".join(join(child) for child in children))
