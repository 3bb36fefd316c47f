"""What tables of an environment file are made of: names, texts, and references in place of every secret."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo

from environments.references import SecretRef
from environments.wording import refused, shown

REFERENCE = '{ env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }'

# Header and variable names that carry credentials; `apikey`, `X-Auth-Token`, `PGPASSWORD`, `Cookie` among them.
_CREDENTIAL = re.compile(
    "auth|token|key|secret|passw|credential|cookie|session|signature|dsn|database_url", re.IGNORECASE
)
# A password in either form of a connection string, or user:password@ in a URL.
_PASSWORD = re.compile(r"\bpassword\s*=|://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2: token


class Table(BaseModel):
    """Base of every table: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise refused(f"the name {shown(name)}", "a lower-case identifier, as in config_service")
    return name


def _form(value: Any) -> str:
    return "text" if isinstance(value, str) else "reference"


def _is_file(info: ValidationInfo) -> bool:
    """Say whether this comes from a file: only there a literal is a secret that lies about."""
    return info.context is not None


def _not_literal(value: Text, info: ValidationInfo) -> Text:
    if isinstance(value, str) and _is_file(info):
        raise refused("a secret in the file", REFERENCE)
    return value


def _without_password(value: Text, info: ValidationInfo) -> Text:
    if isinstance(value, str) and _is_file(info) and _PASSWORD.search(value):
        raise refused("a connection string with its password", f"one without a password, or {REFERENCE}")
    return value


def _no_literal_credentials(named: dict[str, Text], info: ValidationInfo) -> dict[str, Text]:
    plain = {name: value for name, value in named.items() if isinstance(value, str)}
    bare = sorted(name for name, value in plain.items() if _CREDENTIAL.search(name) or _PASSWORD.search(value))
    if bare and _is_file(info):
        raise refused(f"a secret in the file, in {', '.join(bare)}", REFERENCE)
    return named


def _sendable(headers: dict[str, Text]) -> dict[str, Text]:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise refused(f"the header name {shown(name)}", "letters, digits and hyphens")
        if not (value if isinstance(value, str) else value.prefix).isprintable():
            raise refused(f"a control character in the header {name}", "printable characters")
    return headers


Name = Annotated[str, AfterValidator(_name)]
NonEmpty = Annotated[str, Field(min_length=1)]
Program = Annotated[tuple[NonEmpty, ...], Field(min_length=1)]

Text = Annotated[Annotated[str, Tag("text")] | Annotated[SecretRef, Tag("reference")], Discriminator(_form)]
SecretText = Annotated[Text, AfterValidator(_not_literal)]
ConnectionText = Annotated[Text, AfterValidator(_without_password)]
Headers = Annotated[dict[str, Text], AfterValidator(_sendable), AfterValidator(_no_literal_credentials)]
Variables = Annotated[dict[str, Text], AfterValidator(_no_literal_credentials)]
