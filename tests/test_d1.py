"""D1's HTTP API, in the shapes that its reference documents, over a real SQLite behind a real HTTP server."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import http.server
import json
import secrets
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from environments.models import D1Config
from environments.references import SecretRef
from fixtures.database import Database, database
from fixtures.look import NotPermittedError
from fixtures.statements import StatementError
from fixtures.values import UnseenError, decode, encode
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answering = Callable[[str], tuple[int, Any]]

PATH = "/client/v4/accounts/acc%2F1/d1/database/db-1/query"


class Api(http.server.ThreadingHTTPServer):
    """Answers as D1 does. asked: the SQL of every request; answering: replaces the next answers when set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = secrets.token_hex(16)
        self.asked: list[str] = []
        self.answering: Answering | None = None
        self.rows = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.rows.execute("CREATE TABLE models (model_id TEXT PRIMARY KEY, status TEXT NOT NULL, price REAL)")
        self.rows.execute("INSERT INTO models VALUES ('a', 'active', 0.5), ('b', 'beta', NULL)")

    def answer(self, sql: str) -> tuple[int, Any]:
        """Return status and body for one request, all or nothing."""
        statements = [part for part in sql.split(";\n") if part.strip()]
        self.rows.execute("BEGIN")
        try:
            results = [self._result(statement) for statement in statements]
        except sqlite3.Error as error:
            self.rows.execute("ROLLBACK")
            return 400, failure(7500, f"{error}: SQLITE_ERROR")
        self.rows.execute("COMMIT")
        return 200, {"result": results, "errors": [], "messages": [], "success": True}

    def _result(self, statement: str) -> dict[str, Any]:
        cursor = self.rows.execute(statement)
        found = [
            {column[0]: cell for column, cell in zip(cursor.description, row, strict=True)} for row in cursor.fetchall()
        ]
        meta = {
            "served_by_region": "EEUR",
            "served_by_primary": True,
            "duration": 0.2,
            "changes": max(0, cursor.rowcount),
        }
        return {"results": found, "success": True, "meta": meta}


def failure(code: int, message: str) -> dict[str, Any]:
    return {"result": [], "errors": [{"code": code, "message": message}], "messages": [], "success": False}


