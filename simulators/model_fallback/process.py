"""The chat's own process: started, told what to do over its standard input, and restarted where it listened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
KEY = "GEMINI_API_KEY"
_STOP_S = 5.0  # ours


class Application:
    """The folder an instance runs in: its environment file, and the script that starts it."""

    def __init__(self, folder: Path, key: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        script = "from simulators.model_fallback.chat.__main__ import main\n\nmain()\n"
        (folder / "manage.py").write_text(script, encoding="utf-8")
        environment = folder / ".env"
        environment.touch(mode=0o600)
        environment.write_text(f"# read by the settings\n{KEY}={key}\n", encoding="utf-8")


class Process:
    """One running Django process. It ends when its standard input closes, so also when the launcher dies.

    unit: the variables that the service manager's unit file sets for it.
    """

    def __init__(self, order: Mapping[str, Any], application: Application, unit: Mapping[str, str]) -> None:
        self._order = dict(order)
        self._application = application
        inherited = {name: text for name, text in os.environ.items() if name != KEY}
        self._variables = {**inherited, "PYTHONPATH": str(ROOT), **unit}
        self._lock = threading.Lock()
        self._child = self._started()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1; the same after a restart."""
        return int(self._order["port"])

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the target's time pass for it at once."""
        with self._lock:
            self._tell({"advance": seconds})

    def restart(self) -> None:
        """End it and start it again, as a service manager does."""
        with self._lock:
            self._end()
            self._order["fresh"] = False
            self._child = self._started()

    def stop(self) -> None:
        """End it."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[str]:
        self._child = subprocess.Popen(
            [sys.executable, "manage.py", "runserver"],
            cwd=self._application.folder,
            env=self._variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._order["port"] = self._tell(self._order)["port"]
        return self._child

    def _tell(self, words: Mapping[str, Any]) -> Any:
        if self._child.stdin is None or self._child.stdout is None:
            raise RuntimeError("the chat's process has no pipes")
        self._child.stdin.write(json.dumps(words) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            raise RuntimeError(f"the chat's process ended with status {self._child.wait()}")
        return json.loads(answer)

    def _end(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child.terminate()  # each line of its log is written already; Python's own way out takes 0.3 s
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
