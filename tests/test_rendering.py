"""The reports drawn from a record: the same totals everywhere, nothing lost, nothing run, nothing fetched."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, sync_playwright

from fixtures.browser_program import find_program
from reports import programs, proof, reading, render, sealing
from reports.outcomes import STATUS
from reports.record import Item, Observation, Outcome
from reports.verdict import NEUTRAL, SATISFIED
from tests import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
CANARY = "canary-of-this-machine"


def run_renderer(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reports.render", str(folder), *arguments]
    path = variables.pop("PATH", "") or None
    given = {"PATH": path or "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **variables}
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw every format of the sample record with the program itself."""
    folder = records.write(tmp_path_factory.mktemp("run") / records.RUN_ID, records.sample())
    done = run_renderer(folder, CI_JOB_TOKEN=CANARY, BUILD_URL=f"https://{CANARY}.test/")
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a record that carries a payload in every text."""
    folder = records.write(tmp_path_factory.mktemp("run") / "hostile", records.hostile())
    assert run_renderer(folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Open a page that ignores content security policies: escaping alone has to hold."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_program(), args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_context(bypass_csp=True, viewport={"width": 390, "height": 844}).new_page()
        browser.close()


def opened(page: Page, path: Path) -> list[str]:
    """Open a file; return what else was requested, `data:` and `blob:` aside."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    return [url for url in asked if not url.startswith((path.as_uri(), "data:", "blob:"))]


# -- the same totals everywhere -------------------------------------------------------------------------------------


def shown(folder: Path) -> dict[str, Counter[str]]:
    """Count what each format shows, by status or by outcome."""
    markdown = (folder / "signoff.md").read_text(encoding="utf-8")
    page_ = (folder / "signoff.html").read_text(encoding="utf-8")
    card = page_.rpartition('<dl class="counts">')[2].partition("</dl>")[0]
    rows = re.findall(r"<dt[^>]*>([^<]+)</dt><dd>(\d+)</dd>", card)
    return {
        "junit": proof.junit(folder / "junit.xml"),
        "html": proof.test_report(folder / "report.html"),
        "allure": proof.allure(folder / "allure-results"),
        "signoff.md": worded(re.findall(r"(\d+) ([a-z ]+)", markdown.partition("| **All** |")[2].partition("\n")[0])),
        "signoff.html": worded((number, name) for name, number in rows),
    }


def worded(pairs: Any) -> Counter[str]:
    return Counter({name.strip().replace(" ", "_"): int(number) for number, name in pairs})


TEXT = st.text(max_size=40)
SEVERITY = st.sampled_from(["critical", "high", "medium", "low"])
ITEM = st.builds(
    Item, title=TEXT, system=st.sampled_from(["model_config", "image_optimizer", "élan::x[1].py"]), section=TEXT,
    stage=st.sampled_from(["smoke", "signoff"]), kind=TEXT, severity=SEVERITY,
    action=TEXT, safety=TEXT, outcome=st.sampled_from(get_args(Outcome)), claim=TEXT, message=TEXT, measured=TEXT,
    limit=TEXT, samples=st.lists(st.floats(0, 1e6), max_size=5).map(tuple), observations=st.just(("x.generation",)),
)  # fmt: skip


@pytest.mark.usefixtures("no_node")
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.dictionaries(st.text(min_size=1, max_size=12), ITEM, min_size=30, max_size=45))
def test_all_formats_show_the_totals_of_the_record(items: dict[str, Item]) -> None:
    record = records.assemble(items, systems=("model_config",))
    with tempfile.TemporaryDirectory() as name:
        folder = records.write(Path(name), record)
        rendering = render.render(folder, ("html", "junit", "allure", "signoff"))
        assert rendering.problems == {}
        totals = shown(folder)
    statuses = Counter(STATUS[item.outcome] for item in items.values())
    assert totals["junit"] == totals["html"] == totals["allure"] == statuses
    assert totals["signoff.md"] == totals["signoff.html"] == Counter(record.counts)


def test_a_crash_is_in_every_format(rendered: Path) -> None:
    record = reading.load(rendered / "run.json")
    assert len(record.crashes) == 1
    statuses = Counter(STATUS[item.outcome] for item in record.items.values()) + Counter(error=1)
    totals = shown(rendered)
    assert totals["junit"] == totals["html"] == totals["allure"] == statuses
    for name in ("junit.xml", "report.html", "signoff.md", "signoff.html"):
        assert "worker gw1 died with signal 9" in (rendered / name).read_text(encoding="utf-8"), name


