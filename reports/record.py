"""The record of a run, `run.json`: the public interface of the product. Version 1 of its schema is this file.

A consumer may rely on every field here; a field is only ever added within a version.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal[
    "passed",
    "failed",
    "inconclusive",
    "error",
    "attested",
    "unattested",
    "waived",
    "not_configured",
    "not_permitted",
    "open",
    "not_selected",
]
Decision = Literal["GO", "HOLD", "NO-GO", "ROLLBACK", "NOT SIGNED OFF"]
Severity = Literal["critical", "high", "medium", "low"]


class Part(BaseModel):
    """Base of every table of the record."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Facts(Part):
    """Which run this is. Times are UTC, ISO 8601; durations are our seconds.

    selection: the arguments as given. narrowed: everything that made the plan smaller than the checklists, each as one
    sentence. limits: what the environment sets in place of a checklist's number, each as one sentence. replay_of /
    resumes: the run whose observations were served. baseline: what the run was compared with, as one sentence.
    """

    id: str
    env: str
    systems: tuple[str, ...]
    release: str = ""
    commit: str = ""
    started: str
    finished: str = ""
    selection: tuple[str, ...] = ()
    narrowed: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    baseline: str = ""
    replay_of: str = ""
    resumes: str = ""
    wall_s: float = 0.0
    slowest_observation_s: float = 0.0
    slowest_observation: str = ""
    to_verdict_s: float = 0.0
    speed: float = 1.0
    versions: dict[str, str] = Field(default_factory=dict)


class Reason(Part):
    """Why the verdict is what it is: one item that is in the way, and what the checklist says to do about it."""

    item: str
    outcome: Outcome
    severity: Severity
    action: str
    measured: str = ""
    limit: str = ""
    message: str = ""


class Verdict(Part):
    """What was decided, from plan and results alone."""

    decision: Decision
    exit_status: int
    reasons: tuple[Reason, ...] = ()


class Figure(Part):
    """A figure that was decided with its uncertainty. Fields as in `judging.decision.Decision`.

    alpha, beta: the chance of a false pass and of a false fail it was judged at, None where every case was seen.
    windows: of a figure over time, each window's end in seconds since 1970, its value, and how much was recorded in it;
    of many, the worst of each few neighbours. A value is None where too little was recorded (0), or nothing came back.
    """

    outcome: Literal["pass", "fail", "inconclusive"]
    statement: str
    measured: float | None
    low: float | None
    high: float | None
    limit: float
    comparison: str
    unit: str
    samples: int
    method: str
    confidence: float
    margin: float | None = None
    needed: int | None = None
    notes: tuple[str, ...] = ()
    alpha: float | None = None
    beta: float | None = None
    windows: tuple[tuple[float, float | None, int], ...] = ()


class Item(Part):
    """One statement of a checklist and what became of it.

    checks: ids of the checks bound to it. claim: the sentence of its checks, else its title. measured / limit: the
    values of the decisive assertion, as text. samples: raw measurements in the target's seconds. figures: what was
    decided with its uncertainty. attempts: how often
    the slowest of its observations had to look (above 1 is shown: passed after retries).
    """

    title: str
    system: str
    section: str
    stage: str
    kind: str
    severity: Severity
    action: str
    safety: str
    source: str = ""
    outcome: Outcome
    checks: tuple[str, ...] = ()
    claim: str = ""
    message: str = ""
    measured: str = ""
    limit: str = ""
    samples: tuple[float, ...] = ()
    figures: tuple[Figure, ...] = ()
    attempts: int = 1
    observations: tuple[str, ...] = ()


class Check(Part):
    """One pytest test of a suite. facts: each assertion that held, as pytest explains it. took_s: our seconds."""

    items: tuple[str, ...]
    outcome: Outcome
    claim: str = ""
    message: str = ""
    facts: tuple[str, ...] = ()
    measured: str = ""
    limit: str = ""
    figures: tuple[Figure, ...] = ()
    samples: tuple[float, ...] = ()
    took_s: float = 0.0
    worker: str = ""


class Observation(Part):
    """One look. state: `seen`, `unseen` (reason says why) or `not started`. evidence: files, relative to the record.

    offset_s: where a database told the time, its clock minus ours, known to within offset_uncertainty_s.
    """

    system: str
    name: str
    claim: str
    state: Literal["seen", "unseen", "not started"]
    reason: str = ""
    started_s: float = 0.0
    took_s: float = 0.0
    attempts: int = 1
    evidence: tuple[str, ...] = ()
    offset_s: float | None = None
    offset_uncertainty_s: float | None = None


class Crash(Part):
    """Something of ours that broke: a worker that died, a collection error, a check that never finished."""

    where: str
    text: str


class Spending(Part):
    """How much of one budget was used; `limit` is None where the environment sets none."""

    spent: float
    limit: float | None = None


class Record(Part):
    """The whole of `run.json`. family: the error probability of all its decided figures together, as one sentence."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    run: Facts
    verdict: Verdict
    counts: dict[Outcome, int]
    items: dict[str, Item]
    checks: dict[str, Check] = Field(default_factory=dict)
    observations: dict[str, Observation] = Field(default_factory=dict)
    crashes: tuple[Crash, ...] = ()
    budget: dict[str, Spending] = Field(default_factory=dict)
    systems: dict[str, str] = Field(default_factory=dict)
    family: str = ""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
