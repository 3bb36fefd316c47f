"""The host the chat runs on, as its shell shows it: a crontab, a monitoring script, the application's interpreter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.faults import Faults

SCRIPT = "/usr/local/bin/monitor_fallback.sh"
PLACEHOLDER = "/path/to/logs/django.log"
_SHELL = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
case "$*" in
  "crontab -l") cat crontab ;;
  "cat {script}") cat monitor ;;
  "stat -c %A {script}") cat mode ;;
  "{python} - {application}") exec "{python}" - "{application}" ;;
  *) echo "$1: no such command here" >&2; exit 127 ;;
esac
"""


def furnish(folder: Path, log: Path, application: Path, faults: Faults) -> list[str]:
    """Write what the host holds, and return the program that runs a command on it."""
    folder.mkdir()
    mode = "-rw-r--r--" if faults.on("monitor-script-not-executable") else "-rwxr-xr-x"
    for name, text in {
        "crontab": crontab(faults),
        "monitor": monitor(log, faults),
        "mode": f"{mode}\n",
        "shell": _SHELL.format(script=SCRIPT, python=sys.executable, application=application),
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return ["sh", str(folder / "shell")]


def crontab(faults: Faults) -> str:
    """Return the table of the service's user: another job, and the availability check."""
    times = "5 * * * *" if faults.on("cron-once-an-hour") else "*/5 * * * *"
    printed = faults.on("real-cron-line-as-printed")
    pattern = '"available":true' if printed else '"available": *true'
    recipient = "admin@example.com" if printed or faults.on("cron-mails-example") else "oncall@nexus-chat.org"
    check = f"curl -s http://localhost:8000/api/check-availability/ | grep -q '{pattern}'"
    mail = f'echo "Service unavailable" | mail -s "Nexus Alert" {recipient}'
    return f"# m h dom mon dow command\n17 3 * * * /usr/local/bin/backup.sh\n{times} {check} || {mail}\n"


def monitor(log: Path, faults: Faults) -> str:
    """Return the monitoring script."""
    path = PLACEHOLDER if faults.on("monitor-script-placeholder") else log
    buffering = "" if faults.on("monitor-script-buffers") else "--line-buffered "
    return f'#!/bin/bash\ntail -f {path} | grep {buffering}-E "model|fallback|exhausted"\n'
