"""The first hour: what the checklist's monitoring relies on is recorded, and it agrees with what the run itself saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.values import UndecidedError

from .asking import LEGACY, enough, own, served
from .first_day import GENERATION, LEFT, broke

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log_lines import LogEvent
    from fixtures.log_view import LogView

OUTCOMES = ("fetched", "not found", "fetch failed")


@pytest.mark.item("MCI-064")
def test_no_request_of_the_hour_was_killed_for_memory(past_hour: LogView) -> None:
    """In an hour of traffic no request ended because the worker exceeded its memory, and no line tells of one."""
    events = enough(list(past_hour.events), "requests of the past hour")
    assert [one.outcome for one in events if one.outcome == "exceededMemory"] == []
    assert past_hour.counts["memory"] == 0


@pytest.mark.item("MCI-066")
def test_every_success_of_the_hour_is_stored(past_hour: LogView, picture_times: dict[str, Any]) -> None:
    """For each generation of the hour that was answered 200 the bucket got an object, and no upload failed."""
    made = [one for one in past_hour.events if not one.tagged and GENERATION & set(one.names)]  # ours are removed
    served = enough([one for one in made if one.status == 200], "generations in the past hour")
    assert past_hour.counts["upload failed"] == 0
    assert _without_picture(served, picture_times) == []


@pytest.mark.item("MCI-084")
def test_the_success_rate_is_measured(
    requests: LogView, generations: dict[str, Exchange], without_prompt: list[Exchange], unknown_instance: Exchange
) -> None:
    """The log records the status of each of the run's requests, the refused ones included."""
    sent = {name: [one] for name, one in generations.items()}
    sent |= {"unknown_instance": [unknown_instance], "without_prompt": without_prompt}
    logged = {name: sorted(group.status or 0 for group in own(requests, name)) for name in sent}
    assert logged == {name: sorted(one.status for one in answers) for name, answers in sent.items()}


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
    made = [*(group.event for group in requests.groups), *past_hour.events]
    told = [len(set(OUTCOMES) & set(one.names)) for one in made if "fetch" in one.names and one.outcome not in LEFT]
    assert set(enough(told, "config fetches")) == {1}


@pytest.mark.item("MCI-087")
def test_the_rate_of_legacy_mode_is_measured(requests: LogView, generations: dict[str, Exchange]) -> None:
    """The log tells, for each served generation once, whether it was served in legacy mode."""
    models = served(generations)
    logged = {name for name in models if {"not found", "falling back", "legacy"} & set(requests.flow(f"/{name})"))}
    assert logged == {name for name, model in models.items() if model == LEGACY}


@pytest.mark.item("MCI-088")
def test_the_rate_of_errors_is_measured(
    requests: LogView, past_hour: LogView, without_key: Exchange, wrong_type: Exchange
) -> None:
    """Of the run's refused requests those that broke, and no others, are logged so; no success reports an error."""
    refused = {"without_key": without_key, "wrong_type": wrong_type}
    logged = {name: [broke(group.event) for group in own(requests, name)] for name in refused}
    assert logged == {name: [one.status >= 500] for name, one in refused.items()}
    assert [one for one in past_hour.events if one.status == 200 and "generation error" in one.names] == []
    enough([name for name, one in refused.items() if one.status >= 500], "requests of the run that broke")


def _without_picture(served: list[LogEvent], written: dict[str, Any]) -> list[str]:
    """Return when the generations began for which no picture was written while they ran, give or take two seconds.

    Raises UndecidedError when there are some and not all pictures could be listed.
    """
    left, without = list(written["times"]), []
    for one in sorted(served, key=_end):
        begun = one.time.timestamp() if one.time else 0.0
        own = next((moment for moment in left if begun - 2 <= moment <= _end(one)), None)
        left.remove(own) if own is not None else without.append(str(one.time))
    if without and not written["all"]:
        raise UndecidedError(f"{len(without)} generations may have pictures that are not among the listed ones")
    return without


def _end(one: LogEvent) -> float:
    return (one.time.timestamp() if one.time else 0.0) + (one.duration_s or 0.0) + 2
