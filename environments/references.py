"""References to secrets: where each is kept, and what can be wrong with one."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from environments.wording import refused


class SecretError(Exception):
    """A reference that gives no usable secret. The message names the reference and never the secret."""


class SecretMissingError(SecretError):
    """There is nothing behind the reference: a variable, a file or an answer that is absent or empty."""


class SecretWeakError(SecretError):
    """What is behind the reference is too short or too ordinary to be found and masked in a report."""


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise refused("text that is no name of a variable", "the name of a variable: letters, digits, underscores")
    return name


class SecretRef(BaseModel):
    """Where a secret is kept: exactly one of `env`, `file` or `command`. `prefix` is put before it, as in "Bearer "."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: Annotated[str, AfterValidator(_variable)] | None = Field(default=None, description="A variable's name.")
    file: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="A file only its owner can read, relative to the environment file."
    )
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="A program with its arguments, such as a vault's CLI, that prints the secret."
    )
    prefix: str = Field(default="", description='Text put before the secret, as in "Bearer ".')

    @model_validator(mode="after")
    def _one_place(self) -> SecretRef:
        places = [name for name in ("env", "file", "command") if getattr(self, name) is not None]
        if len(places) != 1:
            raise refused(" and ".join(places) or "no place", "exactly one of env, file, command")
        return self

    def __str__(self) -> str:
        if self.command is not None:
            return f"the command {self.command[0]!r}"
        return f"the variable {self.env}" if self.env is not None else f"the file {self.file!r}"
