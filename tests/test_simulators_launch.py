"""The local environment as a process: what it announces, what it refuses, when it ends; and its faults as data."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from environments.models import System
from simulators.clock import Clock
from simulators.faults import Faults, UnknownNameError, catalogue, switch, systems
from simulators.fetching import FetchError, fetch
from simulators.serving import Listener, Request, Response, text_response
from tests.simulated import ROOT, announcement, command, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEMS = systems()


def wait_until_gone(pid: int) -> None:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there after 10 s")


@pytest.fixture
def launched() -> Iterator[tuple[subprocess.Popen[str], Any]]:
    with command(systems="model_config") as process:
        yield process, announcement(process)
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def announced() -> Iterator[Any]:
    with running(systems="model_config") as found:
        yield found


def folder_of(announced: Any) -> Path:
    return Path(announced["systems"]["model_config"]["log"]["tail"]["path"]).parent.parent


def test_the_announcement_is_a_table_of_an_environment_file(announced: Any) -> None:
    tables = {name: System.model_validate(table) for name, table in announced["systems"].items()}
    assert set(tables) == {"model_config"}
    assert set(tables["model_config"].http) == {"worker", "config_service", "gui", "controls", "alerts"}


def test_secrets_are_announced_by_variable_and_made_at_random(announced: Any) -> None:
    text = json.dumps(announced["systems"])
    with running(systems="model_config") as other:
        others = other["variables"]
    assert set(others) == set(announced["variables"]) == set(re.findall(r'{"env": "(\w+)"}', text))
    for name, secret in announced["variables"].items():
        assert len(secret) >= 24
        assert secret not in text
        assert secret != others[name]


def test_it_ends_when_standard_input_closes(launched: tuple[subprocess.Popen[str], Any]) -> None:
    process, announced = launched
    assert folder_of(announced).is_dir()
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert not folder_of(announced).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(launched: tuple[subprocess.Popen[str], Any], number: signal.Signals) -> None:
    process, announced = launched
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert not folder_of(announced).exists()


def test_it_ends_with_a_parent_that_was_killed() -> None:
    parent_code = (
        "import subprocess, sys, time\n"
        "pipe = subprocess.PIPE\n"
        "child = subprocess.Popen([sys.executable, '-m', 'simulators'], stdin=pipe, stdout=pipe)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    wait_until_gone(child)


def test_all_systems_are_the_default() -> None:
    with command() as process:
        assert tuple(announcement(process)["systems"]) == SYSTEMS
        process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"faults": "no-such-fault"}, "empty-list-500"),
        ({"faults": "empty-list-500,no-such-fault"}, "no-such-fault"),
        ({"systems": "no_such_system"}, "model_config"),
        ({"speed": "0"}, "above 0"),
        ({"speed": "-3"}, "above 0"),
        ({"speed": "nan"}, "above 0"),
        ({"speed": "inf"}, "above 0"),
        ({"speed": "fast"}, "'fast'"),
    ],
)
def test_a_wrong_variable_is_a_usage_error_that_names_what_exists(variables: dict[str, str], named: str) -> None:
    with command(**variables) as process:
        output, errors = process.communicate(timeout=10)
    assert process.returncode == 4
    assert output == ""
    assert named in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("arguments", [["--fault", "x"], ["--list-faults", "no_such_system"]])
def test_a_wrong_argument_is_a_usage_error(arguments: list[str]) -> None:
    with command(*arguments) as process:
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, output) == (4, "")
    assert errors.startswith("simulators: ")


def test_the_faults_are_listed_with_their_sentences_and_items() -> None:
    with command("--list-faults", "model_config") as process:
        listed, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    for fault in catalogue("model_config"):
        assert f"\n  {fault.name}\n      {fault.sentence}\n      turns red: " in listed
        assert all(item in listed for item in fault.items)


def test_a_group_switches_on_all_its_faults() -> None:
    faults = catalogue("model_config")
    chosen = switch(["as-built"], {"model_config": faults})["model_config"]
    assert {fault.name for fault in faults if chosen.on(fault.name)} == {
        fault.name for fault in faults if fault.group == "as-built"
    }
    assert chosen.on("real-no-retry")


def test_asking_for_an_undefined_fault_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="'c' is asked for and not defined; defined: a, b"):
        Faults(["a", "b"], ["a"]).on("c")


def names_in_code(system: str) -> tuple[set[str], set[str]]:
    """Return the names that a system's code asks for, and all texts in it: tables of faults name them as well."""
    asked: set[str] = set()
    texts: set[str] = set()
    for path in (ROOT / "simulators" / system).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "on":
                asked |= {str(part.value) for part in node.args if isinstance(part, ast.Constant)}
    return asked, texts


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_fault_is_asked_for_and_every_name_asked_for_is_a_fault(system: str) -> None:
    asked, texts = names_in_code(system)
    faults = {fault.name for fault in catalogue(system)}
    assert asked - faults == set()
    assert faults - texts == set()


