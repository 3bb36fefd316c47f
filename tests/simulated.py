"""Simulated systems as child processes of a test."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
import pytest
from obstore.store import S3Store

from simulators.fetching import Reply, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEED = 20.0
ROOT = Path(__file__).resolve().parent.parent


def command(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m simulators` with these arguments and SHAKEDOWN_ variables (their names in lower case)."""
    given = {f"SHAKEDOWN_{name.upper()}": text for name, text in variables.items()}
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("SHAKEDOWN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "simulators", *arguments],
        cwd=ROOT,
        env={**inherited, **given},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def announcement(process: subprocess.Popen[str]) -> Any:
    """Return what a started launcher announces; a launcher that ends instead fails with its last words."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return json.loads(line)


@contextlib.contextmanager
def running(**variables: str) -> Iterator[Any]:
    """Run the simulators for a while; yield their announcement."""
    with command(**variables) as process:
        try:
            yield announcement(process)
        finally:
            process.communicate(timeout=10)


@dataclasses.dataclass(frozen=True)
class Target:
    """One running model_config, as an observer would see it."""

    table: dict[str, Any]
    variables: dict[str, str]

    def call(self, part: str, path: str, payload: object = None, method: str = "", tag: str = "test") -> Reply:
        """Send a request to one of the HTTP parts, with `tag` as its User-Agent."""
        url = self.table["http"][part]["url"] + path
        way = method or ("GET" if payload is None else "POST")
        return fetch(url, method=way, payload=payload, headers={"User-Agent": tag}, timeout=30)

    def generate(self, tag: str = "test", /, **body: object) -> Reply:
        """Ask for a picture whose prompt and User-Agent hold `tag`."""
        return self.call("worker", "/generate", {"prompt": f"A red kite {tag}", **body}, tag=tag)

    def query(self, sql: str, *parameters: object, **replaced: str) -> Reply:
        """Send SQL to D1, with parts of its address or the token replaced."""
        config = {**self.table["database"]["config"], "token": self.variables["LOCAL_D1_TOKEN"], **replaced}
        url = f"{config['api']}/client/v4/accounts/{config['account']}/d1/database/{config['database']}/query"
        headers = {"Authorization": f"Bearer {config['token']}"}
        return fetch(url, method="POST", payload={"sql": sql, "params": list(parameters)}, headers=headers)

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        found: list[dict[str, Any]] = self.query(sql, *parameters).json()["result"][0]["results"]
        return found

    def control(self, part: str, mode: str, only: str = "", times: int | None = None) -> Reply:
        """Switch a part of the system to `mode`."""
        return self.call("controls", f"/{part}", {"mode": mode, "only": only, "times": times})

    @contextlib.contextmanager
    def failing(self, part: str, mode: str, only: str, times: int | None = None) -> Iterator[None]:
        """Let `part` fail for the requests that carry `only`."""
        assert self.control(part, mode, only, times).status == 200
        yield
        assert self.control(part, "ok", only).status == 200

    def log(self, name: str) -> list[dict[str, Any]]:
        """Return the events of one log file."""
        text = Path(self.table["log"][name]["path"]).read_text(encoding="utf-8")
        decoder, at, events = json.JSONDecoder(), 0, []
        while at < len(text.rstrip()):
            event, at = decoder.raw_decode(text, at)
            at += len(text[at:]) - len(text[at:].lstrip())
            events.append(event)
        return events

    def events(self, tag: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the events of the requests tagged `tag`, once there are `count` of them."""
        for _ in range(100):
            found = [event for event in self.log("tail") if agent_of(event) == tag]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        pytest.fail(f"{count} events of {tag} are not in the log after 5 s")

    def lines(self, tag: str) -> list[str]:
        """Return the lines of the requests tagged `tag`."""
        return [line for event in self.events(tag) for line in lines_of(event)]

    def store(self, **replaced: str) -> S3Store:
        """Return the bucket, with parts of the credentials replaced."""
        config = self.table["storage"]["images"]
        keys = {"key": self.variables["LOCAL_R2_KEY"], "secret": self.variables["LOCAL_R2_SECRET"], **replaced}
        return S3Store(
            config["bucket"],
            endpoint=config["endpoint"],
            region=config["region"],
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
            virtual_hosted_style_request=False,
            access_key_id=keys["key"],
            secret_access_key=keys["secret"],
        )

    def objects(self, prefix: str = "") -> list[str]:
        """Return the keys of the bucket."""
        return [meta["path"] for chunk in obstore.list(self.store(), prefix=prefix or None) for meta in chunk]


def agent_of(event: dict[str, Any]) -> str:
    """Return the User-Agent of the request that left this event."""
    return str(event["event"]["request"]["headers"].get("user-agent"))


def lines_of(event: dict[str, Any]) -> list[str]:
    """Return the console lines of an event, each as one text."""
    return [" ".join(str(part) for part in log["message"]) for log in event["logs"]]


@contextlib.contextmanager
def target_with(*faults: str) -> Iterator[Target]:
    """Run model_config with these faults for a while."""
    with running(systems="model_config", speed=str(SPEED), faults=",".join(faults)) as announced:
        yield Target(announced["systems"]["model_config"], announced["variables"])
