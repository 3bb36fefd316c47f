"""The conditions on which a rollback is decided, recomputed over every window since the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError
from judging.alerts import decide_alert

from .windows import HOUR, begun, failures, mean_times, parted, start_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.database import Snapshot
    from fixtures.thresholds import Limit

    Decided = Callable[..., str]
    Facts = dict[str, str]
    Rows = list[dict[str, Any]]
    Threshold = Callable[..., Limit]


@pytest.mark.item("MDE-079")
def test_not_everything_fails(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In no five minutes since the release did every generation fail: critical, roll back at once."""
    rule = threshold().alert(window=300, minimum=3, severity="critical", action="roll back")
    readings = failures(finished, rule, start_of(facts), max(begun(finished)))
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"


@pytest.mark.item("MDE-080")
def test_no_model_fails(finished: Rows, facts: Facts, decided: Decided, threshold: Threshold) -> None:
    """In no hour did a model fail in more than half of its generations: high, disable it in the registry."""
    start, end = start_of(facts), max(begun(finished))
    for name, rows in sorted(parted(finished, "record").items()):
        # A rarely used model has hours without a record; those say nothing, and do not speak for it either.
        rule = threshold().alert(window=HOUR, step=900, minimum=4, coverage=0)
        readings = failures(rows, rule, start, end)
        if any(one.samples >= rule.minimum for one in readings):
            assert (name, decided(decide_alert(readings, rule), over=(readings, rule))) == (name, "pass")


@pytest.mark.item("MDE-081")
def test_times_have_not_doubled(
    finished: Rows, records: Snapshot, facts: Facts, decided: Decided, threshold: Threshold
) -> None:
    """In no hour is a content type's mean time above twice the median of before: medium, ask the provider."""
    start, end = start_of(facts), max(begun(finished))
    if not records["baseline"]:
        raise UndecidedError("nothing ended in the two weeks before the release")
    normal = {row["type"]: row["p50"] for row in records["baseline"] if row["p50"] is not None}
    for kind, median in normal.items():
        rows = [row for row in finished if row["type"] == kind and row["status"] == "completed"]
        rule = threshold().alert(
            name=f"mean time of {kind}s", limit=threshold().value * median, unit="s", window=HOUR, step=HOUR
        )
        assert decided(decide_alert(mean_times(rows, rule, start, end), rule)) == "pass"
    assert len(normal) > 0
