"""Certificates and TLS: verified always, each defect under its own name."""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.look import NotPermittedError
from tests.certificates import Authority
from tests.exchanges import kind
from tests.hostile import Hostile, answers, ok

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.http import Http
    from tests.hostile import Visit

pytest_plugins = ["tests.asking"]

OK_HEAD = b"HTTP/1.1 200 OK\r\n"


def test_a_valid_certificate_and_the_days_it_has_left(
    tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    authority = Authority(tmp_path)
    server = serve(answers(ok(b"safe")), context=authority.serving(ends=30))
    seen = http(server.url, ca_file=authority.ca_file, speed=10).get("/")
    assert seen.body == b"safe"
    assert seen.certificate_days == pytest.approx(30, abs=0.1)
    assert seen.tls_s > 0
    assert kind(seen) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"ends": -0.5}, "tls-expired", id="expired"),
        pytest.param({"starts": 1}, "tls-not-yet-valid", id="not-yet-valid"),
        pytest.param({"self_signed": True}, "tls-self-signed", id="self-signed"),
        pytest.param({"host": "other.example.test"}, "tls-wrong-host", id="wrong-name"),
        pytest.param({"host": "127.0.0.2"}, "tls-wrong-host", id="wrong-address"),
    ],
)
def test_a_certificate_that_is_not_valid_says_why(
    tmp_path: Path,
    http: Callable[..., Http],
    serve: Callable[..., Hostile],
    facts: dict[str, Any],
    expected: str,
) -> None:
    authority = Authority(tmp_path)
    server = serve(answers(ok()), context=authority.serving(**facts))
    seen = http(server.url, ca_file=authority.ca_file).get("/")
    assert kind(seen) == expected
    assert server.requests == []


def test_a_certificate_of_another_authority_is_unknown(
    tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    server = serve(answers(ok()), context=Authority(tmp_path, "Other").serving())
    assert kind(http(server.url, ca_file=Authority(tmp_path, "Ours").ca_file).get("/")) == "tls-unknown-ca"
    assert server.requests == []


def test_an_old_protocol_is_named(tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    authority = Authority(tmp_path)
    context = authority.serving()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of what this test is about
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert kind(http(serve(answers(ok()), context=context).url, ca_file=authority.ca_file).get("/")) == "tls-protocol"


def test_a_target_that_speaks_no_tls_is_named(http: Callable[..., Http], serve: Callable[..., Hostile]) -> None:
    server = serve(lambda visit, _: (visit.sock.sendall(ok()), visit.over.wait(1)), reads=False)
    assert kind(http(server.url.replace("http:", "https:")).get("/")) == "tls-protocol"


def test_a_body_cut_before_tls_says_goodbye_is_truncated(
    tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    authority = Authority(tmp_path)
    server = serve(answers(OK_HEAD + b"\r\nhalf of it"), context=authority.serving())
    assert kind(http(server.url, ca_file=authority.ca_file).get("/")) == "truncated"

    def says_goodbye(visit: Visit, _: bytes) -> None:
        visit.sock.sendall(OK_HEAD + b"\r\nall of it")
        if isinstance(visit.sock, ssl.SSLSocket):
            visit.sock.unwrap()

    whole = serve(says_goodbye, context=authority.serving())
    assert http(whole.url, ca_file=authority.ca_file).get("/").body == b"all of it"


def test_a_trust_file_that_is_none_is_refused_before_anything_is_sent(
    tmp_path: Path, http: Callable[..., Http], serve: Callable[..., Hostile]
) -> None:
    (tmp_path / "empty.pem").write_text("", encoding="utf-8")
    server = serve(answers(ok()))
    with pytest.raises(NotPermittedError, match=r"empty\.pem"):
        http(server.url.replace("http:", "https:"), ca_file=str(tmp_path / "empty.pem")).get("/")
    assert server.requests == []
