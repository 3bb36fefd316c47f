"""1,000 checks over one recorded observation, beside plain pytest with 1,000 empty tests.

    python -m benchmarks.judging_checks [--rounds N]

Ours is a replay: the whole run, from the command to its verdict, with nothing to wait for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.many_checks import timed
from tests.house import ONE_LOOK, House

CHECKS = 1000
BOUND = 1.5
CHECK = """
@pytest.mark.item("DEM-{item:03}")
def test_{n}(front) -> None:
    \"\"\"The front page answers 200.\"\"\"
    assert front.status == 200
"""


def main() -> None:
    """Run both and print their times and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house = House(folder / "ours")
        for item in range(1, 101):
            house.item(f"DEM-{item:03}")
        house.conftest(ONE_LOOK)
        house.checks("".join(CHECK.format(n=n, item=n % 100 + 1) for n in range(CHECKS)))
        recorded = house.run().folder
        times = []
        for _ in range(rounds):
            began = time.monotonic()
            run = house.run("--replay", str(recorded))
            times.append(time.monotonic() - began)
            if run.status != 0:
                raise SystemExit(run.out)
        empty = folder / "test_empty.py"
        empty.write_text("".join(f"def test_{n}():\n    pass\n" for n in range(CHECKS)))
        words: list[object] = [sys.executable, "-m", "pytest", "-q", f"--rootdir={folder}", "-c", "/dev/null", empty]
        plain = timed(words, rounds)
    print(f"{CHECKS} checks over one observation {min(times):.2f} s")
    print(f"{CHECKS} empty tests, plain pytest   {plain:.2f} s")
    print(f"ratio {min(times) / plain:.2f} (bound {BOUND})")


if __name__ == "__main__":
    main()
