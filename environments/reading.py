"""From a name or path to the document of an environment file. Whatever stops it is one problem with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from environments.problems import EnvironmentFileError, Problem
from environments.wording import nearest_first, shown

FOLDER = Path(__file__).parent
# The files here have some 5 KiB; ten thousand waivers would fit.
SIZE_LIMIT = 1024 * 1024


def known_names() -> list[str]:
    """Return the names of the environments beside this package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def is_path(name_or_path: str) -> bool:
    """Say whether this is the path of a file, not the name of an environment."""
    return "/" in name_or_path or name_or_path.endswith(".toml")


def path_of(name_or_path: str) -> Path:
    """Return the file of an environment. Raises EnvironmentFileError for an unknown name, with the known ones."""
    if is_path(name_or_path):
        return Path(name_or_path)
    if name_or_path in known_names():
        path = FOLDER / f"{name_or_path}.toml"
        return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    known = ", ".join(nearest_first(name_or_path, known_names()))
    problem = Problem(
        file=f"environments/{name_or_path}.toml",
        found=f"no environment called {shown(name_or_path)}",
        allowed=f"{known}, or the path of a .toml file",
    )
    raise EnvironmentFileError([problem])


def bytes_of(path: Path) -> bytes:
    """Return the content of a file. Raises EnvironmentFileError when it cannot be read or cannot be what is meant."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        found, allowed = f"no readable file ({error.strerror})", f"a file; by name there are {', '.join(known_names())}"
    else:
        if len(raw) <= SIZE_LIMIT:
            return raw
        found, allowed = f"more than {SIZE_LIMIT} bytes", "a file of a few kilobytes"
    raise EnvironmentFileError([Problem(file=str(path), found=found, allowed=allowed)])


def document_of(raw: bytes, file: str) -> dict[str, Any]:
    """Return the tables of a TOML file. Raises EnvironmentFileError with the line at which it stops to be one."""
    try:
        text = raw.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        found, allowed = f"a byte that is not UTF-8 in line {_line(raw, error.start)}", "UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        # tomllib calls the place of a file that stops in the middle "end of document".
        end = f"line {len(text.splitlines())}, the end of the file"
        found, allowed = f"no TOML: {str(error).replace('end of document', end)}", "TOML"
    except RecursionError:
        found, allowed = "lists within lists without end", "the tables of an environment"
    else:
        if document:
            return document
        found, allowed = "an empty file", '[environment] with at least name = "…"'
    raise EnvironmentFileError([Problem(file=file, found=found, allowed=allowed)])


def _line(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1
