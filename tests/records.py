"""Sample records for tests of the reports: the real checklists, varied outcomes, and texts that mean harm."""

from __future__ import annotations

import io
import json
import random
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from fixtures import checklist
from reports import verdict
from reports.record import Check, Crash, Facts, Figure, Item, Observation, Record, Spending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fixtures.checklist import Entry
    from reports.record import Outcome

RUN_ID = "20261014T091503Z-4f1c9a"

# Each would set a mark on the page when a browser runs it, or break out of the place it is put in.
PAYLOADS = (
    "<script>window.pwned=(window.pwned||0)+1</script>",
    "<img src=x onerror='window.pwned=(window.pwned||0)+1'>",
    "\"'><svg/onload=window.pwned=(window.pwned||0)+1>",
    "</td></tr></table><iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "</style><body onpageshow=window.pwned=1>",
    "--></script><script>window.pwned=1</script><!--",
    "<details open ontoggle=window.pwned=1>x</details>",
    "<a href='javascript:window.pwned=1' id=lure>click</a>",
    "[click](javascript:window.pwned=1) ![x](https://evil.test/pixel.png)",
    "<style>*{background:url(https://evil.test/leak)}</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.test/'>",
    "<base href=https://evil.test/><link rel=stylesheet href=//evil.test/a.css>",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1}",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "E <b onmouseover=window.pwned=1>line that pytest-html paints</b>",
    "]]><x xmlns='urn:x'/><![CDATA[",
    "`<img src=x onerror=window.pwned=1>` | cell | ```",
    "\x1b]0;owned\x07\x1b[2Jcleared\x08\x08\rover",
    "\u202eevil\u2066 \u200b\ufeff bidi",
    "::error file=a.py::forged\n##vso[task.complete result=Succeeded;]done",
    "nul \x00 and \x0b and \ufffe",
)


def sample(
    *, seed: int = 1, systems: Sequence[str] = ("model_config", "image_optimizer"), healthy: bool = False
) -> Record:
    """Return the record of a run of the smoke and first-hour stages of `systems`; the others are not selected."""
    dice = random.Random(seed)  # noqa: S311 -- varied, not secret
    items = {
        entry.id: _item(dice, name, entry, selected=name in systems, healthy=healthy)
        for name in checklist.systems()
        for entry in checklist.load(name).item
    }
    return assemble(items, systems=tuple(systems), crashes=() if healthy else (_CRASH,))


def assemble(items: dict[str, Item], *, systems: tuple[str, ...], crashes: tuple[Crash, ...] = ()) -> Record:
    """Return the record of these items, its counts and verdict as a run would state them."""
    return Record(
        run=_facts(systems),
        verdict=verdict.decide(items),
        counts=verdict.count(items),
        items=items,
        checks={name: _check(name, key, item) for key, item in items.items() for name in item.checks},
        observations={name: _look(name) for item in items.values() for name in item.observations},
        crashes=crashes,
        budget={"generations": Spending(spent=7, limit=12), "requests": Spending(spent=214)},
        systems={name: checklist.load(name).system.title for name in checklist.systems()},
    )


def hostile(*, times: int = 1) -> dict[str, Any]:
    """Return the JSON form of a record that carries a payload in every field that can hold a text."""
    payloads = _Cycle(PAYLOADS)
    items = {f"XXX-{number:03d} {payloads()}": _hostile_item(payloads) for number in range(len(PAYLOADS) * times)}
    record = assemble(items, systems=("x",))
    form = record.model_dump(mode="json", by_alias=True)
    form["run"] |= {name: payloads() for name in ("id", "env", "release", "commit", "started", "finished", "replay_of")}
    form["run"] |= {"selection": list(PAYLOADS), "narrowed": list(PAYLOADS), "slowest_observation": payloads()}
    form["run"] |= {"versions": {payloads(): payloads() for _ in PAYLOADS}, "resumes": payloads()}
    form["crashes"] = [{"where": payloads(), "text": "\n".join(PAYLOADS)} for _ in range(3)]
    form["budget"] = {payloads(): {"spent": 1, "limit": 2} for _ in range(3)}
    form["systems"] = {"x": payloads(), payloads(): payloads()}
    return form


def write(folder: Path, form: Record | dict[str, Any], *, name: str = "run.json") -> Path:
    """Write a run folder with this record and the evidence it names; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = form.model_dump_json(by_alias=True) if isinstance(form, Record) else json.dumps(form)
    (folder / name).write_text(text, encoding="utf-8")
    evidence = folder / "evidence"
    evidence.mkdir(exist_ok=True)
    (evidence / "testing_page.png").write_bytes(screenshot())
    (evidence / "generation.txt").write_text(_EXCHANGE, encoding="utf-8")
    return folder


def screenshot(width: int = 640, height: int = 400) -> bytes:
    """Return a PNG that looks like a small page."""
    image = Image.new("RGB", (width, height), "#f4f1ea")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 44), fill="#22313f")
    draw.text((16, 14), "Image generation - testing page", fill="#ffffff")
    for row in range(6):
        draw.line(
            (0, 90 + row * 50, width, 60 + row * 60), fill=f"#{60 + row * 20:02x}90{200 - row * 20:02x}", width=26
        )
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


_CRASH = Crash(where="worker gw1", text="worker gw1 died with signal 9 while judging MCI-052\nlast line: Killed")

_EXCHANGE = """POST /generate HTTP/1.1
content-type: application/json

{"prompt": "A serene lake 4f1c9a", "model_id": "ideogram-v2"}

