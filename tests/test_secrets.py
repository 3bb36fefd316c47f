"""How references become secrets: once, late, masked, and never a weak one."""

from __future__ import annotations

import os
import pickle
import secrets
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments import keepers
from environments.redaction import MASK, Redactor
from environments.references import SecretMissingError, SecretRef, SecretWeakError
from environments.secrets import Secret, SecretStore, sensitive_parts
from environments.strength import estimated_bits, weakness


def store_of(folder: Path, redactor: Redactor | None = None, **variables: str) -> SecretStore:
    inherited = {"PATH": os.environ["PATH"]}
    return SecretStore({**inherited, **variables}, redactor or Redactor(), folder)


def private(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


def python(code: str) -> SecretRef:
    return SecretRef(command=(sys.executable, "-c", code))


def test_a_variable_is_revealed_with_its_prefix_and_masked_from_then_on(tmp_path: Path) -> None:
    token, redactor = secrets.token_urlsafe(24), Redactor()
    store = store_of(tmp_path, redactor, TOKEN=token)
    assert redactor.text(token) == token
    assert store.reveal(SecretRef(env="TOKEN", prefix="Bearer ")) == f"Bearer {token}"
    assert redactor.text(f"Authorization: Bearer {token}") == f"Authorization: Bearer {MASK}"


def test_a_plain_text_is_itself_and_no_secret(tmp_path: Path) -> None:
    redactor = Redactor()
    assert store_of(tmp_path, redactor).reveal("image-gen-worker") == "image-gen-worker"
    assert not redactor.found_in("image-gen-worker")


@pytest.mark.parametrize(("end", "kept"), [("\n", ""), ("\r\n", ""), ("\n\n", "\n"), ("", "")])
def test_a_file_loses_one_trailing_newline(tmp_path: Path, end: str, kept: str) -> None:
    token = secrets.token_urlsafe(24)
    private(tmp_path / "token", token + end)
    assert store_of(tmp_path).reveal(SecretRef(file="token")) == token + kept


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    token = secrets.token_urlsafe(24)
    private(tmp_path / "token", token).chmod(mode)
    with pytest.raises(SecretMissingError, match=f"'token' has mode 0{mode:o}; allowed: access for its owner only"):
        store_of(tmp_path).reveal(SecretRef(file="token"))


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    private(tmp_path / "latin", b"\xe9" * 40)
    private(tmp_path / "long", "x" * (keepers.SIZE_LIMIT + 1))
    wanted = {
        "absent": "cannot be opened: No such file",
        "folder": "is not a regular file",
        "pipe": "is not a regular file",
        "latin": "not UTF-8",
        "long": "more than 65536 bytes",
    }
    for name, text in wanted.items():
        with pytest.raises(SecretMissingError, match=text):
            store_of(tmp_path).reveal(SecretRef(file=name))


def test_a_command_gets_a_list_and_no_shell(tmp_path: Path) -> None:
    token = secrets.token_urlsafe(24)
    ref = SecretRef(command=(sys.executable, "-c", "import sys; print(sys.argv[1])", f"{token}; echo $HOME"))
    assert store_of(tmp_path).reveal(ref) == f"{token}; echo $HOME"


def test_a_command_that_fails_does_not_show_what_it_said(tmp_path: Path) -> None:
    token = secrets.token_urlsafe(24)
    ref = python(f"import sys; print({token!r}); sys.exit({token!r})")
    with pytest.raises(SecretMissingError, match="ended with status 1; its messages are not shown") as caught:
        store_of(tmp_path).reveal(ref)
    assert token not in str(caught.value)
    assert token not in repr(caught.value)


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretMissingError, match="the command 'no-such-vault' cannot be started: No such file"):
        store_of(tmp_path).reveal(SecretRef(command=("no-such-vault", "read")))


def test_a_command_without_end_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "COMMAND_DEADLINE", 1.0)
    child = "import time; time.sleep(60)"
    ref = python(
        "import pathlib, subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}]);"
        "pathlib.Path('child').write_text(str(child.pid)); time.sleep(60)"
    )
    started = time.monotonic()
    with pytest.raises(SecretMissingError, match="gave no answer within 1 s and was ended"):
        store_of(tmp_path).reveal(ref)
    assert time.monotonic() - started < 20
    assert _gone(int((tmp_path / "child").read_text()))


def test_a_command_that_leaves_a_child_behind_is_not_waited_for_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "COMMAND_DEADLINE", 1.0)
    ref = python(
        "import pathlib, subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "pathlib.Path('child').write_text(str(child.pid)); print('x' * 40)"
    )
    with pytest.raises(SecretMissingError, match="gave no answer within 1 s"):
        store_of(tmp_path).reveal(ref)
    assert _gone(int((tmp_path / "child").read_text()))


def test_a_command_that_prints_without_end_is_cut(tmp_path: Path) -> None:
    with pytest.raises(SecretMissingError, match="gives more than 65536 bytes"):
        store_of(tmp_path).reveal(SecretRef(command=("yes", "no secret")))


