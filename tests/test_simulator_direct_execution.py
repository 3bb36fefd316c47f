"""The direct_execution simulator: the contract's examples over real HTTP and a real PostgreSQL."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest

from simulators.fetching import Reply, fetch
from tests.simulated import SPEED, running

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, WEBHOOK = "/functions/v1/get-api-key", "/functions/v1/kie-ai-webhook"
PAIR = {"provider": "runware", "use_api_key": "RUNWARE_API_KEY_PROMPT_TO_IMAGE", "modelId": "runware:100@1"}


@dataclasses.dataclass(frozen=True)
class Project:
    """One running direct_execution, as a client would see it."""

    table: dict[str, Any]
    variables: dict[str, str]

    def call(self, path: str, payload: object = None, method: str = "", **headers: str) -> Reply:
        """Send a request with the public key, and with the headers given."""
        sent = {"apikey": self.variables["LOCAL_MDE_ANON_KEY"], **headers}
        way = method or ("GET" if payload is None else "POST")
        return fetch(self.table["http"]["project"]["url"] + path, method=way, payload=payload, headers=sent, timeout=30)

    def session(self, who: str) -> str:
        """Sign a user in and return the header of the session."""
        password = self.variables[f"LOCAL_MDE_{who.upper()}_PASSWORD"]
        body = {"email": self.table["facts"][f"{who}_email"], "password": password}
        return "Bearer " + str(self.call("/auth/v1/token?grant_type=password", body).json()["access_token"])

    def insert(self, session: str, **columns: object) -> Reply:
        """Insert a generation as its owner does."""
        user = self.call("/auth/v1/user", Authorization=session).json()["id"]
        row = {"user_id": user, "type": "image", "prompt": "A kite", "tokens_used": 0, **columns}
        return self.call("/rest/v1/generations", row, Authorization=session, Prefer="return=representation")

    def call_back(self, task: str, verify: str, state: dict[str, Any]) -> Reply:
        """Send a provider's callback."""
        token = self.variables["LOCAL_MDE_WEBHOOK_TOKEN"]
        body = {"code": 200, "data": {"taskId": task, **state}}
        return self.call(f"{WEBHOOK}?token={token}&verify={verify}", body)


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with running(systems="direct_execution", speed=str(SPEED)) as announced:
        yield Project(announced["systems"]["direct_execution"], announced["variables"])


def test_a_signed_in_user_gets_a_models_key(project: Project) -> None:
    reply = project.call(KEY, PAIR, Authorization=project.session("verifier"))
    assert reply.status == 200
    assert list(reply.json()) == ["apiKey"]
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("changed", "status", "text"),
    [
        ({"provider": ""}, 400, "Missing required parameter: provider"),
        ({"use_api_key": ""}, 400, "Missing required parameter: use_api_key"),
        ({"provider": "lovable_ai_sync"}, 400, "Unknown provider: lovable_ai_sync"),
        ({"modelId": "nobody/nothing"}, 404, "No key is mapped for runware/nobody/nothing"),
        ({"use_api_key": "SUPABASE_URL"}, 403, "This key is not permitted for the model"),
    ],
)
def test_what_is_not_a_models_key_is_refused(project: Project, changed: dict[str, str], status: int, text: str) -> None:
    reply = project.call(KEY, {**PAIR, **changed}, Authorization=project.session("verifier"))
    assert (reply.status, reply.json()) == (status, {"error": text})


def test_callers_without_a_session_get_no_key(project: Project) -> None:
    missing = project.call(KEY, PAIR)
    anonymous = project.call(KEY, PAIR, Authorization=f"Bearer {project.variables['LOCAL_MDE_ANON_KEY']}")
    assert (missing.status, missing.json()) == (401, {"error": "Missing authorization header"})
    assert (anonymous.status, anonymous.json()) == (401, {"error": "Unauthorized"})


def test_the_preflight_needs_no_session(project: Project) -> None:
    reply = project.call(KEY, method="OPTIONS")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["access-control-max-age"] == "86400"


