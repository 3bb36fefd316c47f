"""Broken, endless and explosive answers: seen whole, or a trouble that says why."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.http_dial import _interleaved
from tests.exchanges import kind
from tests.hostile import Hostile, answers, floods, free_port, ok, resets

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from tests.hostile import Behaviour

pytest_plugins = ["tests.asking"]

OK_HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = ("Content-Encoding: gzip",)


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        pytest.param(answers(b""), "reset", id="closed-without-answer"),
        pytest.param(resets(), "reset", id="reset-before-answer"),
        pytest.param(resets(ok(b"a" * 10)[:-5]), "reset", id="reset-in-body"),
        pytest.param(answers(b"<html>hello</html>"), "protocol", id="http-0.9"),
        pytest.param(answers(b"\x00\x01\x02\xff\r\n\r\n"), "protocol", id="garbage"),
        pytest.param(answers(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "protocol", id="another-protocol"),
        pytest.param(answers(b"HTTP/1.1 200 OK\r\nX"), "truncated", id="cut-in-headers"),
        pytest.param(answers(ok(b"a" * 10)[:-1]), "truncated", id="cut-in-body"),
        pytest.param(answers(CHUNKED + b"5\r\nab"), "truncated", id="cut-in-chunk"),
        pytest.param(answers(CHUNKED + b"2\r\nab\r\n"), "truncated", id="no-last-chunk"),
        pytest.param(answers(CHUNKED + b"zz\r\n"), "protocol", id="bad-chunk"),
        pytest.param(answers(ok(b"abc") + b"surplus"), "protocol", id="longer-than-declared"),
        pytest.param(answers(ok(b"abc", "Content-Length: 2")), "protocol", id="two-lengths"),
        pytest.param(answers(OK_HEAD + b"Content-Length: -1\r\n\r\n"), "protocol", id="negative-length"),
        pytest.param(answers(OK_HEAD + b"X\x00Y: a\r\n\r\n"), "protocol", id="nul-in-header"),
        pytest.param(answers(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "protocol", id="unasked-upgrade"),
        pytest.param(answers(b"HTTP/1.1 99 Low\r\n\r\n"), "protocol", id="two-digit-status"),
        pytest.param(answers(ok(b"", status="204 No Content") + b"body"), "protocol", id="body-after-204"),
        pytest.param(floods(OK_HEAD, b"X: " + b"a" * 4096 + b"\r\n"), "oversized", id="endless-headers"),
    ],
)
def test_a_broken_answer_is_a_trouble(
    http: Callable[..., Http], serve: Callable[..., Hostile], behave: Behaviour, expected: str
) -> None:
    assert kind(http(serve(behave).url).get("/")) == expected


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        pytest.param(ok(b"", status="204 No Content"), 204, b"", id="204"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", 304, b"", id="304"),
        pytest.param(ok(b"odd", status="999 Odd"), 999, b"odd", id="999"),
        pytest.param(ok(b'{"error": "x"}'), 200, b'{"error": "x"}', id="error-body"),
        pytest.param(ok(b"late", status="503 Busy"), 503, b"late", id="503"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end", id="http-1.0"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"a"), 200, b"a", id="interim"),
        pytest.param(CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc", id="chunked"),
        pytest.param(ok(gzip.compress(b"abc" * 9), "Content-Encoding: gzip"), 200, b"abc" * 9, id="gzip"),
        pytest.param(ok(b"", "Content-Encoding: gzip"), 200, b"", id="empty-gzip"),
        pytest.param(ok(b"abc", "Content-Encoding: identity"), 200, b"abc", id="identity"),
    ],
)
def test_an_unusual_answer_is_what_it_is(
    http: Callable[..., Http], serve: Callable[..., Hostile], raw: bytes, status: int, body: bytes
) -> None:
    seen = http(serve(answers(raw)).url).get("/")
    assert kind(seen) is None
    assert (seen.status, seen.body) == (status, body)


def test_a_head_has_no_body(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(OK_HEAD + b"Content-Length: 10\r\nContent-Encoding: br\r\n\r\n"))
    seen = http(server.url).head("/")
    assert (seen.status, seen.body, seen.header("content-length")) == (200, b"", "10")
    assert "--head" in seen.curl
    assert http(server.url).options("/").method == "OPTIONS"
    assert server.requests[-1].startswith(b"OPTIONS / ")


def test_an_answer_to_a_request_that_was_not_read_whole_is_seen(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    refusal = ok(b"too large", status="413 Content Too Large")
    server = serve(
        lambda visit, _: (visit.sock.recv(10), visit.sock.sendall(refusal), visit.over.wait(0.2)), reads=False
    )
    seen = http(server.url, permits={"probes"}).post("/", data=b"a" * 16 * 2**20)
    assert seen.status == 413


def test_left_over_bytes_never_become_the_next_answer(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(ok(b"first") + ok(b"smuggled"), ok(b"second"), then_stay=True))
    target = http(server.url)
    assert kind(target.get("/")) == "protocol"
    assert target.get("/").body == b"second"
    assert server.visits == 2


def test_nobody_listening_is_refused(http: Callable[..., Http]) -> None:
    seen = http(f"http://127.0.0.1:{free_port()}").get("/")
    assert kind(seen) == "refused"
    assert repr(seen).endswith("→ refused")


def test_one_address_that_refuses_says_more_than_those_without_a_route(http: Callable[..., Http]) -> None:
    mixed = [(socket.AF_INET6, ("ff02::1", 80, 0, 0)), (socket.AF_INET, ("127.0.0.1", free_port()))]
    seen = http("http://name.example.test", resolver=lambda _h, _p: mixed).get("/")
    assert kind(seen) == "refused"
    assert seen.trouble is not None
    assert "ff02::1" in seen.trouble.text


def test_families_take_turns() -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    endpoints = [(six, ("::2",)), (six, ("::3",)), (six, ("::4",)), (four, ("127.0.0.2",))]
    assert [address[0] for _, address in _interleaved(endpoints)] == ["::2", "127.0.0.2", "::3", "::4"]


def test_an_unknown_name_is_dns(http: Callable[..., Http]) -> None:
    def unknown(_host: str, _port: int) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert kind(http("http://name.example.test", resolver=unknown).get("/")) == "dns"
    assert kind(http("http://name.example.test", resolver=lambda _h, _p: []).get("/")) == "dns"


def test_a_name_that_leads_outside_the_allowed_networks_is_not_connected_to(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    server = serve(answers(ok()))
    rebound = [(socket.AF_INET, ("192.0.2.7", server.port)), (socket.AF_INET, ("127.0.0.1", server.port))]
    asked = http("http://name.example.test", resolver=lambda _h, _p: rebound, networks=("192.0.2.0/24", "::1/128"))
    seen = asked.get("/")
    assert kind(seen) == "dns"
    assert seen.trouble is not None
    assert "name.example.test leads to 127.0.0.1; allowed: 192.0.2.0/24, ::1/128" in seen.trouble.text
    assert server.visits == 0
    assert http(server.url, networks=("127.0.0.0/8",)).get("/").status == 200


def test_an_address_without_a_route_is_unreachable(http: Callable[..., Http]) -> None:
    nowhere = [(socket.AF_INET6, ("ff02::1", 80, 0, 0))]
    assert kind(http("http://name.example.test", resolver=lambda _h, _p: nowhere).get("/")) == "unreachable"


def test_both_families_are_tried_and_the_one_that_answered_is_recorded(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    server = serve(answers(ok()))
    both = [(socket.AF_INET6, ("::1", server.port, 0, 0)), (socket.AF_INET, ("127.0.0.1", server.port))]
    assert http("http://name.example.test", resolver=lambda _h, _p: both).get("/").family == "IPv4"
    only = serve(answers(ok()), host="::1")
    seen = http(only.url).get("/")
    assert (seen.family, seen.address) == ("IPv6", "::1")


def peak_mib(act: Callable[[], object]) -> float:
    """Return how much memory `act` took at its peak."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def test_an_endless_body_is_cut_at_the_limit(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(floods(OK_HEAD + b"\r\n", b"a" * 65536))
    target = http(server.url, body_limit=4 * 2**20)
    assert peak_mib(lambda: kind(target.get("/")) == "oversized") < 64
    assert kind(target.get("/")) == "oversized"


