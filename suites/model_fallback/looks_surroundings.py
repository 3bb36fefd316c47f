"""Looks at what is around the chat: its host, its own port, and the provider."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation
from fixtures.values import UndecidedError

from .asking import AVAILABILITY

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.command import Command, Execution
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_view import LogView

    Facts = dict[str, Any]
    Reply = dict[str, Any]

PROBE = Path(__file__).parent / "probes" / "loaded_key.py"


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
def keys_on_host(host: Command, facts: Facts) -> dict[str, Any]:
    """The key that load_dotenv() loads in the application folder, and those of the service's processes, as digests.

    Raises RuntimeError where the host cannot tell, UndecidedError where what it tells decides nothing.
    """
    text = PROBE.read_text(encoding="utf-8")
    ended = host.run(facts["app_python"], "-", facts["app_folder"], input=text)
    if ended.exit_status != 0:
        said = (ended.stderr.strip().splitlines() or ["nothing"])[-1]
        raise RuntimeError(f"{facts['app_python']} on the host ended with status {ended.exit_status} and said: {said}")
    found: dict[str, Any] = json.loads(ended.stdout)
    if "problem" in found:
        raise RuntimeError(f"the host cannot tell which key is loaded: {found['problem']}")
    running = found["processes"]
    if not running:
        raise UndecidedError(f"no process of the service runs in {facts['app_folder']}; {found['hidden']} are hidden")
    if not all(one["told"] for one in running):
        raise UndecidedError("a process of the service has a title that hides the variables it was started with")
    late = found["loaded"]["changed"] > min(one["began"] for one in running) + 1  # s: it reads the file as it starts
    if late and found["loaded"]["length"] and any(one["key"] is None for one in running):
        raise UndecidedError("the environment file is younger than a process that took its key from it")
    return found


@observation(within="60 s")
def offered(provider: Http) -> Exchange:
    """The models that the provider offers to the service's key."""
    return provider.get("/v1beta/models", params={"pageSize": 1000})


@observation(within="120 s")
def immediate(message_logged: LogView, anonymous_availability: list[Exchange], desktop_page: PageView) -> dt.datetime:
    """When the immediate checks had been made."""
    return dt.datetime.now(dt.UTC)