def test_rows_are_seen_by_their_owner_and_by_operators(project: Project) -> None:
    owner = project.session("verifier")
    made = project.insert(owner, prompt="Whose kite is this?")
    assert made.status == 201
    path = f"/rest/v1/generations?select=id&id=eq.{made.json()[0]['id']}"
    seen = {
        who: len(project.call(path, Authorization=project.session(who)).json()) for who in ("neighbour", "operator")
    }
    assert (seen, project.call(path).json()) == ({"neighbour": 0, "operator": 1}, [])
    forged = {**made.json()[0], "id": None}
    del forged["id"]
    assert project.call("/rest/v1/generations", forged, Authorization=project.session("neighbour")).status == 403
    assert project.call("/rest/v1/generations", forged).status == 401


def test_nobody_changes_the_own_balance(project: Project) -> None:
    session = project.session("neighbour")
    before = project.call("/rest/v1/user_subscriptions?select=tokens_remaining", Authorization=session).json()
    project.call(
        "/rest/v1/user_subscriptions?status=eq.active", {"tokens_remaining": 99999}, "PATCH", Authorization=session
    )
    assert project.call("/rest/v1/user_subscriptions?select=tokens_remaining", Authorization=session).json() == before
    added = project.call("/rest/v1/rpc/increment_tokens", {"user_id_param": None, "amount": 500}, Authorization=session)
    assert added.status == 403


def test_a_type_beyond_the_constraint_is_refused(project: Project) -> None:
    reply = project.insert(project.session("verifier"), type="prompt_to_video")
    assert (reply.status, reply.json()["code"]) == (400, "23514")


def test_a_callback_passes_four_layers(project: Project) -> None:
    project.insert(
        project.session("verifier"), status="processing", provider_task_id="task-1", settings={"_webhook_token": "v"}
    )
    made = {"state": "success", "resultJson": json.dumps({"resultUrls": ["http://127.0.0.1:9/film.mp4"]})}
    forged = project.call(f"{WEBHOOK}?token=x&verify=v", {"code": 200, "data": {"taskId": "task-1", **made}})
    assert (forged.status, forged.body) == (404, b"Not Found")
    assert project.call_back("", "v", made).json() == {"error": "Missing taskId in payload"}
    assert project.call_back("task-1", "w", made).status == 403
    assert project.call_back("task-1", "v", {"state": "waiting"}).json()["message"] == "Partial webhook acknowledged"
    assert project.call_back("task-1", "v", {"state": "waiting"}).json()["message"] == "Webhook already processed"
    assert project.call_back("task-1", "v", {"state": "failed"}).json()["message"] == "Generation marked as failed"
    assert project.call_back("task-1", "v", {"state": "failed"}).json() == {"error": "Generation already processed"}


def test_an_image_is_processed_and_settled_once(project: Project) -> None:
    session = project.session("verifier")
    key = project.call(KEY, PAIR, Authorization=session).json()["apiKey"]
    body = [{"taskType": "imageInference", "positivePrompt": "A kite"}]
    made = fetch(
        project.table["facts"]["runware_api"], method="POST", headers={"Authorization": f"Bearer {key}"}, payload=body
    )
    row = project.insert(session, tokens_used=0.2, provider_response=made.json()).json()[0]
    done = project.call("/functions/v1/process-runware-response", {"generation_id": row["id"]}, Authorization=session)
    assert fetch(done.json()["output_url"]).body.startswith(b"\x89PNG")
    settled = {"generationId": row["id"], "status": "completed"}
    assert project.call("/functions/v1/settle-generation-credits", settled).json() == {"message": "Already settled"}


def test_the_log_and_the_database_hold_the_past(project: Project) -> None:
    lines = [json.loads(line) for line in Path(project.table["log"]["edge_log"]["path"]).read_text().splitlines()]
    assert {"API key retrieval successful"} < {line.get("message") for line in lines}
    with psycopg.connect(project.table["database"]["app"]["dsn"]) as connection:
        counted: dict[str, int] = dict(
            connection.execute("SELECT status, count(*) FROM generations GROUP BY status").fetchall()
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM generations")
    assert counted["completed"] > 2000
    assert counted["failed"] > 20


def test_no_key_is_in_the_log_or_looks_like_a_real_one(project: Project) -> None:
    key = str(project.call(KEY, PAIR, Authorization=project.session("verifier")).json()["apiKey"])
    time.sleep(0.05)
    assert key not in Path(project.table["log"]["edge_log"]["path"]).read_text()
    assert not key.startswith(("sk-", "sk_", "eyJ", "AIza"))
    assert quote(key, safe="") == key
