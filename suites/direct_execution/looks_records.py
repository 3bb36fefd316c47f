"""Looks at the records of generations, at their files, and at what they cost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observing import observation
from fixtures.values import UndecidedError

from .asking import balance, price, session, user_id

if TYPE_CHECKING:
    from fixtures.browser import PageView
    from fixtures.confidential import Confidential
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.waiting import Patience

    Facts = dict[str, Any]
    Models = list[dict[str, Any]]


@observation(permit="probes", within="90 s")
def balance_before(project: Http, secrets: Confidential, facts: Facts) -> float:
    """The credits of the suite's user before the run's first generation."""
    return balance(project, session(project, secrets, facts, "verifier"))


CAPTION = 0.1  # credits for captions, whatever the model
ENDED = "completed", True  # settling follows the completion; a look in between would see nothing charged
# A column that may be missing is read through to_jsonb, which has NULL in its place.
OWN_ROWS = """
    SELECT id::text, type, status, prompt, model_id, model_record_id::text AS record, output_url,
        tokens_used::float8 AS used, coalesce(tokens_charged, 0)::float8 AS charged,
        CASE jsonb_typeof(settings) WHEN 'object' THEN settings - '_webhook_token' END AS settings,
        provider_task_id IS NOT NULL AS has_task,
        extract(epoch FROM (to_jsonb(g) ->> 'completed_at')::timestamptz - created_at)::float8 AS seconds
    FROM generations AS g
    WHERE prompt ~ :tag AND to_jsonb(g) ->> 'parent_generation_id' IS NULL ORDER BY created_at
"""


@observation(within="180 s")
def own_rows(
    app: Database, marker: str, smoke_page: PageView, video_page: PageView, failing_page: PageView, patience: Patience
) -> Snapshot:
    """The records of the run's generations on the page, once all of them have ended and are paid."""

    def ended(seen: Snapshot) -> bool:
        return all(row["status"] == "failed" or (row["status"], row["charged"] > 0) == ENDED for row in seen["own"])

    names = ("A red apple", "Simple test", "Ocean waves", "A refused")
    pattern = "^" + marker + " (" + "|".join(names) + ")"
    return patience.eventually(lambda: app.read({"own": OWN_ROWS}, {"tag": pattern}), ended, within=20)


@observation(permit="probes", within="180 s")
def balances(
    project: Http, secrets: Confidential, facts: Facts, marker: str, own_rows: Snapshot, balance_before: float
) -> dict[str, float]:
    """The credits before and after the run's generations, and after they were asked to be settled again."""
    headers = session(project, secrets, facts, "verifier")
    after = balance(project, headers)
    done = [row["id"] for row in own_rows["own"] if row["status"] == "completed"]
    for one in done:
        body = {"generationId": one, "status": "completed"}
        project.post("/functions/v1/settle-generation-credits", headers=headers, json=body)
    return {"before": balance_before, "after": after, "again": balance(project, headers)}


@observation(within="180 s")
def made_files(project: Http, own_rows: Snapshot) -> dict[str, Exchange]:
    """The stored outputs of the run's generations, as anybody can read them."""
    return {
        str(row["prompt"]).partition(" ")[2]: project.fetch(row["output_url"])
        for row in own_rows["own"]
        if row["output_url"]
    }


