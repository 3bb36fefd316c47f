"""The journal: what happened, in order, on disk before anything depends on it.

One JSON object per line: `seq`, `at` (UTC), `mono` (monotonic seconds), `kind`, `data`, `hash`. The hash covers the
line and the hash before it, so a changed, missing or added line is found. Every line is fsynced before `write` returns;
lines of several threads share one fsync.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SEED = "0" * 64


class JournalError(Exception):
    """The journal cannot be written or does not hold together."""


class Entry(NamedTuple):
    """One line of a journal."""

    seq: int
    at: str
    kind: str
    data: Any


class Journal:
    """An open journal. Thread-safe; an entry is durable once `write` has returned.

    lost: called once, with the error, when an entry could not be written (a full disk). Nothing is written after it,
    so that what is there still holds together; `failure` keeps the error.
    """

    def __init__(self, path: Path, lost: Callable[[OSError], None] = lambda _: None) -> None:
        self.failure: OSError | None = None
        self._lost = lost
        self._file = path.open("xb", buffering=0)
        self._order = threading.Lock()
        self._disk = threading.Lock()
        self._written = self._durable = 0
        self._hash = _SEED
        _sync_folder(path.parent)

    def write(self, kind: str, data: object, *, durable: bool = True) -> None:
        """Append one entry.

        durable: wait until it survives a power cut. Without that it survives the end of this process, and becomes
        durable with the next entry that is.
        """
        try:
            with self._order:
                if self.failure is not None:
                    return
                seq = self._written = self._written + 1
                self._put(self._line(seq, kind, data))
            if durable:
                self._sync(seq)
        except OSError as error:
            self._fail(error)

    def _put(self, line: bytes) -> None:
        """Write a whole line; the operating system may take it in parts."""
        rest = memoryview(line)
        while rest:
            rest = rest[self._file.write(rest) or 0 :]

    def _fail(self, error: OSError) -> None:
        with self._order:
            first, self.failure = self.failure is None, self.failure or error
        if first:
            self._lost(error)

    def _sync(self, seq: int) -> None:
        with self._disk:
            if self._durable < seq:
                reached = self._written
                os.fsync(self._file.fileno())
                self._durable = reached

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _line(self, seq: int, kind: str, data: object) -> bytes:
        now = dt.datetime.now(dt.UTC).isoformat()
        body = {"seq": seq, "at": now, "mono": round(time.monotonic(), 6), "kind": kind, "data": data}
        text = json.dumps(body, allow_nan=True)
        self._hash = _chained(self._hash, text)
        return f'{text[:-1]}, "hash": "{self._hash}"}}\n'.encode()


def read(path: Path) -> Iterator[Entry]:
    """Yield the entries of a journal; a torn last line (the writer was killed) ends it quietly.

    Raises JournalError where the chain breaks before the end.
    """
    chain = _SEED
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        text, found = _split(line)
        chain = _chained(chain, text)
        if found != chain:
            if number >= len(lines):
                return
            raise JournalError(f"{path}:{number}: found a line that does not continue the chain of hashes")
        body = json.loads(text)
        yield Entry(body["seq"], body["at"], body["kind"], body["data"])


def _split(line: bytes) -> tuple[str, str]:
    text, mark, rest = line.decode("utf-8", "replace").rpartition(', "hash": "')
    return (text + "}", rest[:-2]) if mark and rest.endswith('"}') else ("", "torn")


def _chained(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
