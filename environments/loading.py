"""An environment, read from its file: every problem at once, and nothing is sent before there is none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from environments.checking import (
    checked,
    launches,
    merged,
    problems_of_launch,
    problems_of_names,
    problems_of_variables,
    references,
)
from environments.problems import EnvironmentFileError, Problem
from environments.reading import bytes_of, document_of, is_path, path_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from environments.models import Attestation, EnvironmentFile, Permit, System, Waiver
    from environments.references import SecretRef

__all__ = ["Environment", "EnvironmentFileError", "Problem", "load"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """A deployment to verify, as its file describes it and, once launched, as its program completed it.

    digest: SHA-256 of the file. selected: the systems this run is about, None for all. variables: what references of
    kind `env` are resolved from. document: the tables as read.
    """

    file: EnvironmentFile
    path: Path
    digest: str
    selected: frozenset[str] | None = None
    variables: Mapping[str, str] = dataclasses.field(repr=False)
    document: Mapping[str, Any] = dataclasses.field(repr=False)

    @property
    def name(self) -> str:
        """What reports call this environment."""
        return self.file.environment.name

    @property
    def systems(self) -> Mapping[str, System]:
        """The systems of the environment by name; before a launch, instruments that it completes are `Awaited`."""
        return self.file.systems

    @property
    def permits(self) -> tuple[Permit, ...]:
        """What observations may do to the target."""
        return self.file.environment.permits

    @property
    def speed(self) -> float:
        """Seconds of the target's time per second of ours."""
        return self.file.environment.speed

    @property
    def launch(self) -> tuple[str, ...] | None:
        """The program that starts the target, or None."""
        return self.file.environment.launch

    @property
    def launch_timeout(self) -> float:
        """Seconds of ours until the launched program must have printed its endpoints."""
        return self.file.environment.launch_timeout

    @property
    def release(self) -> str:
        """The release under verification, empty when the file names none."""
        return self.file.environment.release or ""

    @property
    def commit(self) -> str:
        """The commit of the release, empty when the file names none."""
        return self.file.environment.commit or ""

    @property
    def deployed(self) -> dt.datetime | None:
        """When the release went live."""
        return self.file.environment.deployed

    @property
    def limits(self) -> dict[str, float]:
        """The most that a run may use of each resource."""
        return {"requests": self.file.budget.requests, "generations": self.file.budget.generations}

    @property
    def budgeted(self) -> bool:
        """Whether the file itself says how much a run may use; without it the defaults for looks count."""
        return "budget" in self.file.model_fields_set

    @property
    def pace(self) -> dict[str, Any]:
        """How fast a run may send: `per_second` and `concurrency`."""
        budget = self.file.budget
        return {"per_second": budget.requests_per_second, "concurrency": budget.concurrency}

    @property
    def attestations(self) -> tuple[Attestation, ...]:
        """Statements for items that no machine can decide."""
        return self.file.attestation

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """Failing items that are accepted for a while."""
        return self.file.waiver

    def waiver_of(self, item: str, now: dt.datetime) -> Waiver | None:
        """Return the waiver of an item that counts at `now`."""
        return next((one for one in self.waivers if one.item == item and self.valid(one, now)), None)

    def valid(self, statement: Attestation | Waiver, now: dt.datetime) -> bool:
        """Say whether a statement counts at `now` (aware) for this release; its last day counts, in UTC."""
        today = now.astimezone(dt.UTC).date()
        begins = getattr(statement, "date", today)
        release = getattr(statement, "release", None)
        return begins <= today <= statement.expires and release in (None, self.file.environment.release)

    def references(self) -> dict[str, SecretRef]:
        """Return every secret reference of the selected systems, by the path of its key in the file."""
        return {
            path: ref
            for name, system in self.systems.items()
            if self.selected is None or name in self.selected
            for path, ref in references(system, f"systems.{name}")
        }

    def with_launched(self, document: Mapping[str, Any]) -> Environment:
        """Return this environment completed by what its launched program printed.

        document: `{"systems": {system: {kind: {name: {field: value}}}}, "variables": {name: value}}`. Raises
        EnvironmentFileError when that has another shape, or when the whole is still not valid.
        """
        label = f"{self.path} with what its launched program printed"
        if problems := list(problems_of_launch(document, label)):
            raise EnvironmentFileError(problems)
        whole = merged(self._selected_document(), {"systems": document.get("systems", {})})
        complete = dataclasses.replace(
            self,
            file=checked(whole, label, partly=False),
            document=whole,
            variables={**self.variables, **document.get("variables", {})},
        )
        return _with_its_variables(complete, label)

    def _selected_document(self) -> dict[str, Any]:
        """Return the document without the systems that this run is not about: nobody completes them."""
        tables = self.document.get("systems", {})
        kept = {name: table for name, table in tables.items() if self.selected is None or name in self.selected}
        return {**self.document, "systems": kept}

    def dump(self) -> dict[str, Any]:
        """Return the JSON form from which `revived` makes this environment again; it holds references, no secret."""
        # TOML has dates and times, JSON has not.
        document = json.loads(json.dumps(self.document, default=lambda moment: moment.isoformat()))
        selected = None if self.selected is None else sorted(self.selected)
        return {"path": str(self.path), "digest": self.digest, "selected": selected, "document": document}

    @classmethod
    def revived(cls, dumped: Mapping[str, Any]) -> Environment:
        """Return the environment of an earlier run; it looks at nothing, so it has no variables."""
        document = dumped["document"]
        return cls(
            file=checked(document, dumped["path"], partly=launches(document), strict=False),
            path=Path(dumped["path"]),
            digest=dumped["digest"],
            selected=None if dumped["selected"] is None else frozenset(dumped["selected"]),
            variables={},
            document=document,
        )


def load(
    name_or_path: str,
    *,
    systems: Collection[str] | None = None,
    variables: Mapping[str, str],
    known_systems: Collection[str] | None = None,
) -> Environment:
    """Return the environment `NAME` (environments/NAME.toml) or that of the file at a path.

    systems: those selected, all by default; only their secrets have to be there. variables: normally os.environ.
    known_systems: when given, a table of any other system is a problem. Raises EnvironmentFileError with every problem;
    variables are looked at once the file itself is in order, those of a launched environment once it is launched.
    """
    path = path_of(name_or_path)
    raw = bytes_of(path)
    document = document_of(raw, str(path))
    problems = list(problems_of_names(document, known_systems, str(path)))
    if not is_path(name_or_path):
        problems += _misnamed(document, path)
    environment = Environment(
        file=checked(document, str(path), partly=launches(document), also=problems),
        path=path,
        digest=hashlib.sha256(raw).hexdigest(),
        selected=None if systems is None else frozenset(systems),
        variables=dict(variables),
        document=document,
    )
    return environment if environment.launch else _with_its_variables(environment, str(path))


def _misnamed(document: Mapping[str, Any], path: Path) -> list[Problem]:
    """Return a problem when a file does not call itself what it is called: a copy with the old name in it."""
    settings = document.get("environment")
    name = settings.get("name") if isinstance(settings, dict) else None
    if not isinstance(name, str) or name == path.stem:
        return []
    return [Problem(file=str(path), table="environment", key="name", found=ascii(name), allowed=ascii(path.stem))]


def _with_its_variables(environment: Environment, label: str) -> Environment:
    if problems := list(problems_of_variables(environment.references(), environment.variables, label)):
        raise EnvironmentFileError(problems)
    return environment
