"""The figures of `database_figures`, asked by a peer as a whole process; run by the Python of the peer's own folder.

python benchmarks/database_asking.py soda|great_expectations HOST USER DATABASE

Prints what it found, as JSON. Each peer asks by the checks that it has built in. The worst five minutes are no check of
either: soda-core asks for them by a query of its user, Great Expectations only whether any are beyond a limit. HOST is
the folder of the server's socket.
"""

from __future__ import annotations

import json
import sys

END = "timestamptz '2026-02-01 00:00+00'"
SPANS = {"hour": f"{END} - interval '1 hour'", "day": f"{END} - interval '1 day'"}
WORST = (
    "SELECT max(bad) AS worst FROM (SELECT avg((status = 'failed')::int) AS bad FROM generations "
    "WHERE created_at >= {start} AND created_at < {end} "
    "GROUP BY date_bin('5 min', created_at, timestamptz '2026-01-01 00:00+00')) AS windows"
)
BAD = (
    "SELECT 1 FROM {batch} GROUP BY date_bin('5 min', created_at, timestamptz '2026-01-01 00:00+00') "
    "HAVING avg((status = 'failed')::int) > 0.5"
)
SODA = """
filter generations [{span}]:
  where: created_at >= {start} AND created_at < {end}
checks for generations [{span}]:
  - row_count > 0:
      name: {span} count
  - invalid_percent(status) < 100:
      name: {span} failed
      valid values: [completed]
  - percentile(duration_ms, 0.5) > 0:
      name: {span} p50
  - percentile(duration_ms, 0.95) > 0:
      name: {span} p95
  - duplicate_count(model) > 0:
      name: {span} models
  - {span}_worst < 100:
      name: {span} worst
      {span}_worst query: |
        {worst}
"""


def soda(host: str, user: str, database: str) -> dict[str, float]:
    """Ask by a scan of soda-core."""
    from soda.scan import Scan  # type: ignore[import-not-found]  # noqa: PLC0415 - it lives in a folder of its own

    scan = Scan()
    scan.disable_telemetry()
    scan.set_data_source_name("figures")
    scan.add_configuration_yaml_str(
        f"data_source figures:\n  type: postgres\n  host: {host}\n  username: {user}\n  password: unused\n"
        f"  database: {database}\n  schema: public\n"
    )
    for span, start in SPANS.items():
        scan.add_sodacl_yaml_str(SODA.format(span=span, start=start, end=END, worst=WORST.format(start=start, end=END)))
    scan.execute()
    scan.assert_no_error_logs()
    found = {check.name: check.check_value for check in scan._checks}  # noqa: SLF001 - its results leave the value out
    return {name: float(number) / (100 if name.endswith("failed") else 1) for name, number in found.items()}


def great_expectations(host: str, user: str, database: str) -> dict[str, float]:
    """Ask by a suite of Great Expectations for each of the two windows."""
    import great_expectations as gx  # type: ignore[import-not-found]  # noqa: PLC0415 - likewise

    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_sql(
        "figures", connection_string=f"postgresql+psycopg2://{user}@/{database}?host={host}"
    )
    context.variables.progress_bars = {"globally": False}
    found: dict[str, float] = {}
    for span, start in SPANS.items():
        rows = f"SELECT * FROM generations WHERE created_at >= {start} AND created_at < {END}"  # noqa: S608  constants
        batch = source.add_query_asset(name=span, query=rows).add_batch_definition_whole_table("whole").get_batch()
        quantiles = {"quantiles": [0.5, 0.95], "value_ranges": [[0, None], [0, None]]}
        suite = gx.ExpectationSuite(
            name=span,
            expectations=[
                gx.expectations.ExpectTableRowCountToBeBetween(min_value=1),
                gx.expectations.ExpectColumnValuesToBeInSet(column="status", value_set=["completed"], mostly=0.5),
                gx.expectations.ExpectColumnQuantileValuesToBeBetween(column="duration_ms", quantile_ranges=quantiles),
                gx.expectations.ExpectColumnUniqueValueCountToBeBetween(column="model", min_value=1),
                gx.expectations.UnexpectedRowsExpectation(unexpected_rows_query=BAD),
            ],
        )
        results = batch.validate(suite, result_format="SUMMARY").results
        told = {one.expectation_config.type: one.result for one in results}
        p50, p95 = told["expect_column_quantile_values_to_be_between"]["observed_value"]["values"]
        found |= {
            f"{span} count": told["expect_table_row_count_to_be_between"]["observed_value"],
            f"{span} failed": told["expect_column_values_to_be_in_set"]["unexpected_percent"] / 100,
            f"{span} p50": p50,
            f"{span} p95": p95,
            f"{span} models": told["expect_column_unique_value_count_to_be_between"]["observed_value"],
        }
        if told["unexpected_rows_expectation"]["observed_value"] != 0:
            raise SystemExit(f"{span}: a bad five minutes where there was none")
    return found


def main() -> None:
    """Ask, and print."""
    who, *where = sys.argv[1:]
    asked = {"soda": soda, "great_expectations": great_expectations}[who]
    print(json.dumps(asked(*where)))


if __name__ == "__main__":
    main()
