"""The folder of a run: its name, its lock, and the disk space its evidence needs."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import os
import secrets
from typing import TYPE_CHECKING

from pydantic_core import PydanticSerializationError

from reports import baselines
from reports.escaping import writable

if TYPE_CHECKING:
    from pathlib import Path

    from reports.record import Record

RESERVE_BYTES = 32 * 1024 * 1024  # what a run with screenshots, reports and journal takes, several times over


class FolderError(Exception):
    """The evidence could not be written. Nothing was sent."""


class RunFolder:
    """`reports/runs/<env>/<UTC time>-<run id>/`, held by one live run per environment."""

    def __init__(self, root: Path, environment: str, started: dt.datetime) -> None:
        """Create the folder and take the environment's lock.

        Raises FolderError when it cannot be written, the disk has too little room, or another run holds the lock.
        """
        self.id = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self.path = root / environment / self.id
        self.evidence = self.path / "evidence"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.path.parent / "lock", self.id)
            self.evidence.mkdir(parents=True)
            self._reserve()
        except OSError as error:
            raise FolderError(f"{self.path}: found {error.strerror or error}; allowed: a folder to write to") from None

    def siblings(self) -> list[Path]:
        """Return the folders of earlier runs of this environment, oldest first."""
        folders = (path for path in self.path.parent.iterdir() if path.is_dir() and path.name != baselines.FOLDER)
        return sorted(path for path in folders if path != self.path)

    def write(self, name: str, record: Record) -> None:
        """Write `plan.json` or `run.json`, whole or not at all."""
        data = _json(record)
        temporary = self.path / f".{name}"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self.path / name)

    def use_reserve(self) -> None:
        """Free the reserved space for the last writes of the run."""
        (self.path / ".reserve").unlink(missing_ok=True)

    def release(self) -> None:
        """Give up the lock."""
        os.close(self._lock)

    def _reserve(self) -> None:
        with (self.path / ".reserve").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def _json(record: Record) -> str:
    try:
        return record.model_dump_json(by_alias=True, indent=1)
    except PydanticSerializationError:  # half a surrogate pair in some text: no file holds that
        whole = type(record).model_validate(writable(record.model_dump(by_alias=True)))
        return whole.model_dump_json(by_alias=True, indent=1)


def _locked(path: Path, run: str) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(handle, 200, 0).decode("utf-8", "replace")
        os.close(handle)
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        raise FolderError(f"{path}: another run is under way: {holder}; allowed: one run per environment") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"run": run, "pid": os.getpid()}).encode(), 0)
    return handle


def utc_now() -> dt.datetime:
    """Return this moment, in UTC."""
    return dt.datetime.now(dt.UTC)
