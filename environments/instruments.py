"""The tables of instruments: each says where a part of a system is, and how much of it may be read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from environments.addresses import Host, Network, PageUrl, Url  # noqa: TC001  # pydantic reads annotations at run time
from environments.tables import ConnectionText, Headers, NonEmpty, Program, SecretText, Table, Text, Variables
from environments.wording import refused

_DIRECTORY = "The directory the program is started in; without it, that of pytest."
_VARIABLES = "Variables the program gets besides PATH, HOME and the like."
_ROWS = "Rows that a query may return."
_PROGRAM = "The program and its first arguments; never a shell."
_FORMAT = "How a line is read, as in wrangler-tail."
_TIMEZONE = "The zone of times that state none, as in Europe/Berlin."
_KEYS = "Where a JSON line keeps its time, level, message and group, if not where most do."
_LOG_BYTES = "Bytes that are read at most."


class HttpConfig(Table):
    """An HTTP origin. Credentials in `headers` go to this origin only."""

    url: Url = Field(description="The origin, and a path that every request begins with if there is one.")
    headers: Headers = Field(default_factory=dict, description="Headers of every request; credentials as references.")
    redirect_hosts: tuple[Host, ...] = Field(
        default=(), description="Hosts a redirect may lead to besides the origin's."
    )
    networks: tuple[Network, ...] = Field(
        default=(), description="Networks (CIDR) that every address of the origin's host has to be in; none means any."
    )
    ca_file: NonEmpty | None = Field(
        default=None, description="Certificate authorities to trust in place of the usual ones."
    )
    body_limit: int = Field(
        default=16 * 1024 * 1024, gt=0, description="Bytes of a body, before and after decompression."
    )


class PostgresConfig(Table):
    """A PostgreSQL database, looked at through a role that can only read."""

    kind: Literal["postgres"] = Field(description="A PostgreSQL database.")
    dsn: ConnectionText = Field(description="The connection string; as a reference when it holds a password.")
    statement_timeout: float = Field(
        default=30.0, gt=0, allow_inf_nan=False, description="Seconds a statement may take."
    )
    row_limit: int = Field(default=100_000, gt=0, description=_ROWS)
    byte_limit: int = Field(default=64 * 1024 * 1024, gt=0, description="Bytes that a query may return.")


class D1Config(Table):
    """A Cloudflare D1 database through its HTTP API."""

    kind: Literal["d1"] = Field(description="A Cloudflare D1 database through its HTTP API.")
    api: Url = Field(description="The API's address, up to but not including /accounts.")
    account: Text = Field(description="The account's id.")
    database: Text = Field(description="The database's id.")
    token: SecretText = Field(description="A token that may read D1.")
    row_limit: int = Field(default=100_000, gt=0, description=_ROWS)


class WranglerConfig(Table):
    """A Cloudflare D1 database through `wrangler d1 execute`; `program` is the command prefix."""

    kind: Literal["wrangler"] = Field(description="A Cloudflare D1 database through wrangler.")
    program: Program = Field(description="The command up to `d1 execute`, as in npx wrangler.")
    database: NonEmpty = Field(description="The database's name.")
    remote: bool = Field(default=True, description="The real database; false means wrangler's local copy.")
    directory: NonEmpty | None = Field(default=None, description=_DIRECTORY)
    variables: Variables = Field(default_factory=dict, description=_VARIABLES)
    row_limit: int = Field(default=100_000, gt=0, description=_ROWS)


DatabaseConfig = Annotated[PostgresConfig | D1Config | WranglerConfig, Field(discriminator="kind")]


class FileLogConfig(Table):
    """A log file, with the rotated files beside it. `format` says how a line is read.

    timezone: of times that state none. keys: where a JSON line keeps its `time`, `level` and `message`, if not where
    most do.
    """

    kind: Literal["file"] = Field(description="A file, with the rotated files beside it.")
    path: NonEmpty = Field(description="The file that is being written to.")
    format: NonEmpty = Field(description=_FORMAT)
    timezone: NonEmpty = Field(default="UTC", description=_TIMEZONE)
    keys: dict[str, str] = Field(default_factory=dict, description=_KEYS)
    byte_limit: int = Field(default=2 * 1024 * 1024 * 1024, gt=0, description=_LOG_BYTES)


class CommandLogConfig(Table):
    """A command that prints the log: attached before the first request (`follow`), or run once for the past.

    live: when a followed program counts as attached: once it has printed its `first_byte`, or once it has `settled`,
    that is run for `settle` seconds of ours. timezone and keys: as for a file.
    """

    kind: Literal["command"] = Field(description="A command that prints the log.")
    program: Program = Field(description=_PROGRAM)
    format: NonEmpty = Field(description=_FORMAT)
    timezone: NonEmpty = Field(default="UTC", description=_TIMEZONE)
    keys: dict[str, str] = Field(default_factory=dict, description=_KEYS)
    follow: bool = Field(
        default=True, description="It prints what happens from its start; false means it prints the past."
    )
    live: Literal["first_byte", "settled"] = Field(
        default="settled",
        description="When a followed program counts as attached: at its first byte, or after `settle`.",
    )
    settle: float = Field(default=5.0, ge=0, allow_inf_nan=False, description="Seconds until it counts as settled.")
    directory: NonEmpty | None = Field(default=None, description=_DIRECTORY)
    variables: Variables = Field(default_factory=dict, description=_VARIABLES)
    byte_limit: int = Field(default=2 * 1024 * 1024 * 1024, gt=0, description=_LOG_BYTES)


LogConfig = Annotated[FileLogConfig | CommandLogConfig, Field(discriminator="kind")]


class StorageConfig(Table):
    """A bucket behind an S3 API."""

    endpoint: Url = Field(description="The S3 API's address.")
    bucket: NonEmpty = Field(description="The bucket's name.")
    region: NonEmpty = Field(default="auto", description="The region requests are signed for.")
    key: SecretText = Field(description="The access key's id.")
    secret: SecretText = Field(description="The secret access key.")
    object_limit: int = Field(default=10_000, gt=0, description="Objects that a listing may return.")


class BrowserConfig(Table):
    """A page, and the hosts it may talk to besides its own."""

    url: PageUrl = Field(description="The page that is opened.")
    hosts: tuple[Host, ...] = Field(default=(), description="Hosts the page may talk to besides its own.")
    headers: Headers = Field(default_factory=dict, description="Headers of requests to the page's own host.")


class CommandConfig(Table):
    """A program on this machine; arguments are appended as a list, never through a shell."""

    program: Program = Field(description=_PROGRAM)
    directory: NonEmpty | None = Field(default=None, description=_DIRECTORY)
    variables: Variables = Field(default_factory=dict, description=_VARIABLES)


class PythonConfig(Table):
    """The Python API of a deployed installation, called in its own interpreter."""

    program: Program = Field(description="The installation's own interpreter, with its first arguments.")
    directory: NonEmpty | None = Field(
        default=None, description="The directory the deployed packages are imported from."
    )
    variables: Variables = Field(default_factory=dict, description=_VARIABLES)
    at_once: int = Field(
        default=4, ge=1, description="How many interpreters may run at the same time; each opens a pool of connections."
    )


class MetricsConfig(Table):
    """A metric store and its alerts, through the HTTP APIs of Prometheus and Alertmanager."""

    prometheus: Url | None = Field(default=None, description="The address of the Prometheus API, up to /api.")
    alertmanager: Url | None = Field(default=None, description="The address of the Alertmanager API, up to /api.")
    headers: Headers = Field(default_factory=dict, description="Headers of every request; credentials as references.")

    @model_validator(mode="after")
    def _one_address(self) -> MetricsConfig:
        if self.prometheus is None and self.alertmanager is None:
            raise refused("neither prometheus nor alertmanager", "at least one of the two")
        return self


class SourceConfig(Table):
    """A checkout of what was deployed."""

    path: NonEmpty = Field(description="The folder of the checkout.")
