"""D1 through the real wrangler and its local copy of a database; nothing here needs the network."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from environments.models import WranglerConfig
from environments.references import SecretRef
from fixtures.database import Database, database
from fixtures.program import SecretArgumentError
from fixtures.values import UnseenError
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable

WRANGLER = Path(__file__).parent.parent / ".tools" / "node" / "node_modules" / ".bin" / "wrangler"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a worker's folder with a wrangler.toml; its local database starts empty."""
    assert WRANGLER.exists(), f"{WRANGLER} is missing; `make tools` installs it"
    made = tmp_path_factory.mktemp("worker")
    (made / "home").mkdir()
    (made / "wrangler.toml").write_text(
        'name = "probe"\ncompatibility_date = "2025-01-01"\n[[d1_databases]]\nbinding = "DB"\n'
        'database_name = "configs"\ndatabase_id = "11111111-2222-3333-4444-555555555555"\n',
        encoding="utf-8",
    )
    return made


@pytest.fixture
def connect(folder: Path, tmp_path: Path) -> Callable[..., Database]:
    """Return a maker of databases over the real wrangler."""

    def make(*permits: str, name: str = "configs", remote: bool = False) -> Database:
        config = WranglerConfig(
            kind="wrangler",
            program=(str(WRANGLER),),
            database=name,
            remote=remote,
            directory=str(folder),
            variables={"HOME": str(folder / "home")},  # no login of ours
        )
        return database(config, make_look(tmp_path, permits=("read_only", *permits), seconds=60))

    return make


@pytest.fixture
def pretending(tmp_path: Path) -> Callable[..., Database]:
    """Return a maker of databases over a program that prints what it is told and records its arguments."""

    def make(*, stdout: str = "", stderr: str = "", status: int = 0, remote: bool = True) -> Database:
        source = (
            "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open('called.json', 'w'));"
            f"sys.stdout.write({stdout!r}); sys.stderr.write({stderr!r}); sys.exit({status})"
        )
        config = WranglerConfig(
            kind="wrangler",
            program=(sys.executable, "-c", source),
            database="configs",
            remote=remote,
            directory=str(tmp_path),
            variables={"CLOUDFLARE_API_TOKEN": SecretRef(env="D1_TOKEN")},
        )
        return database(config, make_look(tmp_path, permits=("read_only", "writes")))

    return make


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """Set a token for the length of a test."""
    word = secrets.token_hex(16)
    monkeypatch.setenv("D1_TOKEN", word)
    return word


def test_the_real_wrangler_changes_and_reads_its_local_copy(connect: Callable[..., Database]) -> None:
    may = connect("writes", "destructive")
    assert may.execute("-- the table\nCREATE TABLE models (model_id TEXT PRIMARY KEY, price REAL)").changed == 0
    assert may.execute("INSERT INTO models VALUES (:id, 0.5), ('b', NULL)", {"id": "it's; a"}).changed == 2
    seen = connect().read(
        {
            "models": "SELECT * FROM models ORDER BY model_id DESC; -- newest first",
            "one": "SELECT count(*) AS n FROM models WHERE price > :least",
            "columns": "PRAGMA table_info(models)",
            "none": "SELECT * FROM models WHERE 0",
        },
        {"least": 0.1},
    )
    assert list(seen["models"]) == [{"model_id": "it's; a", "price": 0.5}, {"model_id": "b", "price": None}]
    assert seen["one"].only == {"n": 1}
    assert seen["columns"].column("type") == ("TEXT", "REAL")
    assert len(seen["none"]) == 0
    assert seen.consistent
    assert seen.identity == {"database": "configs", "copy": "local"}
    assert abs(seen.offset_s) <= seen.offset_uncertainty_s + 0.01


