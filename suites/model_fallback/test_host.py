"""What watches the service on its host: the cron job and the monitoring script, judged as the text they are."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from .asking import AVAILABLE, available
from .shell_text import alarms, commands, followed, greps, minutes

if TYPE_CHECKING:
    from fixtures.command import Execution
    from fixtures.exchange import Exchange

    OnHost = dict[str, Execution]

PLACEHOLDER = "/path/to/logs/django.log"
EXAMPLES = (
    "example.com",
    "example.org",
    "example.net",
    ".test",
    ".invalid",
    ".example",
    "your-domain.com",
    "yourdomain.com",
)
PASSED = ("Attempting model 1/5", "fallback to the next one", "All were exhausted")
HELD_BACK = ("GET / 200", "User 7 deleted chat session 12", "File uploaded successfully")


def _checks(on_host: OnHost) -> list[str]:
    """Return the active lines of the crontab that ask for availability."""
    lines = [line.strip() for line in on_host["crontab"].stdout.splitlines()]
    return [line for line in lines if "/api/check-availability/" in line and not line.startswith("#")]


@pytest.mark.item("MMF-075")
def test_the_monitoring_script_is_installed(on_host: OnHost, facts: dict[str, Any]) -> None:
    """The script is one of bash, and it follows the real log, not the checklist's placeholder."""
    assert on_host["script"].exit_status == 0
    script = on_host["script"].stdout
    assert re.match(r"#! ?(/usr)?/bin/(env )?bash\b", script) is not None
    assert (facts["log_path"] in followed(script), PLACEHOLDER in followed(script)) == (True, False)


@pytest.mark.item("MMF-076")
def test_the_monitoring_script_passes_on_what_matters(on_host: OnHost) -> None:
    """Its grep lets lines about models, fallback and exhaustion pass, no others, and each at once."""
    found = [grep for tokens in commands(on_host["script"].stdout) for grep in greps(tokens)]
    assert len(found) > 0
    assert [all(grep.finds(line) for grep in found) for line in PASSED] == [True] * len(PASSED)
    assert [line for line in HELD_BACK if all(grep.finds(line) for grep in found)] == []
    assert [grep.pattern for grep in found if grep.buffered] == []


@pytest.mark.item("MMF-077")
def test_the_monitoring_script_is_executable(on_host: OnHost) -> None:
    """The script's mode lets its owner, its group and others execute it."""
    assert on_host["mode"].exit_status == 0
    mode = on_host["mode"].stdout.strip()
    assert [mode[at : at + 1] in set("xst") for at in (3, 6, 9)] == [True, True, True]


@pytest.mark.item("MMF-078")
def test_a_cron_job_checks_every_five_minutes(on_host: OnHost) -> None:
    """Exactly one active line of the crontab asks for availability, every five minutes."""
    assert on_host["crontab"].exit_status == 0
    lines = [line.split() for line in _checks(on_host)]
    assert [line[1:5] for line in lines] == [["*", "*", "*", "*"]]
    named = minutes(lines[0][0])
    assert {later - earlier for earlier, later in pairwise([*named, named[0] + 60])} == {5}


@pytest.mark.item("MMF-079")
def test_the_cron_job_is_silent_while_available(on_host: OnHost, direct_availability: Exchange) -> None:
    """At the bytes that its curl gets the line sends no mail, and prints nothing that cron would mail."""
    jobs = _checks(on_host)
    assert len(jobs) == 1
    assert direct_availability.status == 200
    assert available(direct_availability) is True
    assert [alarms(job, direct_availability.text) for job in jobs] == [False]


@pytest.mark.item("MMF-081")
def test_the_cron_alarm_goes_to_somebody(on_host: OnHost) -> None:
    """The alarm's recipients are addresses, and no examples."""
    recipients = [
        word for line in _checks(on_host) for word in re.findall(r"[^@\s'\"=]+@[^@\s'\"]+\.[a-z]+", line.lower())
    ]
    assert len(recipients) > 0
    assert [one for one in recipients if one.endswith(EXAMPLES)] == []


@pytest.mark.item("MMF-101")
def test_the_application_answers_on_its_own_port(direct_availability: Exchange) -> None:
    """The application's port on its host answers the cron job's call with the agreed JSON."""
    assert getattr(direct_availability.trouble, "kind", "") != "refused"
    assert direct_availability.status == 200
    assert available(direct_availability) is True
    assert direct_availability.json == AVAILABLE


@pytest.mark.item("MMF-102")
def test_the_service_runs_with_the_key_of_its_environment_file(keys_on_host: dict[str, Any]) -> None:
    """In its folder load_dotenv() loads a key of 10 characters or more, and no process was started with another."""
    loaded = keys_on_host["loaded"]
    assert loaded["length"] >= 10
    assert {one["key"] for one in keys_on_host["processes"]} - {None, loaded["key"]} == set()
