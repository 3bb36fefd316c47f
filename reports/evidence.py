"""The files a run keeps beside its record: screenshots and exchanges, read safely for the reports to embed."""

from __future__ import annotations

import base64
import dataclasses
from typing import TYPE_CHECKING

from reports.escaping import capped, visible
from reports.verdict import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reports.record import Item, Record

IMAGE_LIMIT = 4 * 1024 * 1024  # a full-page screenshot is below 1 MB
TOTAL_LIMIT = 12 * 1024 * 1024  # base64 makes it 16 MB; a report that can be mailed stays below 20 MB
_READ_LIMIT = 1024 * 1024  # of a text; what is shown of it is shorter still
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """One file: an image (`mime`, `data`), a text made visible (`text`), or the reason it is not shown (`note`)."""

    path: str
    mime: str = ""
    data: bytes = b""
    text: str = ""
    note: str = ""

    @property
    def data_uri(self) -> str:
        """The image as a `data:` URI."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def paths(record: Record, item: Item) -> Iterator[str]:
    """Yield the evidence files of an item's observations, relative to the run folder, each once."""
    seen = (record.observations[name].evidence for name in item.observations if name in record.observations)
    yield from dict.fromkeys(path for paths in seen for path in paths)


def owners(record: Record) -> dict[str, str]:
    """Return the item that shows each piece of evidence, the worst that uses it; the others refer to that one."""
    shown: dict[str, str] = {}
    for key, item in sorted(record.items.items(), key=lambda named: WORST_FIRST.index(named[1].outcome)):
        for path in paths(record, item):
            shown.setdefault(path, key)
    return shown


class Cabinet:
    """The evidence of one run folder; each file is read once, and only so much in all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._known: dict[str, Evidence] = {}
        self._left = TOTAL_LIMIT

    def get(self, path: str) -> Evidence:
        """Return the evidence behind a path of the record, or the reason it cannot be shown."""
        if path not in self._known:
            self._known[path] = self._read(path)
            self._left -= len(self._known[path].data)
        return self._known[path]

    def _read(self, path: str) -> Evidence:
        try:
            file = (self._folder / path).resolve(strict=True)
            if not file.is_relative_to(self._folder) or not file.is_file():
                return Evidence(path=path, note="refused: not a file inside the run folder")
            with file.open("rb") as stream:
                data = stream.read(IMAGE_LIMIT + 1)
        except (OSError, ValueError) as error:
            return Evidence(path=path, note=f"missing: {getattr(error, 'strerror', None) or error}")
        return self._shown(path, data)

    def _shown(self, path: str, data: bytes) -> Evidence:
        mime = next((mime for magic, mime in _MAGIC.items() if data.startswith(magic)), "")
        if mime and len(data) > min(IMAGE_LIMIT, self._left):
            return Evidence(path=path, note="kept in the run folder: too large to embed")
        if mime:
            return Evidence(path=path, mime=mime, data=data)
        if b"\0" in data:
            return Evidence(path=path, note="kept in the run folder: neither a known image nor text")
        return Evidence(path=path, text=visible(capped(data[:_READ_LIMIT].decode("utf-8", "backslashreplace"))))
