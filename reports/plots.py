"""Figures as inline SVG: how samples are spread, where a figure and its interval lie, and how it went over time."""

from __future__ import annotations

import datetime as dt
import re
from statistics import median
from typing import TYPE_CHECKING

from reports.markup import Markup, join, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.record import Figure, Item

_WIDTH, _HEIGHT, _BASE = 640, 100, 72  # the plot, in its own units; below the base line stand the figures
_LINE = 40  # where an interval is drawn
_BINS = 64  # one bar per ten units of width
_LABEL = 90.0  # what a label needs, also in the larger letters of a phone
_DURATION = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?(ms|s|min)\b")
_BARE = re.compile(r"[<>]=? (\d+(?:\.\d+)?)")  # of a comparison of samples, which are seconds
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0}


def drawn(key: str, item: Item) -> Markup:
    """Return every plot of an item: its samples, and each figure that has an interval or windows."""
    figures = [plot for figure in item.figures if (plot := _figure(key, item, figure))]
    return join([histogram(key, item), *figures])


def histogram(key: str, item: Item) -> Markup:
    """Return the samples of an item as a histogram with its limit and interval; nothing without samples."""
    if not item.samples:
        return Markup()
    figure = _on_histogram(item)
    limit = figure.limit if figure is not None else limit_of(item)
    told = describe(item.samples, limit)
    low = min(0.0, *item.samples)
    high = max(*item.samples, limit or 0.0, low) * 1.06 or 1.0  # room for the last bar and the limit's label
    drawing = _svg(
        f"{key}: {told}",
        [_bar(x, height, over=limit is not None and x > limit, low=low, high=high)
         for x, height in _bins(item.samples, low, high)],
        tag("line", x1="0", x2=str(_WIDTH), y1=str(_BASE), y2=str(_BASE), class_="axis"),
        _whisker(figure, low, high, _BASE + 6) if figure is not None else None,
        _ticks([(value, f"{value:.3g} s") for value in sorted({low, median(item.samples), max(item.samples)})],
               low, high),
        _limit(limit, f"limit {limit:g} s", low, high) if limit is not None else None,
    )  # fmt: skip
    return tag("figure", drawing, tag("figcaption", told), class_="latency")


def interval(key: str, figure: Figure) -> Markup:
    """Return a figure, its interval and its limit on one line; nothing where it has no interval."""
    ends = [end for end in (figure.low, figure.high) if end is not None]
    if not ends:
        return Markup()
    known = [*ends, figure.limit, *([figure.measured] if figure.measured is not None else [])]
    low, high = _room(min(known), max(known), share=figure.unit == "share")
    labels = [(value, amount(value, figure.unit)) for value in sorted({*ends})]
    drawing = _svg(
        f"{key}: {figure.statement}",
        tag("line", x1="0", x2=str(_WIDTH), y1=str(_BASE), y2=str(_BASE), class_="axis"),
        _whisker(figure, low, high, _LINE),
        _ticks(labels, low, high),
        _limit(figure.limit, f"limit {amount(figure.limit, figure.unit)}", low, high),
    )
    return tag("figure", drawing, class_="interval-of")


def timeline(key: str, figure: Figure) -> Markup:
    """Return a figure over time, a bar per window, those beyond the limit marked; nothing without windows."""
    values = [value for _, value, _ in figure.windows if value is not None]
    if not figure.windows:
        return Markup()
    top = max([*values, figure.limit]) * 1.1 or 1.0
    height = _BASE - 14
    drawing = _svg(
        f"{key}: {figure.statement}",
        list(_windows(figure, top, height)),
        tag("line", x1="0", x2=str(_WIDTH), y1=str(_BASE), y2=str(_BASE), class_="axis"),
        tag("line", x1="0", x2=str(_WIDTH), y1=(y := f"{_BASE - figure.limit / top * height:.1f}"), y2=y,
            class_="limit"),
        _text(_WIDTH, 10, f"limit {amount(figure.limit, figure.unit)}", "limit-label"),
        _text(0, _HEIGHT - 8, _clock(figure.windows[0][0]), "tick"),
        _text(_WIDTH, _HEIGHT - 8, _clock(figure.windows[-1][0]), "tick"),
    )  # fmt: skip
    return tag("figure", drawing, class_="timeline")


def amount(number: float, unit: str) -> str:
    """Return a number with its unit, a share as a percentage."""
    return f"{100 * number:.3g} %" if unit == "share" else f"{number:.3g} {unit}".rstrip()


def limit_of(item: Item) -> float | None:
    """Return the limit in seconds that an item's limit text states, or None where it states none or several."""
    bare = _BARE.fullmatch(item.limit)
    if bare is not None:
        return float(bare[1])
    found = {float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(item.limit)}
    return found.pop() if len(found) == 1 else None