class Handler(http.server.BaseHTTPRequestHandler):
    """Checks the token and the path, and leaves the rest to the server."""

    server: Api

    def do_POST(self) -> None:
        """Answer one query."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer: Any
        if self.headers["Authorization"] != f"Bearer {self.server.token}":
            status, answer = 401, failure(10000, "Authentication error")
        elif self.path != PATH:
            status, answer = 404, failure(7404, "The database could not be found")
        else:
            self.server.asked.append(body["sql"])
            status, answer = (self.server.answering or self.server.answer)(body["sql"])
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def api() -> Iterator[Api]:
    """Serve the API for one test."""
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    server.rows.close()


@pytest.fixture
def connect(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Database]:
    """Return a maker of databases; keywords go to the configuration where it knows them, else to the look."""
    monkeypatch.setenv("D1_TOKEN", api.token)
    monkeypatch.setenv("D1_ACCOUNT", "acc/1")

    def make(**given: object) -> Database:
        fields: dict[str, Any] = {
            "api": f"http://127.0.0.1:{api.server_port}/client/v4",
            "account": SecretRef(env="D1_ACCOUNT"),
            "database": "db-1",
            "token": SecretRef(env="D1_TOKEN"),
        }
        known = {name: given.pop(name) for name in D1Config.model_fields if name in given}
        return database(D1Config(kind="d1", **{**fields, **known}), make_look(tmp_path, **given))  # type: ignore[arg-type]

    return make


def test_all_queries_and_the_clock_go_in_one_request(api: Api, connect: Callable[..., Database]) -> None:
    seen = connect().read(
        {
            "models": "SELECT model_id, status, price FROM models ORDER BY 1; -- all",
            "one": "SELECT count(*) AS n FROM models WHERE status = :status AND model_id <> 'x;y'",
            "columns": "PRAGMA table_info(models)",
            "none": "SELECT model_id FROM models WHERE 0",
        },
        {"status": "active"},
    )
    assert len(api.asked) == 1
    assert seen["models"].columns == ("model_id", "status", "price")
    assert seen["models"].by("model_id") == {
        "a": {"model_id": "a", "status": "active", "price": 0.5},
        "b": {"model_id": "b", "status": "beta", "price": None},
    }
    assert seen["one"].only == {"n": 1}
    assert seen["columns"].column("name") == ("model_id", "status", "price")
    assert (len(seen["none"]), seen["none"].columns, seen["none"].column("model_id")) == (0, (), ())
    assert seen.consistent
    assert decode(encode(seen)) == seen


def test_the_database_says_what_it_can_and_no_more(connect: Callable[..., Database]) -> None:
    seen = connect().read({"one": "SELECT 1 AS n"})
    assert seen.identity == {"database": "db-1", "region": "EEUR"}
    assert seen.clock.tzinfo is not None
    assert abs(seen.clock - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)
    assert abs(seen.offset_s) <= seen.offset_uncertainty_s + 0.01  # SQLite's clock has milliseconds
    assert (seen.replica_lag_s, seen.definer_functions) == (0, ())
    with pytest.raises(UnseenError, match="role_can_write: this database does not say"):
        _ = seen.role_can_write


def test_one_query_that_fails_is_found_by_asking_one_by_one(api: Api, connect: Callable[..., Database]) -> None:
    seen = connect().read(
        {
            "good": "SELECT count(*) AS n FROM models",
            "table": "SELECT * FROM modles",
            "column": "SELECT absent FROM models",
            "syntax": "SELECT FROM FROM models",
            "function": "SELECT absent()",
        }
    )
    assert len(api.asked) == 1 + 1 + 5
    assert seen["good"].only == {"n": 2}
    kinds = {name: rows.trouble and rows.trouble.kind for name, rows in seen.raw_rows.items()}
    assert kinds == {
        "good": None,
        "table": "undefined-table",
        "column": "undefined-column",
        "syntax": "syntax-error",
        "function": "undefined-function",
    }
    assert not seen.consistent
    with pytest.raises(UnseenError, match=r"undefined-table: .*no such table: modles"):
        len(seen["table"])


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (401, failure(10000, "Authentication error"), "denied"),
        (404, failure(7404, "not found"), "undefined-database"),
        (429, failure(971, "slow down"), "throttled"),
        (502, b"<html>bad gateway</html>", "unavailable"),
        (200, b"{", "sql-error"),
        (200, {"success": True, "result": [], "errors": [], "messages": []}, "protocol"),
        (200, {"success": True, "result": [{"success": False}] * 2, "errors": [], "messages": []}, "protocol"),
        (200, {"success": False, "result": [{}, {}], "errors": [], "messages": []}, "sql-error"),
        (200, [1], "sql-error"),
    ],
)
def test_an_answer_that_is_none_is_no_sight(
    api: Api, connect: Callable[..., Database], status: int, answer: object, kind: str
) -> None:
    api.answering = lambda _sql: (status, answer)
    seen = connect().read({"one": "SELECT 1 AS n"})
    assert seen.trouble is not None
    assert seen.trouble.kind == kind
    with pytest.raises(UnseenError, match=kind):
        _ = seen["one"]


@pytest.mark.parametrize("rows", [None, {}, [1], [{"a": 1}, {"b": 2}], [{"a": 1}, {"a": 1, "b": 2}]])
def test_rows_of_another_shape_are_no_rows(api: Api, connect: Callable[..., Database], rows: object) -> None:
    results = [{"success": True, "results": [{"clock": "soon"}]}, {"success": True, "results": rows}]
    api.answering = lambda _sql: (200, {"success": True, "result": results, "errors": [], "messages": []})
    seen = connect().read({"one": "SELECT 1 AS n"})
    with pytest.raises(UnseenError, match="protocol"):
        len(seen["one"])
    with pytest.raises(UnseenError, match="clock: this database does not say"):
        _ = seen.clock


def test_more_rows_than_allowed_are_a_trouble_of_their_query(connect: Callable[..., Database]) -> None:
    seen = connect(row_limit=1).read({"many": "SELECT * FROM models", "few": "SELECT * FROM models LIMIT 1"})
    assert seen.raw_rows["many"].trouble is not None
    assert seen.raw_rows["many"].trouble.kind == "oversized"
    assert len(seen["few"]) == 1


def test_the_deadline_holds(api: Api, connect: Callable[..., Database]) -> None:
    def dawdle(sql: str) -> tuple[int, Any]:
        time.sleep(1.2)
        return api.answer(sql)

    api.answering = dawdle
    started = time.monotonic()
    seen = connect(seconds=0.5).read({"one": "SELECT 1 AS n"})
    assert time.monotonic() - started < 0.5 + 0.5
    assert seen.trouble is not None
    assert seen.trouble.kind == "timeout"


def test_a_statement_that_does_not_only_read_is_not_sent(api: Api, connect: Callable[..., Database]) -> None:
    for hostile in ("DELETE FROM models", "WITH x AS (SELECT 1) DELETE FROM models", "SELECT 1; DELETE FROM models"):
        with pytest.raises(StatementError):
            connect().read({"hostile": hostile})
    with pytest.raises(StatementError, match="parameter status: no query of one uses it; used: none"):
        connect().read({"one": "SELECT 1"}, {"status": "x"})
    assert api.asked == []


def test_a_change_needs_its_permit_and_is_journaled_before_it_is_sent(
    api: Api, connect: Callable[..., Database], tmp_path: Path
) -> None:
    with pytest.raises(NotPermittedError, match="needs the permit 'writes'"):
        connect().execute("UPDATE models SET status = 'x' WHERE model_id = 'a'")
    assert api.asked == []
    steps: list[tuple[str, int]] = []
    look = dataclasses.replace(
        make_look(tmp_path, permits=("read_only", "writes")), step=lambda text: steps.append((text, len(api.asked)))
    )
    made = connect()
    made._look = look
    changed = made.execute("UPDATE models SET status = :to WHERE model_id IN ('a', 'b')", {"to": "it's"})
    assert changed.changed == 2
    assert ("UPDATE models SET status = :to WHERE model_id IN ('a', 'b')", 0) in steps
    assert made.execute("UPDATE models SET status = status WHERE 1 = 0").changed == 0
    assert made.read({"now": "SELECT DISTINCT status FROM models"})["now"].only == {"status": "it's"}


def test_a_change_that_is_refused_is_a_trouble(api: Api, connect: Callable[..., Database]) -> None:
    may = connect(permits=("read_only", "writes"))
    doubled = may.execute("INSERT INTO models VALUES ('a', 'active', 1)")
    assert doubled.trouble is not None
    assert doubled.trouble.kind == "constraint-violation"
    api.answering = lambda _sql: (403, failure(10000, "not allowed to write"))
    with pytest.raises(UnseenError, match="denied"):
        _ = may.execute("UPDATE models SET status = status WHERE 1 = 0").changed


def test_no_token_stands_in_what_was_seen(api: Api, connect: Callable[..., Database]) -> None:
    for wrong in (connect(database="other"), connect(token="x" * 20), connect()):
        assert api.token not in repr(wrong.read({"one": "SELECT 1 AS n"}))