HTTP/1.1 200 OK
content-type: application/json
x-note: \x1b[31mred\x1b[0m <script>window.pwned=1</script>

{"success": true, "image_url": "https://images.example.test/4f1c9a.png"}
"""

_OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "inconclusive", "error", "waived", "not_configured")
_STAGES = ("smoke", "first_hour", "signoff")


class _Cycle:
    def __init__(self, texts: Sequence[str]) -> None:
        self._texts, self._next = texts, 0

    def __call__(self) -> str:
        self._next += 1
        return self._texts[self._next % len(self._texts)]


def _facts(systems: tuple[str, ...]) -> Facts:
    return Facts(
        id=RUN_ID, env="prod", systems=systems, release="image-gen 2.14.0", commit="9b1d3e7", speed=1.0,
        started="2026-10-14T09:15:03.120000+00:00", finished="2026-10-14T09:15:41.904000+00:00",
        selection=("-m", "smoke or first_hour", "--env", "prod"), narrowed=(), wall_s=38.78,
        slowest_observation_s=36.9, slowest_observation="model_config.generation", to_verdict_s=38.1,
        versions={"python": "3.11.9", "pytest": "9.2.0", "shakedown": "0.1.0"},
    )  # fmt: skip


def _item(dice: random.Random, system: str, entry: Entry, *, selected: bool, healthy: bool) -> Item:
    outcome = _outcome(dice, entry, healthy=healthy) if selected and entry.stage in _STAGES else "not_selected"
    looked = outcome in ("passed", "failed", "inconclusive", "waived")
    latency = looked and entry.kind == "latency"
    samples = _latencies(dice) if latency else ()
    screenshots = [f"{system}.testing_page"] if entry.kind == "ui" else []
    return Item(
        title=entry.title, system=system, section=entry.section, stage=entry.stage, kind=entry.kind,
        severity=entry.severity, action=entry.action, safety=entry.safety, source=entry.source, outcome=outcome,
        checks=(f"suites/{system}/test_{entry.kind}.py::test_{entry.id}",) if looked or outcome == "error" else (),
        claim=f"{entry.title}." if looked else "", message=_message(outcome), samples=samples,
        measured=f"p95 {sorted(samples)[-3]:.2f} s of {len(samples)}" if samples else _measured(outcome),
        limit="p95 at most 2.5 s" if samples else "200" if outcome == "failed" else entry.expect,
        attempts=3 if looked and dice.random() < 0.1 else 1,
        observations=(f"{system}.generation", *screenshots) if looked else (),
    )  # fmt: skip


def _outcome(dice: random.Random, entry: Entry, *, healthy: bool) -> Outcome:
    if entry.how == "attested":
        return "attested" if healthy or dice.random() < 0.5 else "unattested"
    if entry.safety == "destructive":
        return "not_permitted"
    if entry.stage == "signoff":
        return "open"
    return "passed" if healthy else dice.choices(_OUTCOMES, (80, 5, 3, 4, 2, 4))[0]


def _latencies(dice: random.Random) -> tuple[float, ...]:
    return tuple(round(dice.lognormvariate(0.2, 0.35), 3) for _ in range(40))


def _message(outcome: Outcome) -> str:
    return {
        "failed": "assert 503 == 200\n  where 503 = status of POST /generate\n  answer: {'error': 'upstream'}",
        "inconclusive": "7 requests in the window, allowed at least 30",
        "error": "timeout: no answer to GET /health within 5 s",
        "attested": "Ada Brandt (release engineer), 2026-10-13: read and agreed in review 812",
        "unattested": "no valid attestation of a named person",
        "waived": "waived by Ada Brandt until 2026-11-01: known, fixed in 2.15\nassert 61 <= 60",
        "not_configured": "environment prod lacks [systems.model_config.log.tail]",
        "not_permitted": "environment prod does not permit destructive",
        "open": "no check is written for this item",
        "not_selected": "outside the selection",
    }.get(outcome, "")


def _measured(outcome: Outcome) -> str:
    return {"failed": "503", "waived": "61", "passed": "200", "inconclusive": "7 requests"}.get(outcome, "")


def _check(name: str, key: str, item: Item) -> Check:
    held = ("200 == 200", f"{name.rpartition('_')[2]} answered") if item.outcome == "passed" else ()
    return Check(
        items=(key,), outcome=item.outcome, claim=item.claim, message=item.message, facts=held, took_s=0.004,
        measured=item.measured, limit=item.limit, worker="gw0",
    )  # fmt: skip


def _look(name: str) -> Observation:
    system, _, look = name.partition(".")
    files = {"testing_page": "evidence/testing_page.png", "generation": "evidence/generation.txt"}
    return Observation(
        system=system, name=look, claim=f"One look at {look}.", state="seen", took_s=1.3,
        evidence=(files[look],) if look in files else (),
    )  # fmt: skip


def _hostile_figure(payload: _Cycle) -> Figure:
    return Figure(
        outcome="fail", statement="\n".join(PAYLOADS), measured=2.0, low=1.0, high=None, limit=1.0,
        comparison=payload(), unit=payload(), samples=2, method=payload(), confidence=0.95, notes=(payload(),),
        windows=((0.0, 1.0, 3),) if len(payload()) % 2 else (),
    )  # fmt: skip


def _hostile_item(payload: _Cycle) -> Item:
    outcome = verdict.WORST_FIRST[len(payload()) % len(verdict.WORST_FIRST)]
    texts = ("title", "system", "section", "stage", "kind", "action", "safety", "source", "claim", "measured", "limit")
    return Item(
        **{name: payload() for name in texts}, message="\n".join(PAYLOADS), severity="high", outcome=outcome,  # type: ignore[arg-type]  # texts only
        samples=(0.5, 1.5), figures=(_hostile_figure(payload),), checks=(payload(),),
        observations=(payload(), "x.testing_page", "x.generation"),
    )  # fmt: skip
