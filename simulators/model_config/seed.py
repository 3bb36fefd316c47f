"""The rows of model_configs as the seed file leaves them, and the ways in which a seed goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.faults import Faults
    from simulators.model_config.database import Database

Row = dict[str, Any]

INSTANCES = ("default", "production", "development", "staging")
# Added after the release, as the checklist's next steps ask; an environment file declares it.
ADDED_MODEL = "stable-diffusion-3"
_JSON_COLUMNS = ("capabilities", "pricing", "rate_limits", "payload_mapping")
_SEEDED_AT = "2025-12-04 10:00:00"


def _image_mapping(endpoint: str, fields: dict[str, str]) -> Row:
    return {
        "endpoint": endpoint,
        "method": "POST",
        "headers": {"Authorization": "Bearer {api_key}"},
        "body": fields,
        "response_mapping": {"image_url": "$.data[0].url"},
        "defaults": {"size": "1024x1024"},
    }


def _ideogram_mapping(provider: str) -> Row:
    request = {
        "model": "V_2",
        "prompt": "{prompt}",
        "aspect_ratio": "{aspect_ratio}",
        "magic_prompt_option": "AUTO",
    }
    return {
        "endpoint": f"{provider}/generate",
        "method": "POST",
        "headers": {"Api-Key": "{api_key}"},
        "body": {"image_request": request},
        "response_mapping": {"image_url": "$.data[0].url"},
        "defaults": {"aspect_ratio": "1:1"},
    }


def _row(config_id: str, model_id: str, provider: str, status: str, mapping: Row) -> Row:
    return {
        "config_id": config_id,
        "model_id": model_id,
        "provider_id": provider,
        "display_name": model_id.replace("-", " ").title(),
        "description": None,
        "capabilities": {"image": True, "video": False, "text": False},
        "pricing": {"cost_per_image": 0.08, "currency": "USD", "billing_unit": "image"},
        "rate_limits": {"rpm": 100},
        "payload_mapping": mapping,
        "status": status,
        "created_at": _SEEDED_AT,
        "updated_at": _SEEDED_AT,
    }


def rows(provider: str, faults: Faults) -> list[Row]:
    """Return the rows; `provider` is the origin of the image provider."""
    complete = not faults.on("real-ideogram-only")
    openai = f"{provider if complete else ''}/v1/images/generations"
    body = {"model": "dall-e-3", "prompt": "{prompt}", "size": "{size}"}
    gemini, veo = "/v1/models/gemini-2.5-flash:generateContent", "/v1/models/gemini-veo-3.1:generateContent"
    found = [
        _row("cfg_ideogram_v2", "ideogram-v2", "ideogram", "active", _ideogram_mapping(provider)),
        _row("cfg_gemini_veo_31", "gemini-veo-3.1", "gemini", "active", _image_mapping(veo, body)),
        _row("cfg_gemini_25_flash", "gemini-2.5-flash-nano-banana", "gemini", "beta", _image_mapping(gemini, body)),
        _row("cfg_dalle3", "dall-e-3", "openai", "active", _image_mapping(openai, body)),
        _row("cfg_dalle2", "dall-e-2", "openai", "deprecated", _image_mapping(openai, {**body, "model": "dall-e-2"})),
        _row("cfg_claude_35_sonnet", "claude-3-5-sonnet", "anthropic", "active", _image_mapping("/v1/messages", body)),
    ]
    if complete:
        mapping = _image_mapping(f"{provider}/v1/images/generations", {**body, "model": "sd3"})
        found.append(_row("cfg_stable_diffusion_3", ADDED_MODEL, "stability", "active", mapping))
    return _spoiled(_detailed(found), faults)


def _detailed(found: list[Row]) -> list[Row]:
    by_id = {row["model_id"]: row for row in found}
    by_id["ideogram-v2"]["description"] = "High-quality pictures with excellent text in them"
    by_id["ideogram-v2"]["capabilities"]["inpainting"] = False
    by_id["gemini-veo-3.1"]["capabilities"] = {"image": False, "video": True, "text": False, "image_to_video": True}
    by_id["gemini-veo-3.1"]["pricing"] = {"cost_per_video": 0.5, "currency": "USD", "billing_unit": "video"}
    by_id["gemini-2.5-flash-nano-banana"]["pricing"] = None
    by_id["claude-3-5-sonnet"]["capabilities"] = {"image": False, "video": False, "text": True}
    by_id["claude-3-5-sonnet"]["pricing"] = {"cost_per_1k_tokens": 0.003, "currency": "USD", "billing_unit": "token"}
    return found


def _edits(faults: Faults) -> list[tuple[bool, str, str, object]]:
    """Return, for each fault that changes one cell: whether it is on, the row, the column, the wrong text."""
    return [
        (faults.on("ideogram-marked-beta"), "ideogram-v2", "status", "beta"),
        (faults.on("veo-id-dashed"), "gemini-veo-3.1", "model_id", "gemini-veo-3-1"),
        (faults.on("nano-marked-active"), "gemini-2.5-flash-nano-banana", "status", "active"),
        (faults.on("dalle-provider-misnamed"), "dall-e-3", "provider_id", "dalle"),
        (faults.on("dalle2-marked-active"), "dall-e-2", "status", "active"),
        (faults.on("stable-diffusion-deprecated"), ADDED_MODEL, "status", "deprecated"),
    ]


def _spoiled(found: list[Row], faults: Faults) -> list[Row]:
    for on, model_id, column, wrong in _edits(faults):
        for row in found:
            if on and row["model_id"] == model_id:
                row[column] = wrong
    missing = {"claude-3-5-sonnet"} if faults.on("last-insert-never-ran") else set()
    if faults.on("seed-stopped-half-way"):
        missing = {"dall-e-2", "claude-3-5-sonnet"}
    return [row for row in found if row["model_id"] not in missing]


def _cells(row: Row) -> Row:
    return {
        column: json.dumps(cell) if column in _JSON_COLUMNS and cell is not None else cell
        for column, cell in row.items()
    }


def preview(found: list[Row]) -> list[Row]:
    """Return the rows of another environment's database: the same, and a model that is only there."""
    return [*found, {**found[0], "config_id": "cfg_ideogram_v3_preview", "model_id": "ideogram-v3-preview"}]


