"""Secret references, and the one place that turns them into secrets."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


class SecretRef(BaseModel):
    """Where a secret is kept: exactly one of `env`, `file` or `command`. `prefix` is put before it, as in "Bearer "."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = None
    file: str | None = None
    command: tuple[str, ...] | None = None
    prefix: str = ""


class Secrets(Protocol):
    """Resolves references, late and once. Everything it returns is known to the redactor before it is returned."""

    def reveal(self, ref: str | SecretRef) -> str:
        """Return the text behind `ref`; a plain string is itself. Raises SecretMissingError."""
        ...
