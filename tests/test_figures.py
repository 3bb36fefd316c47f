"""Decided figures in the record and the reports: the sentence, the interval, how it was decided, and the plot."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from fixtures import figures
from judging.alerts import AlertRule, decide_alert
from judging.percentiles import PercentileLimit, decide_percentile
from judging.proportions import ShareLimit, decide_share
from judging.readings import Reading
from reports import plots, reading, signoff_html, signoff_markdown
from reports.record import Figure
from reports.render import render
from tests import records
from tests.house import House

if TYPE_CHECKING:
    from pathlib import Path

    from judging.decision import Decision
    from reports.record import Item

RULE = AlertRule(name="error rate", comparison=">", limit=0.05, minimum=1, coverage=0)
START = 1_767_225_600.0  # 2026-01-01 00:00 UTC


def recorded(decision: Decision) -> Figure:
    return Figure.model_validate(figures.Figure(decision).form())


def watched(readings: tuple[Reading, ...], rule: AlertRule) -> Figure:
    return Figure.model_validate(figures.Figure(decide_alert(readings, rule), (readings, rule)).form())


def minutes(*values: float | None) -> tuple[Reading, ...]:
    return tuple(
        Reading(start=START + 60 * at, end=START + 60 * at + 300, value=value, samples=0 if value is None else 20)
        for at, value in enumerate(values)
    )


SHARE = recorded(decide_share(4, 100, ShareLimit(value=0.05, comparison="<", name="error rate")))
LATENCY = recorded(decide_percentile([0.5] * 99 + [3.0], PercentileLimit(percentile=95, value=2.0, comparison="<")))
BURST = minutes(*[0.01] * 1000, 0.6, *[None] * 200, *[0.02] * 300)
ALERT = watched(BURST, RULE)


def item(*found: Figure, samples: tuple[float, ...] = ()) -> Item:
    plain = next(iter(records.sample(systems=("model_config",)).items.values()))
    return plain.model_copy(update={"figures": found, "samples": samples, "outcome": "passed", "limit": ""})


def test_a_share_is_drawn_with_its_interval_and_limit() -> None:
    plot = plots.interval("X", SHARE)
    (line,) = re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)"[^>]*class="interval">', plot)
    (point,) = re.findall(r'<circle cx="([\d.]+)"', plot)
    (limit,) = re.findall(r'<line x1="([\d.]+)" x2="[\d.]+" y1="14"', plot)
    assert 0 < float(line[0]) < float(point) < float(limit) < float(line[1]) < 640
    assert "limit 5 %" in plot
    assert f"<title>X: {html.escape(SHARE.statement)}</title>" in plot


def test_an_interval_without_an_end_reaches_the_edge() -> None:
    plot = plots.interval("X", SHARE.model_copy(update={"high": None}))
    assert re.search(r'x2="640.0"[^>]*class="interval"', plot)
    assert plots.interval("X", SHARE.model_copy(update={"low": None, "high": None})) == ""


def test_latencies_are_drawn_with_the_interval_and_the_limit_that_decided() -> None:
    plot = plots.drawn("X", item(LATENCY, samples=(0.5,) * 99 + (3.0,)))
    assert plot.count("<svg") == 1
    assert 'class="interval"' in plot
    assert "limit 2 s" in plot
    assert plot.count('class="bar over"') == 1


def test_a_timeline_marks_every_window_beyond_the_limit_and_leaves_gaps_empty() -> None:
    plot = plots.timeline("X", watched(minutes(0.01, None, 0.2, 0.05, 0.06), RULE))
    assert (plot.count('class="bar"'), plot.count('class="bar over"')) == (2, 2)
    assert "2026-01-01 00:05 UTC" in plot
    assert "2026-01-01 00:09 UTC" in plot


def test_a_window_of_which_nothing_came_back_reaches_the_top() -> None:
    slow = AlertRule(name="p95", comparison=">", limit=15, unit="s", coverage=0)
    readings = (Reading(start=START, end=START + 60, value=float("inf"), samples=3), *minutes(1.0))
    figure = watched(readings, slow)
    assert figure.windows[0] == (START + 60, None, 3)
    assert plots.timeline("X", figure).count('class="bar over"') == 1


def test_a_window_that_holds_too_little_is_not_drawn() -> None:
    rule = AlertRule(name="error rate", comparison=">", limit=0.05, minimum=20, coverage=0)
    readings = (*minutes(0.01), Reading(start=START, end=START + 60, value=1.0, samples=1))
    assert [window[1:] for window in watched(readings, rule).windows] == [(0.01, 20), (None, 0)]


def test_of_many_windows_the_worst_stays() -> None:
    assert len(ALERT.windows) <= 240
    assert max(value for _, value, _ in ALERT.windows if value is not None) == 0.6
    assert [value for _, value, _ in ALERT.windows].count(None) > 20
    best = AlertRule(name="availability", comparison="<", limit=0.99, coverage=0)
    dips = minutes(*[1.0] * 900, 0.2, *[1.0] * 300)
    assert min(value or 1 for _, value, _ in watched(dips, best).windows) == 0.2


@pytest.mark.parametrize("figure", [SHARE, LATENCY, ALERT], ids=["share", "latency", "alert"])
def test_every_report_tells_a_figure_with_all_that_belongs_to_it(tmp_path: Path, figure: Figure) -> None:
    record = records.assemble({"MCI-094": item(figure, samples=(0.5, 3.0))}, systems=("model_config",))
    folder = records.write(tmp_path / "run", record)
    rendering = render(folder, ["html", "signoff", "junit"])
    assert rendering.problems == {}
    for name in ("signoff.html", "signoff.md", "report.html", "junit.xml"):
        page = (folder / name).read_text()
        assert figure.statement.split("(")[0].split("<")[0].split(">")[0].strip() in page, name
        assert name == "junit.xml" or f"{figure.samples} samples" in page, name
    assert "svg viewBox" in (folder / "report.html").read_text()


def test_a_figure_with_a_payload_in_every_text_stays_text(tmp_path: Path) -> None:
    read = reading.read(records.write(tmp_path / "run", records.hostile()))
    assert "<script>window" not in signoff_html.page(read, ())
    assert "\n<script" not in signoff_markdown.page(read, ())


def test_a_run_records_what_decided_and_its_windows(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.item("DEM-001")
    house.conftest("""
@observation()
def front(api: Http) -> Exchange:
    return api.get("/front")
""")
    house.checks("""
from judging.alerts import AlertRule, decide_alert
from judging.readings import Reading
@pytest.mark.item("DEM-001")
def test_rate(front, decided) -> None:
    rule = AlertRule(name="errors", comparison=">", limit=0.05, coverage=0)
    readings = [Reading(start=60.0 * at, end=60.0 * at + 300, value=0.01, samples=20) for at in range(front.status)]
    assert decided(decide_alert(readings, rule), over=(readings, rule)) == "pass"
""")
    run = house.run()
    assert run.status == 0, run.out
    (figure,) = run.record["items"]["DEM-001"]["figures"]
    assert (figure["outcome"], len(figure["windows"]), figure["windows"][0]) == ("pass", 200, [300.0, 0.01, 20])
