"""What a smoke run of model_config takes beyond its slowest look, and beyond its verdict for the reports.

    python -m benchmarks.overhead [--rounds N]

Two environments: the local one as it is, and the same behind a proxy that delays every answer by 500 ms. The clock runs
outside the product, from the start of the command to the line of the verdict and to the end of the process. The
simulators are started before it, at the speed of our own time, so that neither their start nor a factor is counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DELAY_S = 0.5
BOUNDS = {"beyond the slowest look": 2.5, "reports": 5.0, "growth behind the proxy": 1.5}


class LateProxy:
    """Passes a TCP service on and holds back the first bytes that answer each message of the client.

    others: what stands for which address in the answers, so that a page's own requests come through proxies as well.
    """

    def __init__(self, target: str, others: dict[bytes, bytes]) -> None:
        self._target = urlsplit(target)
        self._others = others
        self._door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            client, _ = self._door.accept()
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.create_connection((self._target.hostname, self._target.port))
        asked = False
        with client, server, selectors.DefaultSelector() as both, contextlib.suppress(OSError):
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in both.select():
                    data = key.fileobj.recv(65536)  # type: ignore[union-attr]  # sockets
                    if not data:
                        return
                    if key.fileobj is server and asked:
                        time.sleep(DELAY_S)
                    asked = key.fileobj is client
                    key.data.sendall(data if asked else self._renamed(data))

    def _renamed(self, data: bytes) -> bytes:
        # Both ports have five digits, so that no length changes.
        for address, proxy in self._others.items():
            data = data.replace(address, proxy)
        return data


@contextlib.contextmanager
def simulators() -> Iterator[dict[str, Any]]:
    """Start model_config's simulator and yield what it announces."""
    words = [sys.executable, "-m", "simulators"]
    variables = {**os.environ, "SHAKEDOWN_SYSTEMS": "model_config", "SHAKEDOWN_SPEED": "1"}
    with subprocess.Popen(words, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdin is None or process.stdout is None:
            raise SystemExit("the simulators have no pipes")
        yield json.loads(process.stdout.readline())
        process.stdin.close()


def environment(folder: Path, announced: dict[str, Any], *, late: bool) -> Path:
    """Write an environment file for what the simulators announced, behind proxies if `late`."""
    tables = json.loads(json.dumps(announced["systems"]["model_config"]))
    if late:
        others: dict[bytes, bytes] = {}
        proxies = {one["url"]: LateProxy(one["url"], others).url for one in tables["http"].values()}
        others |= {urlsplit(url).netloc.encode(): urlsplit(proxy).netloc.encode() for url, proxy in proxies.items()}
        text = json.dumps(tables)
        for url, proxy in proxies.items():
            text = text.replace(url, proxy).replace(urlsplit(url).netloc, urlsplit(proxy).netloc)
        facts = tables["facts"]
        tables = {**json.loads(text), "facts": facts}
    lines = [
        '[environment]\nname = "overhead"\npermits = ["read_only", "writes", "costs"]',
        "[budget]\nrequests = 20000\nrequests_per_second = 200\nconcurrency = 16\ngenerations = 200",
    ]
    for kind, named in tables.items():
        inner = {"facts": named} if kind == "facts" else named
        for name, fields in inner.items():
            table = f"systems.model_config.{kind}" if kind == "facts" else f"systems.model_config.{kind}.{name}"
            lines.append(f"[{table}]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in fields.items()))
    path = folder / "overhead.toml"
    path.write_text("\n\n".join(lines))
    return path


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    return json.dumps(value)


def one_run(path: Path, runs: Path, announced: dict[str, Any]) -> tuple[float, float, float]:
    """Return seconds to the verdict, to the end of the process, and of the slowest look. Ends unless it says GO."""
    words = [sys.executable, "-m", "pytest", "-m", "smoke", f"--env={path}", f"--runs={runs}"]
    variables = {**os.environ, **announced["variables"]}
    began = time.monotonic()
    with subprocess.Popen(words, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
        said = []
        verdict = 0.0
        for line in process.stdout or ():
            said.append(line)
            if line.startswith(("GO", "HOLD", "NO-GO", "ROLLBACK")):
                verdict = time.monotonic() - began
        process.wait()
    ended = time.monotonic() - began
    if process.returncode != 0:
        raise SystemExit("".join(said))
    record = max((runs / "overhead").glob("2*/run.json"))
    return verdict, ended, json.loads(record.read_text())["run"]["slowest_observation_s"]


def measured(rounds: int, *, late: bool) -> tuple[float, float]:
    """Return the best of several runs: seconds beyond the slowest look, and seconds from verdict to end."""
    beyond, reports = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name, simulators() as announced:
            folder = Path(name)
            verdict, ended, slowest = one_run(environment(folder, announced, late=late), folder / "runs", announced)
        beyond.append(verdict - slowest)
        reports.append(ended - verdict)
    return min(beyond), min(reports)


def main() -> None:
    """Print each figure beside its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    plain, reports = measured(rounds, late=False)
    late, _ = measured(rounds, late=True)
    for (label, bound), seconds in zip(BOUNDS.items(), (plain, reports, late - plain), strict=True):
        print(f"{label:<26} {seconds:5.2f} s (bound {bound} s)")


if __name__ == "__main__":
    main()
