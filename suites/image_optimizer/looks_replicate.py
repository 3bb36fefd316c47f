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
    """How long Replicate takes to answer each of a hundred and twenty requests, None where it did not within 20 s."""
    seen = [replicate.get("/account", within=20) for _ in range(120)]
    return [one.elapsed_s if one.trouble is None else None for one in seen]


@observation(within="120 s")
def predictions(replicate: Http, run: Run, marker: str, small_batch: dict[str, Any]) -> dict[str, Any]:
    """The predictions of the last hour, as Replicate lists them for the token; times in the target's seconds."""
    begin = time.time() - 3600 / run.speed
    found, page, pages = list[dict[str, Any]](), replicate.get("/predictions"), 1
    while True:
        found += [
            {
                "id": one["id"],
                "status": one["status"],
                "at": seconds_of(one["created_at"]) * run.speed,
                "age": (time.time() - seconds_of(one["created_at"])) * run.speed,
                "ours": f"{marker}small" in json.dumps(one.get("input") or {}),
            }
            for one in page.json["results"]
        ]
        following = page.json["next"]
        if following is None or found[-1]["age"] > 3600 or pages == PAGES:
            break
        page, pages = replicate.fetch(following), pages + 1
    whole = following is None or found[-1]["age"] > 3600
    return {"found": [one for one in found if one["age"] <= 3600], "whole": whole, "begin": begin}


def seconds_of(text: str) -> float:
    """Return an ISO time in seconds since 1970."""
    return dt.datetime.fromisoformat(text).timestamp()
