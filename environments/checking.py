"""From a document to the model of an environment: all problems at once, and what a launch has yet to fill in."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from environments.models import Awaited, EnvironmentFile
from environments.problems import EnvironmentFileError, Problem, place_of, problems_of
from environments.references import SecretRef
from environments.secrets import sensitive_parts
from environments.strength import weakness
from environments.wording import nearest_first, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

# systems, <system>, <kind>, <name>: how deep the table of an instrument lies.
_DEPTH = 4
# What a launched program may leave out of the file, in pydantic's words.
_ABSENT = ("missing", "union_tag_not_found")


def launches(document: Mapping[str, Any]) -> bool:
    """Say whether a program completes this document."""
    settings = document.get("environment")
    return isinstance(settings, dict) and settings.get("launch") is not None


def checked(
    document: Mapping[str, Any], file: str, *, partly: bool, strict: bool = True, also: Collection[Problem] = ()
) -> EnvironmentFile:
    """Return the model of a document. Raises EnvironmentFileError with every problem, `also` among them.

    partly: a field that an instrument lacks is no problem yet; the instrument is `Awaited`. strict: types are those of
    TOML; otherwise those of JSON, which has no times.
    """
    absent: set[tuple[str, ...]] = set()
    problems = list(also)
    try:
        found = _model(document, strict=strict)
    except ValidationError as error:
        absent = {place for place in map(_awaited, error.errors()) if place} if partly else set()
        problems += problems_of(error, EnvironmentFile, file, but=lambda detail: partly and bool(_awaited(detail)))
    if problems:
        raise EnvironmentFileError(problems)
    return _completed_later(document, absent, strict=strict) if absent else found


def _model(document: Mapping[str, Any], *, strict: bool) -> EnvironmentFile:
    settings = document.get("environment")
    production = isinstance(settings, dict) and settings.get("production") is True
    # A context says that this comes from a file, where no secret may stand; see tables.py.
    return EnvironmentFile.model_validate(_frozen(document), strict=strict, context={"production": production})


def _frozen(thing: Any) -> Any:
    """Return a document with tuples in place of lists, which is what the strict models take."""
    if isinstance(thing, dict):
        return {key: _frozen(part) for key, part in thing.items()}
    return tuple(_frozen(part) for part in thing) if isinstance(thing, list) else thing


def _awaited(detail: Any) -> tuple[str, ...] | None:
    """Return the instrument whose missing field this error is about."""
    if detail["type"] not in _ABSENT:
        return None
    keys = place_of(detail, EnvironmentFile).keys[:_DEPTH]
    return keys if len(keys) == _DEPTH and keys[0] == "systems" else None


def _completed_later(document: Mapping[str, Any], absent: set[tuple[str, ...]], *, strict: bool) -> EnvironmentFile:
    """Return the model with placeholders for the instruments that are not complete."""
    rest: Any = copy.deepcopy(dict(document))
    for _, system, kind, name in absent:
        del rest["systems"][system][kind][name]
    file = _model(rest, strict=strict)
    systems = dict(file.systems)
    for _, system, kind, name in sorted(absent):
        named = {**getattr(systems[system], kind), name: Awaited()}
        systems[system] = systems[system].model_copy(update={kind: named})
    return file.model_copy(update={"systems": systems})


def problems_of_launch(document: object, file: str) -> Iterator[Problem]:
    """Yield what is wrong with the shape of what a launched program printed."""
    if not isinstance(document, dict):
        yield Problem(file=file, found=shown(document), allowed="a JSON object with systems and variables")
        return
    for key in document.keys() - {"systems", "variables"}:
        yield Problem(file=file, key=key, found="an unknown key", allowed="systems, variables")
    for key, part in document.items():
        if not isinstance(part, dict):
            yield Problem(file=file, key=key, found=shown(part), allowed="an object")
    variables = document.get("variables")
    for name, value in variables.items() if isinstance(variables, dict) else ():
        if not isinstance(value, str):
            yield Problem(file=file, table="variables", key=name, found=f"a {type(value).__name__}", allowed="a text")


def merged(ours: Any, theirs: Any) -> Any:
    """Return two documents laid over each other, table by table; where both have a value, `theirs` counts."""
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return theirs
    return {**ours, **{key: merged(ours[key], part) if key in ours else part for key, part in theirs.items()}}


def problems_of_names(document: Mapping[str, Any], known: Collection[str] | None, file: str) -> Iterator[Problem]:
    """Yield the tables of systems that nobody knows; every system is known when `known` is None."""
    systems = document.get("systems")
    for name in systems if known is not None and isinstance(systems, dict) else ():
        if name not in (known or ()):
            allowed = ", ".join(nearest_first(name, known or ()))
            yield Problem(file=file, table=f"systems.{name}", found="an unknown system", allowed=allowed)


def references(thing: Any, path: str) -> Iterator[tuple[str, SecretRef]]:
    """Yield every secret reference in a table, with the path of its key."""
    if isinstance(thing, SecretRef):
        yield path, thing
    elif isinstance(thing, BaseModel):
        for name in type(thing).model_fields:
            yield from references(getattr(thing, name), f"{path}.{name}")
    elif isinstance(thing, dict):
        for name, part in thing.items():
            yield from references(part, f"{path}.{name}")


def problems_of_variables(refs: Mapping[str, SecretRef], variables: Mapping[str, str], file: str) -> Iterator[Problem]:
    """Yield a problem for each variable that is unset, empty, or too weak to be masked; no value is quoted."""
    wanted: dict[str, str] = {}
    for path, ref in refs.items():
        if ref.env is not None:
            wanted.setdefault(ref.env, path)
    for name, path in wanted.items():
        table, _, key = path.rpartition(".")
        found, allowed = _variable(name, variables.get(name))
        if found:
            yield Problem(file=file, table=table, key=key, found=found, allowed=allowed)


def _variable(name: str, text: str | None) -> tuple[str, str]:
    if not text:
        return (
            f"the variable {name}, which is {'not set' if text is None else 'empty'}",
            "a variable that holds the secret",
        )
    for part in sensitive_parts(text):
        if why := weakness(part):
            found, _, allowed = why.partition("; allowed: ")
            return f"the variable {name} with {found}", allowed
    return "", ""
