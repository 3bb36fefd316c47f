"""The http instrument, asked the right way: what it sends, and what an answer says."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from environments.references import SecretRef
from fixtures.values import RefutedError, decode, encode
from tests.exchanges import kind
from tests.hostile import Hostile, answers, ok, routes, stays_silent

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.http import Http

pytest_plugins = ["tests.asking"]

SLACK = 1.0  # seconds a busy machine may take beyond what a test waits for


def test_an_answer_is_seen_whole(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(ok(b'{"a": [1]}', "Content-Type: application/json; charset=utf-8", "X-A: 1", "x-a: 2")))
    seen = http(server.url, speed=10).get("/v1/things", params={"q": "a b&c"}, headers={"X-Trace": "t"})

    assert (seen.trouble, seen.status, seen.body, seen.json["a"][0]) == (None, 200, b'{"a": [1]}', 1)
    assert (seen.header("X-a"), seen.header_all("x-A"), seen.header("x-b")) == ("1, 2", ("1", "2"), None)
    assert seen.is_json
    assert (seen.address, seen.family) == ("127.0.0.1", "IPv4")
    assert seen.sent_at.utcoffset() is not None
    assert decode(encode(seen)) == seen
    request = server.requests[0].decode()
    assert request.startswith("GET /v1/things?q=a+b%26c HTTP/1.1\r\n")
    assert "User-Agent: shakedown (shk-test/observation)\r\n" in request
    assert "X-Trace: t\r\n" in request
    assert repr(seen).startswith(f"GET {server.url}/v1/things?q=a+b%26c → 200, 10 bytes, 0.")
    assert "\n" not in repr(seen)


def test_durations_are_the_targets(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(routes({"/": ok()}, after=0.2))
    seen = http(server.url, speed=100).get("/")
    assert 20 <= seen.first_byte_s <= seen.elapsed_s < 20 + 100 * SLACK
    assert 0 < seen.connect_s < seen.elapsed_s - seen.first_byte_s + 0.001
    assert seen.tls_s == 0


def test_within_is_counted_in_the_targets_seconds(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(stays_silent)
    started = time.monotonic()
    seen = http(server.url, speed=100).get("/", within=30)
    assert time.monotonic() - started < 0.3 + SLACK
    assert kind(seen) == "timeout"
    assert seen.trouble is not None
    assert 30 <= seen.trouble.after_s < 30 + 100 * SLACK


def test_bodies_are_encoded_and_masked_in_the_command_line(
    http: Callable[..., Http], serve: Callable[..., Hostile], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answers(ok()))
    token = f"token-{os.getpid()}"
    monkeypatch.setenv("WORKER_TOKEN", token)
    headers = {"Authorization": SecretRef(env="WORKER_TOKEN", prefix="Bearer "), "X-Api-Key": "plain", "X-Who": "me"}
    headers["X-Bearer"] = SecretRef(env="WORKER_TOKEN")
    worker = http(server.url, headers=headers, permits={"probes"})

    seen = worker.post("/generate", json={"prompt": "it's é\n"})
    assert server.requests[-1].endswith('{"prompt":"it\'s é\\n"}'.encode())
    assert f"Authorization: Bearer {token}\r\n".encode() in server.requests[-1]
    assert token not in str(encode(seen))
    assert "'Authorization: ***'" in seen.curl
    assert "'X-Api-Key: ***'" in seen.curl
    assert "'X-Who: me'" in seen.curl
    assert "'X-Bearer: ***'" in seen.curl

    worker.post("/form", data={"a": "1 2"})
    assert server.requests[-1].endswith(b"a=1+2")
    worker.post("/raw", data="{broken", headers={"Content-Type": "application/json"})
    assert server.requests[-1].endswith(b"{broken")
    worker.put("/empty")
    assert b"Content-Length: 0\r\n" in server.requests[-1]
    worker.post("/files", files={"image": ("a.png", b"\x89PNG", "image/png")}, data={"a": "1"})
    assert b'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in server.requests[-1]
    for method in (worker.patch, worker.delete):
        assert method("/", json=[]).status == 200
        assert server.requests[-1].endswith(b"[]")


@pytest.mark.parametrize(
    "body", [b'{"a": "it\'s \xc3\xa9"}', b"@/etc/passwd", b"\x89PNG\x00\xff", b"two\nlines", b"\x1b["]
)
def test_the_command_line_carries_the_body_through_a_shell(
    http: Callable[..., Http], serve: Callable[..., Hostile], body: bytes
) -> None:
    seen = http(serve(answers(ok())).url, permits={"probes"}).post("/", data=body)
    # A stand-in for curl that prints what curl would send: the argument of --data-raw, or its standard input.
    curl = 'curl() { while [ $# -gt 1 ]; do case $1 in --data-raw) printf %s "$2";; @-) cat;; esac; shift; done; }; '
    shown = subprocess.run(["sh", "-c", curl + seen.curl], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    assert shown.stdout == body
    assert seen.curl.isprintable() or body == b"two\nlines"


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "unicode_escape", "utf-7", "rot13", "zip", "../x", "undefined"]
)
def test_a_charset_outside_the_list_is_not_looked_up(
    http: Callable[..., Http], serve: Callable[..., Hostile], charset: str
) -> None:
    seen = http(serve(answers(ok(b"abc", f"Content-Type: text/plain; charset={charset}"))).url).get("/")
    assert seen.body == b"abc"
    with pytest.raises(RefutedError, match="found charset"):
        _ = seen.text


def test_text_is_read_as_declared(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    latin = 'Content-Type: text/plain; charset="ISO-8859-1"'
    assert http(serve(answers(ok(b"\xe9", latin))).url).get("/").text == "é"
    assert http(serve(answers(ok("é".encode()))).url).get("/").text == "é"
    with pytest.raises(RefutedError, match=r"byte 1: found b'\\xe9'; declared is utf-8"):
        _ = http(serve(answers(ok(b"a\xe9"))).url).get("/").text


def test_a_body_that_is_no_json_refutes(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(ok(b'{"success": true, "success": false}')))
    seen = http(server.url).get("/generate")
    with pytest.raises(RefutedError, match=r'/generate → 200, 35 bytes.*found key "success" twice'):
        _ = seen.json
    assert not seen.is_json
