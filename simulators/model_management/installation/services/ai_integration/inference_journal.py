"""Keeping the inference log out of the caller's way: written behind its back, tried again, in order."""

from __future__ import annotations

import asyncio
from typing import Any

from services.model_management.historical_log_processor import HistoricalLogProcessor
from services.simulated import faulty

_PAUSE_S = 0.2  # between two tries of the same entry
_TRIES = 50
_FLUSH_S = 5.0


class InferenceJournal:
    """A queue of log entries that one task writes, each until it is written."""

    def __init__(self) -> None:
        self._processor = HistoricalLogProcessor()
        self._entries: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._again: list[asyncio.Task[None]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, entry: dict[str, Any]) -> None:
        """Take an entry; returns at once."""
        if faulty("real-log-write-awaited"):
            await self._tried(entry)
            return
        if faulty("inferences-not-logged"):
            return
        if faulty("log-failure-breaks-generation"):
            await self._processor.log_inference(**entry)
            return
        self._entries.put_nowait(entry)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def flush(self) -> None:
        """Wait until everything is written, at most five seconds."""
        if self._writer is not None:
            await asyncio.wait([self._writer], timeout=_FLUSH_S)

    async def _write(self) -> None:
        while not self._entries.empty():
            entry = self._entries.get_nowait()
            tries = 2 if faulty("log-entry-dropped-after-retry") else _TRIES
            for attempt in range(tries):
                if await self._tried(entry):
                    if attempt and faulty("late-log-entries-written-twice"):
                        self._again.append(asyncio.create_task(self._repeated(entry)))
                    break
                if faulty("real-failed-log-writes-lost"):
                    break
                await asyncio.sleep(_PAUSE_S)

    async def _repeated(self, entry: dict[str, Any]) -> None:
        await asyncio.sleep(_PAUSE_S * 2)
        await self._tried(entry)

    async def _tried(self, entry: dict[str, Any]) -> bool:
        try:
            await self._processor.log_inference(**entry)
        except Exception as error:  # noqa: BLE001 - a log never breaks what it logs
            print(f"Error logging inference to historical logs: {error}")
            return False
        return True
