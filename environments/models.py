"""The typed model of an environment file. Everything a run may know about a target is a field here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from environments.secrets import SecretRef

Text = str | SecretRef
Permit = Literal["read_only", "writes", "costs", "destructive"]


class Table(BaseModel):
    """Base of every table: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpConfig(Table):
    """An HTTP origin. Credentials in `headers` go to this origin only."""

    url: str
    headers: dict[str, Text] = Field(default_factory=dict)
    redirect_hosts: tuple[str, ...] = ()
    ca_file: str | None = None
    body_limit: int = 16 * 1024 * 1024


class PostgresConfig(Table):
    """A PostgreSQL database, looked at through a role that can only read."""

    kind: Literal["postgres"]
    dsn: Text
    statement_timeout: float = 30.0
    row_limit: int = 100_000
    byte_limit: int = 64 * 1024 * 1024


class D1Config(Table):
    """A Cloudflare D1 database through its HTTP API; `api` is the API's origin."""

    kind: Literal["d1"]
    api: str
    account: Text
    database: Text
    token: Text
    row_limit: int = 100_000


class WranglerConfig(Table):
    """A Cloudflare D1 database through `wrangler d1 execute`; `program` is the command prefix."""

    kind: Literal["wrangler"]
    program: tuple[str, ...]
    database: str
    remote: bool = True
    directory: str | None = None
    variables: dict[str, Text] = Field(default_factory=dict)
    row_limit: int = 100_000


DatabaseConfig = Annotated[PostgresConfig | D1Config | WranglerConfig, Field(discriminator="kind")]


class FileLogConfig(Table):
    """A log file, with the rotated files beside it. `format` says how a line is read.

    timezone: of times that state none. keys: where a JSON line keeps its `time`, `level` and `message`, if not where
    most do.
    """

    kind: Literal["file"]
    path: str
    format: str
    timezone: str = "UTC"
    keys: dict[str, str] = Field(default_factory=dict)
    byte_limit: int = 2 * 1024 * 1024 * 1024


class CommandLogConfig(Table):
    """A command that prints the log: attached before the first request (`follow`), or run once for the past.

    live: when a followed program counts as attached: once it has printed its `first_byte`, or once it has `settled`,
    that is run for `settle` seconds of ours. timezone and keys: as for a file.
    """

    kind: Literal["command"]
    program: tuple[str, ...]
    format: str
    timezone: str = "UTC"
    keys: dict[str, str] = Field(default_factory=dict)
    follow: bool = True
    live: Literal["first_byte", "settled"] = "settled"
    settle: float = 5.0
    directory: str | None = None
    variables: dict[str, Text] = Field(default_factory=dict)
    byte_limit: int = 2 * 1024 * 1024 * 1024


LogConfig = Annotated[FileLogConfig | CommandLogConfig, Field(discriminator="kind")]


class StorageConfig(Table):
    """A bucket behind an S3 API."""

    endpoint: str
    bucket: str
    region: str = "auto"
    key: Text
    secret: Text
    object_limit: int = 10_000


class BrowserConfig(Table):
    """A page, and the hosts it may talk to besides its own."""

    url: str
    hosts: tuple[str, ...] = ()
    headers: dict[str, Text] = Field(default_factory=dict)


class CommandConfig(Table):
    """A program on this machine; arguments are appended as a list, never through a shell."""

    program: tuple[str, ...]
    directory: str | None = None
    variables: dict[str, Text] = Field(default_factory=dict)


class System(Table):
    """One system of an environment: its instruments by kind and name, and the facts its checks compare with."""

    http: dict[str, HttpConfig] = Field(default_factory=dict)
    database: dict[str, DatabaseConfig] = Field(default_factory=dict)
    log: dict[str, LogConfig] = Field(default_factory=dict)
    storage: dict[str, StorageConfig] = Field(default_factory=dict)
    browser: dict[str, BrowserConfig] = Field(default_factory=dict)
    command: dict[str, CommandConfig] = Field(default_factory=dict)
    facts: dict[str, str | int | float | bool | tuple[str, ...]] = Field(default_factory=dict)
