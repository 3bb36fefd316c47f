"""What sets a machine up and what a pipeline runs: pinned, without a host's name, clear when something is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # publishes no types

from reports import verdict

ROOT = Path(__file__).parent.parent
NODE = ROOT / "tools" / "node"
SCRIPTS = [*sorted((ROOT / "tools").glob("*.sh")), ROOT / ".ci" / "run"]


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **variables}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def without(tmp_path: Path, *programs: str) -> str:
    """Return a PATH that holds the ordinary programs, and not these."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in {"bash", "cat", "cksum", "cp", "dirname", "env", "mkdir", "rm", "python3.11"} - set(programs):
        (folder / program).symlink_to(shutil.which(program) or program)
    return str(folder)


@pytest.mark.parametrize("name", ["requirements.lock", "tools/node/package-lock.json", "tools/node/.npmrc", "Makefile"])
def test_nothing_names_an_index_or_a_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"https?:|file:|//[\w.]+\.\w+|--(?:extra-)?index-url|--find-links|\"resolved\"", text) == []


def test_every_python_package_is_pinned_by_its_hash() -> None:
    entries = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pinned = re.compile(r"[\w.\[\],-]+==\S+(?: ;[^-]+)?(?: +--hash=sha256:\w{64})+")
    assert [entry for entry in entries if not pinned.fullmatch(entry)] == []


def test_every_declared_package_is_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"], *chain(*project["dependency-groups"].values())]
    names = {re.split(r"[\[<>=]", entry)[0] for entry in declared}
    locked = set(re.findall(r"(?m)^([\w.-]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8")))
    assert names - locked == set()


def lowest_major(versions: str) -> int:
    """Return the lowest major version that a range of npm's allows, such as `^18.17 || >=20.3`."""
    return min(int(found[0]) if (found := re.search(r"\d+", part)) else 0 for part in versions.split("||"))


def test_the_node_programs_are_pinned_and_run_on_node_20() -> None:
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in ("allure", "wrangler")} == wanted
    engines = {name: entry.get("engines", {}).get("node", "*") for name, entry in locked.items()}
    too_new = {name: range_ for name, range_ in engines.items() if lowest_major(range_) > 20}
    assert too_new == {}
    assert [name for name, entry in locked.items() if name and not entry.get("integrity")] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name.replace(".", "-"))
def test_scripts_are_programs_that_stop_at_an_error(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert "\nset -euo pipefail\n" in script.read_text(encoding="utf-8")
    assert run("bash", "-n", script).stderr == ""


def test_a_step_is_done_once_per_state_of_its_inputs(tmp_path: Path) -> None:
    folder, log, given = tmp_path / "made", tmp_path / "log", tmp_path / "input"
    script = tmp_path / "step.sh"
    script.write_text(f'#!/bin/sh\nmkdir -p "$1" && echo done >>"{log}"\n')
    script.chmod(0o700)
    for text in ("one", "one", "two", "two"):
        given.write_text(text)
        assert run("tools/once.sh", folder, given, script).returncode == 0
    assert log.read_text().count("done") == 2
    script.write_text("#!/bin/sh\nexit 3\n")
    assert [run("tools/once.sh", folder, given, script).returncode for _ in range(2)] == [3, 3]


def test_a_step_that_did_without_is_asked_again(tmp_path: Path) -> None:
    script = tmp_path / "step.sh"
    script.write_text(f'#!/bin/sh\necho asked >>"{tmp_path}/log"\n')
    script.chmod(0o700)
    for _ in range(2):
        assert run("tools/once.sh", tmp_path / "nothing", script).returncode == 0
    assert (tmp_path / "log").read_text().count("asked") == 2


def test_without_npm_the_run_goes_on_and_says_what_it_lacks(tmp_path: Path) -> None:
    done = run("tools/node.sh", tmp_path / "node", PATH=without(tmp_path, "npm"))
    assert done.returncode == 0
    assert "install Node 20" in done.stderr
    assert not (tmp_path / "node").exists()


def test_a_python_that_was_named_and_will_not_do_is_not_replaced(tmp_path: Path) -> None:
    done = run("tools/python.sh", tmp_path / "venv", PYTHON=str(tmp_path / "no python"))
    assert done.returncode == 1
    assert f"{tmp_path}/no python: no Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_browser_that_was_named_and_is_none_is_not_replaced() -> None:
    done = run("tools/browser.sh", SHAKEDOWN_BROWSER="no-such-browser")
    assert done.returncode == 1
    assert "no-such-browser" in done.stderr


def test_the_continuous_integration_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "for target in check test; do" in script
    recipes = run("make", "--dry-run", "--always-make", "check", "test").stdout
    assert ".venv/bin/python -m mypy ." in recipes
    assert '.venv/bin/python -m pytest tests -m "not prove"' in recipes


def test_the_github_job_hands_over_every_secret_and_always_keeps_the_record() -> None:
    job = yaml.safe_load((ROOT / "docs" / "ci" / "github-actions.yml").read_text(encoding="utf-8"))["jobs"]["smoke"]
    steps = {step.get("name"): step for step in job["steps"]}
    referred = re.findall(r'env = "(\w+)"', (ROOT / "environments" / "staging.toml").read_text(encoding="utf-8"))
    verify = steps["Verify the deployment"]
    assert verify["run"].splitlines()[-1] == ".venv/bin/python -m pytest -m smoke --env staging"
    assert verify["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in referred}
    assert (steps["Keep the record"]["if"], steps["Keep the record"]["with"]["path"]) == ("always()", "reports/runs")


def test_the_table_of_exit_statuses_is_the_verdicts() -> None:
    table = (ROOT / "docs" / "ci" / "README.md").read_text(encoding="utf-8")
    rows = {int(status): text for status, text in re.findall(r"(?m)^\| (\d) \| (\S[^;:|]*)", table)}
    assert set(rows) == {
        *(verdict.GO, verdict.NO_GO, verdict.INTERRUPTED, verdict.INTERNAL),
        *(verdict.USAGE, verdict.NOTHING_SELECTED, verdict.HOLD, verdict.NO_EVIDENCE),
    }
    assert (rows[verdict.GO].strip(), rows[verdict.NO_GO], rows[verdict.HOLD]) == ("GO", "NO-GO or ROLLBACK", "HOLD")


def test_the_gitlab_job_gates_and_always_keeps_the_record() -> None:
    job = yaml.safe_load((ROOT / "docs" / "ci" / "gitlab-ci.yml").read_text(encoding="utf-8"))["shakedown"]
    assert job["script"][-1] == ".venv/bin/python -m pytest -m smoke --env staging"
    assert (job["artifacts"]["when"], job["artifacts"]["paths"]) == ("always", ["reports/runs"])
    assert "allow_failure" not in job