def describe(samples: tuple[float, ...], limit: float | None) -> str:
    """Return the spread of samples in words."""
    number = f"{len(samples)} sample{'s' if len(samples) > 1 else ''}"
    spread = f"{number} from {min(samples):.3g} s to {max(samples):.3g} s, median {median(samples):.3g} s"
    if limit is None:
        return spread
    return f"{spread}; {sum(sample > limit for sample in samples)} above {limit:g} s"


def _figure(key: str, item: Item, figure: Figure) -> Markup:
    if figure is _on_histogram(item):
        return Markup()
    return timeline(key, figure) or interval(key, figure)


def _on_histogram(item: Item) -> Figure | None:
    """Return the figure that belongs to the samples: the first one in seconds that is not about windows of time."""
    of_samples = (figure for figure in item.figures if figure.unit == "s" and not figure.windows)
    return next(of_samples, None) if item.samples else None


def _svg(title: str, *parts: object) -> Markup:
    children: list[object] = [tag("title", title), *parts]
    return tag("svg", children, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", class_="plot")  # type: ignore[arg-type]  # children of a tag


def _bins(samples: tuple[float, ...], low: float, high: float) -> Iterator[tuple[float, float]]:
    """Yield the left edge in seconds and the relative height of each bar."""
    counts = [0] * _BINS
    width = (high - low) / _BINS
    for sample in samples:
        # The share first: a width that is smaller than the smallest number would be zero.
        counts[min(_BINS - 1, int((sample - low) / (high - low) * _BINS))] += 1
    yield from ((low + position * width, count / max(counts)) for position, count in enumerate(counts) if count)


def _bar(left: float, height: float, *, over: bool, low: float, high: float) -> Markup:
    tall = 6 + height * (_BASE - 22)  # a single sample among hundreds stays visible; the top is the limit label's
    return tag(
        "rect", x=f"{_x(left, low, high):.1f}", y=f"{_BASE - tall:.1f}", width=f"{_WIDTH / _BINS - 2:.1f}",
        height=f"{tall:.1f}", class_="bar over" if over else "bar",
    )  # fmt: skip


def _windows(figure: Figure, top: float, height: float) -> Iterator[Markup]:
    """Yield a bar per window that recorded something; one of which nothing came back reaches the top."""
    width = _WIDTH / len(figure.windows)
    for position, (_, value, samples) in enumerate(figure.windows):
        if value is not None or samples:
            over = value is None or not _kept(value, figure)
            tall = max(2.0, height if value is None else value / top * height)
            yield tag(
                "rect", x=f"{position * width:.1f}", y=f"{_BASE - tall:.1f}", width=f"{max(width - 0.5, 0.5):.1f}",
                height=f"{tall:.1f}", class_="bar over" if over else "bar",
            )  # fmt: skip


def _kept(value: float, figure: Figure) -> bool:
    beyond = value > figure.limit if figure.comparison in ("<", "<=") else value < figure.limit
    return not (beyond or (value == figure.limit and figure.comparison in ("<", ">")))


def _whisker(figure: Figure, low: float, high: float, y: float) -> list[Markup]:
    """Return the interval as a line, to the edge where it has no end, and the figure as a point on it."""
    ends = (low if figure.low is None else figure.low, high if figure.high is None else figure.high)
    left, right = (f"{min(max(_x(end, low, high), 0.0), _WIDTH):.1f}" for end in ends)
    line = tag("line", x1=left, x2=right, y1=f"{y:g}", y2=f"{y:g}", class_="interval")
    if figure.measured is None:
        return [line]
    return [line, tag("circle", cx=f"{_x(figure.measured, low, high):.1f}", cy=f"{y:g}", r="5", class_="measured")]


def _room(low: float, high: float, *, share: bool) -> tuple[float, float]:
    """Return the ends of an axis with some room around what is shown on it."""
    room = (high - low) * 0.2 or abs(high) * 0.2 or 1.0
    wide = low - room, high + room
    return (max(0.0, wide[0]), min(1.0, wide[1])) if share and low >= 0 else wide


def _ticks(values: list[tuple[float, str]], low: float, high: float) -> Iterator[Markup]:
    taken = -_LABEL
    for x, text in ((_x(value, low, high), text) for value, text in values):
        if x - taken >= _LABEL:
            taken = x
            yield _text(x, _HEIGHT - 8, text, "tick")


def _limit(limit: float, label: str, low: float, high: float) -> tuple[Markup, Markup]:
    x = f"{_x(limit, low, high):.1f}"
    line = tag("line", x1=x, x2=x, y1="14", y2=str(_BASE + 4), class_="limit")
    return line, _text(_x(limit, low, high), 10, label, "limit-label")


def _text(x: float, y: float, text: str, class_: str) -> Markup:
    anchor = "start" if x < _LABEL / 2 else "end" if x > _WIDTH - _LABEL / 2 else "middle"
    return tag("text", text, x=f"{x:.1f}", y=str(y), text_anchor=anchor, class_=class_)


def _x(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) * _WIDTH


def _clock(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, tz=dt.UTC):%Y-%m-%d %H:%M} UTC"
