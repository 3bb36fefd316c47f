"""Masking: whatever leaves the observer goes through a redactor that knows every revealed secret in every disguise.

The search costs the same whatever it is told to find and wherever it looks: each disguise is cut into overlapping runs,
the first eight bytes of each are a key, and every eight bytes of the text are looked up among the keys.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import re
import struct
import threading
import zlib
from typing import TYPE_CHECKING, Any

from environments.disguises import RUN, disguises

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Characters that mean nothing in JSON, XML, HTML, URLs and Markdown code, and that no encoding of text produces.
MASK = "***"
_MASK = MASK.encode("ascii")
# One machine word: the keys are compared as numbers.
_KEY = 8
# From here on numpy's fixed cost of some 50 µs is less than that of a loop over the bytes.
_LARGE = 1024
# Keys of the filter: 2**20 of them hold the runs of a dozen secrets sparsely and stay in a processor's cache.
_FILTER_BITS = 20
_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio spreads neighbouring keys (Knuth, TAOCP 3, 6.4)
# Slices of this size keep the arrays of the search within some 20 MB.
_SLICE = 1 << 20

# As much of a packed file is looked at: the largest answer that an instrument keeps by default.
_UNPACKED = 16 * 1024 * 1024

# An escape that begins before a masked run, or a backslash at its end that escapes what follows, goes with the run.
_BROKEN_BEFORE = re.compile(
    rb"(?<!\\)(?:\\\\)*(\\(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?)\Z|(%[0-9a-f]?)\Z|(&#?[0-9a-z]{0,8})\Z"
)
_BROKEN_AFTER = re.compile(rb"(?<!\\)(?:\\\\)*\\\Z")
_ENTITY_REST = re.compile(rb"[0-9a-z]{0,8};")
_ESCAPE_REACH = 40


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Known:
    """All that is learnt at some moment. keys: the first eight bytes of each run, and where in which disguise it is."""

    secrets: frozenset[str] = frozenset()
    keys: dict[bytes, tuple[tuple[bytes, int, int], ...]] = dataclasses.field(default_factory=dict, repr=False)

    def with_secret(self, secret: str) -> _Known:
        keys = dict(self.keys)
        for tokens, run in disguises(secret):
            ends = [0]
            for token in tokens:
                ends.append(ends[-1] + len(token))
            whole = b"".join(tokens)
            for first in range(len(tokens) - run + 1):
                # A run of one repeated character says nothing about a secret, and masking it would hide every ruler.
                if len(set(tokens[first : first + run])) > 1:
                    key = whole[ends[first] : ends[first] + _KEY]
                    keys[key] = (*keys.get(key, ()), (whole, ends[first], ends[first + run]))
        return _Known(secrets=self.secrets | {secret}, keys=keys)

    def stretch(self, folded: bytes, at: int) -> tuple[int, int]:
        """Return where what is told by the runs that start at `at` begins and ends; both are `at` when none does."""
        first = last = at
        for whole, start, stop in self.keys.get(folded[at : at + _KEY], ()):
            length = _common(whole[start:], folded[at : at + len(whole) - start])
            if length >= stop - start:
                # A repeated character is no run of its own, yet belongs to the secret that it leads into.
                before = _common(whole[:start][::-1], folded[max(0, at - start) : at][::-1])
                first, last = min(first, at - before), max(last, at + length)
        return first, last

    def places(self, folded: bytes) -> Iterable[int]:
        """Return, ascending, the places at which a key stands."""
        if not self.keys:
            return ()
        if len(folded) < _LARGE:
            return (at for at in range(len(folded) - _KEY + 1) if folded[at : at + _KEY] in self.keys)
        return self._large_places(folded)

    def _large_places(self, folded: bytes) -> Iterator[int]:
        import numpy as np  # noqa: PLC0415  # costs 0.1 s at start-up, and most runs never meet a large text

        table, numbers = self._filter
        for start in range(0, len(folded) - _KEY + 1, _SLICE):
            part = folded[start : start + _SLICE + _KEY - 1]
            found: list[Any] = []
            for shift in range(min(_KEY, len(part) - _KEY + 1)):
                words = np.frombuffer(part, dtype="<u8", offset=shift, count=(len(part) - shift) // _KEY)
                maybe = np.flatnonzero(table[(words * np.uint64(_MULTIPLIER)) >> np.uint64(64 - _FILTER_BITS)])
                likely = words[maybe]
                # Left out of the search, the last key is what every larger word is compared with.
                hits = maybe[numbers[np.searchsorted(numbers[:-1], likely)] == likely]
                found.append(hits * _KEY + shift)
            yield from (start + int(at) for at in np.sort(np.concatenate(found)))

    @functools.cached_property
    def _filter(self) -> tuple[Any, Any]:
        import numpy as np  # noqa: PLC0415  # see _large_places

        numbers = np.array([struct.unpack("<Q", key)[0] for key in self.keys], dtype=np.uint64)
        table = np.zeros(1 << _FILTER_BITS, dtype=bool)
        table[(numbers * np.uint64(_MULTIPLIER)) >> np.uint64(64 - _FILTER_BITS)] = True
        return table, np.sort(numbers)

    def spans(self, folded: bytes) -> Iterator[tuple[int, int]]:
        """Yield the stretches to mask, ascending and apart."""
        start = stop = 0
        for at in self.places(folded):
            if at + _KEY <= stop:
                continue  # within what is masked already; what sticks out is shorter than a telling run
            first, last = self.stretch(folded, at)
            if last == at:
                continue
            if first > stop:
                if stop:
                    yield start, stop
                start = first
            stop = max(stop, last)
        if stop:
            yield start, stop


class Redactor:
    """Masks every secret it has learnt. Safe to use and to teach from many threads; what is learnt stays learnt."""

    def __init__(self) -> None:
        self._known = _Known()
        self._learning = threading.Lock()

    def __repr__(self) -> str:
        return f"Redactor(secrets={len(self._known.secrets)}, values='***')"

    def learn(self, secret: str) -> None:
        """Mask `secret` from now on. Raises ValueError for a text shorter than eight characters."""
        if len(secret) < RUN:
            raise ValueError(f"a secret of {len(secret)} characters cannot be masked; allowed: {RUN} or more")
        with self._learning:
            if secret not in self._known.secrets:
                self._known = self._known.with_secret(secret)

    def text(self, text: str) -> str:
        """Return `text` with `***` in place of every secret, in any disguise, and of every telling part of one."""
        if len(text) < RUN:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        masked = self.data(raw)
        return text if masked is raw else masked.decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """Return `data` with `***` in place of every secret; the very same object when there is none."""
        folded = data.lower()
        kept: list[bytes] = []
        done = 0
        for start, stop in self._known.spans(folded):
            first, last = _whole(folded, start, stop)
            kept += [data[done : max(done, first)], _MASK]
            done = last
        return b"".join((*kept, data[done:])) if kept else data

    def form(self, form: Any) -> Any:
        """Return a JSON form with every text masked, keys included; numbers that hold a secret become text."""
        if isinstance(form, str):
            return self.text(form)
        if isinstance(form, dict):
            if form.keys() == {"$bytes"}:
                return {"$bytes": self._bytes(form["$bytes"])}
            return {self.form(key): self.form(part) for key, part in form.items()}
        if isinstance(form, list | tuple):
            return [self.form(part) for part in form]
        if isinstance(form, int | float):
            spelt = repr(form)
            return form if not self.found_in(spelt) else self.text(spelt)
        return form

    def _bytes(self, coded: Any) -> Any:
        """Mask inside the base64 form of bytes, so that it can still be decoded."""
        try:
            raw = base64.b64decode(coded, validate=True)
            masked = _MASK if self.found_in(_unpacked(raw)) else self.data(raw)
            return base64.b64encode(masked).decode("ascii")
        except (binascii.Error, TypeError, ValueError):
            return self.form(coded)

    def found_in(self, text: bytes | str) -> bool:
        """Say whether a secret, or a telling part of one, is left in an artefact."""
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        return next(iter(self._known.spans(raw.lower())), None) is not None


def _unpacked(raw: bytes) -> bytes:
    """Return the content of a gzip file, as far as it is looked at; nothing for any other file."""
    if not raw.startswith(b"\x1f\x8b"):
        return b""
    try:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress(raw, _UNPACKED)
    except zlib.error:
        return b""


def _common(left: bytes, right: bytes) -> int:
    """Return how many bytes two texts share from their beginning."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))


def _whole(folded: bytes, start: int, stop: int) -> tuple[int, int]:
    """Widen a stretch so that no character and no escape is cut in two."""
    reach = max(0, start - _ESCAPE_REACH)
    if broken := _BROKEN_BEFORE.search(folded[reach:start]):
        escape, percent, entity = broken.span(1), broken.span(2), broken.span(3)
        if entity[0] < 0 or _ENTITY_REST.match(folded, start, stop):
            start = reach + max(escape[0], percent[0], entity[0])
    if stop < len(folded) and _BROKEN_AFTER.search(folded[start:stop]):
        stop += 1
    while 0 < start < len(folded) and folded[start] & 0xC0 == 0x80:  # noqa: PLR2004  # UTF-8: a byte within a character
        start -= 1
    while stop < len(folded) and folded[stop] & 0xC0 == 0x80:  # noqa: PLR2004  # likewise
        stop += 1
    return start, stop