def test_an_error_of_sql_is_read_from_standard_output(connect: Callable[..., Database]) -> None:
    seen = connect().read({"good": "SELECT 1 AS n", "table": "SELECT * FROM modles"})
    assert seen["good"].only == {"n": 1}
    with pytest.raises(UnseenError, match="undefined-table: no such table: modles"):
        len(seen["table"])
    assert not seen.consistent


def test_a_database_that_the_configuration_lacks_is_no_sight(connect: Callable[..., Database]) -> None:
    seen = connect(name="others").read({"one": "SELECT 1 AS n"})
    with pytest.raises(UnseenError, match="undefined-database"):
        _ = seen["one"]


def test_remote_without_a_login_is_denied_and_never_local(connect: Callable[..., Database]) -> None:
    seen = connect(remote=True).read({"one": "SELECT 1 AS n"})
    with pytest.raises(UnseenError, match=r"denied: .*CLOUDFLARE_API_TOKEN"):
        _ = seen["one"]


def test_remote_is_always_said(pretending: Callable[..., Database], tmp_path: Path, token: str) -> None:
    result = {"results": [{"clock": "2026-01-02T03:04:05.000Z"}], "success": True, "meta": {"served_by_primary": True}}
    other = {"results": [{"n": 1}], "success": True, "meta": {}}
    seen = pretending(stdout=f"▲ [WARNING] old\n\n{json.dumps([result, other], indent=2)}\n").read(
        {"one": "SELECT 1 AS n"}
    )
    assert seen["one"].only == {"n": 1}
    assert (seen.identity["copy"], seen.replica_lag_s) == ("remote", 0)
    arguments, variables = json.loads((tmp_path / "called.json").read_text(encoding="utf-8"))
    assert arguments[:5] == ["d1", "execute", "configs", "--remote", "--json"]
    assert arguments[5].endswith(";\nSELECT 1 AS n")
    assert (variables["CLOUDFLARE_API_TOKEN"], variables["WRANGLER_SEND_METRICS"]) == (token, "false")


def test_the_count_of_a_remote_change_is_that_of_the_api(pretending: Callable[..., Database]) -> None:
    change = "UPDATE models SET price = 1 WHERE model_id = 'a'"
    counted = [{"results": [], "success": True, "meta": {"changes": 3}}]
    assert pretending(stdout=json.dumps(counted)).execute(change).changed == 3
    silent = [{"results": [], "success": True, "meta": {"duration": 0}}]
    with pytest.raises(UnseenError, match="does not say how many rows changed"):
        _ = pretending(stdout=json.dumps(silent)).execute(change).changed


@pytest.mark.parametrize(
    ("printed", "kind"),
    [
        (
            {"stdout": '{"error": {"text": "A request failed.", "notes": [{"text": "no such table: x"}]}}'},
            "undefined-table",
        ),
        ({"stdout": '{"error": {"text": "fetch failed"}}'}, "unreachable"),
        ({"stdout": "help text", "stderr": "\x1b[31mUnknown argument: json\x1b[0m"}, "protocol"),
        ({"stdout": '[{"results": [], "results": []}]', "status": 0}, "protocol"),
        ({"stdout": "[]", "status": 0}, "protocol"),
        ({"stdout": '[{"results": [], "success": true}]'}, "protocol"),
    ],
)
def test_what_wrangler_prints_instead_of_rows(
    pretending: Callable[..., Database], printed: dict[str, str | int], kind: str
) -> None:
    seen = pretending(**{"status": 1, **printed}).read({"one": "SELECT 1 AS n"})
    assert seen.trouble is not None
    assert seen.trouble.kind == kind
    assert "\x1b" not in seen.trouble.text


def test_a_secret_never_stands_in_the_sql(pretending: Callable[..., Database], tmp_path: Path, token: str) -> None:
    with pytest.raises(SecretArgumentError, match="the secret of the variable CLOUDFLARE_API_TOKEN"):
        pretending().read({"one": "SELECT :word AS word"}, {"word": token})
    assert not (tmp_path / "called.json").exists()
