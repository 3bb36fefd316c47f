"""Baselines: figures saved before a deployment, in `<runs>/<environment>/baselines/<name>.json` beside its records."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from reports.record import Part

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "baselines"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}", re.IGNORECASE)


class BaselineError(Exception):
    """A baseline that cannot be named, read or written. The text names the file, what was found, what is allowed."""


class SavedBaseline(Part):
    """Figures under a name. saved: seconds since 1970. figures: by `<system>: <figure>`, in the JSON form of values."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    name: str
    environment: str
    release: str
    run: str
    saved: float
    figures: dict[str, Any]


def path_of(runs: Path, environment: str, name: str) -> Path:
    """Return where a baseline is kept. Raises BaselineError for a name that is no file's."""
    if not _NAME.fullmatch(name):
        raise BaselineError(f"baseline: found {name!r}, allowed up to 60 letters, digits, '.', '_' and '-'")
    return runs / environment / FOLDER / f"{name}.json"


def load(path: Path) -> SavedBaseline | None:
    """Return a saved baseline, None where there is none. Raises BaselineError for a file that is not one."""
    try:
        return SavedBaseline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{error.error_count()} wrong fields"
        raise BaselineError(f"{path}: found {reason}, allowed a baseline that a run has saved") from None


def save(path: Path, baseline: SavedBaseline) -> None:
    """Write a baseline, whole or not at all; one of this name is replaced. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(baseline.model_dump_json(by_alias=True, indent=1))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