def test_fault_names_are_kebab_case_and_unique_among_all_systems() -> None:
    faults = [fault for system in SYSTEMS for fault in catalogue(system)]
    counts = Counter([*(fault.name for fault in faults), *{fault.group for fault in faults if fault.group}])
    assert [name for name, count in counts.items() if count > 1] == []
    assert [name for name in counts if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def items_of(system: str) -> list[dict[str, Any]]:
    checklist = tomllib.loads((ROOT / "suites" / system / "checklist.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = checklist["item"]
    return found


@pytest.mark.parametrize("system", SYSTEMS)
def test_faults_name_automated_items_of_their_checklist(system: str) -> None:
    automated = {item["id"] for item in items_of(system) if item["how"] == "automated"}
    for fault in catalogue(system):
        assert set(fault.items) <= automated, fault.name
        assert len(fault.items) == len(set(fault.items)), fault.name
        assert fault.items or fault.group in {"as-built", "no-defect"}, f"{fault.name} turns nothing red"
        assert not (fault.items and fault.group == "no-defect"), f"{fault.name} is one"
        assert fault.sentence[0].isupper()
        assert not fault.sentence.endswith(".")


def decidable(item: dict[str, Any]) -> bool:
    """Say whether HTTP, D1, logs, storage or a browser can decide the item."""
    if item["how"] != "automated" or item["stage"] == "signoff":
        return False
    needs = set(item["needs"])
    if item["stage"] in ("smoke", "first_hour"):
        return True
    return not needs & {"source_tree", "deployments"} and not ("metrics" in needs and "logs" not in needs)


def test_every_item_of_model_config_that_can_be_decided_has_a_fault() -> None:
    reddened = {item for fault in catalogue("model_config") for item in fault.items}
    assert [item["id"] for item in items_of("model_config") if decidable(item) and item["id"] not in reddened] == []


# A column has one type: faults that give the status another one leave no room for each other, nor for odd values.
TYPES = {
    "real-status-enum", "enum-without-processing", "check-without-processing", "status-cut-short",
    "states-in-a-domain", "states-in-a-table",
}  # fmt: skip


def test_all_faults_at_once_do_not_keep_the_systems_from_starting() -> None:
    names = ",".join(fault.name for system in SYSTEMS for fault in catalogue(system) if fault.name not in TYPES)
    with command(faults=names) as process:
        announced = announcement(process)
        _, errors = process.communicate(timeout=10)
    assert tuple(announced["systems"]) == SYSTEMS
    assert (process.returncode, errors) == (0, "")


def test_durations_are_the_targets_and_moments_are_ours() -> None:
    clock = Clock(speed=100)
    started, moment = clock.seconds(), clock.now()
    clock.sleep(5)
    assert clock.seconds() - started >= 5
    assert (clock.now() - moment).total_seconds() < 5


@pytest.fixture(scope="module")
def echo() -> str:
    def answer(request: Request) -> Response:
        if request.path == "/broken":
            raise ConnectionResetError
        return text_response(f"{request.method} {request.path} {request.query} {request.body.decode()}")

    listener = Listener()
    listener.serve(answer)
    return listener.netloc


def raw(netloc: str, text: str) -> str:
    """Send `text` as it stands and return everything until the server closes."""
    host, _, port = netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read().decode()


def test_one_connection_carries_several_requests(echo: str) -> None:
    one = "POST /a%20b?x=1&x=2 HTTP/1.1\nHost: h\nContent-Length: 2\n\nhi"
    answer = raw(echo, one + "GET /c HTTP/1.1\nHost: h\n\n")
    assert "POST /a b {'x': '2'} hi" in answer
    assert answer.endswith("GET /c {} ")


def test_head_has_the_length_of_the_body_it_leaves_out(echo: str) -> None:
    answer = raw(echo, "HEAD /a HTTP/1.1\nHost: h\n\n")
    assert "Content-Length: 11\r\n" in answer
    assert answer.endswith("\r\n\r\n")


def test_a_chunked_body_is_refused_and_the_connection_closed(echo: str) -> None:
    answer = raw(echo, "POST /a HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n")
    assert answer.startswith("HTTP/1.1 411 ")
    assert answer.count("HTTP/1.1") == 1


def test_an_exchange_that_breaks_off_is_an_error_of_the_caller(echo: str) -> None:
    with pytest.raises(FetchError, match="Network connection lost"):
        fetch(f"http://{echo}/broken")
    with pytest.raises(FetchError, match="cannot load: /relative"):
        fetch("/relative")


def test_many_connections_at_once_are_answered(echo: str) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(fetch(f"http://{echo}/").status)) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 64
