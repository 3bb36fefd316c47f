"""The models' endpoints, and one JSON request to one of them."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any
from urllib.parse import urlsplit

SUCCESS = 200
LAYERS = ("foundation", "customization", "interaction", "coordination")
ENDPOINTS = dict(zip(LAYERS, (f"http://localhost:{port}/generate" for port in range(8001, 8005)), strict=True))
ENDPOINTS |= json.loads(os.environ.get("SIMULATED_ENDPOINTS", "{}"))  # the ports above belong to nobody here


class EndpointError(Exception):
    """The endpoint did not answer, or not with 200 and JSON."""


async def post(url: str, payload: dict[str, Any], within_s: float = 30.0) -> dict[str, Any]:
    """Send `payload` and return the answer. Raises EndpointError."""
    try:
        status, body = await asyncio.wait_for(_exchange(url, json.dumps(payload).encode()), within_s)
        answer: dict[str, Any] = json.loads(body)
    except (OSError, TimeoutError, ValueError, IndexError, asyncio.IncompleteReadError) as error:
        raise EndpointError(f"{url}: {type(error).__name__}: {error}") from error
    if status != SUCCESS:
        raise EndpointError(f"{url}: status {status}")
    return answer


async def _exchange(url: str, body: bytes) -> tuple[int, bytes]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        head = f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.read()
    finally:
        writer.close()
    first, _, rest = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]), rest
