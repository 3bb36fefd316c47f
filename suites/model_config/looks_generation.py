"""Looks at the worker: its health, the run's generations, and requests that a healthy worker refuses.

The prompts are the checklist's, preceded by the run's marker, so that the run's own requests, log lines and stored
pictures can be told from other traffic.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from fixtures.observing import observation, removal

from .asking import GENERATIONS, INSTANCES, UNKNOWN, delivered, folder_day, generate

if TYPE_CHECKING:
    from fixtures.database import Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log_view import LogMark
    from fixtures.look import Ledger
    from fixtures.storage import Storage
    from fixtures.stored import StoredObject


@observation()
def health(worker: Http, attached: LogMark) -> Exchange:
    """The worker's health."""
    return worker.get("/health", within=5)


@observation(spends={"generations": 1}, within="60 s")
def by_model_id(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names its model by model_id."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A serene mountain landscape", model_id="ideogram-v2")


@observation(spends={"generations": 1}, within="60 s")
def by_default(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names no model."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A futuristic city")


@observation(spends={"generations": 1}, within="60 s")
def by_unknown_model(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation for a model that has no config."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "Test fallback", model_id=UNKNOWN)


@observation(spends={"generations": 1}, within="60 s")
def by_model(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation as clients wrote it before the release: the model is named by `model`."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A serene lake", model="ideogram-v2")


@observation(spends={"generations": 1}, within="60 s")
def by_other_model(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names, by `model`, another model than the default one."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A quiet harbour", model=UNKNOWN)


@observation(spends={"generations": 1}, within="60 s")
def by_both(worker: Http, marker: str, attached: LogMark, ledger: Ledger) -> Exchange:
    """A generation that names one model by model_id and another by model."""
    ledger.own("leftover_pictures", "images", marker)
    return generate(worker, marker, "A narrow bridge", model_id="ideogram-v2", model=UNKNOWN)


@observation()
def generations(
    by_model_id: Exchange,
    by_default: Exchange,
    by_unknown_model: Exchange,
    by_model: Exchange,
    by_other_model: Exchange,
    by_both: Exchange,
) -> dict[str, Exchange]:
    """All generations of the run, by the observation that asked for them."""
    return dict(
        zip(GENERATIONS, (by_model_id, by_default, by_unknown_model, by_model, by_other_model, by_both), strict=True)
    )


@observation()
def pictures(worker: Http, generations: dict[str, Exchange]) -> dict[str, Exchange]:
    """The picture of each generation, as anybody can fetch it."""
    return {name: worker.fetch(found.json["image_url"]) for name, found in generations.items() if delivered(found)}


@observation(within="120 s")
def stored(images: Storage, generations: dict[str, Exchange]) -> dict[str, StoredObject]:
    """What the bucket holds under the key that each generation named."""
    served = {name: found for name, found in generations.items() if found.trouble is None and found.status == 200}
    return {name: images.head(found.json["r2_path"]) for name, found in served.items()}


@observation(permit="probes")
def without_prompt(worker: Http, attached: LogMark) -> list[Exchange]:
    """Generations without a prompt: absent, with and without a model, empty and blank."""
    bodies: list[dict[str, Any]] = [{}, {"model_id": "ideogram-v2"}, {"prompt": ""}, {"prompt": "   "}]
    return [worker.post("/generate", json={"instance_id": "default", **body}, within=5) for body in bodies]


@observation(permit="probes")
def unknown_instance(worker: Http, marker: str, attached: LogMark) -> Exchange:
    """A generation for an instance that does not exist."""
    body = {"prompt": f"{marker} Nobody's picture", "model_id": "ideogram-v2", "instance_id": f"no-{marker}"}
    return worker.post("/generate", json=body)


@observation(permit="probes")
def malformed_model_ids(worker: Http, marker: str, attached: LogMark) -> dict[str, Exchange]:
    """Generations whose model_id is of a wrong type, too long, or shaped like a path or a piece of SQL."""
    names: dict[str, object] = {
        "number": 7,
        "object": {},
        "empty": "",
        "10 kB": "m" * 10_000,
        "path": "../health",
        "SQL": "x' OR '1'='1",
    }
    return {
        name: worker.post("/generate", json={"prompt": f"{marker} A refused picture", "model_id": model}, within=5)
        for name, model in names.items()
    }


@observation(permit="probes")
def wrong_type(worker: Http, marker: str, attached: LogMark) -> Exchange:
    """A generation whose prompt is a number: it ends before anything is spent."""
    return worker.post("/generate", json={"prompt": 7, "model_id": "ideogram-v2"}, within=5)


@observation(permit="probes")
def without_key(worker: Http, marker: str, attached: LogMark) -> Exchange:
    """A generation for a model whose provider has no key: it ends before anything is spent, as an error in the log."""
    return generate(worker, marker, "A picture of a text model", model_id="claude-3-5-sonnet")


@observation()
def refusals(
    without_prompt: list[Exchange],
    unknown_instance: Exchange,
    malformed_model_ids: dict[str, Exchange],
    wrong_type: Exchange,
    without_key: Exchange,
) -> list[Exchange]:
    """All generations of the run that a healthy worker refuses."""
    return [*without_prompt, unknown_instance, *malformed_model_ids.values(), wrong_type, without_key]


@observation(spends={"generations": 3}, within="90 s")
def by_other_providers(
    worker: Http, marker: str, attached: LogMark, ledger: Ledger, rows: Snapshot
) -> dict[str, Exchange]:
    """Generations with DALL-E 3, with a Stable Diffusion model, active if there is such, and with the default model."""
    ledger.own("leftover_pictures", "images", marker)
    found = [(row["status"] != "active", row["model_id"]) for row in rows["models"] if "stable" in row["model_id"]]
    names = ("dall-e-3", *(name for _, name in sorted(found)[:1]), "ideogram-v2")
    return {name: generate(worker, marker, f"By {name}", model_id=name) for name in names}


@observation()
def their_pictures(worker: Http, by_other_providers: dict[str, Exchange]) -> dict[str, Exchange]:
    """The pictures of the generations with several providers."""
    return {
        name: worker.fetch(found.json["image_url"]) for name, found in by_other_providers.items() if delivered(found)
    }


@removal
def leftover_pictures(images: Storage, key: str) -> None:
    """Remove the pictures that carry a run's marker."""
    moment = dt.datetime.strptime(key[2:18].upper(), "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    for day in {folder_day(moment), folder_day(moment + dt.timedelta(hours=1))}:
        for instance in INSTANCES:
            for name in images.list(f"{instance}/{day}").keys:
                if key in name:
                    images.delete(name)
