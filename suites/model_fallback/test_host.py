"""What watches the service on its host: the cron job and the monitoring script, judged as the text they are."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.command import Execution
    from fixtures.exchange import Exchange

    OnHost = dict[str, Execution]

PLACEHOLDER = "/path/to/logs/django.log"
EXAMPLES = ("example.com", "example.org", "example.net", ".test", ".invalid")
PASSED = ("Attempting model 1/5", "fallback to the next one", "All were exhausted")
HELD_BACK = ("GET / 200", "User 7 deleted chat session 12", "File uploaded successfully")


def _checks(on_host: OnHost) -> list[str]:
    """Return the active lines of the crontab that ask for availability."""
    lines = [line.strip() for line in on_host["crontab"].stdout.splitlines()]
    return [line for line in lines if "/api/check-availability/" in line and not line.startswith("#")]


def _minutes(field: str) -> list[int]:
    """Return the minutes that a crontab's first field names, such as `*/5`, `2-59/5` or `0,5,10`."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("0-59" if span == "*" else span).partition("-")
        found |= {*range(int(first), int(last or first) + 1, int(step or 1))}
    return sorted(found)


def _pattern(text: str) -> str:
    """Return what a line's grep looks for."""
    found = re.search(r"grep\s+(?:-\S+\s+)*(['\"])(.*?)\1", text)
    return found[2] if found else ""


@pytest.mark.item("MMF-075")
def test_the_monitoring_script_is_installed(on_host: OnHost, facts: dict[str, Any]) -> None:
    """The script is one of bash, and it follows the real log, not the checklist's placeholder."""
    assert on_host["script"].exit_status == 0
    lines = on_host["script"].stdout.splitlines()
    assert lines[0] in ("#!/bin/bash", "#!/usr/bin/env bash")
    assert (facts["log_path"] in on_host["script"].stdout, PLACEHOLDER in on_host["script"].stdout) == (True, False)


@pytest.mark.item("MMF-076")
def test_the_monitoring_script_passes_on_what_matters(on_host: OnHost) -> None:
    """Its grep lets lines about models, fallback and exhaustion pass, no others, and each at once."""
    pattern = _pattern(on_host["script"].stdout)
    assert pattern != ""
    assert [bool(re.search(pattern, line)) for line in PASSED] == [True] * len(PASSED)
    assert [line for line in HELD_BACK if re.search(pattern, line)] == []
    assert "--line-buffered" in on_host["script"].stdout


@pytest.mark.item("MMF-077")
def test_the_monitoring_script_is_executable(on_host: OnHost) -> None:
    """The script's mode lets its owner, its group and others execute it."""
    mode = on_host["mode"].stdout.strip()
    assert [mode[at] for at in (3, 6, 9)] == ["x", "x", "x"]


@pytest.mark.item("MMF-078")
def test_a_cron_job_checks_every_five_minutes(on_host: OnHost) -> None:
    """Exactly one active line of the crontab asks for availability, every five minutes."""
    assert on_host["crontab"].exit_status == 0
    lines = [line.split() for line in _checks(on_host)]
    assert [line[1:5] for line in lines] == [["*", "*", "*", "*"]]
    minutes = _minutes(lines[0][0])
    assert {later - earlier for earlier, later in pairwise([*minutes, minutes[0] + 60])} == {5}


@pytest.mark.item("MMF-079")
def test_the_cron_job_is_silent_while_available(on_host: OnHost, direct_availability: Exchange) -> None:
    """What the line's grep looks for is in the bytes that its curl gets, so no alarm goes off."""
    patterns = [_pattern(line) for line in _checks(on_host)]
    assert len(patterns) == 1
    assert patterns[0] != ""
    assert direct_availability.status == 200
    assert [bool(re.search(pattern, direct_availability.text)) for pattern in patterns] == [True]


@pytest.mark.item("MMF-081")
def test_the_cron_alarm_goes_to_somebody(on_host: OnHost) -> None:
    """The alarm's recipients are addresses, and no examples."""
    recipients = [word for line in _checks(on_host) for word in re.findall(r"[^@\s'\"]+@[^@\s'\"]+\.[a-z]+", line)]
    assert len(recipients) > 0
    assert [one for one in recipients if one.endswith(EXAMPLES)] == []


@pytest.mark.item("MMF-101")
def test_the_application_answers_on_its_own_port(direct_availability: Exchange) -> None:
    """The application's port on its host answers the cron job's call with the agreed JSON."""
    assert direct_availability.status == 200
    assert direct_availability.json == {"available": True, "message": "Service available"}


@pytest.mark.item("MMF-102")
def test_the_service_runs_with_the_key_of_its_environment_file(keys_on_host: dict[str, Any]) -> None:
    """In its folder load_dotenv() loads a key of 10 characters or more, and no process was started with another."""
    loaded = keys_on_host["loaded"]
    assert loaded["length"] >= 10
    assert {one["key"] for one in keys_on_host["processes"]} - {None, loaded["key"]} == set()
