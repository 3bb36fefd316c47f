"""However slowly a target drips, a look at it ends by its deadline."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.exchanges import kind
from tests.hostile import Hostile, answers, black_hole, drips, floods, ok, routes, stays_silent
from tests.looks import LooseGate, make_look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.http import Http
    from tests.hostile import Behaviour

pytest_plugins = ["tests.asking"]

# The promise is half a second past the deadline; tests grant as much again to a machine that is busy with others.
SLACK = 1.0
DEADLINE = 0.4

OK_HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(stays_silent, id="silent"),
        pytest.param(drips(OK_HEAD + b"X: " + b"a" * 1000, fast=10), id="slow-header"),
        pytest.param(drips(ok(b"a" * 1000), fast=50), id="slow-body"),
        pytest.param(floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100), id="flood-of-interim-answers"),
        pytest.param(floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.05), id="slow-interim-answers"),
        pytest.param(floods(OK_HEAD, b"X: a\r\n", every=0.05), id="slow-headers"),
        pytest.param(floods(CHUNKED, b"1\r\na\r\n", every=0.05), id="slow-chunks"),
    ],
)
def test_a_deadline_bounds_every_drip(
    http: Callable[..., Http], serve: Callable[..., Hostile], behave: Behaviour
) -> None:
    started = time.monotonic()
    seen = http(serve(behave).url, seconds=DEADLINE).get("/")
    assert time.monotonic() - started < DEADLINE + SLACK
    assert kind(seen) == "timeout"


def test_a_deadline_bounds_sending(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(stays_silent, reads=False)
    started = time.monotonic()
    seen = http(server.url, seconds=DEADLINE, permits={"probes"}).post("/", data=b"a" * 16 * 2**20)
    assert time.monotonic() - started < DEADLINE + SLACK
    assert kind(seen) == "timeout"


def test_a_deadline_bounds_a_chain_of_redirects(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(routes({"/": ok(b"", "Location: /", status="302 Found")}, after=0.15))
    started = time.monotonic()
    seen = http(server.url).get("/", within=DEADLINE)
    assert time.monotonic() - started < DEADLINE + SLACK
    assert kind(seen) == "timeout"
    assert 1 < len(server.requests) <= 3


def test_a_deadline_bounds_the_tls_handshake(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(stays_silent, reads=False)
    started = time.monotonic()
    seen = http(server.url.replace("http:", "https:"), seconds=DEADLINE).get("/")
    assert time.monotonic() - started < DEADLINE + SLACK
    assert kind(seen) == "timeout"


def test_a_deadline_bounds_name_resolution(http: Callable[..., Http]) -> None:
    def silent(_host: str, _port: int) -> list[Any]:
        time.sleep(DEADLINE + 2 * SLACK)
        return []

    started = time.monotonic()
    seen = http("http://name.example.test", seconds=DEADLINE, resolver=silent).get("/")
    assert time.monotonic() - started < DEADLINE + SLACK
    assert kind(seen) == "dns"
    assert seen.address == ""


def test_a_deadline_bounds_eight_dead_addresses_and_a_ninth_that_lives_is_found(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    server = serve(answers(ok(b"here")))
    with black_hole() as port:
        dead = [(socket.AF_INET, (f"127.0.0.{number}", port)) for number in range(2, 10)]
        started = time.monotonic()
        seen = http("http://name.example.test", seconds=DEADLINE, resolver=lambda _h, _p: dead).get("/")
        assert time.monotonic() - started < DEADLINE + SLACK
        assert kind(seen) == "timeout"
        assert seen.trouble is not None
        assert "127.0.0.9" in seen.trouble.text

        alive = [*dead[:2], (socket.AF_INET, ("127.0.0.1", server.port))]
        found = http("http://name.example.test", resolver=lambda _h, _p: alive).get("/")
    assert (found.body, found.address) == (b"here", "127.0.0.1")
    assert found.connect_s >= 0.5


def test_waiting_for_the_runs_own_rate_limit_is_not_the_targets_time(
    tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    class SlowGate(LooseGate):
        @contextlib.contextmanager
        def admit(self, resource: str = "requests") -> Iterator[None]:
            time.sleep(0.5)
            with super().admit(resource):
                yield

    look = make_look(tmp_path)
    object.__setattr__(look, "gate", SlowGate())
    seen = http(serve(answers(ok())).url, look=look).get("/", within=0.45)
    assert seen.status == 200
    assert seen.elapsed_s < 0.45
