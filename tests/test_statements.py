"""A statement that only looks is told from one that does not, and what cannot be told is refused."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.statements import StatementError, literal, parse_change, parse_read

READS = [
    "SELECT 1",
    "select a, replace(b, 'x', 'y') from t where c = 'DELETE FROM t; drop table t' -- ; insert",
    'WITH x AS (SELECT "update" FROM t) SELECT * FROM x;',
    "/* first */ VALUES (1), (2) ; ",
    "EXPLAIN SELECT 1",
]
REFUSED_READS = [
    ("", "no statement"),
    ("-- nothing", "no statement|starts with no word"),
    ("INSERT INTO t VALUES (1)", "starts with INSERT"),
    ("SELECT 1; SELECT 2", "several statements"),
    ("SELECT ';' ; COMMIT", "several statements"),
    ("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "DELETE in a read"),
    ("WITH x AS (SELECT 1) REPLACE INTO t SELECT * FROM x", "INTO in a read"),
    ("SELECT * INTO copy FROM t", "INTO in a read"),
    ("SELECT * FROM t FOR UPDATE", "UPDATE in a read"),
    ("EXPLAIN ANALYZE EXECUTE prepared", "EXECUTE in a read"),
    ("SELECT 'unclosed", "cannot be read with certainty"),
    ('SELECT "unclosed', "cannot be read with certainty"),
    ("SELECT 1 /* unclosed", "cannot be read with certainty"),
    ("SELECT 1 /* /* nested */ ' */ ; DELETE FROM t --'", "cannot be read with certainty"),
    ("SELECT 1 -- \r; DELETE FROM t", "carriage return"),
    ("SELECT 1\x00", "zero byte"),
    ("BEGIN", "starts with BEGIN"),
    ("(SELECT 1)", "starts with no word"),
]
ACTING = [
    "pg_sleep(1)",
    "PG_SLEEP_FOR('1 s')",
    "pg_catalog.pg_advisory_lock(1)",
    'pg_catalog . "pg_advisory_xact_lock" /* so far away */ (1)',
    "pg_try_advisory_lock(1)",
    "set_config('statement_timeout', '0', false)",
    "dblink('host=x', 'DELETE FROM t')",
    "lo_import('/etc/passwd')",
    "pg_notify('a', 'b')",
    "pg_terminate_backend(1)",
    "query_to_xml('DELETE FROM t', true, true, '')",
    "nextval('s')",
    "load_extension('x')",
]


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
@pytest.mark.parametrize("text", READS)
def test_a_read_is_one(text: str, dialect: str) -> None:
    assert parse_read(text, dialect).text.startswith(text.strip(" ;")[:6])  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
@pytest.mark.parametrize(("text", "reason"), REFUSED_READS)
def test_anything_else_is_none(text: str, reason: str, dialect: str) -> None:
    with pytest.raises(StatementError, match=reason):
        parse_read(text, dialect)  # type: ignore[arg-type]


@pytest.mark.parametrize("call", ACTING)
def test_functions_that_act_are_refused_in_reads_and_changes(call: str) -> None:
    with pytest.raises(StatementError, match="; allowed: functions that only compute"):
        parse_read(f"SELECT {call}", "postgres")
    with pytest.raises(StatementError, match="; allowed: functions that only compute"):
        parse_change(f"WITH {call} AS x", "postgres")


def test_a_column_may_be_called_like_a_function_that_acts() -> None:
    assert parse_read("SELECT pg_sleep FROM t WHERE lo_x = ':no' AND (a)", "postgres").parameters == ()


@pytest.mark.parametrize(
    "text", [r"SELECT E'it\'s; ok'", "SELECT $$ ; DELETE $$", "SELECT $tag$ $$ ; $tag$", "SELECT a[1] FROM t"]
)
def test_quoting_that_only_one_database_knows_is_read_for_that_one(text: str) -> None:
    assert parse_read(text, "postgres").text == text
    with pytest.raises(StatementError, match="cannot be read with certainty"):
        parse_read(text, "sqlite")


def test_escaped_identifiers_are_refused() -> None:
    with pytest.raises(StatementError, match="cannot be read with certainty"):
        parse_read(r'SELECT U&"pg\005fsleep"(1)', "postgres")


@pytest.mark.parametrize("text", ["PRAGMA table_info(models)", "pragma index_list('models')"])
def test_pragmas_that_look_are_reads_of_sqlite_alone(text: str) -> None:
    assert parse_read(text, "sqlite").verb == "PRAGMA"
    with pytest.raises(StatementError, match="starts with PRAGMA"):
        parse_read(text, "postgres")


@pytest.mark.parametrize("text", ["PRAGMA journal_mode", "PRAGMA user_version = 3", "PRAGMA table_info = 1", "PRAGMA"])
def test_pragmas_that_set_are_refused(text: str) -> None:
    with pytest.raises(StatementError, match="allowed pragmas"):
        parse_read(text, "sqlite")


@pytest.mark.parametrize(
    ("text", "permit"),
    [
        ("INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", "writes"),
        ("UPDATE t SET a = 1 WHERE b = 2", "writes"),
        ("DELETE FROM t WHERE b = 2", "writes"),
        ("UPDATE t SET a = 1", "destructive"),
        ("DELETE FROM t -- WHERE b = 2", "destructive"),
        ("DROP TABLE t", "destructive"),
        ("TRUNCATE t", "destructive"),
        ("CREATE TABLE t (a int)", "destructive"),
    ],
)
def test_a_change_names_the_permit_it_needs(text: str, permit: str) -> None:
    assert parse_change(text, "postgres")[1] == permit


@pytest.mark.parametrize(
    "verb",
    [
        "SET",
        "RESET",
        "LOCK",
        "COPY",
        "NOTIFY",
        "LISTEN",
        "DO",
        "CALL",
        "BEGIN",
        "COMMIT",
        "PREPARE",
        "VACUUM",
        "SELECT",
    ],
)
def test_what_changes_no_rows_and_no_schema_is_never_sent(verb: str) -> None:
    with pytest.raises(StatementError, match=f"starts with {verb}"):
        parse_change(f"{verb} something", "postgres")


def test_parameters_become_numbered_placeholders() -> None:
    statement = parse_read("SELECT :b::text, ':b', a[1 : 2] FROM t WHERE c = :a AND d = :b -- :c", "postgres")
    sql, values = statement.bound({"a": 1, "b": 2, "unused": 3})
    assert sql == "SELECT $1::text, ':b', a[1 : 2] FROM t WHERE c = $2 AND d = $1"
    assert values == (2, 1)
    with pytest.raises(StatementError, match="unknown parameter :b; known: a"):
        statement.bound({"a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, "a\x00b", [1], object])
def test_a_value_without_an_exact_literal_is_refused(value: object) -> None:
    with pytest.raises(StatementError, match="parameter :p: found"):
        literal("p", value)


@given(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=40)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
)
def test_a_literal_is_read_back_by_sqlite_as_the_same_value(value: object) -> None:
    sql = parse_read("SELECT 1 -:p, :p /* :p */ AS p", "sqlite").inlined({"p": value})
    with sqlite3.connect(":memory:") as connection:
        found = connection.execute(sql).fetchone()[1]
    connection.close()
    # SQLite itself reads the last of seventeen digits of some floats one off.
    assert found == (pytest.approx(value, rel=1e-15) if isinstance(value, float) else value)
