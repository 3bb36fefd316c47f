"""Environment files: what they may say, and what is said about those that say something else."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import secrets
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped]  # it publishes no types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from environments import schema
from environments.loading import Environment, EnvironmentFileError, load
from environments.models import Attestation, Awaited, EnvironmentFile, HttpConfig, Waiver
from environments.reading import FOLDER

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("local", "prod", "staging")
HEAD = '[environment]\nname = "demo"\n'
PLACES = re.compile(r'env = "([A-Z0-9_]+)"')


def written(folder: Path, text: str | bytes) -> str:
    path = folder / "demo.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def problems(folder: Path, text: str | bytes, **more: Any) -> list[str]:
    """Return the problems of a file, without the file's name."""
    path = written(folder, text)
    with pytest.raises(EnvironmentFileError) as caught:
        load(path, variables=more.pop("variables", {}), **more)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems) + 1
    return [line.removeprefix(f"  {path}: ") for line in lines[1:]]


def http(url: str, production: str = "false") -> str:
    return f'{HEAD}production = {production}\n[systems.demo.http.api]\nurl = "{url}"\n'


def everything_set(name: str) -> dict[str, str]:
    found = PLACES.findall((FOLDER / f"{name}.toml").read_text("utf-8"))
    return {place: secrets.token_hex(20) for place in found}


# --- files that are in order


@pytest.mark.parametrize("name", NAMES)
def test_the_environments_of_the_house_are_in_order(name: str) -> None:
    suites = [path.parent.name for path in (ROOT / "suites").glob("*/checklist.toml")]
    environment = load(name, variables=everything_set(name), known_systems=suites)
    assert environment.name == name
    assert environment.digest == hashlib.sha256((FOLDER / f"{name}.toml").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["prod", "staging"])
def test_staging_and_prod_know_every_system(name: str) -> None:
    suites = {path.parent.name for path in (ROOT / "suites").glob("*/checklist.toml")}
    assert set(load(name, variables=everything_set(name)).systems) == suites


def test_prod_is_production_and_cannot_be_destroyed() -> None:
    prod = load("prod", variables=everything_set("prod"))
    assert prod.file.environment.production
    assert set(prod.permits) == {"read_only", "writes", "costs"}


# Whom both pay: other people's services, which know no staging.
PROVIDERS = {
    "https://generativelanguage.googleapis.com",
    "https://api.replicate.com/v1",
}


def test_staging_and_prod_share_no_address_of_ours_and_no_secret() -> None:
    prod, staging = (load(name, variables=everything_set(name)) for name in ("prod", "staging"))
    places = [{ref.env for ref in one.references().values()} for one in (prod, staging)]
    urls = [set(re.findall(r'url = "(.+)"', one.path.read_text("utf-8"))) for one in (prod, staging)]
    assert places[0] & places[1] == set()
    assert urls[0] & urls[1] == PROVIDERS


def test_a_minimal_file_has_careful_defaults(tmp_path: Path) -> None:
    environment = load(written(tmp_path, HEAD), variables={})
    assert environment.permits == ("read_only",)
    assert environment.speed == 1
    assert environment.limits == {"requests": 2000, "generations": 0}
    assert environment.pace == {"per_second": 10, "concurrency": 8}
    assert (environment.release, environment.commit, environment.deployed, environment.launch) == ("", "", None, None)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load(written(tmp_path, b"\xef\xbb\xbf" + HEAD.encode()), variables={}).name == "demo"


def test_every_kind_of_table_is_read(tmp_path: Path) -> None:
    text = f"""{HEAD}deployed = 2026-01-02T03:04:05+01:00
[systems.demo.python.package]
program = ["python"]
variables = {{ MODE = "fast" }}
[systems.demo.metrics.store]
prometheus = "https://metrics.example.test"
[systems.demo.source.tree]
path = "checkout"
[systems.demo.command.manage]
program = ["python", "manage.py"]
[systems.demo.facts]
models = ["a", "b"]
share = 0.5
[[attestation]]
item = "DEM-001"
name = "A. Person"
role = "lead"
date = 2026-01-02
expires = 2026-02-02
text = "read"
"""
    demo = load(written(tmp_path, text), variables={}).systems["demo"]
    assert demo.python["package"].program == ("python",)
    assert demo.facts == {"models": ("a", "b"), "share": 0.5}


# --- names and files


