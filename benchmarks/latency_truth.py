"""Measured latency against truth: a server that takes known lognormal times, asked by us, by `hey` and by `wrk`.

python -m benchmarks.latency_truth [--samples 2000] [--seed 20260103]

The server notes when each request arrived and when its answer was written; both processes read the same monotonic
clock. The first table is a closed loop of eight: reported percentiles minus those of what the server did, in
milliseconds. In the second the server stalls for 2 s: all are asked 15 times a second for 20 s, and the truth is what a
user would have waited who came when the schedule says.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from environments.models import HttpConfig
from fixtures.gate import RunGate
from fixtures.http import Http
from fixtures.sampling import Sampler
from tests.looks import make_look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PERCENTILES = (50, 95, 99)
MEDIAN_S, SPREAD = 0.05, 0.5  # of the lognormal times: p95 is 0.114 s, p99 0.160 s
AT_ONCE = 8
RATE, SECONDS, STALL_S = 15, 20, 2.0  # 30 requests are due during the stall: fewer than may be under way at once
_LUA = "done = function(_, latency) for _, p in pairs({50, 95, 99}) do print('P', p, latency:percentile(p)) end end\n"


class Serving(asyncio.Protocol):
    """One connection. served: of all connections, when each request arrived and when it was answered."""

    served: list[tuple[float, float]] = []  # noqa: RUF012  shared by all connections on purpose
    dice = random.Random(0)  # noqa: S311  known times, not secrets
    stalled_until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request, which comes in one piece from all that ask here, once its time is over."""
        arrived, path = time.monotonic(), data.split(b" ", 2)[1]
        last = b"connection: close" in data.lower()
        if path == b"/take":
            taken, Serving.served = Serving.served, []
            self._answer(json.dumps(taken).encode(), last=last)
        elif path == b"/stall":
            Serving.stalled_until = arrived + STALL_S
            self._answer(b"", last=last)
        else:
            wait = Serving.dice.lognormvariate(np.log(MEDIAN_S), SPREAD) + max(0.0, Serving.stalled_until - arrived)
            asyncio.get_running_loop().call_later(wait, self._served, arrived, last)

    def _served(self, arrived: float, last: bool) -> None:  # noqa: FBT001  a callback
        Serving.served.append((arrived, time.monotonic()))
        self._answer(b"ok", last=last)

    def _answer(self, body: bytes, *, last: bool) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        if last:
            self._transport.close()


