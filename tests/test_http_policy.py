"""What is refused before anything is sent, and what of this machine's environment is not used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from environments.references import SecretRef
from fixtures.http import FOREIGN_VARIABLES, Http
from fixtures.http_request import parse_url
from fixtures.look import NotPermittedError
from tests.certificates import Authority
from tests.exchanges import kind
from tests.hostile import Hostile, answers, ok
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytest_plugins = ["tests.asking"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "GET /x HTTP/1.1\r\n"])
def test_a_method_that_is_not_permitted_is_not_sent(
    http: Callable[..., Http], serve: Callable[..., Hostile], method: str
) -> None:
    sink = serve(answers(ok()))
    with pytest.raises(NotPermittedError, match=r"system\.observation"):
        http(sink.url).request(method, "/")
    assert sink.visits == 0


@pytest.mark.parametrize("permit", ["probes", "writes", "costs", "destructive"])
def test_a_permit_lets_other_methods_through(
    http: Callable[..., Http], serve: Callable[..., Hostile], permit: str
) -> None:
    assert http(serve(answers(ok())).url, permits={"read_only", permit}).post("/").status == 200


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/logout",
            "/LogOut",
            "/sign-out",
            "/users/delete?id=1",
            "/deleteUser/7",
            "/users/1/delete.php",
            "/a/../purge",
        ),
        *("/x?action=delete", "/x?a=1&do=Remove", "/x?logout", "/%6cogout", "/account/deactivate"),
    ],
)
def test_reading_a_path_that_acts_is_not_permitted(
    http: Callable[..., Http], serve: Callable[..., Hostile], path: str
) -> None:
    sink = serve(answers(ok()))
    with pytest.raises(NotPermittedError, match="needs 'writes'"):
        http(sink.url, permits={"read_only", "probes"}).get(path)
    assert sink.visits == 0
    assert http(sink.url, permits={"writes"}).get(path).status == 200


@pytest.mark.parametrize("path", ["/deleted", "/images/default/1764_delete_me.png", "/x?q=delete", "/dropdown"])
def test_reading_a_path_that_only_sounds_like_acting_is_permitted(
    http: Callable[..., Http], serve: Callable[..., Hostile], path: str
) -> None:
    assert http(serve(answers(ok())).url).get(path).status == 200


@pytest.mark.parametrize("path", ["/a\r\nX: y", "/a\nb", "/\x00", "/\x1b", "/\x85", "/\u2028", "x", "@evil/", "//\r"])
def test_a_path_that_could_mean_something_else_is_not_sent(
    http: Callable[..., Http], serve: Callable[..., Hostile], path: str
) -> None:
    sink = serve(answers(ok()))
    with pytest.raises(NotPermittedError):
        http(sink.url).get(path)
    assert sink.visits == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "\x00"), ("X", "a\x7f"), ("X", "é"), ("X\r\nY", "a"), ("X Y", "a")),
        *(("", "a"), ("X:", "a"), ("Host", "evil"), ("content-length", "5"), ("Transfer-Encoding", "chunked")),
    ],
)
def test_a_header_that_could_leave_its_line_is_not_sent(
    http: Callable[..., Http], serve: Callable[..., Hostile], name: str, text: str
) -> None:
    sink = serve(answers(ok()))
    with pytest.raises(NotPermittedError, match="header") as refused:
        http(sink.url).get("/", headers={name: text})
    assert text not in str(refused.value) or text in (name, "a")
    assert sink.visits == 0


def test_a_secret_that_could_leave_its_line_is_not_sent_and_not_shown(
    http: Callable[..., Http], serve: Callable[..., Hostile], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = serve(answers(ok()))
    monkeypatch.setenv("WORKER_TOKEN", f"token-{os.getpid()}\r\nX-Admin: 1")
    with pytest.raises(NotPermittedError, match="header Authorization") as refused:
        http(sink.url, headers={"Authorization": SecretRef(env="WORKER_TOKEN")}).get("/")
    assert "token-" not in str(refused.value)
    assert sink.visits == 0


def test_parameters_carry_any_text(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(ok()))
    http(server.url).get("/a?x=1", params={"q": "a\r\nb&c", "many": ["1", "2"]})
    assert server.requests[0].startswith(b"GET /a?x=1&q=a%0D%0Ab%26c&many=1&many=2 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:73637", "http://127.0.0.1:0", "http://2130706433", "http://0x7f000001", "http://127.1"),
        *("http://user:pass@127.0.0.1", "ftp://127.0.0.1", "127.0.0.1:80", "http://", "http://a b/", "http://a%2eb/"),
    ],
)
def test_an_origin_in_disguise_is_refused(url: str) -> None:
    with pytest.raises(NotPermittedError) as refused:
        parse_url(url)
    assert "pass" not in str(refused.value)


def test_a_homograph_is_another_host(http: Callable[..., Http]) -> None:
    target = http("https://example.test", redirect_hosts=("example.test",))
    with pytest.raises(NotPermittedError, match="xn--"):
        target.fetch("https://ex\u0430mple.test/")


def test_a_prefix_of_the_configured_url_is_kept(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(answers(ok()))
    assert http(f"{server.url}/api/v1/").get("/health#part").url == f"{server.url}/api/v1/health"
    http(f"{server.url}/api/v1/").get("")
    assert [request.split(b" ")[1] for request in server.requests] == [b"/api/v1/health", b"/api/v1/"]


def test_proxies_and_trust_from_the_environment_are_not_used_and_that_is_told(
    tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = serve(answers(ok(b"proxied")))
    authority = Authority(tmp_path)
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, sink.url)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, authority.ca_file)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    steps: list[str] = []
    look = make_look(tmp_path)
    object.__setattr__(look, "step", steps.append)

    assert http(serve(answers(ok(b"direct"))).url, look=look).get("/").body == b"direct"
    assert kind(http(serve(answers(ok()), context=authority.serving()).url, look=look).get("/")) == "tls-unknown-ca"
    assert sink.visits == 0
    assert not (tmp_path / "keys").exists()
    assert len(steps) == 1
    named = {name.upper() for name in os.environ} & set(FOREIGN_VARIABLES)
    assert named >= {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSLKEYLOGFILE"}
    assert all(name in steps[0].upper() for name in named)
