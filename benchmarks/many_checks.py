"""200 distinct HTTP checks against a server that waits 50 ms: ours, plain sequential pytest, Tavern and newman.

    python -m benchmarks.many_checks [--rounds N]

Prints the best of N whole runs of each, start of the program included. Ours ends with its printed verdict.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import peers
from tests.house import House

CHECKS = 200
WAIT_S = 0.05
BOUND_S = 2.0

LOOK = """
@observation()
def page_{n}(api: Http) -> Exchange:
    \"\"\"Page {n}.\"\"\"
    return api.get("/page/{n}")
"""
CHECK = """
@pytest.mark.item("DEM-{n:03}")
def test_page_{n}(page_{n}) -> None:
    \"\"\"Page {n} answers with itself.\"\"\"
    assert page_{n}.status == 200
    assert page_{n}.json["path"] == "/page/{n}"
"""
PLAIN = """
def test_page_{n}(client) -> None:
    answer = client.get("{url}/page/{n}")
    assert answer.status_code == 200
    assert answer.json()["path"] == "/page/{n}"
"""
PLAIN_HEAD = """
import httpx, pytest

@pytest.fixture(scope="session")
def client():
    with httpx.Client() as client:
        yield client
"""
TAVERN = """
---
test_name: page {n}
stages:
  - name: page {n}
    request:
      url: {url}/page/{n}
    response:
      status_code: 200
      json:
        path: /page/{n}
"""


def ours(folder: Path) -> tuple[House, list[str]]:
    """Build a house with the checks; return it and its command line."""
    house = House(folder / "ours")
    house.target.wait_s = WAIT_S
    house.concurrency = 32
    for n in range(1, CHECKS + 1):
        house.item(f"DEM-{n:03}")
    house.conftest("".join(LOOK.format(n=n) for n in range(1, CHECKS + 1)))
    house.checks("".join(CHECK.format(n=n) for n in range(1, CHECKS + 1)))
    return house, ["-m", "smoke"]


def plain(folder: Path, url: str) -> list[object]:
    """Write the same checks as plain pytest; return the command."""
    path = folder / "test_plain.py"
    path.write_text(PLAIN_HEAD + "".join(PLAIN.format(n=n, url=url) for n in range(1, CHECKS + 1)))
    return [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={folder}",
        "-c",
        "/dev/null",
        path,
    ]


def tavern(folder: Path, url: str) -> list[object]:
    """Write the same checks for Tavern; return the command."""
    path = folder / "test_pages.tavern.yaml"
    path.write_text("".join(TAVERN.format(n=n, url=url) for n in range(1, CHECKS + 1)))
    return [peers.tavern(), "-m", "pytest", "-q", f"--rootdir={folder}", "-c", "/dev/null", path]


def newman(folder: Path, url: str) -> list[object]:
    """Write the same checks as a Postman collection; return the command."""
    tests = [{"listen": "test", "script": {"exec": [
        "pm.test('answers with itself', () => {",
        "  pm.response.to.have.status(200);",
        "  pm.expect(pm.response.json().path).to.eql(pm.request.url.getPath()); });",
    ]}}]  # fmt: skip
    items = [
        {"name": f"page {n}", "event": tests, "request": {"method": "GET", "url": f"{url}/page/{n}"}}
        for n in range(1, CHECKS + 1)
    ]
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"  # the format's name, not an address
    path = folder / "pages.json"
    path.write_text(json.dumps({"info": {"name": "pages", "schema": schema}, "item": items}))
    return [peers.newman(), "run", path, "--reporters", "json", "--reporter-json-export", folder / "newman.json"]


def timed(command: list[object], rounds: int) -> float:
    """Return the shortest of several runs of a command, in seconds. Raises CalledProcessError when one fails."""
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        times.append(time.monotonic() - began)
    return min(times)


def timed_house(house: House, words: list[str], rounds: int) -> float:
    """Return the shortest of several whole runs of ours, in seconds; each has to say GO."""
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        run = house.run(*words)
        times.append(time.monotonic() - began)
        if run.status != 0:
            raise SystemExit(run.out)
    return min(times)


def main() -> None:
    """Run everything on the same server and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house, words = ours(folder)
        url = house.target.url
        figures = {
            f"shakedown (bound {BOUND_S} s)": timed_house(house, words, rounds),
            "pytest, sequential": timed(plain(folder, url), rounds),
            "Tavern": timed(tavern(folder, url), rounds),
            "newman": timed(newman(folder, url), rounds),
        }
    print(f"{CHECKS} HTTP checks, {WAIT_S * 1000:.0f} ms each, best of {rounds}")
    for label, seconds in figures.items():
        print(f"{label:<28} {seconds:6.2f} s")


if __name__ == "__main__":
    main()
