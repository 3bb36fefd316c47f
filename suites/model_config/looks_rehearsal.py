"""Rehearsals: parts behind the worker fail, configs are deleted and brought back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation, removal

from .asking import PATTERNS, folder_day, generate

if TYPE_CHECKING:
    from fixtures.database import Database
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Ledger
    from fixtures.storage import Storage
    from fixtures.waiting import Patience


def rehearse(controls: Http, part: str, mode: str, only: str, times: int | None = None) -> None:
    """Make a part behind the worker fail, for requests that carry `only`; `ok` ends it."""
    answer = controls.post(f"/{part}", json={"mode": mode, "only": only, **({"times": times} if times else {})})
    if answer.status != 200:
        raise RuntimeError(f"the rehearsal's switch for {part} answered {answer.status}: {answer.text}")


@observation(permit="destructive", within="80 s", spends={"generations": 1})
def config_service_hangs(worker: Http, controls: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation while the Config Service holds its answers open."""
    ledger.own("leftover_pictures", "images", marker)
    rehearse(controls, "config-service", "hang", f"{marker} While configs hang")
    try:
        return generate(worker, marker, "While configs hang", within=30, model_id="ideogram-v2")
    finally:
        rehearse(controls, "config-service", "ok", f"{marker} While configs hang")


@observation(permit="destructive", within="200 s")
def provider_fails(worker: Http, controls: Http, marker: str, attached: LogMark, ledger: Ledger) -> dict[str, Exchange]:
    """Generations while the provider limits, breaks, refuses the key, and holds its answer open."""
    ledger.own("leftover_pictures", "images", marker)
    answers = {}
    for mode in ("429", "500", "denied", "hang"):
        words = f"{marker} While the provider does {mode}"
        rehearse(controls, "provider", mode, words)
        try:
            answers[mode] = generate(
                worker, marker, f"While the provider does {mode}", within=40, model_id="ideogram-v2"
            )
        finally:
            rehearse(controls, "provider", "ok", words)
    return answers


@observation(within="60 s")
def failures_logged(tail: Log, marker: str, attached: LogMark, provider_fails: dict[str, Exchange]) -> LogView:
    """What the live log holds of the generations whose provider failed."""
    label, sent = f"{marker}/provider_fails", len(provider_fails)
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= sent, within=30)
    return view.tagged(label)


@observation(within="60 s")
def stored_despite_failure(images: Storage, marker: str, provider_fails: dict[str, Exchange]) -> list[str]:
    """The pictures that the bucket holds of the generations whose provider failed."""
    days = {folder_day(one.sent_at) for one in provider_fails.values()}
    keys = [key for day in days for key in images.list(f"default/{day}").keys]
    return [key for key in keys if f"{marker}_While_the_provider" in key]


@observation(permit="destructive", within="240 s", spends={"generations": 1})
def provider_stumbles(
    worker: Http, controls: Http, marker: str, attached: LogMark, ledger: Ledger
) -> dict[str, Exchange]:
    """Two generations: one whose provider answers 503 once, and one whose provider answers nothing else."""
    ledger.own("leftover_pictures", "images", marker)
    answers = {}
    for often, times in (("once", 1), ("always", None)):
        words = f"{marker} Unavailable {often}"
        rehearse(controls, "provider", "503", words, times=times)
        try:
            answers[often] = generate(worker, marker, f"Unavailable {often}", within=90, model_id="ideogram-v2")
        finally:
            rehearse(controls, "provider", "ok", words)
    return answers


@observation(within="60 s")
def stumbles_logged(tail: Log, marker: str, attached: LogMark, provider_stumbles: dict[str, Exchange]) -> LogView:
    """What the live log holds of the generations whose provider was unavailable."""
    label, sent = f"{marker}/provider_stumbles", len(provider_stumbles)
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= sent, within=30)
    return view.tagged(label)


@observation(within="60 s")
def hang_logged(tail: Log, marker: str, attached: LogMark, config_service_hangs: Exchange) -> LogView:
    """What the live log holds of the generation during which the Config Service hung."""
    label = f"{marker}/config_service_hangs"
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= 1, within=30)
    return view.tagged(label)


