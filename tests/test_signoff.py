"""The sign-off pages: the verdict first, every item accounted for, the form filled in from the results alone."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import escaping, plots, reading, signoff_html, signoff_markdown, summary
from reports.journal import Journal
from reports.markup import Markup, tag
from reports.record import Crash, Item, Record
from reports.verdict import decide
from tests import records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = ("model_config",)


def pages(folder: Path, record: Record, notes: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return the Markdown and the HTML page of a record."""
    read = reading.read(records.write(folder, record))
    return signoff_markdown.page(read, notes), signoff_html.page(read, notes)


@pytest.fixture(scope="module")
def record() -> Record:
    return records.sample()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, record: Record) -> tuple[str, str]:
    return pages(tmp_path_factory.mktemp("run"), record, ("allure.html was left out: Node.js is not installed",))


class Outline(HTMLParser):
    """The elements of a page in order, and whether each that was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        self.names.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an element that ends where another one should."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


# -- what stands on the pages ---------------------------------------------------------------------------------------


def test_both_pages_begin_with_the_verdict_and_each_reason(record: Record, drawn: tuple[str, str]) -> None:
    markdown, page = drawn
    assert markdown.startswith("# ROLLBACK\n\nAn item failed for which the checklist demands a rollback.\n")
    assert page.index('<h1 class="decision">ROLLBACK</h1>') < page.index("<h2")
    reasons = markdown.partition("## The run")[0]
    assert len(record.verdict.reasons) > 15
    wanted = [reason.item for reason in record.verdict.reasons]
    assert re.findall(r"(?m)^- \*\*(?!crash)[a-z ]+\*\* (\S+) \(", reasons) == wanted
    assert re.findall(r'<p><a href="#([^"]+)">', page) == wanted
    assert "measured `503`, allowed `200`. Action: rollback (full)" in reasons
    assert "worker gw1 died with signal 9" in reasons


def test_the_facts_of_the_run_are_all_there(drawn: tuple[str, str]) -> None:
    for page in drawn:
        for fact in (
            "prod", "image-gen 2.14.0", "9b1d3e7", "2026-10-14 09:15:03 UTC", "38.8 s, verdict after 38.1 s",
            "model_config.generation, 36.9 s", "generations 7 of 12, requests 214", "-m smoke or first_hour --env prod",
            "allure.html was left out: Node.js is not installed", records.RUN_ID,
        ):  # fmt: skip
            assert fact in page, fact


def test_what_narrowed_a_run_and_its_origin_are_told(tmp_path: Path, record: Record) -> None:
    run = record.run.model_copy(
        update={"narrowed": ("-k generation left out 12 checks",), "replay_of": "run 7", "speed": 60.0}
    )
    for page in pages(tmp_path, record.model_copy(update={"run": run})):
        assert "-k generation left out 12 checks" in page
        assert "run 7" in page
        assert "60 of its seconds in one of ours" in page


def test_every_item_of_the_selection_stands_once_in_its_section(record: Record, drawn: tuple[str, str]) -> None:
    markdown, page = drawn
    wanted = [(key, item.outcome) for key, item in record.items.items() if item.outcome != "not_selected"]
    assert re.findall(r'<article class="item (\w+)" id="([^"]+)">', page) == [(outcome, key) for key, outcome in wanted]
    body = markdown.partition("## Overview")[2].partition("## Sign-off")[0]
    assert re.findall(r"^- \*\*([a-z ]+)\*\* ([A-Z]{3}-\d{3}) ", body, re.MULTILINE) == [
        (outcome.replace("_", " "), key) for key, outcome in wanted
    ]
    for key, item in record.items.items():
        if item.outcome not in ("not_selected", "passed"):
            assert escaping.markdown(item.title) in body, key


def test_what_lies_outside_the_selection_is_listed_by_section(record: Record, drawn: tuple[str, str]) -> None:
    markdown, page = drawn
    assert "- pre-deployment / code review: IMO-001 to IMO-006" in markdown
    assert "<dt>pre-deployment / code review</dt><dd>IMO-001 to IMO-006</dd>" in page
    assert f"{record.systems['model_fallback']}: 164 items" in page
    left = sum(len(section.passed_over) for system in summary.systems(record) for section in system.sections)
    assert left == record.counts["not_selected"]


def test_an_item_tells_what_was_measured_against_which_limit(record: Record, drawn: tuple[str, str]) -> None:
    _, page = drawn
    key, item = next((key, item) for key, item in record.items.items() if item.outcome == "failed")
    article = page.partition(f'id="{key}"')[2].partition("</article>")[0]
    assert item.title in article
    assert "<dt>Measured</dt><dd>503</dd>" in article
    assert "<dt>Allowed</dt><dd>200</dd>" in article
    assert "assert 503 == 200\n  where 503 = status of POST /generate" in article
    assert f"<b>Action: </b>{item.action}" in article


def test_evidence_is_embedded_once_and_named_again(drawn: tuple[str, str]) -> None:
    _, page = drawn
    assert page.count("data:image/png;base64,") == 1
    assert "evidence/testing_page.png: shown at <a " in page
    assert "\\x1b[31mred\\x1b[0m &lt;script&gt;window.pwned=1&lt;/script&gt;" in page


def test_passing_after_retries_is_said(record: Record, drawn: tuple[str, str]) -> None:
    retried = [key for key, item in record.items.items() if item.attempts > 1]
    assert retried
    assert drawn[1].count("Decided only after 3 attempts.") == len(retried)
    assert drawn[0].count("decided after 3 attempts") == len(retried)


def test_the_page_is_well_formed_and_has_no_script_and_no_address(drawn: tuple[str, str]) -> None:
    outline = Outline(drawn[1])
    assert (outline.open, outline.wrong) == ([], [])
    assert not {"script", "link", "iframe", "form", "object"} & set(outline.names)
    addresses = [value for _, name, value in outline.attributes if name in ("src", "href", "action", "srcset")]
    assert [value for value in addresses if not value.startswith(("#", "data:image/"))] == []
    assert [name for _, name, _ in outline.attributes if name.startswith("on")] == []
    anchors = {value for _, name, value in outline.attributes if name == "id"}
    assert {value[1:] for value in addresses if value.startswith("#")} <= anchors
    assert all(value for name, key, value in outline.attributes if name == "img" and key == "alt")


# -- the form -------------------------------------------------------------------------------------------------------


def form(page: str) -> dict[str, str]:
    rows = re.findall(r"<div><dt>([^<]+)</dt><dd>(.*?)</dd></div>", page.partition('<dl class="form">')[2])
    return dict(rows)


def test_the_form_is_filled_in_from_the_results(record: Record, drawn: tuple[str, str]) -> None:
    filled = form(drawn[1])
    assert list(filled) == [
        "Deployment completed by", "Date", "Version", "All tests passed", "Issues encountered", "Rollback performed",
        "Sign-off",
    ]  # fmt: skip
    assert filled["Deployment completed by"] == filled["Date"] == filled["Sign-off"] == ""
    assert "<b>No</b>" in filled["All tests passed"]
    assert "7 failed" in filled["All tests passed"]
    assert "ticked" not in filled["Rollback performed"]
    failed = [key for key, item in record.items.items() if item.outcome in ("failed", "waived")]
    assert [key for key in failed if key not in filled["Issues encountered"]] == []
    assert "crash: worker gw1" in filled["Issues encountered"]
    assert "- [ ] **All tests passed:** No" in drawn[0]


def changed(record: Record, outcome: str) -> Record:
    """Return a healthy record with one item of another outcome."""
    key = next(key for key, item in record.items.items() if item.outcome == "passed")
    items = {**record.items, key: record.items[key].model_copy(update={"outcome": outcome})}
    return records.assemble(items, systems=SMALL)


@pytest.mark.parametrize(
    "change", ["failed", "waived", "error", "inconclusive", "unattested", "not_configured", "crash"]
)
def test_only_a_run_without_a_blemish_answers_that_all_tests_passed(tmp_path: Path, change: str) -> None:
    healthy = records.sample(healthy=True, systems=SMALL)
    _, page = pages(tmp_path / "healthy", healthy)
    assert '<h1 class="decision">GO</h1>' in page
    assert "<b>Yes</b>" in form(page)["All tests passed"]
    assert form(page)["Issues encountered"] == "none in this run"
    crash = healthy.model_copy(update={"crashes": (Crash(where="gw0", text="died"),)})
    _, page = pages(tmp_path / "changed", crash if change == "crash" else changed(healthy, change))
    assert "<b>No</b>" in form(page)["All tests passed"]


def test_sign_off_statements_carry_their_state_and_name(drawn: tuple[str, str]) -> None:
    markdown, page = drawn
    statements = page.partition("<h2>Sign-off</h2>")[2]
    assert "Sign-off: code reviewed and tested" in statements
    assert "Ada Brandt (release engineer), 2026-10-13: read and agreed in review 812" in statements
    assert "- [x] IMO-127 Sign-off: code reviewed and tested: **attested**" in markdown
    assert "- [ ] MCI-127 The person who carried out the deployment is named: **unattested**" in markdown


def test_the_pages_name_the_file_they_were_drawn_from(tmp_path: Path, record: Record) -> None:
    read = reading.read(records.write(tmp_path, record))
    assert len(read.digest) == 64
    assert f"sha256 {read.digest}" in signoff_html.page(read, ())
    assert f"sha256 {read.digest}" in signoff_markdown.page(read, ())
    (tmp_path / "run.json").write_text((tmp_path / "run.json").read_text() + "\n")
    assert reading.read(tmp_path).digest != read.digest


def test_a_run_that_came_to_no_decision_shows_its_journal(tmp_path: Path, record: Record) -> None:
    folder = records.write(tmp_path, record, name="plan.json")
    journal = Journal(folder / "journal.jsonl")
    journal.write("looking", {"key": ["model_config", "generation"]})
    journal.write("observed", {"key": ["model_config", "generation"]})
    journal.close()
    read = reading.read(folder)
    assert read.record.verdict.decision == "NOT SIGNED OFF"
    assert read.record.verdict.reasons == ()
    page = signoff_html.page(read, ())
    assert '<section class="verdict not-signed-off">' in page
    assert "journal.jsonl: 2 entries: 1 looking, 1 observed; the last was written " in page


# -- plots ----------------------------------------------------------------------------------------------------------


ITEM = next(iter(records.sample(systems=SMALL).items.values()))


def item(*samples: float, limit: str = "p95 at most 2.5 s") -> Item:
    return ITEM.model_copy(update={"samples": samples, "limit": limit})


def test_a_plot_says_in_words_what_it_shows() -> None:
    plot = plots.histogram("MCI-061", item(0.5, 1.0, 3.0))
    told = "3 samples from 0.5 s to 3 s, median 1 s; 1 above 2.5 s"
    assert f"<title>MCI-061: {told}</title>" in plot
    assert f"<figcaption>{told}</figcaption>" in plot
    assert plot.count('class="bar over"') == 1
    assert plot.count('class="bar"') == 2
    assert "limit 2.5 s" in plot
    assert plots.histogram("MCI-061", item()) == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("p95 at most 2.5 s", 2.5), ("300 ms", 0.3), ("within 2 min", 120.0), ("under 30s", 30.0), ("", None),
        ("200", None), ("30 s +/- 5 s", None), ("5 s, again 5 s", 5.0), ("v1.5 stores", None), ("2.5.3 s", None),
    ],
)  # fmt: skip
def test_a_limit_is_drawn_only_where_the_text_states_one(text: str, seconds: float | None) -> None:
    assert plots.limit_of(item(limit=text)) == seconds


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=40))
def test_every_sample_is_in_the_plot(samples: list[float]) -> None:
    plot = plots.histogram("X", item(*samples, limit=""))
    places = [float(x) for x in re.findall(r'<rect x="([-0-9.]+)"', plot)]
    assert 1 <= len(places) <= len(samples)
    assert all(0 <= place <= 640 for place in places)
    assert "nan" not in plot
    assert Outline(plot).wrong == []


def test_the_smallest_sample_there_is_has_a_bar() -> None:
    assert "<rect" in plots.histogram("X", item(5e-324, limit=""))


# -- texts from outside ---------------------------------------------------------------------------------------------

ANY = st.text(st.characters(exclude_categories=()), max_size=60)


@given(ANY)
def test_visible_text_holds_nothing_that_acts(text: str) -> None:
    shown = escaping.visible(text)
    assert {unicodedata.category(char) for char in shown if char not in "\n\t"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )
    assert escaping.visible(shown) == shown
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(ANY)
def test_markup_gives_the_text_back_and_no_element(text: str) -> None:
    class Reader(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += data

    shown = escaping.visible(text)
    reader = Reader()
    made = tag("p", shown, title=shown)
    reader.feed(made)
    assert reader.said == shown
    assert made.count("<") == 2
    assert isinstance(made, Markup)


BACKTICKS = st.text(st.sampled_from("`| \\<>&*[]():/#@a\n"), max_size=30)


@given(st.one_of(ANY, BACKTICKS))
def test_markdown_stays_on_its_line_and_holds_no_markup(text: str) -> None:
    shown = escaping.markdown(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert "://" not in shown
    assert re.findall(r"(?<!\\)(?:\\\\)*[`*_\[\]|]", shown) == []


@given(st.one_of(ANY, BACKTICKS))
def test_a_code_span_cannot_be_left(text: str) -> None:
    span = escaping.code(text)
    fence = re.match(r"`*", span)
    assert fence is not None
    inside = span[len(fence[0]) : len(span) - len(fence[0])]
    assert span == "" or span.endswith(fence[0])
    assert fence[0] not in re.findall(r"`+", inside)
    assert re.findall(r"(?<!\\)\|", span) == []


@given(st.one_of(ANY, BACKTICKS))
def test_a_quotation_cannot_be_left(text: str) -> None:
    lines = escaping.quoted(text).split("\n")
    fence = lines[0].removeprefix("> ").removesuffix("text")
    assert all(line.startswith(">") for line in lines)
    assert lines[-1] == f"> {fence}"
    assert [line for line in lines[1:-1] if fence in line] == []


@pytest.mark.parametrize(
    "text",
    ["::error::x", "  ::set-output name=a::b", "done\n::add-mask::x", "a ##vso[task.x]", "##[error]x", "##VSO[x]"],
)
@pytest.mark.parametrize("made", [escaping.terminal, escaping.quoted, escaping.markdown, escaping.code])
def test_commands_of_build_servers_are_broken_up(made: Callable[[str], str], text: str) -> None:
    assert re.findall(r"(?im)^\s*::|##(?:vso)?\[", made(text)) == []


@given(ANY)
def test_a_test_name_is_ascii_without_structure(text: str) -> None:
    name = escaping.ascii_name(text)
    assert name.isascii()
    assert len(name) <= 160
    assert not set("[]\\\n\0") & set(escaping.ascii_name(escaping.visible(text)))
    assert "::" not in name


def test_a_cut_text_says_how_long_it_was_and_what_it_was() -> None:
    assert escaping.capped("short") == "short"
    cut = escaping.capped("x" * 20_000, 10)
    digest = hashlib.sha256(b"x" * 20_000).hexdigest()
    assert cut == f"xxxxxxxxxx\n[cut: 20,000 characters in all, sha256 {digest}]"


def test_ranges_join_what_follows_and_nothing_else() -> None:
    assert summary.ranges(["MCI-001", "MCI-002", "MCI-003", "MCI-007", "IMO-008", "x", "x-y"]) == (
        "MCI-001 to MCI-003, MCI-007, IMO-008, x, x-y"
    )
    assert summary.ranges([]) == ""


def test_the_record_of_the_samples_is_what_a_run_would_write() -> None:
    record = records.sample()
    assert Record.model_validate_json(record.model_dump_json(by_alias=True)) == record
    assert record.verdict == decide(record.items)
    assert len(json.loads(record.model_dump_json())["items"]) == 679
