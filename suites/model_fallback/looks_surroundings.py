"""Looks at what is around the chat: its host, its own port, and the provider."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

from .asking import AVAILABILITY

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.command import Command, Execution
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_view import LogView

    Facts = dict[str, Any]
    Reply = dict[str, Any]


@observation(within="60 s")
def direct_availability(direct: Http) -> Exchange:
    """The availability endpoint on the application's own port, as the cron job's curl asks it."""
    return direct.get(AVAILABILITY, follow=False)


@observation(within="60 s")
def on_host(host: Command) -> dict[str, Execution]:
    """What the service's host holds: the crontab, the monitoring script, and its mode."""
    script = "/usr/local/bin/monitor_fallback.sh"
    return {
        "crontab": host.run("crontab", "-l"),
        "script": host.run("cat", script),
        "mode": host.run("stat", "-c", "%A", script),
    }


@observation(within="60 s")
def offered(provider: Http) -> Exchange:
    """The models that the provider offers to the service's key."""
    return provider.get("/v1beta/models", params={"pageSize": 1000})


@observation(within="120 s")
def immediate(message_logged: LogView, anonymous_availability: list[Exchange], desktop_page: PageView) -> dt.datetime:
    """When the immediate checks had been made."""
    return dt.datetime.now(dt.UTC)
