"""Latencies as inline SVG: how the samples of one item are spread, and where its limit lies."""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

from reports.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.record import Item

_WIDTH, _HEIGHT, _BASE = 640, 100, 72  # the plot, in its own units; below the base line stand the figures
_BINS = 64  # one bar per ten units of width
_LABEL = 90.0  # what a label needs, also in the larger letters of a phone
_DURATION = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?(ms|s|min)\b")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0}


def histogram(key: str, item: Item) -> Markup:
    """Return the samples of an item as a histogram with its limit, and the same in words; nothing without samples."""
    if not item.samples:
        return Markup()
    limit = limit_of(item)
    told = describe(item.samples, limit)
    low = min(0.0, *item.samples)
    high = max(*item.samples, limit or 0.0, low) * 1.06 or 1.0  # room for the last bar and the limit's label
    drawing = tag(
        "svg",
        tag("title", f"{key}: {told}"),
        [_bar(x, height, over=limit is not None and x > limit, low=low, high=high)
         for x, height in _bins(item.samples, low, high)],
        tag("line", x1="0", x2=str(_WIDTH), y1=str(_BASE), y2=str(_BASE), class_="axis"),
        _ticks(sorted({low, median(item.samples), max(item.samples)}), low, high),
        _limit(limit, low, high) if limit is not None else None,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", class_="plot",
    )  # fmt: skip
    return tag("figure", drawing, tag("figcaption", told), class_="latency")


def limit_of(item: Item) -> float | None:
    """Return the limit in seconds that an item's limit text states, or None where it states none or several."""
    found = {float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(item.limit)}
    return found.pop() if len(found) == 1 else None


def describe(samples: tuple[float, ...], limit: float | None) -> str:
    """Return the spread of samples in words."""
    number = f"{len(samples)} sample{'s' if len(samples) > 1 else ''}"
    spread = f"{number} from {min(samples):.3g} s to {max(samples):.3g} s, median {median(samples):.3g} s"
    if limit is None:
        return spread
    return f"{spread}; {sum(sample > limit for sample in samples)} above {limit:g} s"


def _bins(samples: tuple[float, ...], low: float, high: float) -> Iterator[tuple[float, float]]:
    """Yield the left edge in seconds and the relative height of each bar."""
    counts = [0] * _BINS
    width = (high - low) / _BINS
    for sample in samples:
        counts[min(_BINS - 1, int((sample - low) / width))] += 1
    yield from ((low + position * width, count / max(counts)) for position, count in enumerate(counts) if count)


def _bar(left: float, height: float, *, over: bool, low: float, high: float) -> Markup:
    tall = 6 + height * (_BASE - 22)  # a single sample among hundreds stays visible; the top is the limit label's
    return tag(
        "rect", x=f"{_x(left, low, high):.1f}", y=f"{_BASE - tall:.1f}", width=f"{_WIDTH / _BINS - 2:.1f}",
        height=f"{tall:.1f}", class_="bar over" if over else "bar",
    )  # fmt: skip


def _ticks(values: list[float], low: float, high: float) -> Iterator[Markup]:
    taken = -_LABEL
    for x, value in ((_x(value, low, high), value) for value in values):
        if x - taken >= _LABEL:
            taken = x
            yield _text(x, _HEIGHT - 8, f"{value:.3g} s", "tick")


def _limit(limit: float, low: float, high: float) -> tuple[Markup, Markup]:
    x = f"{_x(limit, low, high):.1f}"
    line = tag("line", x1=x, x2=x, y1="14", y2=str(_BASE + 4), class_="limit")
    return line, _text(_x(limit, low, high), 10, f"limit {limit:g} s", "limit-label")


def _text(x: float, y: float, text: str, class_: str) -> Markup:
    anchor = "start" if x < _LABEL / 2 else "end" if x > _WIDTH - _LABEL / 2 else "middle"
    return tag("text", text, x=f"{x:.1f}", y=str(y), text_anchor=anchor, class_=class_)


def _x(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) * _WIDTH
