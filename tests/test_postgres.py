"""A PostgreSQL is read in one look that agrees with itself, cannot write, and ends on time whatever the server does."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from environments.models import PostgresConfig
from environments.references import SecretRef
from fixtures.database import Database, Snapshot, database
from fixtures.look import NotPermittedError
from fixtures.postgres import Postgres
from fixtures.statements import Statement, StatementError, Token
from fixtures.values import RefutedError, UnseenError, decode, encode
from tests.looks import make_look
from tests.postgres_server import Server, SilencingProxy, postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["postgres_server"]  # a fixture is found by its name here


@pytest.fixture(scope="module")
def server(postgres_server: Server) -> Server:
    """Fill the server: a table, a role that reads it, one that also writes, and a function that hides a write."""
    postgres_server.execute(
        "CREATE ROLE reader LOGIN",
        "CREATE ROLE writer LOGIN",
        "CREATE TABLE models (id int PRIMARY KEY, name text NOT NULL, price numeric)",
        "INSERT INTO models VALUES (1, 'alpha', 0.10), (2, 'beta', NULL), (3, 'gamma', 12345678901234567890.5)",
        "CREATE TABLE secret (word text)",
        "GRANT SELECT ON models TO reader, writer",
        "GRANT INSERT, UPDATE, DELETE ON models TO writer",
        "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql SECURITY DEFINER AS "
        "$$ INSERT INTO models VALUES (99, 'sneaked', 0) RETURNING id $$",
        "REVOKE EXECUTE ON FUNCTION sneak() FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION sneak() TO writer",
        "CREATE FUNCTION loosen() RETURNS text LANGUAGE plpgsql AS "
        "$$ BEGIN SET LOCAL statement_timeout = 0; RETURN 'loosened'; END $$",
        "CREATE FUNCTION doze(s float) RETURNS void LANGUAGE sql AS $$ SELECT pg_sleep(s) $$",
    )
    return postgres_server


@pytest.fixture
def connect(server: Server, tmp_path: Path) -> Callable[..., Database]:
    """Return a maker of databases; keywords go to the look, or to the configuration where it knows them."""

    def make(role: str = "reader", dsn: str | None = None, **given: object) -> Database:
        configured = {
            name: given.pop(name) for name in ("row_limit", "byte_limit", "statement_timeout") if name in given
        }
        config = PostgresConfig(kind="postgres", dsn=dsn or server.dsn(role), **configured)  # type: ignore[arg-type]
        return database(config, make_look(tmp_path, **given))  # type: ignore[arg-type]

    return make


@pytest.fixture
def proxy(server: Server) -> Iterator[SilencingProxy]:
    """Stand between client and server, ready to go silent."""
    between = SilencingProxy(server.socket_path)
    yield between
    between.close()


def kind_of(snapshot: Snapshot, name: str) -> str | None:
    trouble = snapshot.raw_rows[name].trouble
    return None if trouble is None else trouble.kind


def test_named_queries_answer_by_name(connect: Callable[..., Database]) -> None:
    seen = connect().read(
        {
            "models": "SELECT id, name FROM models WHERE id <= :most ORDER BY id",
            "one": "SELECT count(*) AS n FROM models WHERE name LIKE '%a' AND id <> :most -- not :this",
            "none": "SELECT id, name AS called FROM models WHERE false",
        },
        {"most": 2},
    )
    assert list(seen["models"]) == [{"id": 1, "name": "alpha"}, {"id": 2, "name": "beta"}]
    assert seen["models"].column("name") == ("alpha", "beta")
    assert seen["models"].by("id")[2]["name"] == "beta"
    assert seen["one"].only == {"n": 2}
    assert (len(seen["none"]), seen["none"].columns) == (0, ("id", "called"))
    with pytest.raises(LookupError, match="unknown query 'modles'; known: models, one, none"):
        _ = seen["modles"]
    with pytest.raises(RefutedError, match="found 2 rows; expected exactly one"):
        _ = seen["models"].only
    with pytest.raises(RefutedError, match="unknown column nome; known: id, name"):
        seen["models"].column("nome")
    with pytest.raises(RefutedError, match="unknown column id2; known: id, called"):
        seen["none"].column("id2")


def test_a_key_that_two_rows_share_is_no_key(connect: Callable[..., Database]) -> None:
    seen = connect().read({"twice": "VALUES (1, 'a'), (2, 'b'), (1, 'c')"})
    with pytest.raises(RefutedError, match="column column1: 2 rows have 1"):
        seen["twice"].by("column1")


def test_a_snapshot_crosses_processes(connect: Callable[..., Database]) -> None:
    seen = connect().read({"models": "SELECT * FROM models", "bad": "SELECT nothing FROM models"})
    assert decode(encode(seen)) == seen


def test_types_are_read_as_values_that_keep_their_precision(connect: Callable[..., Database]) -> None:
    row = (
        connect()
        .read(
            {
                "types": """
                SELECT 12345678901234567890.10::numeric AS n, '2026-01-02 03:04:05+02'::timestamptz AS t,
                    '2026-01-02 03:04:05'::timestamp AS naive, '2026-01-02'::date AS day,
                    '123e4567-e89b-12d3-a456-426614174000'::uuid AS u, '{"a": [1, 0.1]}'::jsonb AS j,
                    '\\x00ff'::bytea AS b, ARRAY[1, NULL, 3] AS many, ARRAY[0.1, 2]::numeric[] AS exact,
                    interval '1 day 01:00:00.5' AS i, NULL AS nothing, true AS yes, 1.5::float8 AS f,
                    '10.0.0.0/8'::cidr AS net, int4range(1, 5) AS span, 9007199254740993 AS big,
                    ARRAY['123e4567-e89b-12d3-a456-426614174000']::uuid[] AS us
            """
            }
        )["types"]
        .only
    )
    assert row == {
        "n": Decimal("12345678901234567890.10"),
        "t": dt.datetime(2026, 1, 2, 1, 4, 5, tzinfo=dt.UTC),
        "naive": "2026-01-02 03:04:05",
        "day": "2026-01-02",
        "u": "123e4567-e89b-12d3-a456-426614174000",
        "j": {"a": [1, 0.1]},
        "b": b"\x00\xff",
        "many": [1, None, 3],
        "exact": [Decimal("0.1"), Decimal(2)],
        "i": 90000.5,
        "nothing": None,
        "yes": True,
        "f": 1.5,
        "net": "10.0.0.0/8",
        "span": "[1,5)",
        "big": 9007199254740993,
        "us": ["123e4567-e89b-12d3-a456-426614174000"],
    }
    assert isinstance(row["big"], int)


def test_one_query_that_fails_leaves_the_others_standing(connect: Callable[..., Database]) -> None:
    seen = connect(statement_timeout=0.3).read(
        {
            "table": "SELECT * FROM modles",
            "first": "SELECT 1 AS n",
            "column": "SELECT nothing FROM models",
            "function": "SELECT nothing()",
            "denied": "SELECT * FROM secret",
            "slow": "SELECT doze(30)",
            "zero": "SELECT 1 / 0",
            "syntax": "SELECT FROM FROM models",
            "doubled": "SELECT 1 AS a, 2 AS a",
            "lenient": """SELECT '{"a": 1, "a": 2}'::json""",
            "never": "SELECT 'infinity'::timestamptz",
            "last": "SELECT 2 AS n",
        }
    )
    assert (seen["first"].only["n"], seen["last"].only["n"]) == (1, 2)
    assert {name: kind_of(seen, name) for name in seen.raw_rows} == {
        "table": "undefined-table",
        "first": None,
        "column": "undefined-column",
        "function": "undefined-function",
        "denied": "denied",
        "slow": "timeout",
        "zero": "division-by-zero",
        "syntax": "syntax-error",
        "doubled": "ambiguous-column",
        "lenient": "unreadable",
        "never": "unreadable",
        "last": None,
    }
    for reading in (lambda: len(seen["table"]), lambda: list(seen["table"]), lambda: seen["table"].columns):
        with pytest.raises(UnseenError, match='undefined-table: relation "modles" does not exist'):
            reading()


def test_show_and_explain_are_reads(connect: Callable[..., Database]) -> None:
    seen = connect().read({"zone": "SHOW TimeZone", "plan": "EXPLAIN (FORMAT JSON) SELECT * FROM models"})
    assert seen["zone"].only == {"TimeZone": "UTC"}
    assert seen["plan"].only["QUERY PLAN"][0]["Plan"]["Relation Name"] == "models"


def test_all_queries_see_one_state_of_the_data(server: Server, connect: Callable[..., Database]) -> None:
    watching = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%doze(0.6)%' AND pid <> pg_backend_pid()"

    def insert_meanwhile() -> None:
        until = time.monotonic() + 5
        while server.execute(watching) == [(0,)] and time.monotonic() < until:
            time.sleep(0.02)
        server.execute("INSERT INTO models VALUES (50, 'late', 1)")

    thread = threading.Thread(target=insert_meanwhile)
    thread.start()
    counted = "SELECT count(*) AS n FROM models"
    seen = connect().read({"before": counted, "wait": "SELECT doze(0.6)", "after": counted})
    thread.join()
    assert server.execute("DELETE FROM models WHERE id = 50 RETURNING id") == [(50,)]
    assert seen["before"].only == seen["after"].only == {"n": 3}
    assert seen.consistent


def test_the_database_says_who_it_is_and_what_time_it_has(server: Server, connect: Callable[..., Database]) -> None:
    seen = connect().read({"one": "SELECT 1"})
    assert seen.identity["system_identifier"] == str(
        server.execute("SELECT system_identifier FROM pg_control_system()")[0][0]
    )
    assert (seen.identity["database"], seen.identity["role"]) == ("postgres", "reader")
    assert seen.identity["server_version"].split(".")[0].isdigit()
    assert seen.clock.tzinfo == dt.UTC
    assert abs(seen.offset_s) <= seen.offset_uncertainty_s + 0.05  # one machine, one clock
    assert 0 < seen.offset_uncertainty_s < 1
    assert seen.replica_lag_s == 0


def test_a_provider_that_hides_the_system_identifier_hides_nothing_else(
    server: Server, connect: Callable[..., Database]
) -> None:
    server.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    try:
        seen = connect().read({"one": "SELECT 1 AS n"})
    finally:
        server.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
    assert "system_identifier" not in seen.identity
    assert seen["one"].only == {"n": 1}


def test_what_the_role_could_do_is_reported(connect: Callable[..., Database]) -> None:
    reader, writer = (connect(role).read({"one": "SELECT 1"}) for role in ("reader", "writer"))
    assert (reader.role_can_write, reader.definer_functions) == (False, ())
    assert (writer.role_can_write, writer.definer_functions) == (True, ("sneak()",))


def test_a_column_that_may_be_updated_is_a_right_to_write(server: Server, connect: Callable[..., Database]) -> None:
    server.execute("CREATE ROLE editor LOGIN", "GRANT UPDATE (name) ON models TO editor")
    assert connect("editor").read({"one": "SELECT 1"}).role_can_write


def test_a_function_that_runs_as_its_owner_cannot_write(server: Server, connect: Callable[..., Database]) -> None:
    seen = connect("writer").read({"sneak": "SELECT sneak()", "after": "SELECT count(*) AS n FROM models"})
    assert kind_of(seen, "sneak") == "read-only-sql-transaction"
    assert seen["after"].only == {"n": 3}
    assert server.execute("SELECT count(*) FROM models") == [(3,)]


@pytest.mark.parametrize(
    "hostile", ["SELECT 1; COMMIT; INSERT INTO models VALUES (77, 'x', 1)", "SELECT 1; SET statement_timeout = 0"]
)
def test_the_protocol_itself_takes_one_statement(
    server: Server, connect: Callable[..., Database], hostile: str
) -> None:
    instrument = connect("writer")
    assert isinstance(instrument, Postgres)
    with pytest.raises(StatementError, match="several statements"):
        instrument.read({"hostile": hostile})
    # Behind the reading of statements the protocol is a second wall.
    connection = instrument._connect()
    try:
        rows = instrument._fetched
        with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
            rows(connection, hostile, ())
    finally:
        connection.close()
    assert server.execute("SELECT count(*) FROM models WHERE id = 77") == [(0,)]


def test_a_change_is_one_statement_by_protocol_too(server: Server, connect: Callable[..., Database]) -> None:
    hostile = "UPDATE models SET name = name WHERE id = 1; DELETE FROM models WHERE id = 1"
    unread = Statement(dialect="postgres", tokens=(Token(kind="word", text=hostile),))
    change = connect("writer", permits=("read_only", "writes"))._change(unread, {})
    assert change.trouble is not None
    assert change.trouble.kind == "syntax-error"
    assert server.execute("SELECT count(*) FROM models WHERE id = 1") == [(1,)]


def test_a_query_that_loosens_the_guards_spoils_the_snapshot(connect: Callable[..., Database]) -> None:
    seen = connect().read({"loosen": "SELECT loosen()", "one": "SELECT 1"})
    with pytest.raises(UnseenError, match="a query changed the settings statement_timeout"):
        _ = seen["one"]


def test_rows_and_bytes_are_limited_for_each_query(connect: Callable[..., Database]) -> None:
    seen = connect(row_limit=1000, byte_limit=100_000).read(
        {
            "rows": "SELECT n FROM generate_series(1, 1001) AS n",
            "endless": "SELECT 1 AS n FROM generate_series(1, 20000) AS a, generate_series(1, 50000) AS b",
            "bytes": "SELECT repeat('x', 10000) FROM generate_series(1, 999)",
            "fits": "SELECT n FROM generate_series(1, 1000) AS n",
        }
    )
    assert [kind_of(seen, name) for name in ("rows", "endless", "bytes")] == ["oversized"] * 3
    assert len(seen["fits"]) == 1000


def test_the_deadline_holds_for_a_query_that_takes_its_time(connect: Callable[..., Database]) -> None:
    started = time.monotonic()
    seen = connect(seconds=0.8).read({"one": "SELECT 1 AS n", "slow": "SELECT doze(30)", "later": "SELECT 2"})
    assert time.monotonic() - started < 0.8 + 0.5
    assert seen.trouble is None or seen.trouble.kind == "timeout"
    assert [kind_of(seen, name) for name in ("slow", "later")] == ["timeout", "timeout"]


def test_the_server_is_told_to_stop(server: Server, connect: Callable[..., Database]) -> None:
    connect(seconds=0.6).read({"slow": "SELECT doze(31)"})
    left = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%doze(31)%' AND pid <> pg_backend_pid()"
    until = time.monotonic() + 5
    while server.execute(left) != [(0,)] and time.monotonic() < until:
        time.sleep(0.05)
    assert server.execute(left) == [(0,)]


def test_a_black_hole_before_the_first_answer_ends_at_the_deadline(
    server: Server, connect: Callable[..., Database], proxy: SilencingProxy
) -> None:
    proxy.silent.set()
    started = time.monotonic()
    seen = connect(dsn=server.dsn("reader", host="127.0.0.1", port=proxy.port), seconds=0.7).read({"one": "SELECT 1"})
    assert time.monotonic() - started < 0.7 + 0.5
    with pytest.raises(UnseenError, match="timeout"):
        _ = seen.clock


def test_a_black_hole_in_the_middle_of_a_query_ends_at_the_deadline(
    server: Server, connect: Callable[..., Database], proxy: SilencingProxy
) -> None:
    timer = threading.Timer(0.4, proxy.silent.set)
    timer.start()
    started = time.monotonic()
    seen = connect(dsn=server.dsn("reader", host="127.0.0.1", port=proxy.port), seconds=1).read(
        {"one": "SELECT 1 AS n", "swallowed": "SELECT doze(0.6)"}
    )
    assert time.monotonic() - started < 1 + 0.5
    assert seen["one"].only == {"n": 1}
    assert kind_of(seen, "swallowed") == "timeout"


def test_a_connection_that_breaks_is_told_from_one_that_is_slow(
    server: Server, connect: Callable[..., Database], proxy: SilencingProxy
) -> None:
    timer = threading.Timer(0.4, proxy.close)
    timer.start()
    seen = connect(dsn=server.dsn("reader", host="127.0.0.1", port=proxy.port)).read(
        {"one": "SELECT 1 AS n", "cut": "SELECT doze(1)", "later": "SELECT 2"}
    )
    assert seen["one"].only == {"n": 1}
    assert [kind_of(seen, name) for name in ("cut", "later")] == ["reset", "reset"]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"port": 1, "host": "127.0.0.1"}, "refused"),
        ({"user": "nobody-we-know"}, "denied"),
        ({"dbname": "no-such-database"}, "undefined-database"),
        ({"host": "no-such-host.invalid"}, "dns"),
    ],
)
def test_why_no_connection_was_made(
    server: Server, connect: Callable[..., Database], more: dict[str, str | int], kind: str
) -> None:
    password = secrets.token_hex(12)
    dsn = server.dsn(**{"role": str(more.pop("user", "reader")), "password": password, **more})  # type: ignore[arg-type]
    seen = connect(dsn=dsn).read({"one": "SELECT 1"})
    assert seen.trouble is not None
    assert seen.trouble.kind in ({kind, "timeout", "unreachable"} if kind == "dns" else {kind})
    assert password not in str(seen)
    for guarded in ("clock", "definer_functions", "role_can_write", "consistent"):
        with pytest.raises(UnseenError):
            getattr(seen, guarded)


@pytest.mark.parametrize("dsn", ["postgresql://u:{}@[h", "host= password={} =", "password={}", ""])
def test_a_dsn_that_is_none_is_not_quoted(tmp_path: Path, dsn: str) -> None:
    password = secrets.token_hex(12)
    config = PostgresConfig(kind="postgres", dsn=dsn.format(password))
    seen = database(config, make_look(tmp_path)).read({"one": "SELECT 1"})
    assert seen.trouble is not None
    assert seen.trouble.kind == "dsn"
    assert password not in str(seen)


def test_the_dsn_may_be_a_secret(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_DSN", server.dsn("reader"))
    config = PostgresConfig(kind="postgres", dsn=SecretRef(env="THE_DSN"))
    assert database(config, make_look(tmp_path)).read({"one": "SELECT 1 AS n"})["one"].only == {"n": 1}


def test_our_connection_can_be_told_by_its_name_and_guards(connect: Callable[..., Database]) -> None:
    seen = connect().read(
        {
            "guards": """
                SELECT current_setting('application_name') AS name, current_setting('transaction_isolation') AS i,
                    current_setting('transaction_read_only') AS r, current_setting('lock_timeout') AS l,
                    current_setting('idle_in_transaction_session_timeout') AS idle
            """
        }
    )
    assert seen["guards"].only == {
        "name": "shakedown shk-test",
        "i": "repeatable read",
        "r": "on",
        "l": "2s",
        "idle": "5s",
    }


def test_a_change_needs_its_permit_and_says_how_much_changed(server: Server, connect: Callable[..., Database]) -> None:
    with pytest.raises(NotPermittedError, match="needs the permit 'writes'"):
        connect("writer").execute("INSERT INTO models VALUES (60, 'x', 1)")
    may = connect("writer", permits=("read_only", "writes"))
    inserted = may.execute("INSERT INTO models VALUES (:id, :name, 1), (61, 'y', 1)", {"id": 60, "name": "x"})
    assert inserted.changed == 2
    assert may.execute("UPDATE models SET name = name WHERE 1 = 0").changed == 0
    with pytest.raises(NotPermittedError, match="needs the permit 'destructive'"):
        may.execute("DELETE FROM models")
    assert may.execute("DELETE FROM models WHERE id >= :from AND id < 70", {"from": 60}).changed == 2
    owner = connect("postgres", permits=("read_only", "destructive"))
    assert owner.execute("CREATE TABLE scratch (id int)").changed == 0
    assert owner.execute("DROP TABLE scratch").changed == 0
    assert server.execute("SELECT count(*) FROM models") == [(3,)]


def test_a_change_that_is_refused_is_a_trouble(connect: Callable[..., Database]) -> None:
    may = connect("reader", permits=("read_only", "writes"))
    refused = may.execute("INSERT INTO models VALUES (60, 'x', 1)")
    assert refused.trouble is not None
    assert refused.trouble.kind == "denied"
    with pytest.raises(UnseenError):
        _ = refused.changed


def test_a_change_around_a_select_counts_nothing(connect: Callable[..., Database]) -> None:
    may = connect("writer", permits=("read_only", "writes"))
    changed = may.execute("WITH gone AS (DELETE FROM models WHERE id = 1000 RETURNING id) SELECT count(*) FROM gone")
    with pytest.raises(UnseenError, match="does not say how many rows changed"):
        _ = changed.changed


def test_a_change_without_an_answer_is_unknown_and_sent_once(
    server: Server, connect: Callable[..., Database], proxy: SilencingProxy
) -> None:
    threading.Timer(0.4, proxy.silent.set).start()
    may = connect(
        dsn=server.dsn("writer", host="127.0.0.1", port=proxy.port), permits=("read_only", "writes"), seconds=1
    )
    started = time.monotonic()
    change = may.execute("UPDATE models SET name = name WHERE id = 1 AND doze(0.6) IS NOT NULL")
    assert time.monotonic() - started < 1 + 0.5
    assert change.trouble is not None
    assert change.trouble.kind == "timeout"
