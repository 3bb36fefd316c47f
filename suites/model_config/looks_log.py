"""Looks at the log: live, of the past hour, and of two days."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

from .asking import INSTANCES, PATTERNS, SUITE, folder_day
from .first_day import deployed_at

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.storage import Storage

KEY = re.compile(r"/(\d{13})_[^/]*$")  # a picture's key ends in the milliseconds since 1970 and its name


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
    sent = dict.fromkeys(("health", *generations, "unknown_instance", "wrong_type", "without_key"), 1)
    sent |= {"without_prompt": 4, "malformed_model_ids": 6}

    def complete(view: LogView) -> bool:
        return all(view.tag_count(f"{marker}/{name})") >= times for name, times in sent.items())

    return tail.since(attached, PATTERNS, keep=marker, until=complete, within=30)


@observation(within="120 s")
def past_hour(history: Log) -> LogView:
    """The worker's log of the past hour, in which the requests of this suite's runs are told from all others."""
    return history.past(PATTERNS, window_s=3600, keep=SUITE)


@observation(within="300 s")
def two_days(history: Log, facts: dict[str, str]) -> LogView:
    """The worker's log from a day before the deployment until now, with this suite's requests told from others'."""
    since = deployed_at(facts) - dt.timedelta(hours=24)
    return history.past(PATTERNS, window_s=(dt.datetime.now(dt.UTC) - since).total_seconds(), keep=SUITE)


@observation()
def day_looked_at(two_days: LogView) -> dt.datetime:
    """When the log of the day since the deployment was looked at, by our clock."""
    return dt.datetime.now(dt.UTC)


@observation(within="180 s")
def picture_times(images: Storage, past_hour: LogView) -> dict[str, Any]:
    """When the bucket's pictures were written, by their keys, in seconds since 1970; of all, if they can be listed.

    Of a bucket with more objects than a listing may return, those of the past hour's days and the known instances.
    """
    whole = images.list()
    first, last = past_hour.first, past_hour.last
    days = {folder_day(moment) for moment in (first, last) if moment is not None}
    keys = (
        [key for day in days for instance in INSTANCES for key in images.list(f"{instance}/{day}").keys]
        if whole.more
        else whole.keys
    )
    stamps = [KEY.search(key) for key in keys]
    return {"times": sorted(int(stamp[1]) / 1000 for stamp in stamps if stamp), "all": not whole.more}


@observation(within="60 s")
def their_requests(tail: Log, marker: str, attached: LogMark, by_other_providers: dict[str, Exchange]) -> LogView:
    """What the live log holds of the generations with several providers."""
    label, sent = f"{marker}/by_other_providers", len(by_other_providers)
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= sent, within=30)
    return view.tagged(label)
