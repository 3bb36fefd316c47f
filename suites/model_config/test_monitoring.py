"""The first hour: what the checklist's monitoring relies on is recorded, and it agrees with what the run itself saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .asking import LEGACY, served

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_lines import LogEvent
    from fixtures.log_view import LogView

OUTCOMES = ("fetched", "not found", "fetch failed")


@pytest.mark.item("MCI-064")
def test_no_request_of_the_hour_was_killed_for_memory(past_hour: LogView) -> None:
    """In an hour of traffic no request ended because the worker exceeded its memory."""
    assert past_hour.requests > 0
    assert [one.outcome for one in past_hour.events if one.outcome == "exceededMemory"] == []


@pytest.mark.item("MCI-066")
def test_every_success_of_the_hour_is_stored(past_hour: LogView, picture_times: list[float]) -> None:
    """For each generation of the hour that was answered 200 the bucket got an object, and no upload failed."""
    served = [one for one in past_hour.events if one.status == 200 and "fetch" in one.names]
    assert len(served) > 0
    assert _without_picture(served, picture_times) == []
    assert past_hour.counts["upload failed"] == 0


@pytest.mark.item("MCI-084")
def test_the_success_rate_is_measured(
    requests: LogView, generations: dict[str, Exchange], without_prompt: list[Exchange], unknown_instance: Exchange
) -> None:
    """The log records the status of each of the run's requests, the refused ones included."""
    logged = {name: requests.group(f"/{name})").status for name in (*generations, "unknown_instance")}
    assert logged == {name: one.status for name, one in generations.items()} | {
        "unknown_instance": unknown_instance.status
    }
    refused = sorted(group.status or 0 for group in requests.tagged("/without_prompt)").groups)
    assert refused == sorted(one.status for one in without_prompt)


@pytest.mark.item("MCI-085")
def test_the_duration_is_measured(requests: LogView, generations: dict[str, Exchange]) -> None:
    """The log records each served generation's duration: most of what the run measured, the steadiest within 1 s."""
    recorded = {name: requests.group(f"/{name})").event.duration_s or 0.0 for name in served(generations)}
    missing = {name: generations[name].elapsed_s - seconds for name, seconds in recorded.items()}
    assert [name for name, seconds in missing.items() if not -1 < seconds < generations[name].elapsed_s / 2] == []
    assert min(missing.values()) < 1


@pytest.mark.item("MCI-086")
def test_the_success_of_config_fetches_is_measured(requests: LogView, past_hour: LogView) -> None:
    """Every config fetch, of the run and of the hour, has exactly one outcome line."""
    own = [len(set(OUTCOMES) & set(group.flow)) for group in requests.groups if "fetch" in group.flow]
    hour = [len(set(OUTCOMES) & set(one.names)) for one in past_hour.events if "fetch" in one.names]
    assert (len(own) > 0, len(hour) > 0) == (True, True)
    assert (set(own), set(hour)) == ({1}, {1})


@pytest.mark.item("MCI-087")
def test_the_rate_of_legacy_mode_is_measured(requests: LogView, generations: dict[str, Exchange]) -> None:
    """The log tells, for each served generation once, whether it was served in legacy mode."""
    models = served(generations)
    logged = {name for name in models if {"not found", "falling back", "legacy"} & set(requests.flow(f"/{name})"))}
    assert logged == {name for name, model in models.items() if model == LEGACY}


@pytest.mark.item("MCI-088")
def test_the_rate_of_errors_is_measured(requests: LogView, past_hour: LogView, without_key: Exchange) -> None:
    """A request that broke is logged with its status and as an error; no success of the hour reports one."""
    broken = requests.group("/without_key)")
    assert (broken.status, broken.event.level) == (without_key.status, "error")
    untold = [
        one for one in past_hour.events if (one.status or 0) >= 500 and one.level != "error" and one.outcome == "ok"
    ]
    hidden = [one for one in past_hour.events if one.status == 200 and "generation error" in one.names]
    assert (untold, hidden) == ([], [])


def _without_picture(served: list[LogEvent], written: list[float]) -> list[LogEvent]:
    """Return the generations for which no picture is left that was written while they ran, give or take two seconds."""
    left, without = list(written), []
    for one in sorted(served, key=_end):
        begun = one.time.timestamp() if one.time else 0.0
        own = next((moment for moment in left if begun - 2 <= moment <= _end(one)), None)
        left.remove(own) if own is not None else without.append(one)
    return without


def _end(one: LogEvent) -> float:
    return (one.time.timestamp() if one.time else 0.0) + (one.duration_s or 0.0) + 2
