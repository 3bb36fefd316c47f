"""Simulated systems as child processes of a test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent


def command(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start `python -m simulators` with these arguments and SHAKEDOWN_ variables (their names in lower case)."""
    given = {f"SHAKEDOWN_{name.upper()}": text for name, text in variables.items()}
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("SHAKEDOWN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "simulators", *arguments],
        cwd=ROOT,
        env={**inherited, **given},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def announcement(process: subprocess.Popen[str]) -> Any:
    """Return what a started launcher announces; a launcher that ends instead fails with its last words."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return json.loads(line)


@contextlib.contextmanager
def running(**variables: str) -> Iterator[Any]:
    """Run the simulators for a while; yield their announcement."""
    with command(**variables) as process:
        try:
            yield announcement(process)
        finally:
            process.communicate(timeout=10)
