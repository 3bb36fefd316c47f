"""Looks at the log: live, of the past hour, and of two days."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fixtures.observing import observation

from .asking import INSTANCES, PATTERNS, folder_day

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.storage import Storage


@observation()
def attached(tail: Log) -> LogMark:
    """The live log, attached before the run's first request."""
    return tail.attach()


@observation(within="60 s")
def requests(
    tail: Log,
    marker: str,
    attached: LogMark,
    health: Exchange,
    generations: dict[str, Exchange],
    refusals: list[Exchange],
) -> LogView:
    """What the live log holds of the run's own requests, once it holds all of them."""
    sent = dict.fromkeys(("health", *generations, "unknown_instance", "without_key"), 1)
    sent |= {"without_prompt": 4, "malformed_model_ids": 6}

    def complete(view: LogView) -> bool:
        return all(view.tag_count(f"{marker}/{name})") >= times for name, times in sent.items())

    return tail.since(attached, PATTERNS, keep=marker, until=complete, within=30)


@observation(within="120 s")
def past_hour(history: Log, marker: str) -> LogView:
    """The worker's log of the past hour."""
    return history.past(PATTERNS, window_s=3600, keep=marker)


@observation(within="300 s")
def two_days(history: Log, marker: str, facts: dict[str, str]) -> LogView:
    """The worker's log from a day before the deployment until now."""
    since = dt.datetime.fromisoformat(facts["deployed"]) - dt.timedelta(hours=24)
    return history.past(PATTERNS, window_s=(dt.datetime.now(dt.UTC) - since).total_seconds(), keep=marker)


@observation(within="180 s")
def picture_times(images: Storage, past_hour: LogView) -> list[float]:
    """When the bucket's pictures of the past hour were written, as their keys say, in seconds since 1970."""
    first, last = past_hour.first, past_hour.last
    days = {folder_day(moment) for moment in (first, last) if moment is not None}
    keys = [key for day in days for instance in INSTANCES for key in images.list(f"{instance}/{day}").keys]
    return sorted(int(key.rpartition("/")[2].partition("_")[0]) / 1000 for key in keys)


@observation(within="60 s")
def their_requests(tail: Log, marker: str, attached: LogMark, by_other_providers: dict[str, Exchange]) -> LogView:
    """What the live log holds of the generations with several providers."""
    label, sent = f"{marker}/by_other_providers", len(by_other_providers)
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= sent, within=30)
    return view.tagged(label)