@observation(permit="probes", within="300 s")
def old_files(project: Http, secrets: Confidential, facts: Facts) -> list[dict[str, Any]]:
    """A hundred of the user's records from before the release, old and new, and what is read at their addresses."""
    headers = session(project, secrets, facts, "verifier")
    wanted = {
        "user_id": f"eq.{user_id(project, headers)}",
        "select": "id,type,status,output_url",
        "status": "eq.completed",
        "created_at": f"lt.{facts['deployed']}",
        "order": "created_at.desc",
        "limit": "1000",
    }
    found = project.get("/rest/v1/generations", params=wanted, headers=headers).json
    rows = [found[n * (len(found) - 1) // 99] for n in range(100)] if len(found) > 100 else found

    def read(row: dict[str, Any]) -> dict[str, Any]:
        if not row["output_url"]:
            return {"id": row["id"], "status": 0, "media": False}
        answer = project.fetch(row["output_url"])
        return {"id": row["id"], "status": answer.status, "media": answer.body[:1] not in (b"", b"{", b"<")}

    with ThreadPoolExecutor(max_workers=4) as pool:
        return list(pool.map(read, rows))


# Records of this suite's runs carry a marker in their prompt: `sd`, a date, `t`, a time. A generation with several
# outputs has a record for each further one, below its own; they are no generations, and cost nothing.
QUERIES = {
    "traffic": """
        SELECT id::text, type, status, model_record_id::text AS record, model_id AS model,
            tokens_used::float8 AS used, coalesce(tokens_charged, 0)::float8 AS charged,
            CASE jsonb_typeof(settings) WHEN 'object' THEN settings - '_webhook_token' END AS settings,
            to_jsonb(g) -> 'provider_response' ->> 'error' AS error,
            to_jsonb(g) ->> 'ai_caption' IS NOT NULL AS captioned,
            extract(epoch FROM created_at)::float8 AS begun,
            extract(epoch FROM (to_jsonb(g) ->> 'completed_at')::timestamptz)::float8 AS ended
        FROM generations AS g
        WHERE created_at >= :deployed::timestamptz AND NOT prompt ~ 'sd20[0-9]{6}t[0-9]{6}'
            AND to_jsonb(g) ->> 'parent_generation_id' IS NULL
        ORDER BY created_at
    """,
    "baseline": """
        SELECT type, count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            percentile_cont(0.1) WITHIN GROUP (ORDER BY seconds)::float8 AS p10,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::float8 AS p50,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)::float8 AS p90
        FROM generations AS g, LATERAL (
            SELECT extract(epoch FROM (to_jsonb(g) ->> 'completed_at')::timestamptz - created_at) AS seconds
        ) AS took
        WHERE created_at < :deployed::timestamptz AND created_at >= :deployed::timestamptz - interval '14 days'
            AND status IN ('completed', 'failed') AND NOT prompt ~ 'sd20[0-9]{6}t[0-9]{6}'
        GROUP BY type
    """,
    "baseline of the hour": """
        SELECT count(*) AS finished, count(*) FILTER (WHERE status = 'failed') AS failed FROM generations
        WHERE created_at < :deployed::timestamptz AND created_at >= :deployed::timestamptz - interval '14 days'
            AND status IN ('completed', 'failed') AND NOT prompt ~ 'sd20[0-9]{6}t[0-9]{6}'
            AND mod(14 * 86400 + extract(epoch FROM created_at - :deployed::timestamptz)::numeric, 86400) < 3600
    """,
    "settings": "SELECT to_jsonb(s) AS setting FROM app_settings AS s WHERE s::text LIKE '%model_visibility%'",
    "recent": """
        SELECT model_id, status, COUNT(*) as count,
            AVG(EXTRACT(EPOCH FROM (updated_at - created_at))) as avg_duration_seconds
        FROM generations WHERE created_at > NOW() - INTERVAL '1 hour'
        GROUP BY model_id, status ORDER BY count DESC
    """,
    "failures": """
        SELECT id, model_id, status, provider_response->'error' as error_message, created_at FROM generations
        WHERE status = 'failed' AND created_at > NOW() - INTERVAL '1 hour' ORDER BY created_at DESC LIMIT 20
    """,
    "last hour": """
        SELECT count(*) AS rows, count(*) FILTER (WHERE status = 'failed') AS failed,
            extract(epoch FROM now() - interval '1 hour')::float8 AS since
        FROM generations WHERE created_at > now() - interval '1 hour'
    """,
    "columns": """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'generations'
    """,
    "legacy": """
        SELECT name, to_regclass('public.' || name)::text AS found
        FROM unnest(string_to_array(:legacy, ',')) AS name
    """,
    "used models": """
        SELECT DISTINCT coalesce(model_record_id::text, model_id) AS model FROM generations
        WHERE created_at > now() - interval '90 days' AND coalesce(model_record_id::text, model_id) IS NOT NULL
            AND NOT prompt ~ 'sd20[0-9]{6}t[0-9]{6}'
    """,
}


@observation(within="180 s")
def records(app: Database, facts: Facts) -> Snapshot:
    """The records since the release, those of the two weeks before it summed up, and the checklist's own queries."""
    return app.read(QUERIES, {"deployed": facts["deployed"], "legacy": ",".join(facts["legacy_tables"])})


def captions(row: dict[str, Any]) -> tuple[float, ...]:
    """Return what captions may have added to a price: they are paid for with the generation, or written later."""
    return (0.0, CAPTION) if row["captioned"] else (0.0,)


@pytest.fixture(scope="session")
def traffic(records: Snapshot, models: Models) -> list[dict[str, Any]]:
    """The records since the release, each with its model's provider and price; those of this suite's runs left out."""
    known = {str(model["recordId"]): model for model in models}
    ids = Counter(model["modelId"] for model in models)  # a record may name its model alone, which may be several's
    named = {model["modelId"]: model for model in models if ids[model["modelId"]] == 1}
    rows: list[dict[str, Any]] = []
    for row in records["traffic"]:
        model = known.get(str(row["record"])) or named.get(row["model"] if row["record"] is None else "", {})
        rows.append(
            {
                **row,
                "provider": model.get("provider", "unknown"),
                "prices": [price(model, row["settings"]) + more for more in captions(row)] if model else [],
                "expected_s": float(model.get("estimatedTimeSeconds") or 0),
                "seconds": None if row["ended"] is None else row["ended"] - row["begun"],
            }
        )
    return rows


@pytest.fixture(scope="session")
def finished(traffic: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records since the release that have ended, well or not. Raises UndecidedError when there is none."""
    rows = [row for row in traffic if row["status"] in ("completed", "failed")]
    if not rows:
        raise UndecidedError("no generation has ended since the release")
    return rows


@pytest.fixture(scope="session")
def hidden_models(records: Snapshot) -> set[str]:
    """The record ids of the models that a setting hides or turns off; none where there is no such setting."""
    if records["settings"].trouble is not None:
        return set()
    held = [value for row in records["settings"] for value in row["setting"].values() if isinstance(value, dict)]
    shown = {name: told for one in held for name, told in (one.get("visible") or {}).items()}
    off = {name: told for one in held for name, told in (one.get("deactivated") or {}).items()}
    return {name for name, told in shown.items() if not told} | {name for name, told in off.items() if told}
