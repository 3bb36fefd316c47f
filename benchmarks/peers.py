"""The peers that our figures stand beside, installed apart from the product, under `.tools/peers`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".tools" / "peers"
TAVERN = ("tavern==3.7.1", "pytest==8.4.2")  # it does not load under pytest 9.2
NEWMAN = "newman@6.2.1"


def tavern() -> Path:
    """Return the Python of an environment that has Tavern."""
    python = PEERS / "tavern" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PEERS / "tavern"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *TAVERN], check=True)
    return python


def newman() -> Path:
    """Return the newman program."""
    program = PEERS / "newman" / "node_modules" / ".bin" / "newman"
    if not program.exists():
        subprocess.run(["npm", "install", "--silent", "--prefix", PEERS / "newman", NEWMAN], check=True)
    return program