def test_an_unknown_name_lists_the_known_ones_the_nearest_first() -> None:
    with pytest.raises(
        EnvironmentFileError, match=r"no environment called 'stagng'; allowed: staging, local, prod, or"
    ):
        load("stagng", variables={})


@pytest.mark.parametrize("path", ["no/such/file.toml", "absent.toml"])
def test_an_absent_file_lists_the_known_names(path: str) -> None:
    with pytest.raises(EnvironmentFileError, match=r"No such file or directory\); allowed: .*local, prod, staging"):
        load(path, variables={})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFileError, match="Is a directory"):
        load(f"{tmp_path}/", variables={})


def test_a_copy_under_another_name_has_to_be_renamed_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(HEAD, encoding="utf-8")
    monkeypatch.setattr("environments.reading.FOLDER", tmp_path)
    with pytest.raises(EnvironmentFileError, match=r"\[environment\] name: found 'demo'; allowed: 'other'"):
        load("other", variables={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "found an empty file; allowed: [environment]"),
        ("# only a comment\n", "found an empty file; allowed: [environment]"),
        (HEAD + "[budget]\nrequests = ", "(at line 4, the end of the file); allowed: TOML"),
        (HEAD + '[systems.demo.http.api]\nurl = "https', "line 4"),
        (HEAD + "[environment]\n", "line 3"),
        (HEAD.encode() + b'release = "caf\xe9"\n', "found a byte that is not UTF-8 in line 3; allowed: UTF-8 text"),
        ("[systems.demo]\n", "[environment]: found nothing"),
    ],
)
def test_a_file_that_is_not_whole_says_where(tmp_path: Path, text: str | bytes, problem: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert problem in found[0]


# --- keys and values

BAD = """
[environment]
nmae = "demo"
permits = ["read-only"]
speed = "fast"
deployed = 2026-01-01T00:00:00
[budget]
requests = 1.5
concurrency = 99
[systems.demo.htpp.api]
url = "https://example.test"
[systems.demo.http.api]
ulr = "https://example.test"
url = "ftp://example.test"
[systems.demo.http.Api]
url = "https://example.test"
[systems.demo.database.one]
kind = "d2"
[systems.demo.log.two]
[systems.demo.log.three]
kind = "file"
format = "plain"
[systems.demo.facts]
limit = { a = 1 }
[[waiver]]
item = "DEM"
name = ""
reason = "r"
expires = "2026-01-01"
[budgett]
"""


def test_all_problems_come_at_once_with_place_found_and_allowed(tmp_path: Path) -> None:
    assert sorted(problems(tmp_path, BAD)) == sorted([
        "[environment] name: found nothing; allowed: a value, for this key is required",
        ("[environment] nmae: found an unknown key; allowed: name, commit, deployed, launch, launch_timeout, permits, "
        "production, release, speed"),
        "[environment] permits[0]: found 'read-only'; allowed: read_only, costs, destructive, writes",
        "[environment] speed: found 'fast'; allowed: a valid number",
        "[environment] deployed: found 2026-01-01T00:00:00; allowed: timezone info",
        "[budget] requests: found 1.5; allowed: a valid integer",
        "[budget] concurrency: found 99; allowed: less than or equal to 32",
        ("[systems.demo] htpp: found an unknown table; allowed: http, browser, command, database, facts, limits, log, "
         "metrics, "
        "python, secrets, source, storage"),
        ("[systems.demo.http.api] ulr: found an unknown key; allowed: url, body_limit, ca_file, headers, networks, "
         "redirect_hosts"),
        "[systems.demo.http.api] url: found the scheme 'ftp'; allowed: http, https",
        "[systems.demo.http] Api: found the name 'Api'; allowed: a lower-case identifier, as in config_service",
        "[systems.demo.database.one] kind: found 'd2'; allowed: d1, postgres, wrangler",
        "[systems.demo.log.two] kind: found nothing; allowed: command, file",
        "[systems.demo.log.three] path: found nothing; allowed: a value, for this key is required",
        ("[systems.demo.facts] limit: found a table; allowed: a valid text, or a valid integer, or a valid number, or "
        "a valid boolean, or a valid list"),
        "[waiver[0]] item: found 'DEM'; allowed: the id of a checklist's item, as in MCI-061",
        "[waiver[0]] name: found ''; allowed: at least 1 character",
        "[waiver[0]] expires: found '2026-01-01'; allowed: a valid date",
        "budgett: found an unknown table; allowed: budget, attestation, environment, systems, waiver",
    ])  # fmt: skip


def test_types_are_not_guessed(tmp_path: Path) -> None:
    text = f'{HEAD}production = 1\n[budget]\nrequests = "100"\nconcurrency = true\n'
    assert [line.partition(":")[0] for line in problems(tmp_path, text)] == [
        "[environment] production",
        "[budget] requests",
        "[budget] concurrency",
    ]


def test_a_table_of_an_unknown_system_lists_the_known_ones(tmp_path: Path) -> None:
    text = f'{HEAD}[systems.model_confg.http.worker]\nurl = "https://example.test"\n'
    assert problems(tmp_path, text, known_systems=["image_optimizer", "model_config"]) == [
        "[systems.model_confg]: found an unknown system; allowed: model_config, image_optimizer"
    ]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('permits = ["destructive"]\nproduction = true', "production: found true, with destructive among the permits"),
        ("production = true\nspeed = 2", "speed: found 2 in production; allowed: 1"),
        ("speed = 0", "speed: found 0; allowed: greater than 0"),
        ("speed = inf", "speed: found inf"),
        ("speed = nan", "speed: found nan"),
        ("launch = []", "launch: found a list; allowed: "),
    ],
)
def test_contradictory_settings_are_refused(tmp_path: Path, lines: str, problem: str) -> None:
    found = problems(tmp_path, f"{HEAD}{lines}\n")
    assert len(found) == 1
    assert problem in found[0]


