"""Pictures: real PNG files, each as different as its seed."""

from __future__ import annotations

import hashlib
import struct
import zlib


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png(seed: str, width: int, height: int) -> bytes:
    """Return a PNG of `width` by `height` pixels: a two-coloured pattern that follows from `seed`."""
    digest = hashlib.sha256(seed.encode()).digest()
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)  # one bit per pixel, with a palette
    row_bytes = (width + 7) // 8
    bands = [bytes([0]) + (digest[n : n + 8] * (row_bytes // 8 + 1))[:row_bytes] for n in range(16)]
    rows = b"".join(bands[row * len(bands) // height] for row in range(height))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", digest[24:30]),
            _chunk(b"IDAT", zlib.compress(rows, 1)),
            _chunk(b"IEND", b""),
        )
    )
