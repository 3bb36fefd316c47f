"""The SQLite database behind D1 and the Config Service."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What D1 lets a statement do with PRAGMA; the rest, ATTACH and transactions are refused.
_PRAGMAS = frozenset(
    (
        *("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo"),
        *("foreign_key_list", "foreign_key_check", "foreign_keys", "defer_foreign_keys"),
        *("quick_check", "optimize", "function_list"),
    )
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What one statement gave. changes: rows inserted, updated or deleted by the statement itself."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    changes: int
    last_row_id: int
    changed: bool
    seconds: float

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The rows as objects by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Database:
    """One SQLite database in memory, shared by all threads, one statement at a time."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._lock = threading.RLock()

    def script(self, sql: str) -> None:
        """Run statements that give nothing back."""
        with self._lock:
            self._connection.executescript(sql)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> Result:
        """Run one statement. Raises sqlite3.Error."""
        with self._lock:
            before = self._connection.total_changes
            started = time.perf_counter()
            cursor = self._connection.execute(sql, parameters)
            rows = cursor.fetchall()
            return Result(
                columns=tuple(column[0] for column in cursor.description or ()),
                rows=rows,
                changes=max(cursor.rowcount, 0),
                last_row_id=cursor.lastrowid or 0,
                changed=self._connection.total_changes != before or (not cursor.description and cursor.rowcount < 0),
                seconds=time.perf_counter() - started,
            )

    def batch(self, statements: Sequence[tuple[str, Sequence[Any]]], *, writable: bool) -> list[Result]:
        """Run statements from outside as one transaction, with what D1 refuses refused. Raises sqlite3.Error."""
        with self._lock:
            self._connection.execute("BEGIN")
            if not writable:
                self._connection.execute("PRAGMA query_only = ON")
            self._connection.set_authorizer(_authorize)
            try:
                results = [self.run(sql, parameters) for sql, parameters in statements]
            except sqlite3.Error:
                self._end("ROLLBACK")
                raise
            self._end("COMMIT")
            return results

    def _end(self, how: str) -> None:
        self._connection.set_authorizer(None)
        self._connection.execute(how)
        self._connection.execute("PRAGMA query_only = OFF")

    def size(self) -> int:
        """Return the database's size in bytes."""
        pages = self.run("PRAGMA page_count").rows[0][0]
        return int(pages) * int(self.run("PRAGMA page_size").rows[0][0])


def _authorize(action: int, first: str | None, *_: str | None) -> int:
    refused = action in (
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    )
    if refused or (action == sqlite3.SQLITE_PRAGMA and first not in _PRAGMAS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def statements(sql: str) -> Iterator[str]:
    """Split a script into its statements, minding strings, comments and triggers as SQLite does."""
    pending = ""
    for part in sql.split(";"):
        pending += part + ";"
        if sqlite3.complete_statement(pending):
            if pending.strip("; \t\r\n"):
                yield pending.strip()
            pending = ""
    if rest := pending.removesuffix(";").strip():
        yield rest