# --- addresses


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("example.test", "the scheme ''"),
        ("file:///etc/hosts", "the scheme 'file'"),
        ("https://", "no host"),
        ("https://:443", "no host"),
        ("https://user:pa55@example.test", "a user or password before the host"),
        ("https://example.test@evil.test", "a user or password before the host"),
        ("https://example.test:0", "the port '0'"),
        ("https://example.test:73637", "the port '73637'"),
        ("https://example.test:", "the port ''"),
        ("https://example.test:0443", "the port '0443'"),
        ("https://2130706433", "the numeric host '2130706433'"),
        ("https://0x7f000001", "the numeric host '0x7f000001'"),
        ("https://127.1", "the numeric host '127.1'"),
        ("https://0177.0.0.1", "the numeric host '0177.0.0.1'"),
        ("https://[::ffff:127.0.0.1]", "the numeric host"),
        ("https://[0:0:0:0:0:0:0:1]", "the numeric host"),
        ("https://[::1", "a URL that cannot be parsed"),
        ("https://exa mple.test", "a URL with a blank"),
        ("https://example.test\\\\@evil.test", "a URL with a blank, a backslash or a control character"),
        ("https://example.test/\\u0007", "a URL with a blank, a backslash or a control character"),
        ("https://exa%6dple.test", "the host"),
        ("https://example.test.", "the host"),
        ("https://-example.test", "the host"),
        ("https://\u0430pple.test", "the host '\\u0430pple.test', which is xn--pple-43d.test"),
        ("https://example.test?key=1", "a query or fragment"),
        ("https://example.test#top", "a query or fragment"),
    ],
)
def test_an_address_with_two_readings_is_refused(tmp_path: Path, url: str, found: str) -> None:
    lines = problems(tmp_path, http(url))
    assert len(lines) == 1
    assert lines[0].startswith(f"[systems.demo.http.api] url: found {found}")
    assert "pa55" not in lines[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.test",
        "https://EXAMPLE.test/path/",
        "https://example.test:65535",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
        "https://xn--pple-43d.test",
        "http://my_service:8000",
    ],
)
def test_a_plain_address_is_taken_as_it_is(tmp_path: Path, url: str) -> None:
    assert load(written(tmp_path, http(url)), variables={}).systems["demo"].http["api"].url == url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_production_may_use_http_on_this_machine(tmp_path: Path, host: str) -> None:
    assert load(written(tmp_path, http(f"http://{host}:80", "true")), variables={}).file.environment.production


@pytest.mark.parametrize("host", ["example.test", "10.0.0.1", "localhost.example.test", "128.0.0.1"])
def test_production_may_not_use_http_elsewhere(tmp_path: Path, host: str) -> None:
    (line,) = problems(tmp_path, http(f"http://{host}", "true"))
    assert line.endswith(f"found http to {host} in production; allowed: https (http only to this machine)")


def test_verification_of_certificates_cannot_be_switched_off(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, http("https://example.test") + "verify = false\n")
    assert line.startswith("[systems.demo.http.api] verify: found an unknown key")
    assert "verify" not in json.dumps(schema.schema())


