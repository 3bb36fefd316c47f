"""What smoke runs of one, three and all five systems take beyond their slowest look, and the memory of all five.

    python -m benchmarks.systems [--rounds N]

The local environment as it is, at its own speed. Its simulators are started before the clock is: what the run launches
merely repeats where they are. The clock runs outside the product, from the start of the command to the line of the
verdict. Memory is the proportional set size of the run's whole process tree and of the simulators, browsers included.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = ("model_config", "direct_execution", "model_fallback", "image_optimizer", "model_management")
BOUNDS = {1: 2.5, 3: 4.0, 5: 6.0}  # seconds beyond the slowest look, by the number of systems
MEMORY_MB = 1500
_REPEAT = "import sys; print(open(sys.argv[1]).read(), flush=True); sys.stdin.read()"


@contextlib.contextmanager
def simulators(systems: Sequence[str], folder: Path) -> Iterator[tuple[Path, int]]:
    """Start the simulators; yield an environment file that finds them running, and their process's id."""
    words = [sys.executable, "-m", "simulators"]
    variables = {**os.environ, "SHAKEDOWN_SYSTEMS": ",".join(systems), "SHAKEDOWN_SPEED": "5"}
    with subprocess.Popen(words, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise SystemExit("the simulators have no pipes")
        announced = folder / "announced.json"
        announced.write_bytes(process.stdout.readline())
        launch = json.dumps([sys.executable, "-c", _REPEAT, str(announced)])
        local = (ROOT / "environments" / "local.toml").read_text(encoding="utf-8")
        path = folder / "local.toml"
        path.write_text(re.sub(r"(?m)^launch = .*$", lambda _: f"launch = {launch}", local), encoding="utf-8")
        yield path, process.pid
        process.stdin.close()


class Memory:
    """Watches process trees. peak: the most megabytes that they had together."""

    def __init__(self, *roots: int) -> None:
        self.peak = 0.0
        self._roots = roots
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self.peak = max(self.peak, sum(map(_megabytes, _tree(self._roots))))


def _tree(roots: Sequence[int]) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = set(roots)
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _megabytes(pid: int) -> float:
    with contextlib.suppress(OSError):
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024
    return 0.0


def one_run(systems: Sequence[str]) -> tuple[float, float]:
    """Return the seconds to the verdict beyond the slowest look, and the peak of memory. Ends unless it says GO."""
    with tempfile.TemporaryDirectory() as name, simulators(systems, Path(name)) as (path, simulated):
        chosen = [word for system in systems for word in ("--system", system)]
        words = [sys.executable, "-m", "pytest", "-m", "smoke", f"--env={path}", f"--runs={name}/runs", *chosen]
        began, said, verdict = time.monotonic(), list[str](), 0.0
        with subprocess.Popen([*words, "--formats", "none"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            memory = Memory(process.pid, simulated)
            for line in process.stdout or ():
                said.append(line)
                if line.startswith(("GO", "HOLD", "NO-GO", "ROLLBACK")):
                    verdict = time.monotonic() - began
            process.wait()
            memory.close()
        if process.returncode != 0:
            raise SystemExit("".join(said))
        (record,) = Path(name).glob("runs/local/*/run.json")
        return verdict - json.loads(record.read_text())["run"]["slowest_observation_s"], memory.peak


def main() -> None:
    """Print each figure beside its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    for systems in (*((system,) for system in SYSTEMS), SYSTEMS[:3], SYSTEMS):
        runs = [one_run(systems) for _ in range(rounds)]
        label = systems[0] if len(systems) == 1 else f"{len(systems)} systems"
        beyond = min(seconds for seconds, _ in runs)
        print(f"{label:<18} {beyond:5.2f} s beyond the slowest look (bound {BOUNDS[len(systems)]} s)", flush=True)
    print(f"{'5 systems':<18} {max(peak for _, peak in runs):5.0f} MB at the most (bound {MEMORY_MB} MB)")


if __name__ == "__main__":
    main()
