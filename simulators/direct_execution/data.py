"""The project's database as its parts use it: as the service, or as the session behind a request."""

from __future__ import annotations

import json
import queue
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from simulators import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simulators.faults import Faults

Row = dict[str, Any]
Connection = psycopg.Connection[dict[str, Any]]

_SCHEMA = Path(__file__).with_name("schema.sql")
_DEFECTS = {
    "real-no-updated-at": "ALTER TABLE generations DROP COLUMN updated_at",
    "real-no-completed-at": "ALTER TABLE generations DROP COLUMN completed_at",
    "legacy-view-answers": "CREATE TABLE ai_models_old (id text); CREATE VIEW ai_models AS SELECT * FROM ai_models_old",
    "anonymous-sees-rows": "CREATE POLICY public_rows ON generations FOR SELECT TO anon USING (true)",
    "others-see-rows": "CREATE POLICY shared_rows ON generations FOR SELECT TO authenticated USING (true)",
    "others-may-insert": "CREATE POLICY any_rows ON generations FOR INSERT TO authenticated WITH CHECK (true)",
    "others-see-balances": (
        "CREATE POLICY all_balances ON user_subscriptions FOR SELECT TO authenticated USING (true)"
    ),
    "real-credits-writable": "DROP TRIGGER credits_are_kept ON user_subscriptions",
    "real-anyone-adds-credits": "GRANT EXECUTE ON FUNCTION increment_tokens TO public",
}


class Data:
    """The database. Connections are kept and taken in turn."""

    def __init__(self, faults: Faults) -> None:
        self.base = postgres.database("direct_execution")
        self._free: queue.LifoQueue[Connection] = queue.LifoQueue()
        with self.base.connect() as connection:
            connection.execute(_SCHEMA.read_bytes())
            for fault, change in _DEFECTS.items():
                if faults.on(fault):
                    connection.execute(change.encode())
        self.columns = self._columns()

    @contextmanager
    def transaction(self, role: str = "service_role", subject: str = "") -> Iterator[Connection]:
        """Give a connection whose statements run as `role`, on behalf of the user `subject`."""
        connection = self._taken()
        try:
            with connection.transaction():
                connection.execute(
                    "SELECT set_config('role', %s, true), set_config('request.jwt.claim.sub', %s, true)",
                    (role, subject),
                )
                yield connection
        finally:
            self._free.put(connection)

    def run(self, sql: str, *values: object) -> list[Row]:
        """Run one statement as the service and return its rows, if it gives any."""
        with self.transaction() as connection:
            cursor = connection.execute(sql.encode(), [adapted(value) for value in values])
            return cursor.fetchall() if cursor.description else []

    def change(self, generation: str, **columns: object) -> None:
        """Set columns of one generation; those that the table lacks are left out."""
        known = {name: value for name, value in columns.items() if name in self.columns}
        names = ", ".join(f"{name} = %s" for name in known)
        self.run(f"UPDATE generations SET {names} WHERE id = %s", *known.values(), generation)  # noqa: S608  our columns

    def copy(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Fill a table in one go; columns that it lacks are left out."""
        names = [name for name in rows[0] if table != "generations" or name in self.columns]
        with (
            self.base.connect() as connection,
            connection.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row([json.dumps(row[n]) if isinstance(row[n], dict) else row[n] for n in names])

    def _columns(self) -> frozenset[str]:
        found = self.run("SELECT column_name FROM information_schema.columns WHERE table_name = 'generations'")
        return frozenset(row["column_name"] for row in found)

    def _taken(self) -> Connection:
        try:
            return self._free.get_nowait()
        except queue.Empty:
            return psycopg.connect(self.base.owner, autocommit=True, row_factory=dict_row)


def adapted(value: object) -> object:
    """Return a value as psycopg takes it: objects and lists of JSON as jsonb."""
    return Jsonb(value) if isinstance(value, dict | list) else value


def further_output(row: Mapping[str, object]) -> Row:
    """Return the record of a generation's second output, which costs nothing."""
    more = {"id": str(uuid.uuid4()), "parent_generation_id": row["id"], "tokens_used": 0, "tokens_charged": 0}
    return {**row, **more, "created_at": row["updated_at"]}
