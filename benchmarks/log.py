"""Twenty patterns, the levels and the total of a large log, in one pass: ours beside `grep -cE` for the total alone.

Of each the seconds and, since other programs may use the machine, the seconds of processor time; allowed are twice
grep's, of both. They take turns, and the least of three counts. The memory is the most that was resident, before and
after: it does not grow with the log.

Run it as `python -m benchmarks.log [MEGABYTES] [FORMAT]`: 100 and `django` unless given; `plain` is the other format.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from environments.models import FileLogConfig
from fixtures.log import log
from fixtures.log_view import LogMark
from tests.looks import make_look

PATTERNS = {
    "attempt": r"Attempting model (\d+)/(\d+): (\S+)",
    "success": r"Success with (\S+) on attempt (\d)",
    "unavailable": r"Model (\S+) not available \(404\)",
    "limited": r"Rate limit hit for (\S+) \(attempt (\d)/2\)",
    "retrying": r"Retrying (\S+) in 0\.5s",
    "given_up": r"Max retries reached for (\S+)",
    "moved_on": r"Error with (\S+): .* Moving to next model",
    "fatal": r"Non-recoverable error with (\S+):",
    "exhausted": r"All \d+ models exhausted",
    "rejected": r"All models exhausted, rejecting request",
    "reset": r"Resetting model exhaustion after (\d+)s",
    "client": r"Failed to initialize Gemini client",
    "processed": r"Chat message processed for session (\d+) using (\S+)",
    "deleted": r"User \d+ deleted chat session \d+",
    "uploaded": r"File uploaded successfully",
    "refused": r"File validation error",
    "upload_failed": r"File upload failed",
    "rolled_back": r"Pinecone ingestion failed",
    "raised": r"(?i)exception",
    "legacy": r"falling back to legacy mode",
}
ALLOWED = 2
ROUNDS = 3
HOUR = [  # one in a hundred lines is of interest, one in two hundred a warning: a service that is well
    ("INFO", "model_fallback Attempting model 1/8: gemini-3-flash"),
    ("WARNING", "model_fallback Rate limit hit for gemini-3-flash (attempt 1/2): 429 quota {n}"),
    *[("INFO", "middleware request {n} for /chat/{ms}/ answered with 200 after {ms} ms by worker 3")] * 198,
]
HEADS = {"django": "{level} {at},{ms:03d} ", "plain": "{at}.{ms:03d}Z [{level}] "}


def write(path: Path, size: int, name: str) -> int:
    """Write a log of about `size` bytes in the format called `name`, and return how many lines it has."""
    began, lines = dt.datetime(2025, 11, 21, tzinfo=dt.UTC), 0
    head = HEADS[name]
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            at = (began + dt.timedelta(seconds=lines // 200)).strftime("%Y-%m-%d %H:%M:%S")
            file.writelines(
                (head + line).format(level=level, at=at, ms=n % 1000, n=lines + n) + "\n"
                for n, (level, line) in enumerate(HOUR)
            )
            lines += len(HOUR)
    return lines


def processor() -> float:
    """Return the seconds of processor time of this process and of those it waited for."""
    return sum(os.times()[:4])


def resident() -> int:
    """Return the most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def ours(path: Path, name: str) -> tuple[float, str]:
    """Return our time, and what was counted."""
    look = make_look(path.parent, seconds=600)
    instrument = log(FileLogConfig(kind="file", path=str(path), format=name), look)
    start = {"places": [], "known": [], "at": 0.0}
    began = time.perf_counter()
    view = instrument.since(LogMark(time=look.run.started, source="", position=start), PATTERNS)
    took = time.perf_counter() - began
    return took, f"{view.total} lines, {view.levels['warning']} warnings, {view.counts['attempt']} attempts"


def warm(folder: Path, name: str) -> Path:
    """Write a log of a megabyte and return where: what is loaded at first use is no part of the time."""
    write(folder / "warm.log", 1_000_000, name)
    return folder / "warm.log"


def peer(path: Path) -> tuple[float, str]:
    """Return grep's time for one number: how many lines match any of the patterns."""
    joined = "|".join(pattern.removeprefix("(?i)").replace(r"\d", "[0-9]") for pattern in PATTERNS.values())
    began = time.perf_counter()
    found = subprocess.run(["grep", "-cE", joined, str(path)], capture_output=True, text=True, check=True)
    return time.perf_counter() - began, f"{found.stdout.strip()} lines match"


def main() -> None:
    """Print both."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    name = sys.argv[2] if len(sys.argv) > 2 else "django"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "debug.log"
        lines = write(path, megabytes * 1_000_000, name)
        print(f"{megabytes} MB, {lines} lines, {len(PATTERNS)} patterns, format {name}; load {os.getloadavg()[0]:.1f}")
        ours(warm(path.parent, name), name)
        before = resident()
        looks = {"ours": functools.partial(ours, path, name), "grep -cE": functools.partial(peer, path)}
        least = dict.fromkeys(looks, (math.inf, math.inf))
        told = {}
        for _ in range(ROUNDS):
            for who, look in looks.items():
                began = processor()
                took, told[who] = look()
                least[who] = min(least[who][0], took), min(least[who][1], processor() - began)
        for who, (took, used) in least.items():
            print(f"{who:10} {took:6.2f} s  {used:6.2f} s of processor time  {told[who]}")
        for index, measure in enumerate(("time", "processor time")):
            times = least["ours"][index] / least["grep -cE"][index]
            print(f"{times:.2f} times the {measure}, allowed {ALLOWED}: {'kept' if times <= ALLOWED else 'BROKEN'}")
        print(f"resident at most: {before} MB before, {resident()} MB after")


if __name__ == "__main__":
    main()