def test_only_a_yes_passes_and_only_what_was_seen_to_fail_fails() -> None:
    assert {outcome for outcome, status in STATUS.items() if status == "passed"} == SATISFIED
    assert {outcome for outcome, status in STATUS.items() if status == "skipped"} == NEUTRAL
    assert {outcome for outcome, status in STATUS.items() if status == "failed"} == {"failed"}
    assert set(STATUS) == set(get_args(Outcome))


# -- what each format says of an item -------------------------------------------------------------------------------


def suite_of(folder: Path) -> ET.Element:
    return ET.parse(folder / "junit.xml").getroot()[0]  # noqa: S314  drawn by ourselves


def case_of(folder: Path, key: str) -> ET.Element:
    return next(case for case in suite_of(folder).iter("testcase") if case.get("name", "").startswith(f"{key} "))


def test_junit_names_each_item_in_ascii_and_carries_its_figures(rendered: Path) -> None:
    record = reading.load(rendered / "run.json")
    suite = suite_of(rendered)
    cases = {case.get("name", "").partition(" ")[0]: case for case in suite.iter("testcase")}
    assert set(cases) == {*record.items, "crash-1"}
    assert {part.get("name"): part.get("value") for part in suite[0]}["decision"] == record.verdict.decision
    key, item = next(
        (key, item) for key, item in record.items.items() if item.outcome == "failed" and item.observations
    )
    case = cases[key]
    told = [(part.get("name"), part.get("value")) for part in case.iter("property")]
    assert all((case.get("name", "") + case.get("classname", "")).isascii() for case in cases.values())
    assert case.get("name") == f"{key} {item.title}"
    assert case.get("classname", "").startswith(f"{item.system}.")
    assert {("severity", item.severity), ("outcome", "failed"), ("measured", "503"), ("limit", "200")} <= set(told)
    assert ("evidence", "evidence/generation.txt") in told
    failure = case.find("failure")
    assert failure is not None
    assert "assert 503 == 200" in str(failure.text)
    assert "Traceback" not in str(failure.text)


@pytest.mark.parametrize("outcome", ["error", "inconclusive", "unattested", "not_configured"])
def test_what_could_not_be_decided_is_an_error_with_its_name(rendered: Path, outcome: str) -> None:
    record = reading.load(rendered / "run.json")
    key = next(key for key, item in record.items.items() if item.outcome == outcome)
    case = case_of(rendered, key)
    error = case.find("error")
    assert error is not None
    assert str(error.text).startswith(f"{outcome.replace('_', ' ')}: ")
    assert next(r for r in results(rendered) if r["name"].startswith(key))["status"] == "broken"


@pytest.mark.parametrize("outcome", ["not_permitted", "open", "not_selected"])
def test_what_was_not_to_be_looked_at_is_skipped_with_the_reason(rendered: Path, outcome: str) -> None:
    record = reading.load(rendered / "run.json")
    key, item = next((key, item) for key, item in record.items.items() if item.outcome == outcome)
    case = case_of(rendered, key)
    skipped = case.find("skipped")
    assert skipped is not None
    assert item.message in str(skipped.get("message"))


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "allure-results").glob("*-result.json")]


def test_allure_tells_system_section_severity_claim_figures_and_evidence(rendered: Path) -> None:
    record = reading.load(rendered / "run.json")
    key, item = next((key, item) for key, item in record.items.items() if item.observations and item.kind == "ui")
    result = next(result for result in results(rendered) if result["name"] == f"{key} {item.title}")
    labels = {(label["name"], label["value"]) for label in result["labels"]}
    severity = {"critical": "blocker", "high": "critical", "medium": "normal", "low": "minor"}[item.severity]
    assert {("epic", record.systems[item.system]), ("feature", item.section), ("severity", severity)} <= labels
    assert {("outcome", item.outcome.replace("_", " ")), ("measured", item.measured)} <= {
        (part["name"], part["value"]) for part in result["parameters"]
    }
    kinds = {
        part["name"]: (part["type"], rendered / "allure-results" / part["source"]) for part in result["attachments"]
    }
    assert kinds["evidence/testing_page.png"][0] == "image/png"
    assert kinds["evidence/testing_page.png"][1].read_bytes() == records.screenshot()
    assert kinds["evidence/generation.txt"][0] == "text/plain"
    assert "\\x1b[31mred" in kinds["evidence/generation.txt"][1].read_text()


