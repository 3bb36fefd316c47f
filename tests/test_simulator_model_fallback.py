"""The stand-in for model_fallback against its contract: pages and fragments, cascade, exhaustion, log, rows."""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
import pytest

from fixtures.markup import markup
from simulators.fetching import Reply, fetch
from tests.simulated import running

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEED = 20.0
PROBE = Path(__file__).parents[1] / "suites" / "model_fallback" / "probes" / "loaded_key.py"
FIVE = ["gemini-exp-1206", "gemini-2.5-flash", "gemma-3-27b", "gemma-3-12b", "gemma-3-4b"]


@dataclasses.dataclass
class Person:
    """A browser of sorts: it keeps cookies, and sends the token of the page it saw last."""

    table: dict[str, Any]
    place: str = "chat"
    cookies: dict[str, str] = dataclasses.field(default_factory=dict)
    token: str = ""

    def call(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Reply:
        connection = http.client.HTTPConnection(
            self.table["http"][self.place]["url"].removeprefix("http://"), timeout=30
        )
        sent = {"Cookie": "; ".join(f"{name}={text}" for name, text in self.cookies.items())}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, None if form is None else urlencode(form), sent)
        answer = connection.getresponse()
        for one in answer.headers.get_all("Set-Cookie") or []:
            name, _, text = one.partition(";")[0].partition("=")
            self.cookies[name] = text
        named = {name.lower(): text for name, text in answer.headers.items()}
        reply = Reply(status=answer.status, reason=answer.reason, headers=named, body=answer.read())
        connection.close()
        found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', reply.body)
        self.token = found[1].decode() if found else self.token
        return reply

    def post(self, path: str, **form: str) -> Reply:
        return self.call("POST", path, {"csrfmiddlewaretoken": self.token, **form})

    def say(self, text: str) -> str:
        reply = self.post("/", message=text)
        assert reply.status == 200
        return reply.body.decode()

    def available(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", "/api/check-availability/").json()
        return found

    def switch(self, part: str, **how: object) -> Reply:
        return fetch(self.table["http"]["controls"]["url"] + part, method="POST", payload=how, timeout=30)

    def limit(self, only: str, *models: str, mode: str = "429") -> None:
        for model in models:
            assert self.switch(f"/{model}", mode=mode, only=only).status == 200

    def log(self) -> list[str]:
        """Return level, module and text of each line."""
        name = "debug" if self.place == "chat" else "spare_log"
        lines = Path(self.table["log"][name]["path"]).read_text(encoding="utf-8").splitlines()
        return [re.sub(r"^(\w+) \S+ \S+ ", r"\1 ", line) for line in lines]


def signed_in(announced: Any, place: str = "chat") -> Person:
    person = Person(announced["systems"]["model_fallback"], place)
    person.call("GET", "/accounts/login/")
    reply = person.post(
        "/accounts/login/", username="shakedown", password=announced["variables"]["LOCAL_CHAT_PASSWORD"]
    )
    assert (reply.status, reply.headers["location"]) == (302, "/")
    person.call("GET", "/new/")
    person.call("GET", "/")
    return person


@pytest.fixture(scope="module")
def announced() -> Iterator[Any]:
    with running(systems="model_fallback", speed=str(SPEED)) as found:
        yield found


@pytest.fixture
def person(announced: Any) -> Person:
    return signed_in(announced)


@pytest.fixture
def spare(announced: Any) -> Person:
    """Return somebody in front of the spare instance."""
    return signed_in(announced, "spare")


def test_the_login_wants_its_pair_and_its_token(announced: Any) -> None:
    stranger = Person(announced["systems"]["model_fallback"])
    stranger.call("GET", "/accounts/login/")
    wrong = stranger.post("/accounts/login/", username="shakedown", password="another")  # noqa: S106  a wrong one
    assert (wrong.status, "did not match" in wrong.body.decode()) == (200, True)
    stranger.token = "x" * 64
    assert stranger.post("/accounts/login/", username="shakedown", password="another").status == 403  # noqa: S106  likewise
    assert stranger.call("GET", "/").headers["location"] == "/accounts/login/?next=/"


def test_a_message_gets_a_fragment_with_its_model(person: Person) -> None:
    reply = person.post("/", message="Hello, how are you?")
    tree = markup(reply.body.decode())
    assert reply.headers["hx-trigger"] == "firstMessageSent"
    assert re.fullmatch(r"/chat/\d+/", reply.headers["hx-push-url"])
    assert [one.text for one in tree.every(having="tooltip")] == ["Gemini Experimental"]
    assert len(tree.every(having="prose")) == 1
    assert "<strong>Thank you.</strong>" in reply.body.decode()
    again = person.post("/", message="And now?")
    assert "hx-trigger" not in again.headers


def test_messages_that_are_refused_are_told_with_status_200(person: Person) -> None:
    assert "Message too long. Maximum 5000 characters." in person.say("x" * 5001)
    assert "Message cannot be empty" in person.say("   ")
    assert "fa-exclamation-triangle" in person.say("   ")
    assert b'id="chat-form"' in person.post("/").body


def test_a_foreign_conversation_is_not_found(person: Person) -> None:
    assert person.call("GET", "/chat/2/").status == 404
    assert person.call("GET", "/chat/1/").status == 200
    assert person.call("GET", "/chat/999/").status == 404


def test_a_limited_model_is_tried_twice_and_followed_by_the_next(person: Person) -> None:
    before = len(person.log())
    person.limit("falls once", FIVE[0])
    assert "Gemini 2.5 Flash" in person.say("falls once")
    lines = [line for line in person.log()[before:] if "AFC" not in line]
    assert [re.sub(r": 429 .*", "", line) for line in lines[:7]] == [
        "INFO model_fallback Attempting model 1/5: gemini-exp-1206",
        "WARNING model_fallback Rate limit hit for gemini-exp-1206 (attempt 1/2)",
        "INFO model_fallback Retrying gemini-exp-1206 in 0.5s...",
        "WARNING model_fallback Rate limit hit for gemini-exp-1206 (attempt 2/2)",
        "WARNING model_fallback Max retries reached for gemini-exp-1206, moving to next model",
        "INFO model_fallback Attempting model 2/5: gemini-2.5-flash",
        "INFO model_fallback Success with gemini-2.5-flash on attempt 1",
    ]
    assert re.fullmatch(r"INFO views Chat message processed for session \d+ using gemini-2.5-flash", lines[7])


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("404", "not available (404): 404 NOT_FOUND"),
        ("503", "Rate limit hit for"),
        ("unsupported", "Error with gemini-exp-1206: 400 FAILED_PRECONDITION"),
    ],
)
def test_what_a_fallback_can_heal_is_healed(person: Person, mode: str, line: str) -> None:
    before, words = len(person.log()), f"healed from {mode}"
    person.limit(words, FIVE[0], mode=mode)
    assert "Gemini 2.5 Flash" in person.say(words)
    assert [text for text in person.log()[before:] if line in text] != []


