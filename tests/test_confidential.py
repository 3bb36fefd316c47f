"""The run fact `secrets`: revealed by name, made once, and masked wherever they turn up."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import pytest

from environments.redaction import MASK, Redactor
from environments.references import SecretMissingError, SecretRef
from environments.secrets import SecretStore
from fixtures.confidential import Confidential
from fixtures.look import Deadline, Look
from fixtures.shared import RunShared

if TYPE_CHECKING:
    from pathlib import Path


class Bench:
    """A look at a system with one named secret."""

    def __init__(self, folder: Path) -> None:
        self.password = secrets.token_hex(16)
        self.redactor = Redactor()
        store = SecretStore({"PASSWORD": self.password}, self.redactor, folder)
        self.look = Look(
            system="shop", observation="login", run=None, deadline=Deadline(at=time.monotonic() + 5), gate=None,  # type: ignore[arg-type]  # not used here
            permits=frozenset({"read_only"}), secrets=store, ledger=None, shared=RunShared(), step=lambda _: None,  # type: ignore[arg-type]  # likewise
        )  # fmt: skip
        self.secrets = Confidential({"password": SecretRef(env="PASSWORD")}, self.look, self.redactor)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_named_secret_is_revealed_and_masked(bench: Bench) -> None:
    assert bench.secrets["password"] == bench.password
    assert bench.redactor.text(f"it is {bench.password}!") == f"it is {MASK}!"
    assert bench.password not in repr(bench.secrets["password"]) + repr(bench.secrets)


def test_an_unknown_name_lists_the_known_ones(bench: Bench) -> None:
    with pytest.raises(SecretMissingError, match=r"\[systems\.shop\.secrets\] has no token; known: password"):
        _ = bench.secrets["token"]


def test_what_a_run_is_handed_is_made_once_and_masked(bench: Bench) -> None:
    tokens = [bench.secrets.once("session", lambda: secrets.token_hex(16)) for _ in range(2)]
    assert tokens[0] == tokens[1]
    assert bench.redactor.text(tokens[0]) == MASK


def test_a_text_too_short_to_be_found_again_is_not_masked(bench: Bench) -> None:
    assert bench.secrets.mask("abc") == "abc"
    assert bench.redactor.text("abc") == "abc"
