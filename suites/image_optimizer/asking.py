"""What the looks at image_optimizer share: how a store signs its requests, and what the server's lines mean."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from fixtures.values import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fixtures.confidential import Confidential
    from fixtures.exchange import Exchange
    from fixtures.log_lines import LogMatch
    from fixtures.log_view import LogView

STATS = "/api/replicate-rate-limiter/stats"
IMAGES = 10  # of one job, the most that the server takes
FIRST_BEAT_S, SECOND_BEAT_S = 60.0, 120.0  # after its start a worker has one and two, 35 s apart but while it creates
PROMPT = "Remove the background of picture"


WORKER = r"\[ImageOptWorker\] "
BEAT = WORKER + r"Heartbeat - cycle (\d+) \| Queue: (\d+) \| RPM: (\d+)/450 \((\d+(?:\.\d)?)%\)$"
STARTING = {
    "two-phase": WORKER + r"Starting two-phase image optimization worker\.\.\.$",
    "phase one": WORKER + r"- Phase 1: Create predictions",
    "phase two": WORKER + r"- Phase 2: Poll predictions",
    "started": WORKER + r"Worker started successfully$",
}
WORDING = {
    "every 5s": WORKER + r"- Phase 1: Create predictions \(every 5s\)$",
    "every 3s": WORKER + r"- Phase 2: Poll predictions \(every 3s\)$",
    "limiter": r"\[ReplicateRateLimiter\] Initialized with \d+ RPM",
    "limiter 450": r"\[ReplicateRateLimiter\] Initialized with 450 RPM$",
    "level": r"\[Logger\] Log level: \w+ \((\d)\)",
}
WORK = {
    "created job": r"\[ImageOptimization\] Created job (\d+) for (\d+) images",
    "creating": WORKER + r"Creating predictions for (\d+) items$",
    "batch complete": WORKER + r"Prediction creation batch complete: (\d+) items$",
    "predicted": WORKER + r"(?:\S+ )?Prediction created for item (\d+): (\S+)$",
    "prediction": r"\[Replicate\] Prediction created: (\S+)",
    "not predicted": WORKER + r"(?:\S+ )?Failed to create prediction for item (\d+)",
    "polling": WORKER + r"Polling (\d+) predictions$",
    "polled": WORKER + r"Polling batch complete: (\d+) items checked$",
    "completed": WORKER + r"(?:\S+ )?Item (\d+) completed$",
    "failed": WORKER + r"(?:\S+ )?Item (\d+) failed: (.*)",
    "event": WORKER + r"Image job created, processing immediately",
    "round of phase 1": WORKER + r"(?:Creating predictions for \d|No pending items|Already creating predictions)",
    "round of phase 2": WORKER + r"(?:Polling \d+ predictions|No processing items to poll|Already polling)",
    "heartbeat": BEAT,
    "any heartbeat": WORKER + "Heartbeat",
    "worker": WORKER,
}
TROUBLES = {
    "error": r"❌|\[ImageOptWorker\] (?:Error |R2 upload failed)|\[DB\] Query error|(?i:unhandled|uncaught)|Error: "
    r"|\bFATAL\b|\bECONN[A-Z]+\b"
    r"|\s\s+at \S+ \(",
    "429": r"(?i:status(?: code)?:? 429\b|\b429 too many|too many requests)",
}
# Of a day of heartbeats only the times are kept, so what they say of the limiter is asked for here.
FIGURES = {
    "queue above 499": r"Heartbeat .*Queue: (?:[5-9]\d\d|\d{4,}) ",
    "queue above 500": r"Heartbeat .*Queue: (?:50[1-9]|5[1-9]\d|[6-9]\d\d|\d{4,}) ",
    "queue above 1000": r"Heartbeat .*Queue: (?:100[1-9]|10[1-9]\d|1[1-9]\d\d|[2-9]\d{3}|\d{5,}) ",
    "usage above 95": r"Heartbeat .*\((?:95\.[1-9]|9[6-9](?:\.\d)?|\d{3,}(?:\.\d)?)%",
    "usage at 100": r"Heartbeat .*\(\d{3,}(?:\.\d)?%",
    "usage 80 to 90": r"Heartbeat .*\((?:8\d(?:\.\d)?|90(?:\.0)?)%",
    "usage 80 to 95": r"Heartbeat .*\((?:8\d(?:\.\d)?|9[0-4](?:\.\d)?|95(?:\.0)?)%",
    "usage 85 to 95": r"Heartbeat .*\((?:8[5-9](?:\.\d)?|9[0-4](?:\.\d)?|95(?:\.0)?)%",
}
LIVE = {**WORK, **TROUBLES, "level": WORDING["level"]}
PAST = {
    **STARTING,
    **WORDING,
    **TROUBLES,
    **FIGURES,
    **{name: WORK[name] for name in ("any heartbeat", "worker", "prediction", "creating", "batch complete")},
}


def first_day(now: dt.datetime, deployed: str, pace: float) -> None:
    """Raise UndecidedError until the first day after the deployment is over: what is fine so far may not stay so."""
    hours = (now - dt.datetime.fromisoformat(deployed)).total_seconds() * pace / 3600
    if hours < 24:
        raise UndecidedError(f"{hours:.1f} hours have passed since the deployment, and the item is about its first 24")


def lived(watch: Mapping[str, Any], deployed: str, pace: float, *, least: float, what: str) -> None:
    """Raise UndecidedError where the deployment was younger than `least` of the target's seconds as the watch ended."""
    age = (watch["ended"] - dt.datetime.fromisoformat(deployed).timestamp()) * pace
    if age < least:
        raise UndecidedError(f"the deployment was {age:.0f} s old, and {what} takes {least:.0f} s")


def told(samples: Iterable[Mapping[str, Any]]) -> list[Exchange]:
    """Return the answers of the statistics that tell something; that one is refused is another item's matter."""
    return [one["stats"] for one in samples if one["stats"].trouble is None and one["stats"].status == 200]


def answers(samples: Iterable[Mapping[str, Any]]) -> list[int | str]:
    """Return the status of each answer of the statistics, or what was wrong with it."""
    seen = [one["stats"] for one in samples]
    return [one.trouble.kind if one.trouble else one.status if one.is_json else "not JSON" for one in seen]


def token(secrets: Confidential, store: str) -> str:
    """Return the signed token of a store, as the platform gives it to the dashboard."""

    def mint() -> str:
        body = {"instanceId": store, "siteHost": f"{store}.example.com", "appDefId": "shakedown"}
        payload = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
        digest = hmac.new(secrets["wix_app_secret"].encode(), payload.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=") + "." + payload

    return secrets.once(f"token of {store}", mint)


def counts_of(view: LogView) -> dict[str, int]:
    """Return how many lines match each pattern; none while nothing was logged yet."""
    return view.counts if view.trouble is None else dict.fromkeys(LIVE, 0)


def ordered(view: LogView, *names: str) -> list[LogMatch]:
    """Return the lines that match one of these patterns, in the order of the log."""
    view.look()
    return [one for one in view.digest.found if one.name in names]


def numbers(found: Iterable[LogMatch], name: str) -> list[int]:
    """Return the numbers that the lines of this pattern tell."""
    return [int(one.groups[0] or 0) for one in found if one.name == name]
