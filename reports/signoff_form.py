"""The form at the end of a sign-off: prefilled with what the run knows, left blank where a person has to answer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from reports import summary
from reports.outcomes import word

if TYPE_CHECKING:
    from reports.reading import Reading


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One line of the form. choices: the answers to tick. text, lines: the answer that the run gives; else a blank."""

    label: str
    choices: tuple[str, ...] = ()
    text: str = ""
    lines: tuple[str, ...] = ()


def fields(read: Reading) -> tuple[Field, ...]:
    """Return the fields that the checklists end with."""
    record = read.record
    passed, why = summary.all_passed(record)
    met = tuple(f"{key} {item.title}: {word(item.outcome)}" for key, item in summary.issues(record))
    met += tuple(f"crash: {crash.where}" for crash in record.crashes)
    return (
        Field(label="Deployment completed by"),
        Field(label="Date"),
        Field(label="Version", text=", ".join(part for part in (record.run.release, record.run.commit) if part)),
        Field(label="All tests passed", choices=("Yes", "No"), text="Yes" if passed else "No", lines=(why,)),
        Field(label="Issues encountered", text="" if met else "none in this run", lines=met),
        Field(label="Rollback performed", choices=("Yes", "No")),
        Field(label="Sign-off"),
    )
