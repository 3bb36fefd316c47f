"""Every fault reddens exactly the items it names, and a healthy simulator none.

Each case is a whole run against simulators started with one fault. On every push a sample runs, drawn with a seed that
stands in its test's name; `-m prove` runs all.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from fixtures import checklist

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = tuple(sorted(path.parent.name for path in (ROOT / "simulators").glob("*/faults.toml")))
GREEN = {"passed", "open", "unattested", "attested", "not_selected"}
SAMPLE = 2  # faults a push: about a minute on two cores
SEED = int(os.environ.get("SHAKEDOWN_SAMPLE_SEED", "20261121"))


def faults(system: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads((ROOT / "simulators" / system / "faults.toml").read_text())["fault"]
    return found


ALL = [(system, str(fault["name"])) for system in SYSTEMS for fault in faults(system)]
DRAWN = random.Random(SEED).sample(ALL, SAMPLE)  # noqa: S311  a sample, not a secret


def run(system: str, runs: Path, *arguments: str) -> dict[str, dict[str, str]]:
    """Return the items of a whole run against the local environment."""
    words = [sys.executable, "-m", "pytest", "--env", "local", "--system", system, "--formats", "none"]
    if "-m" not in arguments:
        words += ["-m", "load or not load"]  # everything, load tests included
    done = subprocess.run(
        [*words, f"--runs={runs}", *arguments], check=False, cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    (record,) = runs.glob("local/*/run.json")
    items: dict[str, dict[str, str]] = json.loads(record.read_text())["items"]
    assert items, done.stdout
    return items


def reddened(system: str, folder: Path, expected: set[str], *arguments: str) -> set[str]:
    """Return the red items of a run; one that surprises is run once more, and the second run decides.

    The simulators' time is five times as fast as ours, and so is whatever a busy machine adds to it.
    """
    first = set(red(run(system, folder / "first", *arguments)))
    return first if first == expected else set(red(run(system, folder / "second", *arguments)))


def red(items: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: item["outcome"] for name, item in items.items() if item["outcome"] not in GREEN}


def expected(system: str, name: str) -> set[str]:
    (fault,) = [one for one in faults(system) if one["name"] == name]
    return set(map(str, fault["items"]))  # type: ignore[call-overload]  # a list of ids


@cache
def written(system: str) -> set[str]:
    """Return the items that have a check."""
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", f"suites/{system}"]
    listed = subprocess.run(words, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    unwritten = {line.rpartition("::")[2] for line in listed.splitlines() if "checklist.toml::" in line}
    return set(checklist.load(system).items) - unwritten


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_healthy_simulator_reddens_nothing(system: str, tmp_path: Path) -> None:
    assert reddened(system, tmp_path, set(), "-m", "not load") == set()


@pytest.mark.prove
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_healthy_simulator_reddens_nothing_under_load(system: str, tmp_path: Path) -> None:
    assert reddened(system, tmp_path, set()) == set()


@pytest.mark.parametrize(("system", "fault"), DRAWN, ids=[f"{system}-{fault}-seed{SEED}" for system, fault in DRAWN])
def test_a_drawn_fault_reddens_exactly_its_items(system: str, fault: str, tmp_path: Path) -> None:
    named = expected(system, fault)
    assert reddened(system, tmp_path, named, "--fault", fault) == named


@pytest.mark.prove
@pytest.mark.parametrize(("system", "fault"), ALL, ids=[f"{system}-{fault}" for system, fault in ALL])
def test_each_fault_reddens_exactly_its_items(system: str, fault: str, tmp_path: Path) -> None:
    named = expected(system, fault)
    assert reddened(system, tmp_path, named, "--fault", fault) == named


@pytest.mark.prove
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_system_as_it_is_built_reddens_exactly_its_departures(system: str, tmp_path: Path) -> None:
    departures = {str(item) for one in faults(system) if one.get("group") == "as-built" for item in one["items"]}  # type: ignore[attr-defined]  # ids
    assert reddened(system, tmp_path, departures, "--fault", "as-built") == departures


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_checklist_insists_on_every_check_that_is_written(system: str) -> None:
    insisted = {entry.id for entry in checklist.load(system).item if entry.checked}
    assert insisted == written(system)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_check_has_a_fault_that_reddens_it(system: str) -> None:
    named = {item for fault in faults(system) for item in fault["items"]}  # type: ignore[attr-defined]  # ids
    assert written(system) - named == set()
    assert named - written(system) == set()
