"""The peers that our figures stand beside, installed apart from the product, under `.tools/peers`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".tools" / "peers"
TAVERN = ("tavern==3.7.1", "pytest==8.4.2")  # it does not load under pytest 9.2
SODA = ("soda-core-postgres==3.5.6",)  # the last that judges by checks alone; from 4 on it wants data contracts
GREAT_EXPECTATIONS = ("great_expectations[postgresql]==1.24.1",)
NEWMAN = "newman@6.2.1"


def tavern() -> Path:
    """Return the Python of an environment that has Tavern."""
    return _python("tavern", TAVERN)


def soda() -> Path:
    """Return the Python of an environment that has soda-core for PostgreSQL."""
    return _python("soda", SODA)


def great_expectations() -> Path:
    """Return the Python of an environment that has Great Expectations for PostgreSQL."""
    return _python("great_expectations", GREAT_EXPECTATIONS)


def _python(name: str, packages: tuple[str, ...]) -> Path:
    python = PEERS / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS / name], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def newman() -> Path:
    """Return the newman program."""
    program = PEERS / "newman" / "node_modules" / ".bin" / "newman"
    if not program.exists():
        subprocess.run(["npm", "install", "--silent", "--prefix", PEERS / "newman", NEWMAN], check=True)
    return program
