"""Who may import whom, and what a system has to bring."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fixtures import checklist

ROOT = Path(__file__).resolve().parent.parent
HOUSE = {"suites", "fixtures", "judging", "environments", "reports", "simulators", "tests", "benchmarks"}
ALLOWED = {
    "suites": {"fixtures", "judging"},
    "fixtures": {"fixtures", "judging", "environments", "reports"},
    "judging": {"judging"},
    "environments": {"environments"},
    "reports": {"reports", "environments"},
    "simulators": {"simulators"},
}
BARE = {"numpy", "scipy"}  # what judging may use beside the standard library
DOING = {"os", "socket", "subprocess", "pathlib", "pytest", "threading", "io"}  # what arithmetic has no use for


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): sorted(imported(path) & HOUSE - ALLOWED[folder])
        for path in (ROOT / folder).rglob("*.py")
        if imported(path) & HOUSE - ALLOWED[folder]
    }
    assert wrong == {}


def test_arithmetic_does_nothing_but_arithmetic() -> None:
    wrong = {path.name: imported(path) & DOING for path in (ROOT / "judging").glob("*.py") if imported(path) & DOING}
    assert wrong == {}


def test_one_module_of_the_instruments_knows_the_http_client() -> None:
    assert len([path for path in (ROOT / "fixtures").glob("*.py") if "httpx" in imported(path)]) <= 1


@pytest.mark.parametrize("system", checklist.systems())
def test_every_checklist_is_in_order(system: str) -> None:
    assert checklist.load(system).system.name == system


@pytest.mark.parametrize("system", [path.parent.name for path in sorted((ROOT / "suites").glob("*/conftest.py"))])
def test_a_system_with_a_suite_has_everything_that_belongs_to_it(system: str) -> None:
    pieces = [
        f"suites/{system}/checklist.toml",
        f"simulators/{system}/faults.toml",
        f"simulators/{system}/__init__.py",
        f"docs/systems/{system}.md",
    ]
    missing = [piece for piece in pieces if not (ROOT / piece).is_file()]
    files = sorted((ROOT / "environments").glob("*.toml"))
    missing += [
        f"[systems.{system}] in {path.name}" for path in files if f"[systems.{system}" not in path.read_text("utf-8")
    ]
    assert missing == []
