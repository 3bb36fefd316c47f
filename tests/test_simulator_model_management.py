"""The model_management simulator: the contract of the real parts over HTTP, PostgreSQL and the Python package."""

from __future__ import annotations

import dataclasses
import re
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from environments.models import PythonConfig
from fixtures.python import Call, Python
from simulators.faults import catalogue
from simulators.fetching import Reply, fetch
from tests.looks import make_look
from tests.simulated import running

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLATION = Path(__file__).resolve().parent.parent / "simulators" / "model_management" / "installation"
PREFIX = "/api/v1/model-management"
MODEL = {"model_type": "self_hosted", "provider": "ollama", "version": "1.0"}
IMPORTS = """
import asyncio, uuid
from services.ai_integration.llm_client import LLMClient
from services.model_management.deployment_manager import DeploymentManager
from services.model_management.guardrails_monitor import GuardrailsMonitor
from services.model_management.historical_log_processor import HistoricalLogProcessor
from services.model_management.model_registry import ModelRegistry
from services.model_management.rollback_manager import RollbackManager
async def model(name):
    return await ModelRegistry().register_model(name, "paid", "openai", f"case-{name}", "1", configuration={"a": 1})
"""


@dataclasses.dataclass(frozen=True)
class Target:
    """One running model_management."""

    table: dict[str, Any]

    def get(self, part: str, path: str) -> Reply:
        return fetch(self.table["http"][part]["url"] + path, timeout=10)

    def register(self, **fields: object) -> Reply:
        url = self.table["http"]["registry"]["url"] + PREFIX + "/register"
        return fetch(url, method="POST", payload=fields, timeout=10)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.table["database"]["models"]["dsn"]) as connection:
            return connection.execute(sql.encode()).fetchall()

    def run(self, folder: Path, text: str, faults: str = "") -> Call:
        """Run `text` as the body of a coroutine in the installation's interpreter."""
        package = dict(self.table["python"]["package"])
        package["variables"] = {**package["variables"], "SIMULATED_FAULTS": faults}
        look = make_look(folder, permits=["writes"], seconds=30)
        body = "\n".join(f"    {line}" for line in text.strip().splitlines())
        program = f"{IMPORTS}\nasync def main():\n{body}\n"
        return Python(PythonConfig.model_validate(package), look).run(program, permit="writes")


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running(systems="model_management") as announced:
        yield Target(announced["systems"]["model_management"])


def test_the_services_answer_as_the_contract_says(target: Target) -> None:
    assert target.get("registry", "/health").json() == {"status": "healthy"}
    health = {"status": "healthy", "service": "ai_integration", "version": "1.0.0"}
    assert target.get("ai_integration", "/health").json() == health
    assert target.get("story_teller", "/health").json()["version"] == "0.1.0"
    absent = target.get("registry", f"{PREFIX}/current/nobody")
    assert (absent.status, absent.json()) == (404, {"detail": "No current model found"})
    malformed = target.get("registry", f"{PREFIX}/models/x")
    assert (malformed.status, malformed.json()) == (500, {"detail": "badly formed hexadecimal UUID string"})


def test_a_registration_over_http_is_a_candidate_and_its_double_is_refused(target: Target) -> None:
    made = target.register(model_name="over-http", use_case="http", **MODEL)
    assert (made.status, made.json()["status"]) == (200, "registered")
    found = target.get("registry", f"{PREFIX}/models/{made.json()['model_id']}").json()
    assert (found["model_name"], found["status"], found["configuration"]) == ("over-http", "candidate", {})
    double = target.register(model_name="over-http", use_case="http", **MODEL)
    assert (double.status, "models_model_name_version_use_case_key" in double.json()["detail"]) == (500, True)
    assert target.register(model_name="x").status == 422


def test_every_use_case_has_one_current_model(target: Target) -> None:
    rows = target.rows("SELECT use_case, count(*) FROM models WHERE status = 'current' GROUP BY use_case ORDER BY 1")
    layers = ("coordination_layer", "customization_layer", "foundation_layer", "interaction_layer")
    assert rows == [(name, 1) for name in (*layers, "story_generation")]


def test_the_suites_role_only_reads(target: Target) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        target.rows("DELETE FROM models")


def test_registry_calls_return_and_raise_as_the_contract_says(target: Target, tmp_path: Path) -> None:
    text = """
registry = ModelRegistry()
made = await model("contract")
await registry.update_model_status(made, "current")
absent = await registry.get_model(uuid.uuid4())
return [await registry.get_model(made), await registry.get_current_model("nobody"), absent]
"""
    found, nobody, unknown = target.run(tmp_path, text).result
    assert (found["status"], found["configuration"], nobody, unknown) == ("current", {"a": 1}, None, None)
    assert set(found) == {
        "model_id", "model_name", "model_type", "provider", "use_case", "version", "status", "model_path",
        "configuration", "performance_metrics", "resource_requirements", "created_at", "updated_at",
    }  # fmt: skip
    double = target.run(tmp_path, "await model('double')\nawait model('double')").raised
    assert double is not None
    assert double.type == "UniqueViolation"


