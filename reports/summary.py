"""What a record says in sum: the sentences and groups that both sign-off pages and the banner of the report show."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING

from reports.outcomes import word
from reports.verdict import NEUTRAL, WORST_FIRST, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.record import Decision, Figure, Item, Observation, Outcome, Reason, Record

Named = tuple[str, "Item"]

_MEANING: dict[Decision, str] = {
    "GO": "Every required item holds: this release may stay.",
    "HOLD": "Nothing critical was seen to fail, and not enough is proven: look again, or decide by hand.",
    "NO-GO": "An item of critical or high severity does not hold: this release must not stay as it is.",
    "ROLLBACK": "An item failed for which the checklist demands a rollback.",
    "NOT SIGNED OFF": "This run came to no decision: it is no evidence for a release.",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """One section of a system's checklist. looked: the items of the selection. passed_over: those outside it."""

    name: str
    looked: tuple[Named, ...]
    passed_over: tuple[Named, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SystemSummary:
    """One system: its counts per outcome, worst first, and its sections in the order of its checklist."""

    name: str
    title: str
    counts: dict[Outcome, int]
    sections: tuple[Section, ...]

    @property
    def selected(self) -> int:
        """How many of its items this run was about."""
        return sum(self.counts.values()) - self.counts.get("not_selected", 0)

    def not_selected(self) -> list[tuple[str, str]]:
        """Return the sections with items outside the selection, and the ids of these."""
        left = ((section.name, ranges(key for key, _ in section.passed_over)) for section in self.sections)
        return [(name, ids) for name, ids in left if ids]


def systems(record: Record) -> list[SystemSummary]:
    """Return the systems of a record, those in the selection first, each in the order of its checklist."""
    names = dict.fromkeys(item.system for item in record.items.values())
    summaries = [_system(record, name) for name in names]
    return sorted(summaries, key=lambda summary: summary.selected == 0)


def headline(record: Record) -> str:
    """Return one sentence: what the decision means."""
    return _MEANING[record.verdict.decision]


def title(record: Record) -> str:
    """Return the title of a page: `NO-GO: prod, image-gen 2.14.0`."""
    return f"{record.verdict.decision}: {', '.join(part for part in (record.run.env, record.run.release) if part)}"


def tally(counts: dict[Outcome, int]) -> str:
    """Return counts as words: `3 failed, 40 passed`, worst first."""
    return ", ".join(f"{counts[outcome]} {word(outcome)}" for outcome in WORST_FIRST if counts.get(outcome))


def facts(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the facts of the run as label and text; what is not known is left out."""
    run = record.run
    took = f"{run.wall_s:.1f} s, verdict after {run.to_verdict_s:.1f} s" if run.wall_s else ""
    slowest = f"{run.slowest_observation}, {run.slowest_observation_s:.1f} s" if run.slowest_observation else ""
    looks = record.observations.items()
    told = [
        ("Environment", run.env), ("Release", run.release), ("Commit", run.commit), ("Started", moment(run.started)),
        ("Finished", moment(run.finished)), ("Took", took), ("Slowest observation", slowest),
        ("Selection", " ".join(run.selection)), ("Budget spent", spending(record)), ("Run", run.id),
        ("Limits of its own", "; ".join(run.limits)), ("Compared with", run.baseline),
        ("Replay of", run.replay_of), ("Resumes", run.resumes),
        ("Target's clock", f"{run.speed:g} of its seconds in one of ours" if run.speed != 1 else ""),
        ("Decided figures", record.family),
        ("Clocks", "; ".join(f"{name}: {clock(look)}" for name, look in looks if look.offset_s is not None)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in run.versions.items())),
    ]  # fmt: skip
    return ((label, text) for label, text in told if text)


def spending(record: Record) -> str:
    """Return what was spent of each budget: `generations 7 of 12`."""
    spent = (
        f"{name} {part.spent:g}" + (f" of {part.limit:g}" if part.limit is not None else "")
        for name, part in record.budget.items()
    )
    return ", ".join(spent)


def moment(stamp: str) -> str:
    """Return an ISO 8601 time as `2026-10-14 09:15:03 UTC`, or the text itself where it is none."""
    try:
        return f"{dt.datetime.fromisoformat(stamp).astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return stamp


def all_passed(record: Record) -> tuple[bool, str]:
    """Answer the form's question whether all tests passed, with the figures behind the answer.

    Yes needs a GO without a waiver: a waived item failed.
    """
    counts = count(record.items)
    judged = {outcome: number for outcome, number in counts.items() if outcome not in NEUTRAL}
    neutral = {outcome: number for outcome, number in counts.items() if outcome in NEUTRAL}
    clean = set(judged) <= {"passed", "attested"}
    yes = record.verdict.decision == "GO" and clean and not record.crashes
    why = tally(judged) or "nothing was judged"
    return yes, f"{why}; not judged: {tally(neutral)}" if neutral else why


def issues(record: Record) -> list[Named]:
    """Return the items the form's issues are prefilled with: what failed, waived or not, and what could not be seen."""
    met: tuple[Outcome, ...] = ("failed", "waived", "error", "inconclusive")
    return [named for outcome in met for named in of_outcome(record, outcome)]


def of_outcome(record: Record, outcome: Outcome) -> list[Named]:
    """Return the items of one outcome in the order of the record."""
    return [(key, item) for key, item in record.items.items() if item.outcome == outcome]


def statements(record: Record) -> list[tuple[str, list[Named]]]:
    """Return the sign-off items of each system in the selection: what the checklists end with."""
    stage = [(key, item) for key, item in record.items.items() if item.stage == "signoff"]
    chosen = {item.system for item in record.items.values() if item.outcome != "not_selected"}
    grouped = groupby(stage, key=lambda named: named[1].system)
    return [(record.systems.get(name, name), list(items)) for name, items in grouped if name in chosen]


def measured_against(item: Item | Reason) -> str:
    """Return `measured X, allowed Y`, as far as it is known."""
    parts = [f"measured {item.measured}" if item.measured else "", f"allowed {item.limit}" if item.limit else ""]
    return ", ".join(part for part in parts if part)


def clock(look: Observation) -> str:
    """Return how far the clock of a database is from ours."""
    known = f" (± {_short(look.offset_uncertainty_s)})" if look.offset_uncertainty_s is not None else ""
    side = "ahead of" if (look.offset_s or 0) >= 0 else "behind"
    return f"the database's clock is {_short(abs(look.offset_s or 0))}{known} {side} ours"


def _short(seconds: float) -> str:
    """Return a duration as people say it: `0.05 ms`, `27 ms`, `1.5 s`."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.2g} ms"


def figure_notes(figure: Figure) -> str:
    """Return how a figure was decided, and what a reader of it has to know besides."""
    margin = f", margin {figure.margin:.3g}" if figure.margin is not None else ""
    bounded = figure.low is not None or figure.high is not None
    sure = f", each bound at {100 * figure.confidence:.3g} %" if bounded else ""
    return "; ".join([f"{figure.method}, {figure.samples} samples{sure}{margin}", *figure.notes])


def ranges(keys: Iterable[str]) -> str:
    """Return item ids shortened to ranges: `MCI-001 to MCI-004, MCI-007`."""
    runs: list[list[str]] = []
    for key in keys:
        if runs and _follows(runs[-1][-1], key):
            runs[-1].append(key)
        else:
            runs.append([key])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _system(record: Record, name: str) -> SystemSummary:
    items = {key: item for key, item in record.items.items() if item.system == name}
    sections = dict.fromkeys(item.section for item in items.values())
    return SystemSummary(
        name=name,
        title=record.systems.get(name, name),
        counts=count(items),
        sections=tuple(_section(section, items) for section in sections),
    )


def _section(name: str, items: dict[str, Item]) -> Section:
    mine = [(key, item) for key, item in items.items() if item.section == name]
    return Section(
        name=name,
        looked=tuple(named for named in mine if named[1].outcome != "not_selected"),
        passed_over=tuple(named for named in mine if named[1].outcome == "not_selected"),
    )


def _follows(before: str, key: str) -> bool:
    head, _, number = before.rpartition("-")
    return number.isdecimal() and key == f"{head}-{int(number) + 1:0{len(number)}d}"