@pytest.mark.parametrize("host", ["*.example.test", "https://example.test", "example.test/path", "a@b", "", "1.2.3"])
def test_an_allowed_host_is_one_host(host: str) -> None:
    with pytest.raises(ValidationError):
        HttpConfig(url="https://example.test", redirect_hosts=(host,))


@pytest.mark.parametrize("network", ["192.0.2.1/24", "192.0.2", "example.test", "", "192.0.2.0/33", "2001:DB8::/32"])
def test_a_network_is_in_plain_cidr_notation(network: str) -> None:
    with pytest.raises(ValidationError):
        HttpConfig(url="https://example.test", networks=(network,))


@given(st.text())
def test_no_text_makes_the_check_of_addresses_break(url: str) -> None:
    kinds: set[str] = set()
    try:
        HttpConfig(url=url)
    except ValidationError as error:
        kinds = {detail["type"] for detail in error.errors()}
    assert kinds <= {"refused"}


# --- secrets are references


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('http.api]\nurl = "https://example.test"\nheaders = { Authorization = "@" }', "headers"),
        ('http.api]\nurl = "https://example.test"\nheaders = { X-Api-Key = "@", Accept = "text/html" }', "headers"),
        ('http.api]\nurl = "https://example.test"\nheaders = { cookie = "@" }', "headers"),
        (
            'database.one]\nkind = "d1"\napi = "https://example.test"\naccount = "a"\ndatabase = "b"\ntoken = "@"',
            "token",
        ),
        ('database.one]\nkind = "postgres"\ndsn = "postgresql://app:@@db.example.test/app"', "dsn"),
        ('database.one]\nkind = "postgres"\ndsn = "host=db.example.test password=@"', "dsn"),
        ('storage.one]\nendpoint = "https://example.test"\nbucket = "b"\nkey = { env = "K" }\nsecret = "@"', "secret"),
        ('storage.one]\nendpoint = "https://example.test"\nbucket = "b"\nkey = "@"\nsecret = { env = "K" }', "key"),
        ('command.one]\nprogram = ["x"]\nvariables = { CLOUDFLARE_API_TOKEN = "@" }', "variables"),
        ('command.one]\nprogram = ["x"]\nvariables = { PGPASSWORD = "@" }', "variables"),
        ('command.one]\nprogram = ["x"]\nvariables = { URL = "postgresql://app:@@db.example.test/app" }', "variables"),
        ('secrets]\npassword = "@"', "password"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, table: str, key: str) -> None:
    secret = secrets.token_urlsafe(20)
    (line,) = problems(tmp_path, f"{HEAD}[systems.demo.{table.replace('@', secret, 1)}\n", variables={"K": secret})
    assert line.startswith(f"[systems.demo.{table.partition(']')[0]}] {key}: found ")
    assert secret not in line
    assert '{ env = "NAME" }' in line


def test_a_secret_in_place_of_a_variables_name_is_not_repeated(tmp_path: Path) -> None:
    secret = f"{secrets.token_hex(9)}-{secrets.token_hex(9)}"
    table = f'{HEAD}[systems.demo.http.api]\nurl = "https://example.test"\n'
    text = f'{table}headers = {{ Authorization = {{ @ = "{secret}" }} }}'
    for key in ("env", "command"):
        (line,) = problems(tmp_path, text.replace("@", key))
        assert secret not in line


def test_variables_that_are_not_set_are_listed_together(tmp_path: Path) -> None:
    text = f"""{HEAD}
[systems.demo.http.api]
url = "https://example.test"
headers = {{ Authorization = {{ env = "A", prefix = "Bearer " }}, X-Key = {{ env = "B" }}, X-Again = {{ env = "A" }} }}
[systems.demo.storage.files]
endpoint = "https://example.test"
bucket = "b"
key = {{ env = "C" }}
secret = {{ env = "D" }}
[systems.other.secrets]
password = {{ env = "E" }}
"""
    strong, weak = secrets.token_hex(16), "hunter22"
    found = problems(tmp_path, text, systems=["demo"], variables={"B": "", "C": strong, "D": weak})
    assert [line.partition("; allowed: ")[0] for line in found] == [
        "[systems.demo.http.api.headers] Authorization: found the variable A, which is not set",
        "[systems.demo.http.api.headers] X-Key: found the variable B, which is empty",
        "[systems.demo.storage.files] secret: found the variable D with a text of 8 characters",
    ]
    assert load(written(tmp_path, text), systems=["other"], variables={"E": strong}).selected == frozenset(["other"])
    assert len(problems(tmp_path, text)) == 5