def test_a_body_of_exactly_the_limit_is_whole(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    assert http(serve(answers(ok(b"a" * 1000))).url, body_limit=1000).get("/").body == b"a" * 1000
    assert kind(http(serve(answers(ok(b"a" * 1001))).url, body_limit=1000).get("/")) == "oversized"


def bomb(mebibytes: int, layers: int = 1) -> bytes:
    """Return so many mebibytes of zeros, compressed about a thousand times per layer."""
    packer = zlib.compressobj(wbits=31)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(mebibytes)) + packer.flush()
    return packed if layers == 1 else gzip.compress(packed)


@pytest.mark.parametrize(
    ("body", "headers", "limit", "expected"),
    [
        pytest.param(bomb(256), GZIP, 2**30, "oversized", id="ratio"),
        pytest.param(bomb(64), ("Content-Encoding: x-gzip",), 2**20, "oversized", id="limit"),
        pytest.param(gzip.compress(b"abc" * 1000), GZIP, 2000, "oversized", id="limit-below-the-ratio"),
        pytest.param(bomb(64, 2), ("Content-Encoding: gzip, gzip",), 2**24, "protocol", id="nested"),
        pytest.param(bomb(64, 2), GZIP * 2, 2**24, "protocol", id="nested-2"),
        pytest.param(b"\x28\xb5\x2f\xfd", ("Content-Encoding: zstd",), 2**24, "protocol", id="zstd"),
        pytest.param(b"\x0b", ("Content-Encoding: br",), 2**24, "protocol", id="brotli"),
        pytest.param(zlib.compress(b"a"), ("Content-Encoding: deflate",), 2**24, "protocol", id="deflate"),
        pytest.param(gzip.compress(b"abc")[:-1], GZIP, 2**24, "truncated", id="cut-off"),
        pytest.param(gzip.compress(b"abc") * 2, GZIP, 2**24, "protocol", id="second-member"),
        pytest.param(gzip.compress(b"abc") + b"x", GZIP, 2**24, "protocol", id="trailing"),
        pytest.param(gzip.compress(b"abc")[:-8] + bytes(8), GZIP, 2**24, "protocol", id="checksum"),
        pytest.param(b"not gzip", GZIP, 2**24, "protocol", id="not-gzip"),
    ],
)
def test_compression_is_bounded_and_whole(
    http: Callable[..., Http],
    serve: Callable[..., Hostile],
    body: bytes,
    headers: tuple[str, ...],
    limit: int,
    expected: str,
) -> None:
    target = http(serve(answers(ok(body, *headers))).url, body_limit=limit)
    seen: list[Exchange] = []
    assert peak_mib(lambda: seen.append(target.get("/"))) < 64
    assert kind(seen[0]) == expected


def test_a_megabyte_may_compress_as_well_as_it_can(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    assert len(http(serve(answers(ok(bomb(1), "Content-Encoding: gzip"))).url).get("/").body) == 2**20
