"""The chat as a process: an order on the first line of standard input, commands on the next ones."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

from simulators.clock import Clock
from simulators.faults import Faults, catalogue
from simulators.model_fallback import hierarchy
from simulators.serving import Listener


def main() -> None:
    """Serve until standard input ends."""
    order = json.loads(sys.stdin.readline())
    faults = Faults([fault.name for fault in catalogue("model_fallback")], order["faults"])
    if faults.on("log-goes-elsewhere"):
        order["log"] = os.devnull
    _set_up(order)
    listener = Listener(order["port"])
    cascade = _serve(order, faults, listener)
    _say({"port": int(listener.netloc.rpartition(":")[2])})
    for line in sys.stdin:
        cascade.passed_s += json.loads(line)["advance"]
        _say({"ok": True})


def _set_up(order: dict[str, Any]) -> None:
    import django  # noqa: PLC0415  only this process has Django's settings
    from django.conf import settings  # noqa: PLC0415  likewise
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415  likewise

    from simulators.model_fallback.chat.settings import configured  # noqa: PLC0415  likewise

    settings.configure(**configured(order, {name: str(part) for name, part in conninfo_to_dict(order["dsn"]).items()}))
    django.setup()


def _serve(order: dict[str, Any], faults: Faults, listener: Listener) -> Any:
    """Fill an empty database, and serve the application; return its cascade."""
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415  needs Django's settings
    from django.core.management import call_command  # noqa: PLC0415  likewise
    from dotenv import load_dotenv  # noqa: PLC0415  read once the settings are

    from simulators.model_fallback.chat import parts, seed, urls  # noqa: F401, PLC0415  likewise; the views are loaded before the first request
    from simulators.model_fallback.chat.model_fallback import Cascade  # noqa: PLC0415  likewise
    from simulators.wsgi import handler  # noqa: PLC0415  likewise

    load_dotenv(Path.cwd() / ".env")  # what the process was started with wins
    models = hierarchy.deployed(faults)
    if order["fresh"]:
        call_command("migrate", verbosity=0)
        seed.fill(order, tuple(models), faults, dt.datetime.fromisoformat(order["now"]))
    parts.FAULTS = faults
    parts.SPEED = order["speed"]
    parts.CASCADE = Cascade(
        hierarchy=models,
        url=order["provider"],
        key=os.environ["GEMINI_API_KEY"],
        clock=Clock(speed=order["speed"]),
        faults=faults,
        kept=Path(order["folder"]) / "exhausted",
    )
    listener.serve(handler(WSGIHandler()))
    return parts.CASCADE


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
