"""Kinds of things before and after, such as what a log complains of: whatever was never there before is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judging.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Collection

_NAMED = 5  # of the new ones: what a sentence can hold, and more than a person looks into at once


def decide_kinds(found: Collection[str], known: Collection[str], name: str = "kinds") -> Decision:
    """Decide whether every kind of thing that was found had been there before.

    All that was found is compared, so there is no error probability. Nothing found passes: whoever asks has to know
    that somebody looked. Texts are compared as they are.
    """
    new = sorted(set(found) - set(known))
    shown = "; ".join(repr(one) for one in new[:_NAMED]) + (" and others" if len(new) > _NAMED else "")
    return Decision(
        outcome="fail" if new else "pass",
        statement=f"{name}: found {len(new)} that were not there before{': ' if new else ''}{shown}, allowed 0; "
        f"{len(set(found))} found, {len(set(known))} known",
        measured=len(new),
        low=None,
        high=None,
        limit=0,
        comparison="<=",
        unit="",
        samples=len(set(found)),
        method="comparison of kinds",
        confidence=1.0,
    )
