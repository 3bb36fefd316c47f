"""Replicate, asked with the token of the deployed server."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation

if TYPE_CHECKING:
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.look import Run

PAGES = 60  # of Replicate's list, 100 predictions each: more than 450 a minute give in ten minutes


@observation()
def account(replicate: Http) -> Exchange:
    """The account that the Replicate token belongs to."""
    return replicate.get("/account")


@observation()
def model(replicate: Http, facts: dict[str, str]) -> Exchange:
    """The model that pictures are made with, as Replicate knows it."""
    return replicate.get(f"/models/{facts['model']}")


@observation(within="300 s", alone=True)
def replicate_times(replicate: Http) -> list[float | None]:
    """How long Replicate takes to answer each of a hundred and twenty requests, None where it did not within 20 s.

    By turns it is asked for the account and, as the server polls, for the newest prediction.
    """
    page = replicate.get("/predictions", within=20)
    listed = page.json["results"][:1] if page.trouble is None and page.status == 200 else []
    paths = ["/account", *[f"/predictions/{one['id']}" for one in listed]]
    seen = [replicate.get(paths[turn % len(paths)], within=20) for turn in range(120)]
    return [one.elapsed_s if one.trouble is None else None for one in seen]


@observation(within="120 s")
def predictions(
    replicate: Http, run: Run, facts: dict[str, str], marker: str, small_batch: dict[str, Any]
) -> dict[str, Any]:
    """The predictions of the last hour, as Replicate lists them for the token; times in the target's seconds.

    Those of before the deployment are left out: they are the work of another release.
    """
    begin = max(time.time() - 3600 / run.speed, seconds_of(facts["deployed"]))
    found, page, pages = list[dict[str, Any]](), replicate.get("/predictions"), 1
    while True:
        found += [seen(one, run.speed, f"{marker}small") for one in page.json["results"]]
        following = page.json.get("next")
        over = following is None or (bool(found) and found[-1]["created"] < begin)
        if over or pages == PAGES:
            break
        page, pages = replicate.fetch(following), pages + 1
    return {"found": [one for one in found if one["created"] >= begin], "whole": over, "begin": begin}


def seen(one: dict[str, Any], speed: float, tag: str) -> dict[str, Any]:
    """Return what is kept of a prediction; of those that carry the tag also what was asked for, and what came."""
    created, asked = seconds_of(one["created_at"]), json.dumps(one.get("input") or {}, ensure_ascii=False)
    kept = {
        "id": one["id"],
        "status": one["status"],
        "created": created,
        "at": created * speed,
        "age": (time.time() - created) * speed,
        "ours": tag in asked,
    }
    more = {"asked": asked, "output": json.dumps(one.get("output")), "model": one.get("model")}
    return {**kept, **more} if kept["ours"] else kept


def seconds_of(text: str) -> float:
    """Return an ISO time in seconds since 1970; one without a zone is read as UTC."""
    moment = dt.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