def test_the_repr_of_an_environment_shows_no_variable(tmp_path: Path) -> None:
    secret = secrets.token_hex(16)
    text = f'{HEAD}[systems.demo.secrets]\npassword = {{ env = "A" }}\n'
    environment = load(written(tmp_path, text), variables={"A": secret})
    assert environment.variables["A"] == secret
    assert secret not in repr(environment)
    assert secret not in json.dumps(environment.dump())


# --- launching

LAUNCHED = f"""{HEAD}launch = ["python", "-m", "simulators"]
[systems.demo.http.api]
body_limit = 1000
[systems.demo.database.rows]
kind = "d1"
[systems.demo.log.tail]
[systems.demo.http.fixed]
url = "https://example.test"
"""


def printed(secret: str) -> dict[str, Any]:
    return {
        "systems": {
            "demo": {
                "http": {"api": {"url": "http://127.0.0.1:8123", "redirect_hosts": ["127.0.0.1:1"]}},
                "database": {
                    "rows": {"api": "http://127.0.0.1:1", "account": "a", "database": "b", "token": {"env": "LAUNCHED"}}
                },
                "log": {"tail": {"kind": "file", "format": "plain", "path": "tail.log"}},
                "facts": {"added": ["x"]},
            }
        },
        "variables": {"LAUNCHED": secret},
    }


def test_before_a_launch_instruments_have_names_only(tmp_path: Path) -> None:
    demo = load(written(tmp_path, LAUNCHED), variables={}).systems["demo"]
    waiting: list[object] = [demo.http["api"], demo.database["rows"], demo.log["tail"]]
    assert waiting == [Awaited()] * 3
    assert demo.http["fixed"] == HttpConfig(url="https://example.test")


def test_a_launched_program_completes_the_file(tmp_path: Path) -> None:
    secret = secrets.token_hex(16)
    before = load(written(tmp_path, LAUNCHED), variables={"HOME": "here"})
    after = before.with_launched(printed(secret))
    demo = after.systems["demo"]
    assert demo.http["api"] == HttpConfig(url="http://127.0.0.1:8123", body_limit=1000, redirect_hosts=("127.0.0.1:1",))
    assert demo.facts == {"added": ("x",)}
    assert after.variables == {"HOME": "here", "LAUNCHED": secret}
    assert after.digest == before.digest
    assert isinstance(before.systems["demo"].http["api"], Awaited)


def test_what_a_launched_program_leaves_out_is_a_problem_then(tmp_path: Path) -> None:
    document = printed(secrets.token_hex(16))
    del document["systems"]["demo"]["http"]
    document["systems"]["demo"]["log"]["tail"]["pth"] = document["systems"]["demo"]["log"]["tail"].pop("path")
    document["variables"] = {}
    with pytest.raises(EnvironmentFileError) as caught:
        load(written(tmp_path, LAUNCHED), variables={}).with_launched(document)
    assert [(problem.table, problem.key) for problem in caught.value.problems] == [
        ("systems.demo.http.api", "url"),
        ("systems.demo.log.tail", "path"),
        ("systems.demo.log.tail", "pth"),
    ]
    document = printed("")
    with pytest.raises(EnvironmentFileError, match="the variable LAUNCHED, which is empty"):
        load(written(tmp_path, LAUNCHED), variables={}).with_launched(document)


def test_an_unknown_key_is_a_problem_before_the_launch(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, LAUNCHED.replace("body_limit", "body_limt"))
    assert line.startswith("[systems.demo.http.api] body_limt: found an unknown key; allowed: body_limit, ")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "found a list; allowed: a JSON object"),
        ({"sytems": {}}, "sytems: found an unknown key; allowed: systems, variables"),
        ({"systems": []}, "systems: found a list; allowed: an object"),
        ({"variables": {"A": 1}}, r"\[variables\] A: found a int; allowed: a text"),
        ({"systems": {"demo": 5}}, r"\[systems.demo\]: found 5"),
    ],
)
def test_what_a_launched_program_prints_has_one_shape(tmp_path: Path, document: Any, problem: str) -> None:
    with pytest.raises(EnvironmentFileError, match=problem):
        load(written(tmp_path, LAUNCHED), variables={}).with_launched(document)


