"""Where an exchange may lead, and what goes to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.look import BudgetSpentError, NotPermittedError
from tests.exchanges import kind
from tests.hostile import Hostile, answers, free_port, ok, routes
from tests.looks import LooseGate, make_look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.http import Http

pytest_plugins = ["tests.asking"]


def redirect(place: str, status: int = 302) -> bytes:
    return ok(b"moved", f"Location: {place}", status=f"{status} Moved")


def test_a_redirect_to_the_own_origin_is_followed_with_credentials(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    server = serve(routes({"/a": redirect("b?x=1"), "/b?x=1": ok(b"here")}))
    look_target = http(server.url, headers={"X-Api-Key": "k"})
    seen = look_target.get("/a")
    assert (seen.body, seen.url) == (b"here", f"{server.url}/b?x=1")
    assert [(hop.status, hop.url, hop.location) for hop in seen.history] == [(302, f"{server.url}/a", "b?x=1")]
    assert seen.elapsed_s >= seen.history[0].elapsed_s > 0
    assert all(b"X-Api-Key: k" in request for request in server.requests)
    assert kind(seen) is None


def test_a_redirect_that_is_not_to_be_followed_is_the_answer_itself(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    server = serve(routes({"/a": redirect("/b"), "/b": ok(b"here")}))
    seen = http(server.url).get("/a", follow=False)
    assert (seen.status, seen.header("location"), seen.history) == (302, "/b", ())
    assert server.visits == 1


def test_a_redirect_elsewhere_is_the_answer_itself_and_nothing_is_sent_there(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    sink = serve(answers(ok(b"gotcha")))
    for place in (
        f"{sink.url}/",
        f"//127.0.0.1:{sink.port}/",
        f"http://localhost:{sink.port}/",
        f"https://127.0.0.1:{sink.port}/",
        f"http://user:pw@127.0.0.1:{sink.port}/",
        f"http://2130706433:{sink.port}/",
        f"http://0x7f.1:{sink.port}/",
        f"http://127.0.0.1:{sink.port + 65536}/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1",
    ):
        seen = http(serve(answers(redirect(place))).url, redirect_hosts=("cdn.example.test",)).get("/")
        assert (seen.status, seen.header("location"), seen.history) == (302, place, ())
    assert sink.visits == 0


def test_an_allowed_host_is_followed_without_credentials_or_body(
    http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    sink = serve(answers(ok(b"public")))
    server = serve(routes({"/get": redirect(f"{sink.url}/x"), "/post": redirect(f"{sink.url}/x", 307)}))
    hosts = (f"127.0.0.1:{sink.port}",)
    target = http(server.url, headers={"X-Api-Key": "k"}, redirect_hosts=hosts, permits={"probes"})
    seen = target.get("/get", headers={"Authorization": "own"})
    assert seen.body == b"public"
    assert b"X-Api-Key" not in sink.requests[0]
    assert b"Authorization" not in sink.requests[0]
    assert b"User-Agent: shakedown (shk-test/observation)\r\n" in sink.requests[0]

    assert target.post("/post", json={"secret": 1}).status == 307
    assert len(sink.requests) == 1


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 303, "GET"),
        ("POST", 302, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 303, "GET"),
        ("PUT", 302, None),
        ("HEAD", 301, "HEAD"),
        ("HEAD", 303, "HEAD"),
    ],
)
def test_the_method_after_a_redirect(
    http: Callable[..., Http], serve: Callable[..., Hostile], method: str, status: int, then: str | None
) -> None:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n".encode()
    server = serve(routes({"/a": head, "/b": ok()}))
    body: dict[str, Any] = {"json": {"a": 1}} if method != "HEAD" else {}
    seen = http(server.url, permits={"writes"}).request(method, "/a", **body)
    assert seen.status == (200 if then else status)
    if then:
        assert server.requests[1].startswith(f"{then} /b ".encode())
        assert server.requests[1].endswith(b'{"a":1}') == (then == "POST")
        assert (b"Content-Type" in server.requests[1]) == (then == "POST")


def test_a_loop_of_redirects_ends_after_ten(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(redirect("/again")))
    seen = http(server.url).get("/")
    assert (seen.status, len(seen.history), len(server.requests)) == (302, 10, 11)


def test_a_redirect_to_an_action_is_not_followed(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(redirect("/logout"), ok()))
    assert http(server.url).get("/").status == 302
    assert len(server.requests) == 1


def test_two_places_to_go_are_none(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(ok(b"", "Location: /a", "Location: /b", status="302 Found")))
    seen = http(server.url).get("/")
    assert (seen.status, seen.history, len(server.requests)) == (302, (), 1)


def test_every_hop_passes_the_gate(tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(routes({"/a": redirect("/b"), "/b": ok()}))
    look = make_look(tmp_path, budgets={"requests": 3})
    target = http(server.url, look=look)
    assert target.get("/a").status == 200
    assert isinstance(look.gate, LooseGate)
    assert look.gate.spent["requests"] == 2
    with pytest.raises(BudgetSpentError):
        target.get("/a")
    assert len(server.requests) == 3


def test_fetching_another_address(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server, other, foreign = (serve(answers(ok(name))) for name in (b"own", b"other", b"foreign"))
    target = http(server.url, headers={"X-Api-Key": "k"}, redirect_hosts=(f"127.0.0.1:{other.port}",))
    assert target.fetch(f"{server.url}/images/a.png").body == b"own"
    assert b"X-Api-Key: k" in server.requests[0]
    assert target.fetch(f"{other.url}/images/a.png").body == b"other"
    assert b"X-Api-Key" not in other.requests[0]
    for url in (
        f"{foreign.url}/",
        f"http://localhost:{server.port}/",
        f"https://127.0.0.1:{server.port}/",
        "/a",
        "",
        "x",
        None,
    ):
        with pytest.raises(NotPermittedError):
            target.fetch(url)  # type: ignore[arg-type]  # an answer may hold null where an address belongs
    assert (foreign.visits, len(server.requests)) == (0, 1)


def test_a_host_without_port_allows_all_its_ports_and_https_never_leads_to_http(http: Callable[..., Http]) -> None:
    secure = http(f"https://127.0.0.1:{free_port()}", redirect_hosts=("localhost",))
    assert kind(secure.fetch(f"https://LOCALHOST:{free_port()}/")) == "refused"
    with pytest.raises(NotPermittedError, match="found origin http://localhost"):
        secure.fetch(f"http://localhost:{free_port()}/")