@pytest.mark.parametrize("mode", ["500", "key", "denied", "empty"])
def test_what_a_fallback_cannot_heal_is_told_in_one_sentence(person: Person, mode: str) -> None:
    before, words = len(person.log()), f"broken by {mode}"
    person.limit(words, FIVE[0], mode=mode)
    assert "Failed to generate response. Please try again." in person.say(words)
    assert [line for line in person.log()[before:] if "Attempting model 2" in line] == []
    assert [line for line in person.log()[before:] if line.startswith("ERROR views Chat message processing failed: ")]


def test_exhaustion_ends_after_five_minutes_of_the_targets_time(spare: Person, person: Person) -> None:
    spare.limit("all refuse", *FIVE)
    told = spare.say("all refuse")
    assert "All model rate limits reached" in told
    assert "disableChatInterface('Service temporarily unavailable." in told
    said = spare.available()
    assert said["available"] is False
    assert re.fullmatch(r"Service temporarily unavailable. Please try again in 2\d\ds.", said["message"])
    assert "All model rate limits reached. Please try again later." in spare.say("anybody else")
    assert "WARNING model_fallback All models exhausted, rejecting request" in spare.log()
    assert person.available()["available"] is True
    assert spare.switch("/clock", advance=200).status == 200
    assert spare.available()["available"] is False
    spare.switch("/clock", advance=101)
    assert spare.available() == {"available": True, "message": "Service available"}
    assert re.fullmatch(r"INFO model_fallback Resetting model exhaustion after 3\d\ds", spare.log()[-1])


def test_a_restart_ends_an_exhaustion_and_keeps_address_and_login(spare: Person) -> None:
    spare.limit("before a restart", *FIVE)
    spare.say("before a restart")
    assert spare.available()["available"] is False
    assert spare.switch("/restart").status == 200
    assert spare.available()["available"] is True
    assert spare.call("GET", "/").status == 200


def test_switches_refuse_what_they_do_not_know(person: Person) -> None:
    assert "gemini-exp-1206" in person.switch("/gemini-0", mode="429").json()["error"]
    assert person.switch("/clock", advance=-1).status == 400


