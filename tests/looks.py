"""A look for tests of instruments: small real gate, ledger, shared things and secrets, without an observer."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fixtures.look import BudgetSpentError, Deadline, Look, Run, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from environments.references import SecretRef

T = TypeVar("T")


class LooseGate:
    """A gate with budgets and no rate limit. spent: what was admitted, by resource; stopped: set to end the run."""

    def __init__(self, budgets: Mapping[str, int] | None = None, *, concurrency: int = 8) -> None:
        self.budgets = dict(budgets or {})
        self.spent: Counter[str] = Counter()
        self.stopped = False
        self.concurrency = concurrency
        self.per_second: float | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def admit(self, resource: str = "requests") -> Iterator[None]:
        """Count one use of `resource`; raises as the protocol says."""
        with self._lock:
            if self.stopped:
                raise StoppedError("the run is being stopped")
            if self.spent[resource] >= self.budgets.get(resource, self.spent[resource] + 1):
                raise BudgetSpentError(f"{resource}: {self.spent[resource]} of {self.budgets[resource]} are spent")
            self.spent[resource] += 1
        yield

    def give_back(self, resource: str, amount: int) -> None:
        """Take back what was not used."""
        with self._lock:
            self.spent[resource] -= amount


@dataclasses.dataclass
class ListLedger:
    """A ledger in memory. owned: what may exist now, in order; history: every call, in order."""

    owned: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    history: list[tuple[str, str, str, str]] = dataclasses.field(default_factory=list)

    def own(self, kind: str, instrument: str, key: str) -> None:
        """Remember that `key` may exist."""
        self.history.append(("own", kind, instrument, key))
        self.owned.append((kind, instrument, key))

    def disown(self, kind: str, instrument: str, key: str) -> None:
        """Remember that `key` is gone; raises ValueError for a key that was never owned."""
        self.history.append(("disown", kind, instrument, key))
        self.owned.remove((kind, instrument, key))


class LocalShared:
    """Things made once per key; `close()` closes them in the reverse order of their making."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._made: dict[object, Any] = {}
        self._closers: list[Callable[[], None]] = []

    def get(self, key: object, make: Callable[[], T], close: Callable[[T], None]) -> T:
        """Return the thing under `key`, making it on first use."""
        with self._lock:
            if key not in self._made:
                made = self._made[key] = make()
                self._closers.append(lambda: close(made))
            thing: T = self._made[key]
            return thing

    def close(self) -> None:
        """Close everything that was made."""
        with self._lock:
            while self._closers:
                self._closers.pop()()
            self._made.clear()


class PlainSecrets:
    """Resolves `env` and `file` references. revealed: every secret it gave out."""

    def __init__(self) -> None:
        self.revealed: list[str] = []

    def reveal(self, ref: str | SecretRef) -> str:
        """Return the text behind `ref`; raises LookupError for an unset variable or a reference to a command."""
        if isinstance(ref, str):
            return ref
        if ref.env is not None:
            secret = os.environ[ref.env]
        elif ref.file is not None:
            secret = Path(ref.file).read_text(encoding="utf-8").strip()
        else:
            raise LookupError(f"this test double reveals env and file references, not {ref!r}")
        self.revealed.append(secret)
        return ref.prefix + secret


def make_look(  # noqa: PLR0913 - each is a fact of a look that some test varies
    tmp_path: Path,
    *,
    permits: Iterable[str] = ("read_only",),
    speed: float = 1,
    seconds: float = 5,
    budgets: Mapping[str, int] | None = None,
    system: str = "system",
    observation: str = "observation",
) -> Look:
    """Return a look that ends `seconds` (ours) from now; its parts are the classes of this module."""
    run = Run(
        id="20260102T030405-test",
        marker="shk-test",
        environment="test",
        started=dt.datetime.now(dt.UTC),
        speed=speed,
        evidence=tmp_path,
    )
    return Look(
        system=system,
        observation=observation,
        run=run,
        deadline=Deadline(at=time.monotonic() + seconds),
        permits=frozenset(permits),
        gate=LooseGate(budgets),
        secrets=PlainSecrets(),
        ledger=ListLedger(),
        shared=LocalShared(),
        step=lambda _step: None,
    )