async def serve(port: int, seed: int) -> None:
    """Serve until the process is ended."""
    Serving.dice.seed(seed)
    server = await asyncio.get_running_loop().create_server(Serving, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


class Truth:
    """The server, from outside."""

    def __init__(self, seed: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        words = [sys.executable, "-m", "benchmarks.latency_truth", "--serve", str(port), "--seed", str(seed)]
        self._process = subprocess.Popen(words)
        while not self._listens(port):
            time.sleep(0.05)

    def _listens(self, port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def take(self) -> list[tuple[float, float]]:
        """Return when requests arrived and were answered since the last call."""
        with urllib.request.urlopen(f"{self.url}/take") as answer:  # noqa: S310  our own server on this machine
            return [tuple(pair) for pair in json.load(answer)]

    def stall_in(self, seconds: float) -> None:
        """Have the server stall for two seconds, some seconds from now."""
        threading.Timer(seconds, lambda: urllib.request.urlopen(f"{self.url}/stall").close()).start()  # noqa: S310  likewise

    def end(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()


def ours(url: str, count: int) -> list[float]:
    """Return what our closed loop reports, in seconds."""
    samples = _sampler(lambda http: http.get("/"), url)
    return samples[0].closed(samples[1], at_most=count, at_once=AT_ONCE).answered


def _sampler(ask: Callable[[Http], object], url: str) -> tuple[Sampler, Callable[[], object]]:
    look = make_look(Path(tempfile.gettempdir()), seconds=600)
    gate = RunGate(limits={}, per_second=None, concurrency=32)
    object.__setattr__(look, "gate", gate)
    http = Http(HttpConfig(url=url), look)
    return Sampler(look, threading.Event()), lambda: ask(http)


def hey(url: str, *options: str) -> list[float]:
    """Return what hey reports, request by request, in seconds."""
    done = subprocess.run(["hey", "-o", "csv", *options, url], check=True, capture_output=True, text=True)
    return [float(row["response-time"]) for row in csv.DictReader(io.StringIO(done.stdout))]


def wrk(url: str, *options: str) -> list[float]:
    """Return what wrk reports of its three percentiles, in seconds; it tells no more."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA)
        script.flush()
        words = ["wrk", "-t", "1", *options, "-s", script.name, url]
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    found = {int(p): float(us) / 1e6 for p, us in re.findall(r"P\s+(\d+)\s+([\d.]+)", said)}
    return [found[p] for p in PERCENTILES]


def row(name: str, reported: Sequence[float], true: Sequence[float], *, whole: bool = True) -> None:
    """Print a line: each reported percentile, and by how much it differs from the truth."""
    told = np.percentile(reported, PERCENTILES, method="inverted_cdf") if whole else np.array(reported)
    known = np.percentile(true, PERCENTILES, method="inverted_cdf")
    cells = [f"{1000 * one:8.1f} ({1000 * (one - fact):+8.1f})" for one, fact in zip(told, known, strict=True)]
    print(f"{name:<34}" + "  ".join(cells) + f"  {len(true):6d}")


def closed_loops(truth: Truth, count: int) -> None:
    """Compare closed loops of eight on a healthy server. We connect for each request; the others keep connections."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: waiting for a core is in every figure")
    print(f"{'closed loop of ' + str(AT_ONCE) + ', ms (bias)':<34}" + "".join(f"{f'p{p}':>21}" for p in PERCENTILES))
    reported = ours(truth.url, count)
    row("ours", reported, _durations(truth))
    if shutil.which("hey"):
        row("hey", hey(truth.url, "-n", str(count), "-c", str(AT_ONCE)), _durations(truth))
    if shutil.which("wrk"):
        seconds = max(2, round(count * 1.13 * MEDIAN_S / AT_ONCE))
        told = wrk(truth.url, "-c", str(AT_ONCE), "-d", f"{seconds}s")
        row("wrk", told, _durations(truth), whole=False)


def under_a_stall(truth: Truth) -> None:
    """Compare what is reported when the server stalls for two seconds in the middle."""
    print(f"\n{f'{STALL_S:g} s stall, {RATE}/s for {SECONDS} s, ms (bias)':<34}")
    sampler, ask = _sampler(lambda http: http.get("/"), truth.url)
    time.sleep(1)
    truth.take()  # what was under way when the last of the others ended
    truth.stall_in(SECONDS / 2)
    began = time.monotonic()
    samples = sampler.open(ask, rate=RATE, seconds=SECONDS)
    users = _users(truth, began)
    row("ours, open loop", samples.answered, users)
    print(f"  our own lateness: at most {1000 * max(samples.late_s):.1f} ms")
    truth.stall_in(SECONDS / 2)
    closed = sampler.closed(ask, at_most=RATE * SECONDS // 2)  # as many as fit: half of the time is the pause between
    truth.take()
    row("ours, closed loop of 1", closed.answered, users)
    if shutil.which("hey"):
        truth.stall_in(SECONDS / 2)
        row("hey -c 1 -q 15", hey(truth.url, "-z", f"{SECONDS}s", "-c", "1", "-q", str(RATE)), users)
        truth.take()
    if shutil.which("wrk"):
        truth.stall_in(SECONDS / 2)
        row("wrk -c 1 (no rate)", wrk(truth.url, "-c", "1", "-d", f"{SECONDS}s"), users, whole=False)
        truth.take()


def _users(truth: Truth, began: float) -> list[float]:
    """Return what users would have waited who came by the schedule: from when each was due to its answer."""
    ends = [done for _, done in sorted(truth.take())]
    return [done - (began + number / RATE) for number, done in enumerate(ends)]


def _durations(truth: Truth) -> list[float]:
    return [done - arrived for arrived, done in truth.take()]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20260103)
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, options.seed))
        return
    truth = Truth(options.seed)
    try:
        closed_loops(truth, options.samples)
        under_a_stall(truth)
    finally:
        truth.end()


if __name__ == "__main__":
    main()