def _gone(pid: int) -> bool:
    """Say whether a process has ended (it may be a zombie of somebody else's until it is reaped)."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2][:1]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_reference_is_resolved_once_whoever_asks(tmp_path: Path) -> None:
    ref = python("import os, secrets; os.write(os.open('calls', 1025 | 64, 0o600), b'x'); print(secrets.token_hex(20))")
    store, given_out = store_of(tmp_path), list[str]()
    askers = [
        threading.Thread(target=lambda prefix=prefix: given_out.append(store.reveal(ref.model_copy(update=prefix))))
        for prefix in [{"prefix": ""}, {"prefix": "Bearer "}] * 4
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert (tmp_path / "calls").read_text() == "x"
    assert len({text.removeprefix("Bearer ") for text in given_out}) == 1
    assert len(given_out) == 8


def test_a_failure_is_final(tmp_path: Path) -> None:
    store, ref = store_of(tmp_path), SecretRef(file="token")
    with pytest.raises(SecretMissingError):
        store.reveal(ref)
    private(tmp_path / "token", secrets.token_urlsafe(24))
    with pytest.raises(SecretMissingError):
        store.reveal(ref)


@pytest.mark.parametrize(("variables", "text"), [({}, "is not set"), ({"TOKEN": ""}, "is empty")])
def test_an_absent_or_empty_variable_is_named(tmp_path: Path, variables: dict[str, str], text: str) -> None:
    with pytest.raises(SecretMissingError, match=f"the variable TOKEN {text}"):
        SecretStore(variables, Redactor(), tmp_path).reveal(SecretRef(env="TOKEN"))


@pytest.mark.parametrize(
    "weak",
    [
        "prod",
        "hunter2hunt",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnopqrstuvwxyz",
        "12345678901234567890",
        "passwordpassword",
        "password-secret-token",
        "production-database-password",
        "xy7xy7xy7xy7xy7xy7xy7",
        "changeme-changeme-changeme",
        "0123456789ab",
    ],
)
def test_a_weak_secret_is_refused_and_not_shown(tmp_path: Path, weak: str) -> None:
    redactor = Redactor()
    with pytest.raises(SecretWeakError, match="the variable TOKEN holds a text") as caught:
        store_of(tmp_path, redactor, TOKEN=weak).reveal(SecretRef(env="TOKEN"))
    assert weak not in f"{caught.value!r} {caught.value}"
    assert repr(redactor) == "Redactor(secrets=0, values='***')"


@pytest.mark.parametrize(
    "make", [secrets.token_hex, secrets.token_urlsafe, lambda size: str(secrets.randbits(8 * size))]
)
def test_random_secrets_are_strong(make: object) -> None:
    assert callable(make)
    assert [weakness(secret) for secret in (make(12) for _ in range(200)) if weakness(secret)] == []


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_text_is_worth_more_than_its_alphabet(text: str) -> None:
    assert 0 <= estimated_bits(text) <= 10 * max(1, len(text))


def credential() -> str:
    return secrets.token_urlsafe(18)


def test_of_a_connection_string_only_the_password_is_secret() -> None:
    password = credential()
    for text in (
        f"postgresql://app:{password}@db.example.test:5432/app?sslmode=require",
        f"postgres://db.example.test/app?user=app&password={password}",
        f"host=db.example.test dbname=app user=app password={password}",
        f"host=db.example.test password='{password}' dbname=app",
        f"redis://:{password}@cache.example.test/0",
    ):
        assert list(sensitive_parts(text)) == [password], text.replace(password, MASK)


def test_a_connection_string_without_a_password_holds_no_secret() -> None:
    for text in ("postgresql://app@db.example.test:5432/app", "host=/run/postgres dbname=app user=app"):
        assert list(sensitive_parts(text)) == []


def test_an_escaped_password_is_masked_as_it_is_and_as_it_is_escaped(tmp_path: Path) -> None:
    password, redactor = f"{credential()}@/:{credential()}", Redactor()
    escaped = password.replace("@", "%40").replace("/", "%2F").replace(":", "%3A")
    dsn = f"postgresql://app:{escaped}@db.example.test/app"
    assert store_of(tmp_path, redactor, DSN=dsn).reveal(SecretRef(env="DSN")) == dsn
    assert redactor.text(f"{dsn} {password}") == f"postgresql://app:{MASK}@db.example.test/app {MASK}"


def test_of_a_web_address_the_userinfo_or_the_path_is_secret() -> None:
    token = credential()
    assert list(sensitive_parts(f"https://{token}@errors.example.test/1")) == [token]
    assert list(sensitive_parts(f"https://hooks.example.test/services/{token}")) == [f"services/{token}"]


def test_a_weak_password_in_a_connection_string_is_refused(tmp_path: Path) -> None:
    dsn = f"postgresql://app:{'app' * 2}@db.example.test/app"
    with pytest.raises(SecretWeakError, match="a text of 6 characters"):
        store_of(tmp_path, DSN=dsn).reveal(SecretRef(env="DSN"))


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    token = credential()
    store = store_of(tmp_path, TOKEN=token)
    revealed = store.reveal(SecretRef(env="TOKEN"))
    assert isinstance(revealed, Secret)
    assert token not in f"{store!r} {revealed!r} {[revealed]} { ({'a': revealed}) }"
    with pytest.raises(TypeError, match="stays in the process that revealed it"):
        pickle.dumps(revealed)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "found no place; allowed: exactly one of env, file, command"),
        ({"env": "A", "file": "b"}, "found env and file"),
        ({"env": "not a name"}, "found text that is no name of a variable"),
        ({"command": ()}, "at least 1 item"),
    ],
)
def test_a_reference_has_exactly_one_place(fields: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SecretRef.model_validate(fields)
