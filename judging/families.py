"""Several figures at once: what happens to the chance of a wrong answer, and what it costs to hold it.

Two different things may be held. A verdict of GO needs every figure to pass, so a run with one bad figure goes
through only if that one passes falsely: alpha holds for the verdict without any correction (Berger, Technometrics 24
(1982)). A false NO-GO needs only one of many healthy figures to fail, so beta has to be shared among them (Holm,
Scandinavian Journal of Statistics 6 (1979)). To trust each single "passed" in a report as well, alpha is shared too,
and that costs samples.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Literal

from judging import inputs
from judging.decision import ALPHA, BETA, Decision
from judging.proportions import ShareLimit, fixed_design

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Judge = Callable[[float, float], Decision]  # decides one figure at a given alpha and beta

Hold = Literal["verdict", "every figure"]
HOLDS: Final = ("verdict", "every figure")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """The error probabilities that a run of several figures keeps. Raises ValueError for an unknown `hold`."""

    alpha: float = ALPHA
    beta: float = BETA
    hold: Hold = "verdict"

    def __post_init__(self) -> None:
        if self.hold not in HOLDS:
            raise ValueError(f"hold: found {self.hold!r}, allowed {', '.join(HOLDS)}")
        inputs.probability("alpha", self.alpha)
        inputs.probability("beta", self.beta)

    def each(self, figures: int) -> tuple[float, float]:
        """Return alpha and beta for each of so many figures, fixed beforehand (Bonferroni), to plan and watch with."""
        shared = max(1, inputs.count("figures", figures))
        return (self.alpha if self.hold == "verdict" else self.alpha / shared), self.beta / shared

    def statement(self, figures: int) -> str:
        """Return what the run states about its errors."""
        alpha, beta = self.each(figures)
        wrong = "a GO with a bad figure" if self.hold == "verdict" else "any false pass"
        return (
            f"{figures} figures: {wrong} has probability at most {self.alpha:g}, any false fail {self.beta:g}; "
            f"each figure is judged at {alpha:.2g} and {beta:.2g} or, after Holm, above"
        )


def decide_together(judges: Mapping[str, Judge], family: Family) -> dict[str, Decision]:
    """Decide several figures so that the family's error probabilities hold, whatever their dependence (Holm's steps).

    judges: for each figure, a function that decides it at an alpha and a beta; it is called again, with larger ones, as
    other figures are settled, so it must be pure. Each decision notes what it was judged at.
    """
    settled: dict[str, Decision] = {}
    while True:
        outcomes = [decision.outcome for decision in settled.values()]
        errors = _steps(family, len(judges), outcomes.count("pass"), outcomes.count("fail"))
        rest = {name: judge(*errors) for name, judge in judges.items() if name not in settled}
        noted = {name: _noted(decision, *errors) for name, decision in rest.items()}
        new = {name: decision for name, decision in noted.items() if decision.outcome != "inconclusive"}
        settled |= new
        if not new or len(settled) == len(judges):
            return {name: settled[name] if name in settled else noted[name] for name in judges}


def _steps(family: Family, figures: int, passed: int, failed: int) -> tuple[float, float]:
    """Return alpha and beta for the figures that are left: each error is shared among those it can still concern."""
    alpha = family.alpha if family.hold == "verdict" else family.alpha / max(1, figures - passed)
    return alpha, family.beta / max(1, figures - failed)


def _noted(decision: Decision, alpha: float, beta: float) -> Decision:
    note = f"judged at alpha {alpha:.2g} and beta {beta:.2g}, as one of several figures"
    return dataclasses.replace(decision, notes=(*decision.notes, note))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """What holding a family's errors costs: samples for one figure, alone and as one of the family."""

    alone: int
    shared: int

    @property
    def statement(self) -> str:
        """The cost in words."""
        return f"{self.shared:,} samples in place of {self.alone:,}: {self.shared / self.alone:.2f} times as many"


def cost(limit: ShareLimit, family: Family, figures: int) -> Cost:
    """Return the exact design of one figure alone and as one of several. Raises ValueError as `fixed_design` does.

    A design is planned for passing: sharing beta alone raises the chance that a healthy service passes with it.
    """
    alpha, beta = family.each(figures)
    alone = dataclasses.replace(limit, alpha=family.alpha, beta=family.beta)
    shared = dataclasses.replace(limit, alpha=alpha, beta=beta)
    return Cost(alone=fixed_design(alone).samples, shared=fixed_design(shared).samples)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values adjusted by Holm's steps, in the order given: compare each with the family's error.

    Raises ValueError for numbers outside 0 to 1. Source: Holm (1979).
    """
    for value in p_values:
        if not 0 <= inputs.finite("p-value", value) <= 1:
            raise ValueError(f"p-value: found {value}, allowed from 0 to 1")
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for step, at in enumerate(order):
        largest = max(largest, min(1.0, p_values[at] * (len(p_values) - step)))
        adjusted[at] = largest
    return tuple(adjusted)


def all_of(name: str, decisions: Sequence[Decision]) -> Decision:
    """Return one decision about a claim with several parts, such as a range: it passes when every part does.

    It fails when any part fails, and is otherwise inconclusive. The figures are those of the part that decides. A false
    pass keeps alpha; a false fail has at most the sum of the parts' betas. Raises ValueError for no parts.
    """
    if not decisions:
        raise ValueError(f"{name}: found no parts, allowed at least 1")
    rank = {"fail": 0, "inconclusive": 1, "pass": 2}
    decisive = min(decisions, key=lambda decision: rank[decision.outcome])
    wanted = [part.needed for part in decisions if part.outcome == "inconclusive" and part.needed is not None]
    return dataclasses.replace(
        decisive,
        statement=f"{name}: " + "; ".join(part.statement for part in decisions),
        needed=max(wanted) if wanted and decisive.outcome == "inconclusive" else None,
        notes=tuple(dict.fromkeys(note for part in decisions for note in part.notes)),
    )