@pytest.fixture
def no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Allure's page out, where its results are what is tested: Node takes a second to start."""
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("no_node")
def test_allure_knows_an_item_again_whatever_became_of_it(rendered: Path, tmp_path: Path) -> None:
    folder = small(tmp_path, seed=9)
    render.render(folder, ("allure",))
    before = {result["fullName"]: (result["historyId"], result["testCaseId"]) for result in results(rendered)}
    after = {result["fullName"]: (result["historyId"], result["testCaseId"]) for result in results(folder)}
    assert after
    assert after == {name: before[name] for name in after}
    assert len({history for history, _ in before.values()}) == len(before)


def test_benchmarks_hold_exactly_the_recorded_samples(rendered: Path) -> None:
    record = reading.load(rendered / "run.json")
    wanted = {key: list(item.samples) for key, item in record.items.items() if item.samples}
    written = json.loads((rendered / "benchmarks.json").read_text())
    assert wanted
    assert {part["name"]: part["stats"]["data"] for part in written["benchmarks"]} == wanted
    assert written["commit_info"]["id"] == record.run.commit


def test_no_report_tells_of_the_machine_that_drew_it(rendered: Path) -> None:
    for name in ("report.html", "junit.xml", "allure.html", "signoff.md", "signoff.html", "benchmarks.json"):
        text = (rendered / name).read_text(encoding="utf-8")
        assert [word for word in (CANARY, str(ROOT), str(rendered)) if word in text] == [], name
    blob = re.search(r'data-jsonblob="([^"]*)"', (rendered / "report.html").read_text(encoding="utf-8"))
    assert blob is not None
    assert json.loads(html.unescape(blob[1]))["environment"] == {}


def test_the_drawing_programs_get_no_variable_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_TOKEN", CANARY)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    status, words = programs._run([sys.executable, "-c", "import os; print(dict(os.environ))"], tmp_path)
    assert status == 0
    assert "PYTHONPATH" in words
    assert not re.findall(f"{CANARY}|ADDOPTS", words)


# -- hostile texts --------------------------------------------------------------------------------------------------


def test_the_payloads_would_run_where_they_are_not_escaped(page: Page) -> None:
    for payload in records.PAYLOADS[:8]:
        page.goto("about:blank")
        page.set_content(f"<!doctype html><body><table><td title='{payload}'>{payload}")
        assert lurking(page) != [], payload


def test_no_payload_runs_in_the_test_report(hostile: Path, page: Page) -> None:
    assert opened(page, hostile / "report.html") == []
    page.locator("#show_all_details").click()
    assert lurking(page) == []
    assert page.locator("tr.collapsible").count() == len(reading.load(hostile / "run.json").items) + 3


def test_no_payload_runs_in_the_sign_off(hostile: Path, page: Page) -> None:
    assert opened(page, hostile / "signoff.html") == []
    assert lurking(page) == []


def test_no_payload_runs_in_allure(hostile: Path, page: Page) -> None:
    asked = opened(page, hostile / "allure.html")
    page.get_by_test_id("tree-leaf").first.wait_for()
    assert lurking(page) == []
    page.get_by_test_id("tree-leaf").first.click()
    position = page.get_by_test_id("test-result-nav-current")
    first = int(position.inner_text().partition("/")[0])
    for number in range(first, first + 8):  # each shows every payload in its message, and others in its other fields
        position.filter(has_text=f"{number}/").wait_for()
        assert lurking(page) == []
        page.get_by_test_id("test-result-nav-next").dispatch_event("click")
    assert asked == []


def lurking(page: Page) -> list[str]:
    """Return the markup on a page that would run at a hover, a click, an opening; and what ran already."""
    found = [markup for frame in page.frames for markup in frame.evaluate(_LURKING)]
    return [*found, *(frame.url for frame in page.frames if frame.evaluate("window.pwned") is not None)]


_LURKING = """() => [...document.querySelectorAll('*')].filter(node =>
    [...node.attributes].some(one => one.name.startsWith('on') || /^\\s*javascript:/i.test(one.value))
    || node.matches('meta[http-equiv=refresh], iframe[srcdoc*=pwned]:not([sandbox="allow-same-origin"])')
).map(node => node.outerHTML)"""


@pytest.mark.parametrize("name", ["report.html", "signoff.html", "allure.html"])
def test_each_page_forbids_what_it_does_not_need(rendered: Path, name: str) -> None:
    text = (rendered / name).read_text(encoding="utf-8")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert policy is not None
    assert html.unescape(policy[1]).startswith("default-src 'none';")
    assert "http:" not in policy[1]
    assert ("script-src" in policy[1]) == (name != "signoff.html")
    assert "'unsafe-inline'" not in policy[1].partition("script-src")[2]
    assert "googletagmanager" not in text


