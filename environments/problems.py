"""What is wrong with an environment file: all of it at once, each problem with its place and what is allowed there."""

from __future__ import annotations

import dataclasses
import re
import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from environments.references import SecretRef
from environments.tables import REFERENCE
from environments.wording import nearest_first, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic_core import ErrorDetails


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong: where, what was found, what is allowed."""

    file: str
    table: str = ""
    key: str = ""
    found: str
    allowed: str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.table and f"[{self.table}]", self.key) if part)
        return f"{self.file}: {place + ': ' if place else ''}found {self.found}; allowed: {self.allowed}"


class EnvironmentFileError(Exception):
    """An environment file that cannot be used. Its text lists every problem, one per line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the environment cannot be used, {count} problem{'s' if count > 1 else ''}:\n{lines}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where an error is: the keys as the file spells them, the kind of value there, and the table around it."""

    keys: tuple[str, ...] = ()
    kind: Any
    table: type[BaseModel] | None = None

    def step(self, part: str | int) -> Place:
        """Return the place one part of pydantic's location further; parts that the file does not have add no key."""
        kind = _bare(self.kind)
        if part == "[key]":  # the name itself is refused; it is among the keys already
            return dataclasses.replace(self, kind=None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            return Place(keys=(*self.keys, str(part)), kind=field.annotation if field else None, table=kind)
        if get_origin(kind) is dict:
            return dataclasses.replace(self, keys=(*self.keys, str(part)), kind=get_args(kind)[1])
        if get_origin(kind) is tuple:
            number = f"{self.keys[-1]}[{part}]" if self.keys else f"[{part}]"
            return dataclasses.replace(self, keys=(*self.keys[:-1], number), kind=get_args(kind)[0])
        return dataclasses.replace(self, kind=_member(kind, str(part)))


def _bare(kind: Any) -> Any:
    """Return a kind without its annotations and without the None of an optional field."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        if len(members) == 1:
            return _bare(members[0])
    return kind


def _tags(member: Any) -> set[str]:
    """Return the names by which pydantic's locations may call a member of a union."""
    tags = (
        {part.tag for part in get_args(member)[1:] if isinstance(part, Tag)}
        if get_origin(member) is Annotated
        else set()
    )
    bare = _bare(member)
    if isinstance(bare, type) and issubclass(bare, BaseModel) and "kind" in bare.model_fields:
        tags |= set(get_args(bare.model_fields["kind"].annotation))
    return tags


def _member(kind: Any, tag: str) -> Any:
    return next((member for member in get_args(kind) if tag in _tags(member)), None)


def problems_of(
    error: ValidationError, root: type[BaseModel], file: str, but: Callable[[ErrorDetails], bool]
) -> list[Problem]:
    """Return the problems of a refused document whose model is `root`, ordered as in the model, without repetitions.

    but: says of an error that it is none.
    """
    found: dict[tuple[str, str], Problem] = {}
    for detail in (each for each in error.errors(include_url=False) if not but(each)):
        problem = _problem(detail, root, file)
        place = (problem.table, problem.key)
        if place in found:
            known = found[place]
            problem = dataclasses.replace(known, allowed=f"{known.allowed}, or {problem.allowed}")
        found[place] = problem
    return list(found.values())


def place_of(detail: ErrorDetails, root: type[BaseModel]) -> Place:
    """Return where in a file with the model `root` an error is."""
    place = Place(kind=root)
    for part in detail["loc"]:
        place = place.step(part)
    return place


def _problem(detail: ErrorDetails, root: type[BaseModel], file: str) -> Problem:
    place = place_of(detail, root)
    keys = (*place.keys, "kind") if detail["type"].startswith("union_tag") else place.keys
    at_table = isinstance(place.kind, type) and issubclass(place.kind, BaseModel) and place.kind is not SecretRef
    table, key = (keys, "") if at_table else (keys[:-1], keys[-1] if keys else "")
    found, allowed = _found_and_allowed(detail, place, keys[-1] if keys else "")
    return Problem(file=file, table=".".join(table), key=key, found=found, allowed=allowed)


def _found_and_allowed(detail: ErrorDetails, place: Place, key: str) -> tuple[str, str]:
    thing, context = detail["input"], detail.get("ctx", {})
    found, allowed = shown(thing), _wish(detail["msg"])
    match detail["type"]:
        case "refused":
            found, allowed = context["found"], context["allowed"]
        case "extra_forbidden":
            known = place.table.model_fields if place.table else ()
            found = f"an unknown {'table' if isinstance(thing, dict) else 'key'}"
            allowed = ", ".join(nearest_first(key, known))
        case "missing":
            found, allowed = "nothing", "a value, for this key is required"
        case "union_tag_not_found":
            found, allowed = "nothing", _kinds(place, "")
        case "union_tag_invalid":
            found, allowed = shown(context["tag"]), _kinds(place, str(context["tag"]))
        case "literal_error":
            allowed = ", ".join(nearest_first(str(thing), map(str, get_args(_bare(place.kind)))))
        case "model_type" if _bare(place.kind) is SecretRef:
            # Only where a text is not allowed at all does one get here, and then it is the secret.
            literal = isinstance(thing, str)
            found, allowed = ("a secret in the file", REFERENCE) if literal else (found, f"text, or {REFERENCE}")
        case _ if place.table is SecretRef and isinstance(thing, str):
            found = "a text"  # it may be the secret itself
    return found, allowed


def _kinds(place: Place, near: str) -> str:
    kinds = {tag for member in get_args(_bare(place.kind)) for tag in _tags(member)}
    return ", ".join(nearest_first(near, kinds))


def _wish(message: str) -> str:
    """Return what pydantic asks for, in the words of a file: its tuples are lists, its dictionaries tables."""
    wish = re.sub(r"^(?:Input|Value|String|Tuple) should (?:be|have) ", "", message)
    for theirs, ours in (("tuple", "list"), ("dictionary", "table"), (" or instance of ", " as "), ("string", "text")):
        wish = wish.replace(theirs, ours)
    return wish