def test_rows_are_stored_after_the_answer_and_can_only_be_read(announced: Any, person: Person) -> None:
    person.say("What is stored?")
    person.limit("not stored", FIVE[0], mode="500")
    person.say("not stored")
    with psycopg.connect(announced["variables"]["LOCAL_MODEL_FALLBACK_DSN"]) as connection:
        rows = connection.execute("SELECT role, content FROM chat_message ORDER BY id DESC LIMIT 2").fetchall()
        assert (rows[1], rows[0][0]) == (("user", "What is stored?"), "assistant")
        found = connection.execute("SELECT name FROM django_migrations WHERE app = 'chat' ORDER BY id").fetchall()
        assert [name[:5] for (name,) in found] == ["0001_", "0002_"]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM chat_message")


def test_a_conversation_is_renamed_and_deleted(person: Person) -> None:
    number = re.findall(r"\d+", person.post("/", message="To be removed").headers["hx-push-url"])[0]
    assert b"Another" in person.post(f"/chat/{number}/rename/", new_title="Another").body
    assert person.post(f"/chat/{number}/delete/").headers["location"] == "/"
    assert person.call("GET", f"/chat/{number}/").status == 404


def test_the_provider_lists_its_models_to_its_key_alone(announced: Any) -> None:
    url = announced["systems"]["model_fallback"]["http"]["provider"]["url"] + "/v1beta/models"
    listed = fetch(url, headers={"x-goog-api-key": announced["variables"]["LOCAL_GEMINI_API_KEY"]}).json()["models"]
    assert {f"models/{name}" for name in FIVE} <= {one["name"] for one in listed}
    refused = fetch(url, headers={"x-goog-api-key": "another"})
    assert (refused.status, refused.json()["error"]["message"].startswith("API key not valid")) == (400, True)


def _keys(program: list[str], folder: str) -> tuple[dict[str, Any], str]:
    done = subprocess.run(
        [*program, sys.executable, "-", folder], check=True, text=True, capture_output=True, input=PROBE.read_text()
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found, done.stdout + done.stderr


def test_the_host_tells_its_key_by_digest_alone(announced: Any) -> None:
    table, key = announced["systems"]["model_fallback"], announced["variables"]["LOCAL_GEMINI_API_KEY"]
    found, said = _keys(table["command"]["host"]["program"], table["facts"]["app_folder"])
    assert (found["loaded"]["length"], key in said) == (len(key), False)
    assert [(one["key"], one["told"]) for one in found["processes"]] == [(None, True)]
    assert found["loaded"]["changed"] <= found["processes"][0]["began"] + 1


@pytest.mark.parametrize("path", [os.environ["PATH"], None], ids=["plain", "hidden"])
@pytest.mark.parametrize("own", ["the same key", "an older key", "", None])
def test_a_process_is_known_by_the_key_it_was_started_with(tmp_path: Path, own: str | None, path: str | None) -> None:
    (tmp_path / ".env").write_text("GEMINI_API_KEY='the same key'\n")
    (tmp_path / "manage.py").write_text("print('up', flush=True)\ninput()\n")
    given = {name: text for name, text in {"PATH": path, "GEMINI_API_KEY": own}.items() if text is not None}
    with subprocess.Popen(
        [sys.executable, "manage.py", "runserver"],
        cwd=tmp_path,
        env=given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found, said = _keys([], str(tmp_path))
        process.kill()
    (one,) = found["processes"]
    assert one["told"] is not (own is None and path is None)
    assert (one["key"] == found["loaded"]["key"], one["key"] is None) == (own == "the same key", own is None)
    assert "key" not in re.sub(r'"key":', "", said)


def test_what_the_host_cannot_tell_is_a_problem(tmp_path: Path) -> None:
    assert "FileNotFoundError" in _keys([], str(tmp_path / "nowhere"))[0]["problem"]
    found, _ = _keys([], str(tmp_path))
    assert (found["loaded"]["length"], found["processes"]) == (0, [])


def test_the_past_is_two_days_of_messages(announced: Any) -> None:
    path = Path(announced["systems"]["model_fallback"]["log"]["history"]["path"])
    past = [line for line in path.read_text(encoding="utf-8").splitlines() if "Attempting model 1/5" in line]
    stamps = [line.split(" ", 3)[1:3] for line in past]
    assert len(past) >= 5400
    assert stamps == sorted(stamps)


def test_the_system_as_built_is_told_from_its_checklist() -> None:
    with running(systems="model_fallback", speed=str(SPEED), faults="as-built") as found:
        person = signed_in(found)
        stranger = Person(person.table)
        closed = stranger.call("GET", "/api/check-availability/")
        assert (closed.status, closed.body) == (302, b"")
        assert closed.headers["location"] == "/accounts/login/?next=/api/check-availability/"
        assert person.post("/", message="  ").status == 400
        person.say("Which models are there?")
        assert [line for line in person.log() if "Attempting model 1/8: gemini-3-flash" in line] != []
