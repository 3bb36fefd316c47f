"""Endpoints of language models that the run plays itself: they answer as told and keep what reached them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SLEEP = asyncio.sleep  # the real one, whatever a probe puts in its place
MONOTONIC = time.monotonic


class Served(NamedTuple):
    """One request that reached an endpoint. at: monotonic seconds; status: what it was answered."""

    at: float
    status: int
    prompt: str


class Endpoints:
    """Endpoints on a port of this machine, told apart by the first part of their path."""

    def __init__(self) -> None:
        self.served: dict[str, list[Served]] = {}
        self._manners: dict[str, Callable[[int], tuple[int, float]]] = {}
        self._server: asyncio.AbstractServer | None = None
        self._port = 0

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    def url(self, name: str, manner: Callable[[int], tuple[int, float]] = lambda _: (200, 0.0)) -> str:
        """Return the address of the endpoint `name`. manner: number of the request to its status and seconds."""
        self._manners[name] = manner
        self.served[name] = []
        return f"http://127.0.0.1:{self._port}/{name}/generate"

    def tagged(self, name: str, words: str) -> list[Served]:
        """Return the requests at `name` whose prompt holds `words`."""
        return [one for one in self.served[name] if words in one.prompt]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head.splitlines())}
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        name = head.split("/")[1]
        status, seconds = self._manners[name](len(self.served[name]))
        self.served[name].append(Served(MONOTONIC(), status, _prompt(body)))
        if seconds:
            await SLEEP(seconds)
        answer = json.dumps({"text": f"answered by {name}", "tokens_used": 7} if status == 200 else {"detail": name})
        kind = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        writer.write((kind + answer).encode())
        await writer.drain()
        return fields.get("connection", "").lower() != "close"


def _prompt(body: bytes) -> str:
    try:
        asked: Any = json.loads(body)
    except ValueError:
        return ""
    return str(asked.get("prompt", "")) if isinstance(asked, dict) else ""


class Redirected:
    """A registry in whose eyes one layer has the models of a tagged use case, so that clients use those."""

    def __init__(self, registry: Any, use_case: str, layer: str = "foundation") -> None:
        self._registry = registry
        self._use_case = use_case
        self._known = f"{layer}_layer"

    async def get_current_model(self, use_case: str) -> Any:
        """Return the tagged use case's current model for the layer, and none for the others."""
        return await self._registry.get_current_model(self._use_case) if use_case == self._known else None

    def __getattr__(self, name: str) -> Any:
        """Hand on whatever else a client asks, about the tagged use case in place of the layer."""
        found = getattr(self._registry, name)

        def ask(*given: Any, **named: Any) -> Any:
            named = {word: self._redirected(one) for word, one in named.items()}
            return found(*map(self._redirected, given), **named)

        return ask if callable(found) else found

    def _redirected(self, thing: Any) -> Any:
        return self._use_case if thing == self._known else thing