# --- the record

TIMES = """deployed = 2026-01-02T03:04:05Z
[[waiver]]
item = "DEM-002"
name = "A. Person"
reason = "known"
expires = 2026-03-01
"""


def test_an_environment_is_the_same_after_a_journal(tmp_path: Path) -> None:
    waiting = load(written(tmp_path, LAUNCHED), variables={}, systems=["demo"])
    for environment in (load(written(tmp_path, HEAD + TIMES), variables={}), waiting):
        revived = Environment.revived(json.loads(json.dumps(environment.dump())))
        assert (revived.file, revived.path, revived.digest, revived.selected) == (
            environment.file,
            environment.path,
            environment.digest,
            environment.selected,
        )
    whole = waiting.with_launched(printed(secrets.token_hex(16)))
    assert Environment.revived(json.loads(json.dumps(whole.dump()))).file == whole.file


def test_statements_count_from_their_day_to_their_last_and_for_their_release(tmp_path: Path) -> None:
    environment = load(written(tmp_path, f'{HEAD}release = "v2"\n'), variables={})
    ends = dt.date(2026, 3, 1)
    waiver = Waiver(item="DEM-002", name="n", reason="r", expires=ends)
    stated: dict[str, Any] = {
        "item": "DEM-001",
        "name": "n",
        "role": "r",
        "text": "t",
        "date": dt.date(2026, 2, 1),
        "expires": ends,
    }
    last, over, early = (dt.datetime(2026, month, day, 23, tzinfo=dt.UTC) for month, day in ((3, 1), (3, 2), (1, 31)))
    assert [environment.valid(waiver, at) for at in (early, last, over)] == [True, True, False]
    assert [environment.valid(Attestation(**stated), at) for at in (early, last, over)] == [False, True, False]
    assert [environment.valid(Attestation(**stated, release=name), last) for name in ("v1", "v2")] == [False, True]


def test_a_statement_does_not_end_before_it_begins(tmp_path: Path) -> None:
    text = f"""{HEAD}
[[attestation]]
item = "DEM-001"
name = "n"
role = "r"
text = "t"
date = 2026-02-02
expires = 2026-02-01
"""
    assert problems(tmp_path, text) == [
        "[attestation[0]]: found expires 2026-02-01 before date 2026-02-02; allowed: a later day"
    ]


# --- the schema and the page


def test_the_schema_is_current() -> None:
    assert schema.PATH.read_text("utf-8") == schema.text(), "run: python -m environments.schema"


def test_the_schema_is_one_and_accepts_what_the_models_accept() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    validator = jsonschema.Draft202012Validator(schema.schema())
    for name in NAMES:
        text = (FOLDER / f"{name}.toml").read_text("utf-8")
        assert text.startswith("#:schema ./schema.json\n")
        assert list(validator.iter_errors(tomllib.loads(text))) == []


def test_the_schema_requires_addresses_only_where_nothing_is_launched() -> None:
    validator = jsonschema.Draft202012Validator(schema.schema())
    found = {name: tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")) for name in ("local", "prod")}
    for document in found.values():
        document["systems"]["model_config"]["http"]["worker"] = {}
    assert validator.is_valid(found["local"])
    assert not validator.is_valid(found["prod"])
    found["local"]["systems"]["model_config"]["http"]["worker"] = {"ulr": "x"}
    assert not validator.is_valid(found["local"])


def _models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Return a model and every model that one of its fields may hold, whatever lies between."""
    seen.add(model)
    todo: list[Any] = [field.annotation for field in model.model_fields.values()]
    while todo:
        kind = todo.pop()
        todo += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
            _models(kind, seen)
    return seen


def test_the_page_names_every_table_and_key() -> None:
    page = (ROOT / "docs" / "environments.md").read_text("utf-8")
    models = _models(EnvironmentFile, set())
    assert len(models) > 18
    keys = {f"{model.__name__}.{name}": name for model in models for name in model.model_fields}
    assert [where for where, name in keys.items() if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", page)] == []


def test_the_examples_of_the_page_are_in_order(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "environments.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        path = tmp_path / "example.toml"
        path.write_text(example, encoding="utf-8")
        found = {name: secrets.token_hex(20) for name in PLACES.findall(example)}
        assert load(str(path), variables=found).systems


def test_environments_need_no_pytest() -> None:
    modules = "environments.loading, environments.redaction, environments.schema"
    code = f"import sys, {modules}\nsys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