def fill(database: Database, found: list[Row], faults: Faults) -> None:
    """Create the tables in `database` and insert the rows `found`."""
    database.script(_schema(faults))
    for row in found:
        insert(database, _cells(row))
        if faults.on("models-seeded-twice"):
            insert(database, {**_cells(row), "config_id": row["config_id"] + "_2"})
    database.run("INSERT INTO organizations VALUES ('org_main', 'Main', ?)", (_SEEDED_AT,))
    for instance in INSTANCES:
        database.run("INSERT INTO instances VALUES (?, 'org_main', ?, '{}', ?)", (instance, instance, _SEEDED_AT))
    for sql in _damage(faults):
        database.script(sql)


def insert(database: Database, row: Row) -> None:
    """Insert one row of model_configs, column by column."""
    marks = ", ".join("?" * len(row))
    database.run(f"INSERT INTO model_configs ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608  # our column names


def _schema(faults: Faults) -> str:
    text = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")
    return (
        text.replace("model_id TEXT NOT NULL UNIQUE", "model_id TEXT NOT NULL")
        if faults.on("models-seeded-twice")
        else text
    )


def _damage(faults: Faults) -> list[str]:
    """Return what the faults do to the filled tables, in this order."""
    touch = "UPDATE model_configs SET updated_at = CURRENT_TIMESTAMP"
    cut = "UPDATE model_configs SET payload_mapping = substr(payload_mapping, 1, 255) WHERE model_id = 'dall-e-2';"
    found = [cut] if faults.on("mapping-cut-off") else []
    if faults.on("pricing-cut-off"):
        found.append("UPDATE model_configs SET pricing = substr(pricing, 1, 20) WHERE model_id = 'dall-e-2';")
    if faults.on("restored-row-is-stamped"):
        stamp = f"{touch} WHERE config_id = NEW.config_id;"
        found.append(f"CREATE TRIGGER stamp AFTER INSERT ON model_configs BEGIN {stamp} END;")
    if faults.on("delete-touches-neighbours"):
        found.append(f"CREATE TRIGGER touch AFTER DELETE ON model_configs BEGIN {touch}; END;")
    if faults.on("table-is-a-view"):
        found.append("ALTER TABLE model_configs RENAME TO model_configs_old;")
        found.append("CREATE VIEW model_configs AS SELECT * FROM model_configs_old;")
    return found
