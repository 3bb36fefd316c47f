"""Hands recorded samples to pytest-benchmark by a clock that advances by one sample per round: exact figures."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from reports.replay import RECORD, RecordedTest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.record import Item


class RecordedClock:
    """A timer read twice per round, at its start and its end; between the two it advances by the round's sample."""

    def __init__(self, samples: Sequence[float]) -> None:
        # Each round starts at zero, so that adding up does not cost the figures their last digits.
        self._readings = itertools.chain.from_iterable((0.0, sample) for sample in samples)

    @property
    def target(self) -> RecordedClock:
        """The timer itself, where pytest-benchmark asks for it by name."""
        return self

    def __call__(self) -> float:
        """Return the next reading in seconds."""
        return next(self._readings)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Any:
    """Replay the samples of the item, whatever its outcome: a latency over its limit is measured all the same."""
    if isinstance(item, RecordedTest) and item.entry.item is not None and item.entry.item.samples:
        _measure(item, item.entry.item)
    return (yield)


def pytest_benchmark_generate_machine_info() -> dict[str, Any]:
    """Name no machine: the samples were taken elsewhere, and the comparison must not warn."""
    return {"node": "", "machine": "", "cpu": {}}


def pytest_benchmark_generate_commit_info(config: pytest.Config) -> dict[str, Any]:
    """Return the commit that was looked at, not the one of this working tree."""
    run = config.stash[RECORD].run
    return {"id": run.commit or "unknown", "project": run.env, "time": run.started, "dirty": False}


def _measure(test: RecordedTest, item: Item) -> None:
    session: Any = test.config._benchmarksession  # type: ignore[attr-defined]  # noqa: SLF001 -- where the plugin keeps it
    options = {**session.options, "timer": RecordedClock(item.samples), "disable_gc": False, "group": item.system}
    make: Any = BenchmarkFixture  # it publishes no types
    fixture = make(
        test, add_stats=session.benchmarks.append, logger=session.logger, warner=test.warn, disabled=False, **options
    )
    fixture.name = fixture.fullname = test.entry.key
    fixture.extra_info = {"title": item.title, "outcome": item.outcome, "measured": item.measured, "limit": item.limit}
    fixture.pedantic(lambda: None, rounds=len(item.samples))
