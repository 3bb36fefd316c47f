"""The journal survives being cut anywhere, and shows every change."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from reports.journal import Journal, JournalError, read

if TYPE_CHECKING:
    from pathlib import Path


def written(path: Path, entries: int) -> Path:
    journal = Journal(path)
    for number in range(entries):
        journal.write("fact", {"number": number, "text": 'a "quoted" line\nand another ☃'})
    journal.close()
    return path


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    entries = list(read(written(tmp_path / "journal.jsonl", 5)))
    assert [(entry.seq, entry.kind, entry.data["number"]) for entry in entries] == [
        (n + 1, "fact", n) for n in range(5)
    ]


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    written(tmp_path / "journal.jsonl", 1)
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "journal.jsonl")


def test_cut_at_any_byte_it_keeps_every_whole_entry(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", 4)
    data = path.read_bytes()
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        assert len(list(read(path))) >= data[:length].count(b"\n")


def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", 4)
    data = path.read_bytes()
    last = data[:-1].rfind(b"\n")
    for place in random.Random(1).sample(range(last), 200):  # noqa: S311  places to try, not a secret
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(JournalError):
            list(read(path))


def test_a_missing_line_is_found(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(JournalError, match=r"journal\.jsonl:2"):
        list(read(path))


def test_threads_write_whole_entries(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")

    def work() -> None:
        for _ in range(20):
            journal.write("x", "y" * 500)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert [entry.seq for entry in read(tmp_path / "journal.jsonl")] == list(range(1, 161))
