"""Looks at who may see, make and change records, and at what the webhook lets through."""

from __future__ import annotations

import datetime as dt
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation, removal

from .asking import balance, session, user_id

if TYPE_CHECKING:
    from fixtures.confidential import Confidential
    from fixtures.database import Database
    from fixtures.http import Http
    from fixtures.log_view import LogMark
    from fixtures.look import Ledger

    Facts = dict[str, Any]

WEBHOOK = "/functions/v1/kie-ai-webhook"


@observation(permit="writes", within="180 s")
def rights(
    project: Http, app: Database, secrets: Confidential, facts: Facts, marker: str, ledger: Ledger
) -> dict[str, Any]:
    """Who sees, makes and changes a record: its owner, a neighbour, an operator, nobody in particular."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")
    sessions = {who: session(project, secrets, facts, who) for who in ("verifier", "neighbour", "operator")}
    owner, path = user_id(project, sessions["verifier"]), "/rest/v1/generations"
    row = {
        "user_id": owner,
        "type": "image",
        "prompt": f"{marker} Whose is this?",
        "tokens_used": 0,
        "status": "failed",
        "provider_response": {"error": "made by the verification"},
    }
    back = {"Prefer": "return=representation"}

    which = {"select": "id", "prompt": f"like.*{marker} Whose*"}

    def sees(headers: dict[str, str]) -> dict[str, int]:
        found = project.get(path, params=which, headers=headers)
        return {"status": found.status, "records": len(found.json) if found.status == 200 else 0}

    made = project.post(path, json=row, headers={**sessions["verifier"], **back})
    others: dict[str, dict[str, str]] = {"neighbour": sessions["neighbour"], "nobody": {}}
    forged = {
        who: project.post(path, json={**row, "prompt": f"{marker} Whose else?"}, headers=headers).status
        for who, headers in others.items()
    }
    for headers in others.values():
        project.patch(path, params=which, json={"status": "completed"}, headers=headers)
    held = app.read({"there": "SELECT prompt, status FROM generations WHERE prompt LIKE :tag"}, {"tag": f"{marker} W%"})
    neighbour = sessions["neighbour"]
    return {
        "inserted": made.status,
        "forged": forged,
        "there": [[str(row["prompt"]).removeprefix(f"{marker} "), row["status"]] for row in held["there"]],
        "seen": {who: sees(headers) for who, headers in {**sessions, "nobody": {}}.items()},
        "credits_seen": {who: balances_seen(project, owner, headers) for who, headers in others.items()},
        "credits": credits_changed(project, neighbour, user_id(project, neighbour)),
    }


def balances_seen(project: Http, owner: str, headers: dict[str, str]) -> int:
    """Return how many balances of a user are shown to a session."""
    asked = {"select": "tokens_remaining", "user_id": f"eq.{owner}"}
    found = project.get("/rest/v1/user_subscriptions", params=asked, headers=headers)
    return len(found.json) if found.status == 200 else 0


def credits_changed(project: Http, headers: dict[str, str], owner: str) -> dict[str, bool]:
    """Return which ways to change one's own credits are open; each is tried with one credit, which is taken back.

    A change of nothing would tell less: guards may look at what is changed. The user is one for whom nothing is
    generated meanwhile: a balance that is written back would undo a payment.
    """
    same, at = balance(project, headers), "/rest/v1/user_subscriptions"

    def write(credits_: float) -> object:
        return project.patch(
            at, params={"user_id": f"eq.{owner}"}, json={"tokens_remaining": credits_}, headers=headers
        )

    def add(sent: dict[str, str], credits_: int) -> object:
        asked = {"user_id_param": owner, "amount": credits_}
        return project.post("/rest/v1/rpc/increment_tokens", json=asked, headers=sent)

    ways = {
        "a user sets the balance": (partial(write, same + 1), partial(write, same)),
        "a user adds credits": (partial(add, headers, 1), partial(add, headers, -1)),
        "nobody adds credits": (partial(add, {}, 1), partial(add, {}, -1)),
    }
    found = {}
    for way, (change, back) in ways.items():
        change()
        found[way] = balance(project, headers) != same
        if found[way]:
            back()
    return found


@observation(permit="writes", within="300 s")
def callbacks(
    project: Http, secrets: Confidential, facts: Facts, marker: str, ledger: Ledger, attached: LogMark
) -> dict[str, dict[str, Any]]:
    """What the webhook does with forged, hasty, partial, repeated, good and late callbacks."""
    ledger.own("leftover_records", "project", f"{facts['verifier_email']} {marker}")
    headers, verify, task = session(project, secrets, facts, "verifier"), token_hex(16), f"{marker}-task"
    secrets.mask(verify)
    row = {
        "user_id": user_id(project, headers), "type": "video", "prompt": f"{marker} Called back", "tokens_used": 0,
        "status": "processing", "model_id": "shakedown", "provider_task_id": task,
        "settings": {"_webhook_token": verify},
        # Its beginning lies ahead, so that a callback that reports success comes too early, however slow this run is.
        "created_at": (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)).isoformat(),
    }  # fmt: skip
    project.post("/rest/v1/generations", json=row, headers=headers)
    address = {"shakedown": marker, "token": secrets["webhook_url_token"], "verify": verify}
    made = {"state": "success", "resultJson": '{"resultUrls":["https://example.invalid/film.mp4"]}'}

    def call(state: dict[str, str], **changed: str) -> dict[str, Any]:
        body = {"code": 200, "msg": "success", "data": {"taskId": changed.pop("task", task), **state}}
        sent = {name: text for name, text in {**address, **changed}.items() if text}
        answer = project.post(WEBHOOK, params=sent, json=body, within=20)
        wanted = {"select": "status", "prompt": f"like.*{marker} Called*"}
        now = project.get("/rest/v1/generations", params=wanted, headers=headers).json
        return {"status": answer.status, "text": answer.text[:200], "row": [one["status"] for one in now]}

    failed, partly = {"state": "failed", "failMsg": "stopped by the verification"}, {"state": "waiting"}
    return {
        "forged address": call(failed, token=token_hex(16)),
        "bare address": call(failed, token=""),
        "forged verification": call(failed, verify=token_hex(16)),
        "without verification": call(failed, verify=""),
        "forged success": call(made, verify=token_hex(16)),
        "without a task": call(failed, task=""),
        "of an unknown task": call(failed, task=f"{marker}-none"),
        "too early": call(made),
        "in part": call(partly),
        "repeated": call(partly),
        "at the end": call(failed),
        "after the end": call({"state": "generating"}),  # of a kind that did not come before, so no repetition
    }


@removal
def leftover_records(project: Http, secrets: Confidential, key: str) -> None:
    """Remove the records that carry a run's marker, and their files, as the user who made them."""
    email, _, marker = key.partition(" ")
    body = {"email": email, "password": secrets["verifier_password"]}
    answer = project.post("/auth/v1/token", params={"grant_type": "password"}, json=body)
    headers = {"Authorization": f"Bearer {secrets.mask(answer.json['access_token'])}"}
    which: dict[str, str] = {"prompt": f"like.*{marker}*"}
    rows = project.get("/rest/v1/generations", params={**which, "select": "storage_path"}, headers=headers).json
    for row in rows:
        if row["storage_path"]:
            project.delete(f"/storage/v1/object/generated-content/{row['storage_path']}", headers=headers)
    if project.delete("/rest/v1/generations", params=which, headers=headers).status >= 300:
        raise RuntimeError(f"the records of {marker} were not removed")