@observation(permit="destructive", within="300 s", spends={"generations": 6}, alone=True)
def quick_rollback(
    config: Database, worker: Http, marker: str, attached: LogMark, ledger: Ledger, patience: Patience
) -> dict[str, Any]:
    """The quick rollback, rehearsed: the config of ideogram-v2 is saved, deleted, missed, and brought back."""
    before = config.read({"models": "SELECT * FROM model_configs ORDER BY model_id"})["models"]
    saved = [row for row in before if row["model_id"] == "ideogram-v2"]
    ledger.own("leftover_pictures", "images", marker)
    ledger.own("missing_rows", "config", json.dumps(saved))
    deleted = config.execute("DELETE FROM model_configs WHERE model_id = 'ideogram-v2'").changed
    others = config.read({"models": "SELECT * FROM model_configs ORDER BY model_id"})["models"]
    tries = iter(range(4))  # a config that is kept elsewhere may take a minute to go; each try is paid for
    without = patience.eventually(
        lambda: generate(worker, marker, "While its config is gone", model_id="ideogram-v2"),
        lambda answer: answer.status != 200 or answer.json["metadata"]["model"] != "ideogram-v2",
        within=60,
        hopeless=lambda _: next(tries, None) is None,
    )
    restore(config, saved)
    ledger.disown("missing_rows", "config", json.dumps(saved))
    after = config.read({"models": "SELECT * FROM model_configs ORDER BY model_id"})["models"]
    again = generate(worker, marker, "After its config came back", model_id="ideogram-v2")
    return {
        "before": list(before),
        "deleted": deleted,
        "others": list(others),
        "without": without,
        "after": list(after),
        "again": again,
    }


@observation(permit="destructive", within="120 s", spends={"generations": 1}, alone=True)
def emptied_table(  # noqa: PLR0913, PLR0917  what a rehearsal goes through
    config: Database,
    config_service: Http,
    worker: Http,
    marker: str,
    attached: LogMark,
    ledger: Ledger,
    patience: Patience,
) -> dict[str, Any]:
    """The database rollback, rehearsed: all configs are saved, deleted, missed, and brought back."""
    # A limit that the burst has met is over before anything is deleted.
    patience.eventually(
        lambda: config_service.get("/model-config"),
        lambda seen: seen.trouble is not None or seen.status != 429,
        within=60,
    )
    saved = list(config.read({"models": "SELECT * FROM model_configs"})["models"])
    ledger.own("leftover_pictures", "images", marker)
    ledger.own("missing_rows", "config", json.dumps(saved))
    config.execute("DELETE FROM model_configs")
    try:
        left = config.read({"models": "SELECT count(*) AS n FROM model_configs"})["models"].only["n"]
        listed = config_service.get("/model-config")
        without = generate(worker, marker, "While all configs are gone", model_id="ideogram-v2")
    finally:
        restore(config, saved)
        ledger.disown("missing_rows", "config", json.dumps(saved))
    return {"left": left, "listed": listed, "without": without}


@observation(within="60 s")
def rollback_logged(tail: Log, marker: str, attached: LogMark, quick_rollback: dict[str, Any]) -> LogView:
    """What the live log holds of the generations around the quick rollback."""
    label = f"{marker}/quick_rollback"
    view = tail.since(attached, PATTERNS, keep=marker, until=lambda seen: seen.tag_count(label) >= 2, within=30)
    return view.tagged(label)


def restore(config: Database, rows: list[dict[str, Any]]) -> None:
    """Insert rows as they were; one that is there already stays as it is."""
    for row in rows:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        config.execute(f"INSERT OR IGNORE INTO model_configs ({names}) VALUES ({values})", row)  # noqa: S608  columns that the database named


@removal
def missing_rows(config: Database, key: str) -> None:
    """Insert the rows again that a rehearsal had deleted."""
    restore(config, json.loads(key))