@pytest.mark.parametrize("name", ["report.html", "signoff.html", "allure.html"])
def test_each_page_opens_without_a_request_or_an_error(rendered: Path, page: Page, name: str) -> None:
    assert page.context.browser is not None
    strict = page.context.browser.new_page()  # under its own policy
    complaints: list[str] = []
    strict.on("console", lambda message: complaints.append(message.text))
    strict.on("pageerror", lambda error: complaints.append(str(error)))
    assert opened(strict, rendered / name) == []
    strict.get_by_text("IMO-024").first.wait_for()
    assert complaints == []
    strict.close()


@pytest.mark.parametrize("name", ["report.html", "signoff.html"])
@pytest.mark.parametrize("folder", ["rendered", "hostile"])
def test_a_phone_shows_the_whole_width(request: pytest.FixtureRequest, page: Page, folder: str, name: str) -> None:
    opened(page, request.getfixturevalue(folder) / name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_characters_that_act_are_shown_in_every_file(hostile: Path) -> None:
    files = [path for path in hostile.rglob("*") if path.is_file() and path.name != "run.json"]
    for path in files:
        if path.suffix == ".png" or path.parent.name == "evidence":
            continue
        text = path.read_text(encoding="utf-8")
        text = html.unescape(text) if path.suffix in (".html", ".xml") else text
        found = [sign for sign in "\x00\x08\x0b\x1b\u202e\u2066\ufeff\ufffe" if sign in text]
        assert path.name == "allure.html" or found == [], path
    assert "\\u202eevil" in (hostile / "signoff.md").read_text(encoding="utf-8")
    assert len(files) > 30


def test_no_line_is_a_command_to_a_build_server(hostile: Path) -> None:
    for text in ((hostile / "signoff.md").read_text(encoding="utf-8"), run_renderer(hostile / "none").stderr):
        assert re.findall(r"(?m)^\s*::|##vso\[", text) == []
        assert text


# -- what goes wrong ------------------------------------------------------------------------------------------------


def small(folder: Path, *, seed: int = 1) -> Path:
    record = records.sample(systems=("model_config",), seed=seed)
    items = {key: item for key, item in record.items.items() if item.outcome != "not_selected"}
    return records.write(folder, records.assemble(items, systems=("model_config",)))


def test_a_format_that_fails_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_STYLES", ("reports/absent.css",))
    (tmp_path / "report.html").write_text("GO, of an earlier rendering")
    rendering = render.render(small(tmp_path), ("html", "junit", "allure", "signoff"))
    assert set(rendering.problems) == {"html"}
    assert "absent.css" in rendering.problems["html"]
    assert not (tmp_path / "report.html").exists()
    assert proof.junit(tmp_path / "junit.xml") == proof.allure(tmp_path / "allure-results")
    assert (tmp_path / "allure.html").exists()
    assert (tmp_path / "signoff.html").exists()
    assert list(tmp_path.glob(".rendering-*")) == []


def test_a_report_that_lost_a_test_is_not_published(tmp_path: Path) -> None:
    folder = small(tmp_path)
    render.render(folder, ("junit",))
    suite = suite_of(folder)
    suite.remove(suite[-1])
    ET.ElementTree(suite).write(folder / "junit.xml")
    with pytest.raises(proof.ProofError, match=r"junit\.xml: found .* allowed"):
        proof.prove(proof.junit(folder / "junit.xml"), reading.load(folder / "run.json"), "junit.xml")


def test_without_node_everything_but_its_page_is_written(tmp_path: Path) -> None:
    done = run_renderer(small(tmp_path), PATH=str(tmp_path / "no-programs"))
    assert done.returncode == 0
    assert "allure.html was left out: Node.js is not installed" in done.stderr
    assert "Node.js is not installed" in (tmp_path / "signoff.md").read_text()
    assert "Node.js is not installed" in (tmp_path / "signoff.html").read_text()
    assert results(tmp_path)
    assert not (tmp_path / "allure.html").exists()
    assert (tmp_path / "report.html").exists()


BROKEN: dict[str, Callable[[str], str]] = {
    "torn": lambda text: text[: len(text) // 2],
    "empty": lambda _text: "",
    "a duplicate key": lambda text: text.replace('{"schema":1', '{"schema":1,"schema":1', 1),
    "not a number": lambda text: text.replace('"wall_s":38.78', '"wall_s":NaN', 1),
    "an unknown field": lambda text: text.replace('{"schema":1', '{"schema":1,"more":1', 1),
    "a later schema": lambda text: text.replace('{"schema":1', '{"schema":2', 1),
    "counts of others": lambda text: re.sub(r'"counts":\{', '"counts":{"attested":700,', text, count=1),
    "a GO against its items": lambda text: text.replace('"decision":"ROLLBACK"', '"decision":"GO"', 1),
    "no items": lambda text: json.dumps({**json.loads(text), "items": {}, "counts": {}}),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_record_that_cannot_be_trusted_is_not_signed_off(tmp_path: Path, how: str) -> None:
    folder = records.write(tmp_path, records.sample())
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(BROKEN[how](text))
    assert (folder / "run.json").read_text() != text
    rendering = render.render(folder)
    assert set(rendering.problems) == {"html", "junit", "allure"}
    assert rendering.problems["junit"].startswith("run.json: ")
    assert (folder / "signoff.md").read_text().startswith("# NOT SIGNED OFF\n")
    assert not (folder / "junit.xml").exists()


def test_a_killed_run_says_so_with_what_is_known(tmp_path: Path) -> None:
    folder = records.write(tmp_path, records.sample(healthy=True), name="plan.json")
    (folder / "signoff.md").write_text("# GO")
    done = run_renderer(folder)
    assert done.returncode == 7
    assert "run.json: no such file: the run did not finish" in done.stderr
    page = (folder / "signoff.html").read_text()
    assert (folder / "signoff.md").read_text().startswith("# NOT SIGNED OFF\n")
    assert '<h1 class="decision">NOT SIGNED OFF</h1>' in page
    assert "image-gen 2.14.0" in page


def test_a_folder_of_no_run_stays_as_it_is(tmp_path: Path) -> None:
    done = run_renderer(tmp_path)
    assert done.returncode == 7
    assert "found neither run.json nor plan.json" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_lone_surrogates_and_huge_texts_are_shown_and_cut(tmp_path: Path) -> None:
    form = json.loads((small(tmp_path) / "run.json").read_text())
    key = next(key for key, item in form["items"].items() if item["outcome"] == "failed")
    form["items"][key]["message"] = "lone \ud800 surrogate " + "x" * 5_000_000
    folder = records.write(tmp_path, form)
    assert render.render(folder, ("html", "junit", "signoff")).problems == {}
    for name in ("junit.xml", "report.html", "signoff.html"):
        text = (folder / name).read_text()
        assert "lone \\ud800 surrogate" in html.unescape(text).replace("\\\\", "\\")
        assert "[cut: 5,000,017 characters in all, sha256 " in text
        assert len(text) < 1_500_000


def test_evidence_comes_from_the_run_folder_only(tmp_path: Path) -> None:
    record = records.sample(healthy=True, systems=("model_config",))
    paths = ("../outside.txt", "/etc/hostname", "evidence/link.txt", "evidence", "gone.png", "evidence/generation.txt")
    look = Observation(system="model_config", name="generation", claim="", state="seen", evidence=paths)
    record = record.model_copy(update={"observations": {"model_config.generation": look}})
    folder = records.write(tmp_path / "run", record)
    (tmp_path / "outside.txt").write_text("of another run")
    (folder / "evidence" / "link.txt").symlink_to(tmp_path / "outside.txt")
    assert render.render(folder, ("html", "signoff")).problems == {}
    for name in ("report.html", "signoff.html"):
        text = html.unescape((folder / name).read_text())
        assert "of another run" not in text
        assert "A serene lake" in text
        for path in paths[:4]:
            assert f"{path}: refused: not a file inside the run folder" in text
        assert "gone.png: missing: " in text


def test_a_page_built_another_way_is_refused() -> None:
    with pytest.raises(sealing.SealError, match="found 2 scripts, allowed"):
        sealing.seal_test_report('<meta charset="utf-8"/><script>a</script><script>b</script>')
    with pytest.raises(sealing.SealError, match="found no head"):
        sealing.seal_allure("<body></body>")
    sealed = sealing.seal_allure('<head></head><script src="//evil.test/x.js"></script><script>gtag("js")</script>')
    assert "<script" not in sealed


def test_node_and_the_allure_command_are_here() -> None:
    assert shutil.which("node") is not None
    assert programs.missing_allure() == ""
