"""`python -m reports.verify RUN_FOLDER`: whether a record is as the run left it.

The journal's chain of hashes is recomputed, and `run.json` compared with the digest that the journal holds of it. Exit
status 0 when both hold, 1 when something was changed, 4 when there is nothing to verify.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from reports import journal
from reports.journal import JournalError
from reports.verdict import NO_GO, USAGE


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def problems(folder: Path) -> list[str]:
    """Return what of a record is not as its run left it. Raises OSError when there is no record."""
    try:
        entries = list(journal.read(folder / "journal.jsonl"))
    except JournalError as error:
        return [str(error)]
    sealed = [entry.data["sha256"] for entry in entries if entry.kind == "record"]
    if not sealed:
        return [f"{folder}: the journal ends before the record was written: NOT SIGNED OFF"]
    found = digest(folder / "run.json")
    return [] if found == sealed[-1] else [f"{folder / 'run.json'}: found sha256 {found}, allowed {sealed[-1]}"]


def main(arguments: list[str]) -> int:
    """Verify one record and say what was found."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m reports.verify RUN_FOLDER\n")
        return USAGE
    folder = Path(arguments[0])
    try:
        found = problems(folder)
    except OSError as error:
        sys.stderr.write(f"{folder}: no record to verify: {error.strerror}\n")
        return USAGE
    sys.stdout.write("\n".join(found or [f"{folder}: journal and run.json are as the run left them"]) + "\n")
    return NO_GO if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
