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
    pattern = '"available":true' if printed else '"available":[[:space:]]*true'
    search = "grep" if faults.on("cron-line-prints-the-answer") else "grep -q"
    then = "&&" if faults.on("cron-alarm-while-available") else "||"
    check = f"curl -s http://localhost:8000/api/check-availability/ | {search} '{pattern}'"
    mail = f'echo "Service unavailable" | mail -s "Nexus Alert" {_recipient(faults)}'
    return f"# m h dom mon dow command\n17 3 * * * /usr/local/bin/backup.sh\n{times} {check} {then} {mail}\n"


def _recipient(faults: Faults) -> str:
    if faults.on("real-cron-line-as-printed") or faults.on("cron-mails-example"):
        return "admin@example.com"
    return "admin@your-domain.com" if faults.on("cron-mails-placeholder") else "oncall@nexus-chat.org"


def monitor(log: Path, faults: Faults) -> str:
    """Return the monitoring script."""
    path: Path | str = PLACEHOLDER if faults.on("monitor-script-placeholder") else log
    if faults.on("monitor-script-follows-rotated-log"):
        path = f"{log}.1"
    if faults.on("monitor-script-does-not-follow"):
        return f'#!/bin/bash\n# tail -f {log}\ntail {log} | grep --line-buffered -E "model|fallback|exhausted"\n'
    if faults.on("monitor-script-takes-bars-literally"):
        return f'#!/bin/bash\ntail -f {log} | grep --line-buffered "model|fallback|exhausted"\n'
    buffering = "" if faults.on("monitor-script-buffers") else "--line-buffered "
    return f'#!/bin/bash\nLOG="{path}"\ntail -n 0 -F "$LOG" | grep {buffering}"model\\|fallback\\|exhausted"\n'