def test_a_log_entry_needs_a_registered_model(target: Target, tmp_path: Path) -> None:
    entry = "await HistoricalLogProcessor().log_inference(uuid.uuid4(), 'c', 'p', {}, 'o')"
    raised = target.run(tmp_path, entry).raised
    assert raised is not None
    assert raised.type == "ForeignKeyViolation"


def test_an_unknown_layer_and_a_bad_deployment_are_told(target: Target, tmp_path: Path) -> None:
    raised = target.run(tmp_path, "await LLMClient().generate_text('nope', 'p', {})").raised
    assert raised is not None
    assert raised.text == "Unknown LLM layer: nope"
    call = target.run(tmp_path, "return await DeploymentManager().deploy_model('x', 'y', 'rolling')")
    assert (call.result, call.printed) == (False, "Unknown deployment strategy: rolling\n")
    call = target.run(tmp_path, "return await DeploymentManager().deploy_model('x', 'y')")
    assert (call.result, "badly formed hexadecimal UUID string" in call.printed) == (False, True)


def test_snapshots_and_rollbacks_as_the_contract_says(target: Target, tmp_path: Path) -> None:
    absent = target.run(tmp_path, "await RollbackManager().create_snapshot(uuid.UUID(int=7))").raised
    assert absent is not None
    assert absent.text == f"Model {uuid.UUID(int=7)} not found"
    text = "made = await model('snap')\nreturn [await RollbackManager().rollback(made), str(made)]"
    call = target.run(tmp_path, text)
    assert call.printed == f"No suitable snapshot found for rollback of model {call.result[1]}\n"
    assert call.result[0] is False


def test_the_guardrails_follow_their_rules_and_the_real_ones_their_substrings(target: Target, tmp_path: Path) -> None:
    text = """
made = await model(uuid.uuid4().hex)
seen = await GuardrailsMonitor().monitor_outputs(made, ["whatever you do, rest: real life counts, it is your choice"])
return [seen["compliant"], seen["harmful_content"]["severity"], sorted(seen)]
"""
    keys = sorted(
        [
            "compliant",
            "safety",
            "addiction_metrics",
            "harmful_content",
            "violations",
            "intervention_triggered",
            "details",
        ]
    )
    assert target.run(tmp_path, text).result == [True, "none", keys]
    assert target.run(tmp_path, text, "real-substring-matching").result == [False, "critical", keys]


def test_a_pool_fetches_one_row_and_lends_connections_that_fetch_all(target: Target, tmp_path: Path) -> None:
    text = """
from services.state_manager.connection_pool import get_postgres_pool
pool, sql = await get_postgres_pool(), "SELECT n FROM generate_series(1, 2) AS n"
connection = await pool.acquire()
lent = await connection.fetch(sql)
await pool.release(connection)
return [dict(await pool.fetch(sql)), [dict(row) for row in await pool.fetch_all(sql)], [dict(row) for row in lent]]
"""
    both = [{"n": 1}, {"n": 2}]
    assert target.run(tmp_path, text).result == [{"n": 1}, both, both]


def test_a_narrative_is_for_a_known_player_and_is_logged(target: Target, tmp_path: Path) -> None:
    text = """
from services.story_teller.narrative_generator import NarrativeGenerator
from services.state_manager.connection_pool import get_postgres_pool
insert = "INSERT INTO players (steam_id, username) VALUES ('p', 'p') RETURNING id"
player = await (await get_postgres_pool()).fetch(insert)
told = [await NarrativeGenerator().generate_narrative(one, "crossroads", "Door", "A door.") for one in
        (player["id"], uuid.UUID(int=9))]
logged = await HistoricalLogProcessor().get_historical_logs(use_case="story_generation")
return [[one["narrative_content"] for one in told], ["Title: Door" in row["prompt"] for row in logged]]
"""
    told, logged = target.run(tmp_path, text).result
    assert told[0].startswith("The neon lights flicker")
    assert told[1] == "You find yourself in a crossroads situation. A door."
    assert logged == [True]


def test_every_fault_of_the_installation_is_in_the_catalogue() -> None:
    """The installation imports nothing of ours, so nobody else notices a misspelt name."""
    known = {fault.name for fault in catalogue("model_management")}
    text = "".join(path.read_text(encoding="utf-8") for path in INSTALLATION.rglob("*.py"))
    asked = set(re.findall(r"faulty(?:_at_times)?\(\s*\"([a-z0-9-]+)\"", text))
    assert asked - known == set()
    assert len(asked) > 50


def test_what_the_package_measures_can_be_queried(target: Target, tmp_path: Path) -> None:
    target.run(tmp_path, "await model('measured')")
    query = "/api/v1/query?query=model_registrations_total%7Buse_case%3D%22case-measured%22%7D"
    end = time.monotonic() + 5
    while not (found := target.get("prometheus", query).json()["data"]["result"]) and time.monotonic() < end:
        time.sleep(0.05)
    assert [(one["metric"]["outcome"], one["value"][1]) for one in found] == [("registered", "1")]
