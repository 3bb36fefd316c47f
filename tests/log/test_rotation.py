"""Rotated files lose nothing and are read once."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fixtures.log_parts import listing, opened
from tests.log.reading import append, log_file, texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fixtures.look import Look


def _rename(path: Path) -> None:
    for number in (2, 1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))
    path.touch()


def _copy_and_truncate(path: Path) -> None:
    shutil.copy(path, path.with_name(f"{path.name}.1"))
    os.truncate(path, 0)


def _rename_and_pack(path: Path) -> None:
    path.with_name(f"{path.name}.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    path.touch()


ROTATIONS = [_rename, _copy_and_truncate, _rename_and_pack]


@pytest.mark.parametrize("rotate", ROTATIONS)
@pytest.mark.parametrize("before", ["", "INFO old one\nINFO old two\n"], ids=["empty", "filled"])
def test_rotation_loses_nothing_and_reads_nothing_twice(
    rotate: Callable[[Path], None], before: str, tmp_path: Path, look: Look
) -> None:
    path = tmp_path / "app.log"
    path.write_text(before)
    source = log_file(path, look)
    mark = source.attach()
    append(path, "INFO n1\nINFO n2 without an end")
    rotate(path)
    append(path, "INFO n3\n" * 1 + "INFO n4\n")
    view = source.since(mark, {"all": "INFO"})
    assert texts(view) == ["INFO n1", "INFO n2 without an end", "INFO n3", "INFO n4"]


@pytest.mark.parametrize("rotate", ROTATIONS)
def test_rotation_while_waiting_loses_nothing(rotate: Callable[[Path], None], tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    source = log_file(path, look)
    mark = source.attach()

    def write() -> None:
        for number in range(60):
            append(path, f"INFO n{number} {'x' * 50}\n")
            if number % 25 == 20:
                time.sleep(0.02)
                for packed in path.parent.glob("*.gz"):
                    packed.unlink()  # only one of them can have the name; what it held was read by then
                rotate(path)
            time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    view = source.since(mark, {"n": r"INFO n(\d+) "}, until=lambda seen: "n59" in texts(seen)[-1], within=15)
    writer.join()
    numbers = [match.groups[0] for match in view.matches["n"]]
    assert numbers == [str(number) for number in range(60)]


def test_two_rotations_between_looks_lose_nothing(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    source = log_file(path, look)
    mark = source.attach()
    for number in range(3):
        append(path, f"INFO n{number}\n")
        if number < 2:
            _rename(path)
        stamp = time.time() - 30 + 10 * number
        newest = path.with_name("app.log.1") if number < 2 else path
        os.utime(newest, (stamp, stamp))
    assert texts(source.since(mark, {"all": "INFO"})) == ["INFO n0", "INFO n1", "INFO n2"]


def test_a_late_writer_in_the_renamed_file_is_heard(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    source = log_file(path, look)
    mark = source.attach()
    held = path.open("a", encoding="utf-8")
    held.write("INFO n1\n")
    held.flush()

    def meanwhile() -> None:
        time.sleep(0.2)
        path.rename(tmp_path / "app.log.1")
        path.write_text("INFO n2\n")
        time.sleep(0.4)
        held.write("INFO late\n")
        held.close()

    writer = threading.Thread(target=meanwhile)
    writer.start()
    view = source.since(mark, {"late": "late"}, until=lambda seen: seen.counts["late"] > 0, within=10, keep="n")
    writer.join()
    assert (view.counts, view.total) == ({"late": 1}, 3)


def test_a_cut_without_a_copy_is_a_trouble(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n" * 100)
    source = log_file(path, look)
    mark = source.attach()
    path.write_text("INFO restarted\n" * 200)  # longer than before: its size tells nothing
    trouble = source.since(mark, {"all": "INFO"}).trouble
    assert trouble is not None
    assert trouble.kind == "lost"


def test_a_file_cut_short_is_a_trouble_even_if_all_lines_are_the_same(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO same\n" * 2000)
    source = log_file(path, look)
    mark = source.attach()
    os.truncate(path, 10_000)
    trouble = source.since(mark, {"all": "INFO"}).trouble
    assert trouble is not None
    assert trouble.kind == "lost"


def test_the_renamed_file_is_known_even_if_all_lines_are_the_same(tmp_path: Path, look: Look) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO same\n" * 1000)
    source = log_file(path, look)
    mark = source.attach()
    append(path, "INFO same\n" * 3)
    _rename(path)
    append(path, "INFO same\n" * 2000)
    assert source.since(mark, {}).total == 2003


def test_a_file_that_was_replaced_after_it_was_listed_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("INFO old\n")
    (listed,) = listing(path)
    path.rename(tmp_path / "app.log.1")
    path.write_text("INFO new\n")
    with contextlib.ExitStack() as stack, pytest.raises(FileNotFoundError):
        opened(listed, stack, lambda _size: None)
