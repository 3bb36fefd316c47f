"""A small server of misbehaviours over raw sockets, and addresses that never answer. Loopback only."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0  # seconds after which a forgotten connection of a test ends by itself


@dataclasses.dataclass(frozen=True)
class Visit:
    """One connection. over: set when the server is closing; a behaviour that lasts waits on it."""

    sock: socket.socket
    over: threading.Event

    def read_request(self) -> bytes:
        """Return the request, head and body, as it came; empty when the visitor left."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.sock.recv(65536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        while len(body) < _announced(head):
            body += self.sock.recv(65536)
        return head + b"\r\n\r\n" + body


def _announced(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


Behaviour = Callable[[Visit, bytes], None]


class Hostile:
    """A server whose answers are `behave`'s doing. requests: what was asked, raw; visits: connections accepted.

    context: serves TLS. reads: False hands the connection over before anything was read (the request is then empty).
    """

    def __init__(
        self, behave: Behaviour, *, context: ssl.SSLContext | None = None, host: str = LOOPBACK, reads: bool = True
    ) -> None:
        self.requests: list[bytes] = []
        self.visits = 0
        self._behave = behave
        self._context = context
        self._reads = reads
        self._over = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """The origin it answers at."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._context else 'http'}://{host}:{self.port}"

    def __enter__(self) -> Hostile:  # noqa: PYI034 - a test names the class
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                stack.callback(sock.close)
            visit = Visit(sock, self._over)
            request = visit.read_request() if self._reads else b""
            if request:
                self.requests.append(request)
            if request or not self._reads:
                self._behave(visit, request)


def ok(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole, correct answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def answers(*raw: bytes, then_stay: bool = False) -> Behaviour:
    """Send the n-th piece to the n-th visitor, the last one ever after; then close, or stay connected."""
    pieces = iter(raw)
    last = [b""]

    def behave(visit: Visit, _: bytes) -> None:
        last[0] = next(pieces, last[0])
        visit.sock.sendall(last[0])
        if then_stay:
            visit.over.wait(PATIENCE)

    return behave


def routes(table: dict[str, bytes], *, after: float = 0.0) -> Behaviour:
    """Answer by the path of the request, each `after` so many seconds; 404 elsewhere."""

    def behave(visit: Visit, request: bytes) -> None:
        visit.over.wait(after)
        path = request.split(b" ", 2)[1].decode("ascii")
        visit.sock.sendall(table.get(path, ok(status="404 Not Found")))

    return behave


def drips(whole: bytes, fast: int, every: float = 0.05) -> Behaviour:
    """Send the first `fast` bytes at once and the rest one byte at a time."""

    def behave(visit: Visit, _: bytes) -> None:
        visit.sock.sendall(whole[:fast])
        for byte in whole[fast:]:
            if visit.over.wait(every):
                return
            visit.sock.sendall(bytes([byte]))

    return behave


def floods(start: bytes, piece: bytes, every: float = 0.0) -> Behaviour:
    """Send `start`, then `piece` for ever."""

    def behave(visit: Visit, _: bytes) -> None:
        visit.sock.sendall(start)
        while not visit.over.wait(every):
            visit.sock.sendall(piece)

    return behave


def resets(after: bytes = b"") -> Behaviour:
    """Send `after`, then end the connection with a reset."""

    def behave(visit: Visit, _: bytes) -> None:
        visit.sock.sendall(after)
        visit.over.wait(0.05)  # lets the visitor read what came before
        visit.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def stays_silent(visit: Visit, _: bytes) -> None:
    """Keep the connection and say nothing."""
    visit.over.wait(PATIENCE)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Yield a port at which no loopback IPv4 address ever completes a connection: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("0.0.0.0", 0))  # noqa: S104 - every 127.x address has to be silent, and nobody is ever let in
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(4):  # a queue of length 0 holds one connection; the kernel may round up
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex((LOOPBACK, port))
        yield port


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        return int(sock.getsockname()[1])
