"""Draws the reports of a run from its record: `python -m reports.render RUN_FOLDER`.

A program of its own, started after the verdict: whatever goes wrong here, the record and the verdict stand. Exit status
0 when all formats asked for were written, 7 otherwise; one that fails never harms another.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from reports import programs, proof, reading, sealing, signoff_html, signoff_markdown
from reports.escaping import one_line, terminal
from reports.telling import tell
from reports.verdict import GO, NO_EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reports.reading import Reading

# What each format leaves in the run folder.
FILES: dict[str, tuple[str, ...]] = {
    "html": ("report.html",),
    "junit": ("junit.xml",),
    "allure": ("allure-results", "allure.html"),
    "signoff": ("signoff.md", "signoff.html"),
    "benchmarks": ("benchmarks.json",),
}
_REPLAYED = ("html", "junit", "allure", "benchmarks")


@dataclasses.dataclass
class Rendering:
    """What became of the formats. problems: format to why it was not written. notes: what was left out, rightly."""

    problems: dict[str, str] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    @contextlib.contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Keep whatever goes wrong with one format from the others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- reported with its format, and the exit status tells
            known = isinstance(error, programs.ProgramError | proof.ProofError | sealing.SealError | OSError)
            self.problems[name] = str(error) if known else f"{type(error).__name__}: {error}"


def render(folder: Path, formats: Sequence[str] = tuple(FILES)) -> Rendering:
    """Write `formats` into a run folder. Raises reading.RecordError when the folder is none of a run."""
    read = reading.read(folder)
    rendering = Rendering()
    for name in formats:
        with rendering.attempt(name):
            _remove(folder, FILES[name])
    drawn = tuple(name for name in _REPLAYED if name in formats and name not in rendering.problems)
    missing = programs.missing_allure() if "allure" in drawn else ""
    if missing:
        rendering.notes.append(f"allure.html was left out: {missing}")
    if not any(item.samples for item in read.record.items.values()) and "benchmarks" in drawn:
        drawn = tuple(name for name in drawn if name != "benchmarks")
        rendering.notes.append("benchmarks.json was left out: no item has samples")
    if read.problem:
        rendering.problems |= dict.fromkeys(drawn, read.problem)
        drawn = ()
    with ThreadPoolExecutor(1) as beside:
        replaying = beside.submit(_replay, read, drawn, rendering, page=not missing)
        if "signoff" in formats:
            _sign_off(read, rendering)
        replaying.result()
    return rendering


def main(arguments: Sequence[str] | None = None) -> int:
    """Render the folder named on the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        rendering = render(options.folder.resolve(), options.formats)
    except (reading.RecordError, OSError) as error:
        _say(str(error))
        return NO_EVIDENCE
    for note in rendering.notes:
        _say(note)
    for name, problem in rendering.problems.items():
        _say(f"{' and '.join(FILES[name])} not written: {problem}")
    written = [file for name in options.formats if name not in rendering.problems for file in FILES[name]]
    present = [file for file in written if (options.folder / file).exists()]
    tell(sys.stdout, f"reports: {', '.join(present) or 'none'} in {time.monotonic() - began:.1f} s\n")
    return NO_EVIDENCE if rendering.problems else GO


def _replay(read: Reading, formats: tuple[str, ...], rendering: Rendering, *, page: bool) -> None:
    if not formats:
        return
    try:
        with tempfile.TemporaryDirectory(prefix=".rendering-", dir=read.folder) as work:
            together = Path(work) / "together"
            together.mkdir()
            with contextlib.suppress(programs.ProgramError):  # what it could not write is tried again, alone
                programs.replay(read.folder / reading.RUN, together, formats)
            for format_ in formats:
                with rendering.attempt(format_):
                    _place(read, _drawn(read, format_, together), format_, page=page)
    except OSError as error:
        rendering.problems |= dict.fromkeys(formats, str(error))


def _drawn(read: Reading, format_: str, together: Path) -> Path:
    """Return the work folder with a format that proves to be whole, drawing it alone where the joint session failed."""
    try:
        _PROOFS[format_](read, together)
    except (OSError, ValueError, KeyError, proof.ProofError):
        alone = together.parent / format_
        alone.mkdir()
        programs.replay(read.folder / reading.RUN, alone, (format_,))
        _PROOFS[format_](read, alone)
        return alone
    return together


def _place(read: Reading, work: Path, format_: str, *, page: bool) -> None:
    if format_ == "html":
        report = work / "report.html"
        report.write_text(sealing.seal_test_report(report.read_text(encoding="utf-8")), encoding="utf-8")
    os.replace(work / FILES[format_][0], read.folder / FILES[format_][0])  # noqa: PTH105 -- a folder, too
    if format_ == "allure" and page:
        drawn = programs.allure_page(read.folder / "allure-results", work)
        drawn.write_text(sealing.seal_allure(drawn.read_text(encoding="utf-8")), encoding="utf-8")
        drawn.replace(read.folder / "allure.html")


_PROOFS: dict[str, Callable[[Reading, Path], None]] = {
    "html": lambda read, work: proof.prove(proof.test_report(work / "report.html"), read.record, "report.html"),
    "junit": lambda read, work: proof.prove(proof.junit(work / "junit.xml"), read.record, "junit.xml"),
    "allure": lambda read, work: proof.prove(proof.allure(work / "allure-results"), read.record, "allure-results"),
    "benchmarks": lambda read, work: proof.prove_samples(work / "benchmarks.json", read.record),
}


def _sign_off(read: Reading, rendering: Rendering) -> None:
    with rendering.attempt("signoff"):
        for name, page in (("signoff.md", signoff_markdown.page), ("signoff.html", signoff_html.page)):
            temporary = read.folder / f".{name}"
            temporary.write_text(page(read, tuple(rendering.notes)), encoding="utf-8")
            temporary.replace(read.folder / name)


def _remove(folder: Path, names: tuple[str, ...]) -> None:
    # What an earlier rendering left must never be read as the result of this one.
    for path in (folder / name for name in names):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    unknown = [name for name in names if name not in FILES]
    if unknown:
        raise argparse.ArgumentTypeError(f"found {unknown[0]!r}, allowed {', '.join(FILES)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports.render", description="Draw the reports of a run.")
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER", help="a folder with run.json (or plan.json)")
    parser.add_argument("--formats", type=_formats, default=tuple(FILES), help=f"some of {','.join(FILES)}")
    return parser


def _say(text: str) -> None:
    tell(sys.stderr, f"reports: {terminal(one_line(text))}\n")


if __name__ == "__main__":
    sys.exit(main())
