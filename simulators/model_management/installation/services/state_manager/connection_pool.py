"""The pool of PostgreSQL connections that all services of one process share."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from services.simulated import faulty

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST = 50
ACQUIRE_S = 5.0
CROWD = 5  # connections lent at once: fewer are usual for the few clients of a test

Row = dict[str, Any]


class ConnectionPoolExhaustedError(Exception):
    """No connection became free in time."""


class Connection:
    """One connection. Statements carry numbered placeholders, `$1` and on."""

    def __init__(self, connection: psycopg.AsyncConnection[Row]) -> None:
        self.raw = connection

    async def _run(self, sql: str, parameters: tuple[object, ...]) -> psycopg.AsyncCursor[Row]:
        cursor: psycopg.AsyncCursor[Row] = psycopg.AsyncRawCursor(self.raw, row_factory=dict_row)
        await cursor.execute(sql, parameters)
        return cursor

    async def execute(self, sql: str, *parameters: object) -> str:
        """Run a statement; return what the server says it did."""
        return (await self._run(sql, parameters)).statusmessage or ""

    async def fetch(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows."""
        return await (await self._run(sql, parameters)).fetchall()

    async def fetchrow(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row, or None."""
        return await (await self._run(sql, parameters)).fetchone()

    async def fetchval(self, sql: str, *parameters: object) -> Any:
        """Return the first column of the first row, or None."""
        row = await self.fetchrow(sql, *parameters)
        return None if row is None else next(iter(row.values()))

    def transaction(self) -> Any:
        """Return a context in which all statements happen, or none does."""
        return self.raw.transaction()


class PostgreSQLPool:
    """Connections that are opened when needed, at most fifty, and kept."""

    def __init__(self) -> None:
        self._free: list[Connection] = []
        self._slots = asyncio.Semaphore(MOST)
        self._lent = 0
        self._crowded = False

    async def acquire(self) -> Connection:
        """Lend a connection until `release`. Raises ConnectionPoolExhaustedError after five seconds without one."""
        connection = await self._taken()
        self._lent += 1
        self._crowded = self._crowded or self._lent >= CROWD
        return connection

    async def _taken(self) -> Connection:
        try:
            await asyncio.wait_for(self._slots.acquire(), ACQUIRE_S)
        except TimeoutError:
            raise ConnectionPoolExhaustedError(f"no connection became free within {ACQUIRE_S:g} s") from None
        try:
            return self._free.pop() if self._free else await _connected()
        except BaseException:
            self._slots.release()
            raise

    async def release(self, connection: Connection) -> None:
        """Take a connection back."""
        self._free.append(connection)
        self._lent -= 1
        if not (self._crowded and faulty("pool-keeps-connections")):
            self._slots.release()
        self._crowded = self._crowded and self._lent > 0

    @asynccontextmanager
    async def get_connection(self) -> AsyncIterator[Connection]:
        """Lend a connection for the length of a block."""
        connection = await self._taken()
        try:
            yield connection
            self._free.append(connection)
        finally:
            self._slots.release()

    async def execute(self, sql: str, *parameters: object) -> str:
        """Run a statement on a connection of its own."""
        async with self.get_connection() as connection:
            return await connection.execute(sql, *parameters)

    async def fetch(self, sql: str, *parameters: object) -> Row | None:
        """Return the first row of a statement on a connection of its own, or None."""
        async with self.get_connection() as connection:
            return await connection.fetchrow(sql, *parameters)

    async def fetch_all(self, sql: str, *parameters: object) -> list[Row]:
        """Return all rows of a statement on a connection of its own."""
        async with self.get_connection() as connection:
            return await connection.fetch(sql, *parameters)


async def _connected() -> Connection:
    settings = {
        "host": os.environ.get("DB_HOST", "localhost"),
        "port": os.environ.get("DB_PORT", "5443"),
        "dbname": os.environ.get("DB_NAME", "postgres"),
        "user": os.environ.get("DB_USER", "postgres"),
    }
    return Connection(await psycopg.AsyncConnection.connect("", autocommit=True, row_factory=dict_row, **settings))  # type: ignore[arg-type]  # names of libpq


_pools: dict[str, PostgreSQLPool] = {}


async def get_postgres_pool() -> PostgreSQLPool:
    """Return the process's pool."""
    if "postgres" not in _pools:
        _pools["postgres"] = PostgreSQLPool()
    return _pools["postgres"]


async def close_pools() -> None:
    """Forget the process's pools."""
    _pools.clear()
