"""The image_optimizer simulator: the contract's examples over real HTTP, PostgreSQL and log."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import re
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.fetching import fetch
from tests.simulated import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.fetching import Reply

STORE = "store-one"


@dataclasses.dataclass(frozen=True)
class Server:
    """One running image_optimizer, as an observer would see it."""

    table: dict[str, Any]
    variables: dict[str, str]

    def token(self, payload: object = None) -> str:
        text = base64.urlsafe_b64encode(json.dumps(payload or {"instanceId": STORE}).encode()).decode().rstrip("=")
        digest = hmac.new(self.variables["LOCAL_WIX_APP_SECRET"].encode(), text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=") + "." + text

    def call(self, path: str, payload: object = None, token: str | None = None) -> Reply:
        method = "GET" if payload is None else "POST"
        headers = {"X-Wix-Instance": self.token() if token is None else token}
        return fetch(
            self.table["http"]["api"]["url"] + path, method=method, payload=payload, headers=headers, timeout=10
        )

    def submit(self, count: int) -> Reply:
        images = [
            {"imageId": str(n), "imageUrl": self.table["facts"]["picture"], "prompt": f"red {n}"} for n in range(count)
        ]
        return self.call("/api/image-optimization", {"productId": "p", "images": images})

    def done(self, job: str) -> dict[str, Any]:
        for _ in range(200):
            found: dict[str, Any] = self.call(f"/api/image-optimization/jobs/{job}").json()
            if found["job"]["finishedAt"]:
                return found
            time.sleep(0.05)
        pytest.fail(f"job {job} has not ended after 10 s")

    def log(self) -> str:
        return Path(self.table["log"]["worker"]["path"]).read_text(encoding="utf-8")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.table["database"]["jobs"]["dsn"]) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(systems="image_optimizer", speed="20") as announced:
        yield Server(announced["systems"]["image_optimizer"], announced["variables"])


def test_a_job_is_taken_up_predicted_polled_and_done(server: Server) -> None:
    answer = server.submit(3)
    job = answer.json()["job"]
    assert answer.status == 201
    assert answer.json()["creditsUsed"] == 45
    assert {name: job[name] for name in ("productName", "status", "totalImages")} == {
        "productName": "Unknown Product",
        "status": "PENDING",
        "totalImages": 3,
    }
    found = server.done(job["id"])
    assert [item["status"] for item in found["items"]] == ["DONE"] * 3
    assert (found["job"]["status"], found["job"]["completedImages"]) == ("DONE", 3)
    assert fetch(found["items"][0]["optimizedImageUrl"]).headers["content-type"] == "image/png"
    lines = server.log()
    for pattern in (
        rf"\[ImageOptimization\] Created job {job['id']} for 3 images",
        r"\[ImageOptWorker\] Creating predictions for 3 items",
        rf"\[ImageOptWorker\] ✅ Prediction created for item {found['items'][0]['id']}: \w+",
        r"\[ImageOptWorker\] Polling 3 predictions",
        rf"\[ImageOptWorker\] ✅ Item {found['items'][2]['id']} completed",
    ):
        assert re.search(pattern, lines), pattern


def test_the_statistics_have_their_fields(server: Server) -> None:
    body = server.call("/api/replicate-rate-limiter/stats", token="").json()
    assert set(body) == {"status", "timestamp", "rateLimiter", "health"}
    assert set(body["rateLimiter"]) == {"queueLength", "requestsInLastMinute", "maxRPM", "rpmUsagePercent"}
    assert body["health"] == {"queueHealthy": True, "rpmHealthy": True}


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", {"message": "Missing instance token"}),
        ("nothing", {"details": "Invalid instance token format"}),
        ("bad.e30", {"details": "Invalid instance token signature"}),
    ],
)
def test_a_request_without_a_valid_token_is_refused(server: Server, token: str, words: dict[str, str]) -> None:
    answer = server.call("/api/me", token=token)
    assert answer.status == 401
    assert answer.json().items() >= {"code": "AUTH_FAILED", **words}.items()


def test_requests_that_make_no_sense_are_refused(server: Server) -> None:
    assert server.submit(11).json() == {"error": "Maximum 10 images can be optimized at once"}
    assert server.submit(0).status == 400
    assert server.call("/api/image-optimization/jobs/x").json() == {"error": "Invalid job ID"}
    assert server.call("/api/image-optimization/jobs/999999").json() == {"error": "Job not found"}
    assert server.call("/api/image-optimization/jobs?status=FOO").status == 500
    assert server.call("/api/nothing").json() == {"error": "API endpoint not found"}


def test_credits_are_taken_and_run_out(server: Server) -> None:
    before = server.call("/api/me").json()["creditsRemaining"]
    server.submit(2)
    assert server.call("/api/me").json()["creditsRemaining"] == before - 30


def test_the_past_is_a_day_of_jobs_that_agree_with_their_items(server: Server) -> None:
    ((jobs, items),) = server.rows(
        "SELECT (SELECT count(*) FROM image_optimization_jobs), (SELECT count(*) FROM image_optimization_items)"
    )
    assert jobs > 600
    assert items > 5000
    assert server.rows("SELECT count(*) FROM image_optimization_items WHERE status = 'FAILED'")[0][0] <= 5
    assert re.search(r"Heartbeat - cycle \d+ \| Queue: 60 \| RPM: 422/450 \(93\.8%\)", server.log())


def test_the_observer_s_role_cannot_write(server: Server) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.rows("DELETE FROM image_optimization_items RETURNING id")


def test_the_enums_of_the_real_schema_are_a_fault() -> None:
    with running(systems="image_optimizer", speed="20", faults="real-status-enum") as announced:
        server = Server(announced["systems"]["image_optimizer"], announced["variables"])
        labels = server.rows("SELECT unnest(enum_range(NULL::item_status))::text")
        assert [label for (label,) in labels] == ["PENDING", "RUNNING", "PROCESSING", "DONE", "FAILED"]
        assert server.done(server.submit(1).json()["job"]["id"])["job"]["status"] == "DONE"


def test_a_release_that_has_just_come_finds_a_day_of_the_one_before_it() -> None:
    with running(systems="image_optimizer", speed="20", faults="deployed-just-now") as announced:
        server = Server(announced["systems"]["image_optimizer"], announced["variables"])
        cycles = [int(number) for number in re.findall(r"Heartbeat - cycle (\d+) ", server.log())]
        falls = [(before, after) for before, after in pairwise(cycles) if after < before]
        assert len(falls) == 1
        assert server.log().count("Starting two-phase image optimization worker") == 1
        (newest,) = server.rows("SELECT max(created_at) FROM image_optimization_jobs")
        assert newest[0].isoformat() < server.table["facts"]["deployed"]
