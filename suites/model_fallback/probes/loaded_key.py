"""Whether the key of the environment file is the one that the service runs with.

Handed to the application's own interpreter on the service's host, with the application folder as its argument.
It tells keys by digests that are salted anew each time: they can be compared with each other and with nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

NAME = "GEMINI_API_KEY"
SETTINGS = "DJANGO_SETTINGS_MODULE"
SERVERS = {"gunicorn", "daphne", "uvicorn", "hypercorn", "uwsgi", "waitress-serve"}
STARTED, PARENT = 19, 1  # fields of /proc/PID/stat after the name: clock ticks since boot, and the parent
SALT = secrets.token_bytes(16)


def digest(key: bytes) -> str:
    """Return what tells a key from another in this answer alone."""
    return hashlib.sha256(SALT + key).hexdigest()


def variables(text: bytes) -> dict[str, bytes]:
    """Return the variables of /proc/PID/environ, which are those that a process was started with."""
    pairs = (part.partition(b"=") for part in text.split(b"\0"))
    return {name.decode("ascii", "replace"): value for name, _, value in pairs}


def serves(words: list[str], initial: dict[str, bytes]) -> bool:
    """Return whether these words of a command line start the service."""
    bases = [os.path.basename(word) for word in words]  # noqa: PTH119 - a word need not be a path
    if "manage.py" in bases:
        return any(word.startswith("runserver") for word in words)
    if any(base.rstrip(":") in SERVERS for word in bases for base in word.split()[:1]):
        return True
    return bases[0].startswith("python") and SETTINGS in initial


def status(folder: Path) -> list[str]:
    """Return the fields of a process's status that follow its name, which may hold blanks."""
    return (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def ancestors() -> list[int]:
    """Return this process and those that started it: a shell on the host is no part of the service."""
    found, pid = [], os.getpid()
    while pid > 1:
        found.append(pid)
        pid = int(status(Path("/proc", str(pid)))[PARENT])
    return found


def seen(folder: Path, application: Path, booted: float) -> dict[str, Any] | None:
    """Return what a process of the service was started with, None for any other process.

    told: whether its variables can be read at all. A process that gives itself a title writes it over them.
    """
    if (folder / "cwd").resolve(strict=True) != application:
        return None
    initial = variables((folder / "environ").read_bytes())
    words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
    if not serves(words, initial):
        return None
    key = initial.get(NAME)
    return {
        "key": None if key is None else digest(key),
        "told": key is not None or "PATH" in initial,
        "began": booted + int(status(folder)[STARTED]) / os.sysconf("SC_CLK_TCK"),
    }


def processes(application: Path) -> dict[str, Any]:
    """Return the processes of the service, and how many of the host's may not be looked at."""
    booted, own = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME), ancestors()
    found, hidden = [], 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) in own:
            continue
        try:
            one = seen(folder, application, booted)
        except PermissionError:
            hidden += 1
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        else:
            found += [one] if one else []
    return {"processes": found, "hidden": hidden}


def loaded(application: Path) -> dict[str, Any]:
    """Return what load_dotenv() makes of the application folder: the key's digest and length, and the file's age."""
    os.environ.pop(NAME, None)
    os.chdir(application)
    from dotenv import find_dotenv, load_dotenv  # noqa: PLC0415 - found from the application folder, as it is there

    path = find_dotenv(usecwd=True)
    if path:
        load_dotenv(path)
    key = os.environ.get(NAME, "")
    return {"key": digest(os.fsencode(key)), "length": len(key), "changed": Path(path).stat().st_mtime if path else 0}


def told(folder: str) -> dict[str, Any]:
    """Return all of it, or why it cannot be told."""
    if not sys.platform.startswith("linux"):
        return {"problem": "the host is no Linux, so that the variables of its processes cannot be read"}
    try:
        application = Path(folder).resolve(strict=True)
        return {"loaded": loaded(application), **processes(application)}
    except (ImportError, OSError, ValueError) as error:
        return {"problem": f"{type(error).__name__}: {error}"}


sys.stdout.write(json.dumps(told(sys.argv[1])) + "\n")
