"""The typed model of an environment file. Everything a run may know about a target is a field here."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  # pydantic reads annotations at run time
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, ValidationInfo, field_validator, model_validator

from environments.instruments import (
    BrowserConfig,
    CommandConfig,
    CommandLogConfig,
    D1Config,
    DatabaseConfig,
    FileLogConfig,
    HttpConfig,
    LogConfig,
    MetricsConfig,
    PostgresConfig,
    PythonConfig,
    SourceConfig,
    StorageConfig,
    WranglerConfig,
)
from environments.references import SecretRef  # noqa: TC001  # pydantic reads annotations at run time
from environments.tables import Name, NonEmpty, Program, Table, Text
from environments.wording import refused, shown

__all__ = [
    "Attestation",
    "Awaited",
    "BrowserConfig",
    "Budget",
    "CommandConfig",
    "CommandLogConfig",
    "D1Config",
    "DatabaseConfig",
    "EnvironmentFile",
    "Fact",
    "FileLogConfig",
    "HttpConfig",
    "LogConfig",
    "MetricsConfig",
    "Name",
    "Permit",
    "PostgresConfig",
    "PythonConfig",
    "Settings",
    "SourceConfig",
    "StorageConfig",
    "System",
    "Table",
    "Text",
    "Waiver",
    "WranglerConfig",
]

Permit = Literal["read_only", "writes", "costs", "destructive"]
Fact = str | int | float | bool | tuple[str, ...]
Number = Annotated[float, Field(allow_inf_nan=False)]

# Above about 32 threads at once looking gets no faster, and a target notices.
MOST_CONCURRENCY = 32


def _environment_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise refused(shown(name), "up to 40 lower-case letters, digits, _ and - (it names the folder of the records)")
    return name


def _item(item: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9]*-\d+", item):
        raise refused(shown(item), "the id of a checklist's item, as in MCI-061")
    return item


ItemId = Annotated[str, AfterValidator(_item)]


class Settings(Table):
    """What the deployment is and what may be done to it."""

    name: Annotated[str, AfterValidator(_environment_name)] = Field(description="What reports call this environment.")
    permits: tuple[Permit, ...] = Field(default=("read_only",), description="What observations may do to the target.")
    production: bool = Field(default=False, description="Real users are here: https only, and never destructive.")
    speed: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="Seconds of the target's time per second of ours."
    )
    release: NonEmpty | None = Field(default=None, description="The release under verification, as reports name it.")
    commit: NonEmpty | None = Field(default=None, description="The commit the release was built from.")
    deployed: AwareDatetime | None = Field(default=None, description="When the release went live, with its offset.")
    launch: Program | None = Field(
        default=None, description="A program that starts the target and prints its endpoints."
    )
    launch_timeout: float = Field(
        default=60.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds until the launched program must have printed them.",
    )

    @field_validator("production")
    @classmethod
    def _production_is_never_destroyed(cls, production: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  # a validator
        if production and "destructive" in info.data.get("permits", ()):
            raise refused("true, with destructive among the permits", "true without it, or false")
        return production

    @field_validator("speed")
    @classmethod
    def _production_runs_in_real_time(cls, speed: float, info: ValidationInfo) -> float:
        if info.data.get("production") and speed != 1:
            raise refused(f"{speed:g} in production", "1; only simulators run faster")
        return speed


class Budget(Table):
    """How much of the target's capacity and of money one run may use."""

    requests: int = Field(default=2000, gt=0, description="Requests of all instruments together.")
    requests_per_second: float = Field(
        default=10.0, gt=0, allow_inf_nan=False, description="Rate of all instruments together."
    )
    concurrency: int = Field(default=8, gt=0, le=MOST_CONCURRENCY, description="Requests in flight at once.")
    generations: int = Field(default=0, ge=0, description="Calls that a provider is paid for.")


class System(Table):
    """One system of an environment: its instruments by kind and name, and the facts its checks compare with."""

    http: dict[Name, HttpConfig] = Field(default_factory=dict, description="HTTP origins by name.")
    database: dict[Name, DatabaseConfig] = Field(default_factory=dict, description="Databases by name.")
    log: dict[Name, LogConfig] = Field(default_factory=dict, description="Logs by name.")
    storage: dict[Name, StorageConfig] = Field(default_factory=dict, description="Buckets by name.")
    browser: dict[Name, BrowserConfig] = Field(default_factory=dict, description="Pages by name.")
    command: dict[Name, CommandConfig] = Field(default_factory=dict, description="Programs by name.")
    python: dict[Name, PythonConfig] = Field(default_factory=dict, description="Python installations by name.")
    metrics: dict[Name, MetricsConfig] = Field(default_factory=dict, description="Metric stores by name.")
    source: dict[Name, SourceConfig] = Field(default_factory=dict, description="Source trees by name.")
    secrets: dict[Name, SecretRef] = Field(
        default_factory=dict,
        description="What an observation itself has to send or sign with, such as a login's password.",
    )
    facts: dict[Name, Fact] = Field(default_factory=dict, description="Values that checks compare with.")
    limits: dict[ItemId, Number] = Field(
        default_factory=dict,
        description="Tighter limits than the checklist's, by item and in its units; a looser one needs a waiver.",
    )


class Awaited(Table):
    """An instrument that the launched program completes: until then it has a name and nothing to look through."""


class Attestation(Table):
    """A named person's statement about an item that no machine can decide."""

    item: ItemId = Field(description="The item it is about.")
    name: NonEmpty = Field(description="Who states it.")
    role: NonEmpty = Field(description="In which role.")
    date: dt.date = Field(description="When it was stated.")
    expires: dt.date = Field(description="The last day on which it counts.")
    text: NonEmpty = Field(description="What is stated.")
    release: NonEmpty | None = Field(default=None, description="The only release it counts for; without it, any.")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Attestation:
        if self.expires < self.date:
            raise refused(f"expires {self.expires} before date {self.date}", "a later day")
        return self


class Waiver(Table):
    """A failing item that somebody accepts for a while."""

    item: ItemId = Field(description="The item that may fail.")
    name: NonEmpty = Field(description="Who accepts it.")
    reason: NonEmpty = Field(description="Why it is acceptable.")
    expires: dt.date = Field(description="The last day on which it counts.")


class EnvironmentFile(Table):
    """The whole of `environments/<name>.toml`."""

    environment: Settings = Field(description="What the deployment is and what may be done to it.")
    budget: Budget = Field(default_factory=Budget, description="How much one run may use.")
    systems: dict[Name, System] = Field(default_factory=dict, description="The systems of the environment by name.")
    attestation: tuple[Attestation, ...] = Field(default=(), description="Statements for items no machine can decide.")
    waiver: tuple[Waiver, ...] = Field(default=(), description="Failing items that are accepted for a while.")
