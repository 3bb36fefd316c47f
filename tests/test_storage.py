"""The storage instrument against a real S3 API on the loopback, and against servers that misbehave."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from environments.models import StorageConfig
from environments.references import SecretRef
from fixtures.look import NotPermittedError
from fixtures.storage import Storage
from fixtures.values import RefutedError, UnseenError, decode, encode
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "pictures"
SECRET = "s3-" * 12
MARKED = "default/shk-test/lake.png"  # carries the marker of `make_look`


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    _create(url, BUCKET)
    yield url
    server.stop()


@pytest.fixture
def config(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> StorageConfig:
    monkeypatch.setenv("STORAGE_SECRET", SECRET)
    return _config(endpoint)


def _config(url: str, bucket: str = BUCKET, objects: int = 10_000) -> StorageConfig:
    return StorageConfig(
        endpoint=url, bucket=bucket, key="AKEY", secret=SecretRef(env="STORAGE_SECRET"), object_limit=objects
    )


def _create(url: str, bucket: str) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as wire:
        scope = "AKEY/20250101/us-east-1/s3/aws4_request"
        wire.sendall(
            f"PUT /{bucket} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 0\r\nConnection: close\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n".encode()
        )
        assert b" 200 " in wire.recv(4096).split(b"\r\n")[0]


def _put(url: str, key: str, body: bytes, **attributes: str) -> None:
    store = S3Store(
        BUCKET,
        endpoint=url,
        region="auto",
        access_key_id="AKEY",
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    names = {name.replace("_", "-").title() if name == "content_type" else name: v for name, v in attributes.items()}
    obstore.put(store, key, body, attributes=names)


def test_an_object_is_seen_with_type_metadata_and_bytes(config: StorageConfig, tmp_path: Path) -> None:
    _put(config.endpoint, MARKED, b"\x89PNG lake", content_type="image/png", prompt="A lake")
    storage = Storage(config, make_look(tmp_path))
    seen = decode(encode(storage.read(MARKED)))
    assert (seen.exists, seen.size, seen.content_type) == (True, 9, "image/png")
    assert seen.metadata == {"prompt": "A lake"}
    assert seen.body == b"\x89PNG lake"
    assert seen.digest == hashlib.sha256(b"\x89PNG lake").hexdigest()
    assert seen.modified.tzinfo is not None
    head = storage.head(MARKED)
    assert (head.size, head.content_type, head.etag) == (9, "image/png", seen.etag)
    with pytest.raises(UnseenError, match="found and not read"):
        _ = head.body


def test_an_absent_key_is_a_value(config: StorageConfig, tmp_path: Path) -> None:
    storage = Storage(config, make_look(tmp_path))
    for seen in (storage.head("no/such/key"), decode(encode(storage.read("no/such/key")))):
        assert seen.exists is False
        with pytest.raises(RefutedError, match="nothing is stored"):
            _ = seen.size


def test_an_absent_bucket_is_not_an_absent_key(config: StorageConfig, tmp_path: Path) -> None:
    storage = Storage(_config(config.endpoint, "no-such-bucket"), make_look(tmp_path))
    for seen in (storage.head("key"), storage.read("key"), decode(encode(storage.list()))):
        assert seen.trouble is not None
        assert seen.trouble.kind == "absent-bucket"
    with pytest.raises(UnseenError, match="absent-bucket"):
        _ = storage.head("key").exists


def test_a_listing_follows_the_prefix_as_s3_does(config: StorageConfig, tmp_path: Path) -> None:
    keys = ["list/a b.png", "list/ab.png", "list/ä.png", "list/ab/1.png", "listed/other.png"]
    for key in keys:
        _put(config.endpoint, key, key.encode())
    storage = Storage(config, make_look(tmp_path))
    assert set(storage.list("list/").keys) == set(keys[:4])
    assert set(storage.list("list/ab").keys) == {"list/ab.png", "list/ab/1.png"}
    assert set(storage.list("list").keys) == set(keys)
    listing = decode(encode(storage.list("list/ab.png")))
    assert listing.keys == ("list/ab.png",)
    assert (listing.truncated, listing.objects[0].size) == (False, 11)
    assert storage.list("nothing/").objects == ()


def test_a_listing_that_was_cut_says_so(config: StorageConfig, tmp_path: Path) -> None:
    for number in range(4):
        _put(config.endpoint, f"cut/{number}", b"")
    storage = Storage(config, make_look(tmp_path))
    listing = storage.list("cut/", limit=3)
    assert (listing.keys, listing.truncated) == (("cut/0", "cut/1", "cut/2"), True)
    assert "cut/1" in listing
    with pytest.raises(UnseenError, match="there are more"):
        _ = "cut/9" in listing
    assert "cut/9" not in storage.list("cut/", limit=4)
    limited = Storage(_config(config.endpoint, objects=2), make_look(tmp_path))
    assert (len(limited.list("cut/").keys), limited.list("cut/").truncated) == (2, True)


def test_a_body_over_the_limit_is_not_fetched(config: StorageConfig, tmp_path: Path) -> None:
    _put(config.endpoint, "big", b"x" * 1000)
    seen = Storage(config, make_look(tmp_path)).read("big", limit=999)
    assert seen.trouble is not None
    assert (seen.trouble.kind, "1000 bytes" in seen.trouble.text) == ("oversized", True)
    assert len(Storage(config, make_look(tmp_path)).read("big", limit=1000).body) == 1000


def test_only_an_object_of_this_run_is_deleted(config: StorageConfig, tmp_path: Path) -> None:
    _put(config.endpoint, "foreign.png", b"1")
    _put(config.endpoint, MARKED, b"1")
    look = make_look(tmp_path, permits=["read_only", "costs"])
    storage = Storage(config, look)
    with pytest.raises(NotPermittedError, match="marker"):
        storage.delete("foreign.png")
    with pytest.raises(NotPermittedError, match="writes"):
        Storage(config, make_look(tmp_path)).delete(MARKED)
    assert (storage.head("foreign.png").exists, storage.head(MARKED).exists) == (True, True)
    storage.own(MARKED)
    assert storage.delete(MARKED).exists is False
    assert storage.head(MARKED).exists is False
    assert look.ledger.history == [("own", "object", BUCKET, MARKED), ("disown", "object", BUCKET, MARKED)]  # type: ignore[attr-defined]  # the test's ledger


def test_a_deletion_that_failed_stays_in_the_ledger(config: StorageConfig, tmp_path: Path) -> None:
    look = make_look(tmp_path, permits=["writes"])
    storage = Storage(_config(_server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")), look)
    storage.own(MARKED)
    gone = storage.delete(MARKED)
    assert gone.trouble is not None
    assert gone.trouble.kind == "denied"
    assert look.ledger.owned == [("object", BUCKET, MARKED)]  # type: ignore[attr-defined]  # the test's ledger
    assert config.bucket == BUCKET


OK = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 50\r\n\r\n'


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "denied", id="forbidden"),
        pytest.param(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "denied", id="unauthorized"),
        pytest.param(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "protocol", id="busy"),
        pytest.param(b"good morning\r\n\r\n", "protocol", id="garbage"),
        pytest.param(OK + b"short", "truncated", id="short"),
    ],
)
@pytest.mark.usefixtures("config")
def test_what_goes_wrong_is_a_trouble(answer: bytes, kind: str, tmp_path: Path) -> None:
    seen = Storage(_config(_server(answer)), make_look(tmp_path)).read("key")
    assert seen.trouble is not None
    assert seen.trouble.kind == kind
    assert "Debug source" not in seen.trouble.text


@pytest.mark.usefixtures("config")
def test_nobody_listening_is_refused(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    seen = Storage(_config(url), make_look(tmp_path)).list()
    assert seen.trouble is not None
    assert seen.trouble.kind == "refused"


@pytest.mark.parametrize("answer", [b"", OK], ids=["silence", "drip"])
@pytest.mark.usefixtures("config")
def test_the_deadline_holds(answer: bytes, tmp_path: Path) -> None:
    storage = Storage(_config(_server(answer, drip=True)), make_look(tmp_path, seconds=0.4, speed=10))
    began = time.monotonic()
    seen = storage.read("key")
    assert time.monotonic() - began < 3
    assert seen.trouble is not None
    assert seen.trouble.kind == "timeout"
    assert seen.trouble.after_s > 3  # in the target's seconds


def test_variables_of_the_process_do_not_redirect_it(
    config: StorageConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "another-account")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    heard: list[bytes] = []
    assert Storage(config, make_look(tmp_path)).head("no/such/key").exists is False
    url = _server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", heard=heard)
    assert Storage(_config(url), make_look(tmp_path)).head("key").trouble is not None
    request = heard[0].lower()
    assert b"credential=akey/" in request
    assert b"x-amz-security-token" not in request
    assert b"shakedown" in request


@pytest.mark.usefixtures("config")
def test_plain_http_is_for_the_loopback_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed: https"):
        Storage(_config("http://storage.example.test"), make_look(tmp_path))
    with pytest.raises(ValueError, match="allowed: https"):
        Storage(_config("http://127.0.0.1.example.test"), make_look(tmp_path))


@pytest.mark.usefixtures("config")
def test_the_secret_is_revealed_once_and_shown_nowhere(tmp_path: Path) -> None:
    look = make_look(tmp_path)
    storage = Storage(_config(_server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")), look)
    seen = [storage.head("key"), storage.head("key")]
    assert look.secrets.revealed == [SECRET]  # type: ignore[attr-defined]  # the test's secrets
    assert SECRET not in repr((storage, seen, look.shared))


def _server(answer: bytes, *, drip: bool = False, heard: list[bytes] | None = None) -> str:
    """Start a server that gives every connection `answer`, and with `drip` a byte every 0.1 s after it."""
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(door, answer, heard), kwargs={"drip": drip}, daemon=True).start()
    return f"http://127.0.0.1:{door.getsockname()[1]}"


def _serve(door: socket.socket, answer: bytes, heard: list[bytes] | None, *, drip: bool) -> None:
    with door:
        door.settimeout(10)
        for _ in range(4):
            try:
                wire, _address = door.accept()
            except TimeoutError:
                return
            with wire:
                request = wire.recv(65536)
                if heard is not None:
                    heard.append(request)
                _answer(wire, answer, drip=drip)


def _answer(wire: socket.socket, answer: bytes, *, drip: bool) -> None:
    try:
        wire.sendall(answer)
        for _ in range(20 if drip else 0):
            time.sleep(0.1)
            wire.sendall(b"x" if answer else b"")
    except OSError:
        return
