"""The programs that draw reports: started without the variables of a run, bounded in time, their last words kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from reports.escaping import one_line, terminal

ROOT = Path(__file__).resolve().parent.parent
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "SYSTEMROOT")  # what a program needs to start, and no token
_TIMEOUT_S = 120.0  # forty times what 700 items take; a program that hangs must not keep a pipeline
_LAST_WORDS = 600  # characters that hold the final error line of pytest and of Node

# The shortest way from a record to its reports: no cache, no conftest, no plugin but those named.
_PYTEST = (
    sys.executable, "-m", "pytest", "-c", str(ROOT / "reports" / "replay.toml"), "--noconftest", "--assert=plain",
    "-qq", "--tb=no", "--no-header", "--no-summary", "--color=no", "--capture=no",
    "-p", "no:cacheprovider", "-p", "no:doctest", "-p", "no:unittest", "-p", "no:logging", "-p", "no:faulthandler",
    "-p", "reports.replay",
)  # fmt: skip
_STYLES = ("reports/palette.css", "reports/report.css")
_FINISHED = (0, 1)  # pytest's statuses for "all passed" and "some failed": either way it wrote its reports


class ProgramError(Exception):
    """A program that could not do its part; the text is its last words."""


def replay(record: Path, work: Path, formats: tuple[str, ...]) -> None:
    """Have pytest draw `formats` from the record file into `work`. Raises ProgramError when the session broke."""
    command = [*_PYTEST, "--rootdir", str(record.parent), *_options(work, formats), str(record)]
    status, words = _run(command, ROOT)
    if status not in _FINISHED:
        raise ProgramError(f"pytest ended with status {status}: {words}")


def missing_allure() -> str:
    """Return why Allure's page cannot be drawn here, or nothing."""
    if shutil.which("node") is None:
        return "Node.js is not installed, and Allure's page needs it"
    if _allure_program() is None:
        return "the allure command is not installed; npm can install the package allure, version 3"
    return ""


def allure_page(results: Path, work: Path) -> Path:
    """Have Allure draw one page from its results; returns it. Raises ProgramError."""
    program = _allure_program()
    if program is None:
        raise ProgramError(missing_allure())
    output = work / "allure-page"
    name = ("--report-name", "Deployment verification")
    status, words = _run([program, "awesome", str(results), "--single-file", "--output", str(output), *name], work)
    page = output / "index.html"
    if status != 0 or not page.is_file():
        raise ProgramError(f"allure ended with status {status}: {words}")
    return page


def _options(work: Path, formats: tuple[str, ...]) -> list[str]:
    options: list[str] = []
    if "html" in formats:
        options += ["-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "-p", "reports.replay_html"]
        options += ["--html", str(work / "report.html"), "--self-contained-html"]
        options += [part for style in _STYLES for part in ("--css", style)]
    if "junit" in formats:
        options += ["--junitxml", str(work / "junit.xml")]
    if "allure" in formats:
        options += ["-p", "allure_pytest.plugin", "-p", "reports.replay_allure"]
        options += ["--alluredir", str(work / "allure-results")]
    if "benchmarks" in formats:
        options += ["-p", "pytest_benchmark.plugin", "-p", "reports.replay_benchmarks"]
        options += ["--benchmark-quiet", "--benchmark-json", str(work / "benchmarks.json")]
    return options


def _allure_program() -> str | None:
    ours = ROOT / ".tools" / "node" / "node_modules" / ".bin" / "allure"
    return str(ours) if ours.exists() else shutil.which("allure")


def _run(command: list[str], folder: Path) -> tuple[int, str]:
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    variables |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(  # noqa: S603 -- our own pytest, and the allure found on this machine
            command, cwd=folder, env=variables, timeout=_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramError(str(error)) from None
    words = done.stdout.decode("utf-8", "replace").strip()[-_LAST_WORDS:]
    return done.returncode, terminal(one_line(words))
