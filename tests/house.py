"""A small house of its own for tests of the observer: a checklist, a suite, an environment file and a target."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

_ITEM = """
[[item]]
id = "{id}"
source = "L1"
section = "one"
title = "{title}"
kind = "{kind}"
stage = "{stage}"
how = "{how}"
needs = {needs}
expect = "as the claim says"
on_fail = "{on_fail}"
safety = "{safety}"
fault = "something else"
checked = {checked}
"""
_HEAD = """
[system]
code = "DEM"
name = "demo"
title = "A demonstration"
seed = "none"
instruments = { api = "http: the demonstration", spare = "http: another", missing = "http: not in any environment" }
facts = { colour = "what the demonstration is painted in" }
"""
_CONFTEST = """
from __future__ import annotations

from fixtures.observing import observation, removal
from fixtures.exchange import Exchange
from fixtures.http import Http
"""

# A suite with one observation.
ONE_LOOK = """
@observation()
def front(api: Http) -> Exchange:
    \"\"\"The front page.\"\"\"
    return api.get("/front")
"""
ONE_CHECK = """
@pytest.mark.item("DEM-001")
def test_the_front_page_answers(front) -> None:
    \"\"\"The front page answers 200.\"\"\"
    assert front.status == 200
"""


class Target(ThreadingHTTPServer):
    """A loopback target that counts what reaches it. answers: path to (status, body); default 200 `{"path": …}`.

    wait_s: how long each answer takes; slow: path to another time. refused: methods that are answered with 403.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str]] = []
        self.answers: dict[str, tuple[int, object]] = {}
        self.wait_s = 0.0
        self.slow: dict[str, float] = {}
        self.refused: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Target

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path))
        time.sleep(self.server.slow.get(self.path, self.server.wait_s))
        status, answer = self.server.answers.get(self.path, (200, {"path": self.path}))
        status = 403 if self.command in self.server.refused else status
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  likewise
    do_DELETE = do_GET  # noqa: N815  likewise

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """A run that is over. record: its run.json, empty when there is none."""

    status: int
    out: str
    folder: Path
    record: dict[str, Any]

    def outcomes(self) -> dict[str, str]:
        return {name: item["outcome"] for name, item in self.record["items"].items()}


class House:
    """A root folder with one suite called demo, and the ways to run it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.target = Target()
        self._items: list[str] = []
        self.permits = ["read_only"]
        self.extra = ""
        self.concurrency = 8
        self.generations = 4
        self.budgeted = True
        self.tables = ""
        self.release = ""
        (root / "suites" / "demo").mkdir(parents=True)
        (root / "environments").mkdir()
        (root / "conftest.py").write_text('pytest_plugins = ["fixtures.collecting", "fixtures.plugin"]\n')
        ours = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        section = ours[ours.index("[tool.pytest]") : ours.index("[tool.mypy]")]
        (root / "pyproject.toml").write_text(section, encoding="utf-8")

    def item(self, name: str, **how: str) -> None:
        plain = {
            "title": f"Statement {name}", "kind": "functional", "stage": "smoke", "how": "automated",
            "on_fail": "high; investigate", "safety": "read_only",
            "checked": "false", "needs": '["http"]',
        }  # fmt: skip
        self._items.append(_ITEM.format(id=name, **{**plain, **how}))

    def conftest(self, text: str) -> None:
        (self.root / "suites" / "demo" / "conftest.py").write_text(_CONFTEST + text)

    def checks(self, text: str, name: str = "test_demo.py") -> None:
        (self.root / "suites" / "demo" / name).write_text("import pytest\n" + text)

    def settle(self) -> None:
        """Write the checklist and the environment file as they stand now."""
        (self.root / "suites" / "demo" / "checklist.toml").write_text(_HEAD + "".join(self._items) + self.tables)
        (self.root / "environments" / "here.toml").write_text(f"""
[environment]
name = "here"
permits = {json.dumps(self.permits)}
{f'release = "{self.release}"' if self.release else ""}
{self._budget() if self.budgeted else ""}
{self.extra}
[systems.demo.http.api]
url = "{self.target.url}"
""")

    def _budget(self) -> str:
        return f"""
[budget]
requests = 1000
requests_per_second = 1000
concurrency = {self.concurrency}
generations = {self.generations}
"""

    def start(
        self, *arguments: str, variables: dict[str, str] | None = None, file_limit: int | None = None
    ) -> subprocess.Popen[str]:
        self.settle()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
        environment.pop("PYTEST_ADDOPTS", None) if "PYTEST_ADDOPTS" not in (variables or {}) else None
        words = [sys.executable, "-m", "pytest", "--env", str(self.root / "environments" / "here.toml"), *arguments]
        words += [] if "--formats" in arguments else ["--formats", "none"]
        if file_limit is not None:
            words = ["prlimit", f"--fsize={file_limit}", *words]  # the way to a full disk that needs no privilege
        return subprocess.Popen(
            words,
            cwd=self.root,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *arguments: str, within: float = 60, **how: Any) -> Finished:
        process = self.start(*arguments, **how)
        out, _ = process.communicate(timeout=within)
        return self.finished(process.returncode, out)

    def finished(self, status: int, out: str) -> Finished:
        folder = max(self.folders(), default=self.root)
        path = folder / "run.json"
        record = json.loads(path.read_text()) if path.exists() else {}
        return Finished(status=status, out=out, folder=folder, record=record)

    def folders(self) -> list[Path]:
        runs = self.root / "reports" / "runs" / "here"
        return (
            sorted(path for path in runs.iterdir() if path.is_dir() and path.name != "baselines")
            if runs.exists()
            else []
        )
