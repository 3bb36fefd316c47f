"""How model_fallback's suite reads what a target writes: shell lines, Markdown, fragments, a log without pairs."""

from __future__ import annotations

import datetime as dt

import pytest

from fixtures.exchange import Exchange
from fixtures.markup import markup
from fixtures.values import RefutedError, UndecidedError
from suites.model_fallback.asking import listed, reply_of
from suites.model_fallback.looks_log import ending, fallen, lasting
from suites.model_fallback.rendering import in_order
from suites.model_fallback.shell_text import alarms, commands, followed, greps

ANSWER = '{"available": true, "message": "Service available"}'
CURL = "*/5 * * * * curl -s http://localhost:8000/api/check-availability/ |"
MAIL = 'echo "Service unavailable" | mail -s "Nexus Alert" oncall@nexus-chat.org'


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("grep -q '\"available\": true' ||", False),
        ("grep -qE '\"available\": ?true' ||", False),
        ("grep -q '\"available\":[[:space:]]*true' ||", False),
        ("grep -q '\"available\": \\?true' ||", False),
        ("grep -qF '\"available\": true' ||", False),
        ("grep -q -e '\"available\": true' ||", False),
        ("/bin/grep --quiet -P '\"available\":\\s*true' ||", False),
        ("grep '\"available\": true' > /dev/null ||", False),
        ("grep -q '\"available\": false' &&", False),
        ("grep -qv '\"available\": true' &&", False),
        ("grep -q '\"available\":true' ||", True),
        ("grep -q '\"available\": ?true' ||", True),
        ("grep -q '\"available\": true' &&", True),
        ("grep -qv '\"available\": true' ||", True),
        ("grep '\"available\": true' ||", True),
    ],
)
def test_a_cron_line_alarms_or_not(check: str, *, expected: bool) -> None:
    assert alarms(f"{CURL} {check} {MAIL}", ANSWER) is expected


def test_a_curl_that_reports_its_progress_is_mailed() -> None:
    line = f"{CURL} grep -q '\"available\": true' || {MAIL}"
    assert alarms(line.replace("curl -s ", "curl "), ANSWER) is True
    assert alarms(line.replace("curl -s ", "curl -fsS "), ANSWER) is False


@pytest.mark.parametrize(
    "check", ["jq -e .available ||", "grep -q true | cat ||", "grep -q true | grep -q available ||"]
)
def test_what_decides_by_other_means_is_undecided(check: str) -> None:
    with pytest.raises(UndecidedError, match="a person has to read"):
        alarms(f"{CURL} {check} {MAIL}", ANSWER)


def test_a_pattern_that_is_none_is_refuted() -> None:
    (found,) = greps(["grep", "-E", "model("])
    with pytest.raises(RefutedError, match=r"'model\(' cannot be read"):
        found.finds("model")


@pytest.mark.parametrize(
    ("line", "passes", "buffered"),
    [
        ('tail -f x | grep --line-buffered -E "model|fallback"', True, False),
        ('tail -f x | grep --line-buffered -iE "MODEL|FALLBACK"', True, False),
        ('tail -f x | stdbuf -oL egrep "model|fallback"', True, False),
        ("tail -f x | grep --line-buffered -e model -e fallback", True, False),
        ('tail -f x | grep "model\\|fallback"', True, True),
        ('tail -f x | grep --line-buffered "model|fallback"', False, False),
        ('tail -f x | grep --line-buffered -F "model|fallback"', False, False),
    ],
)
def test_a_grep_is_read_as_grep_reads_it(line: str, *, passes: bool, buffered: bool) -> None:
    (found,) = greps(commands(line)[0])
    assert (found.finds("Attempting model 1/5"), found.buffered) == (passes, buffered)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("#!/bin/bash\ntail -f /srv/debug.log | grep x\n", ["/srv/debug.log"]),
        ("#!/bin/bash\nLOG='/srv/debug.log'\ntail -n 0 \\\n  -F \"${LOG}\"\n", ["0", "/srv/debug.log"]),
        ("#!/bin/bash\n# tail -f /srv/debug.log\ntail /srv/debug.log\n", []),
        ("#!/bin/bash\ntail --follow=name /srv/debug.log.1\n", ["/srv/debug.log.1"]),
    ],
)
def test_what_a_script_follows(script: str, expected: list[str]) -> None:
    assert followed(script) == expected


@pytest.mark.parametrize(
    ("shown", "contents", "expected"),
    [
        ("Count python Copy len(text) Thank you", ["Count", "```python\nlen(text)\n```", "Thank **you**"], True),
        ("See the manual. One Two", ["See [the manual](https://docs.test/a_1).\n\n1. One\n2. Two"], True),
        ("Thank you Count", ["Count", "Thank you"], False),
        ("The first part.", ["The first part.\n\nThe second."], False),
    ],
)
def test_a_page_shows_what_is_stored(shown: str, contents: list[str], *, expected: bool) -> None:
    assert in_order(shown, contents) is expected


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ('<div class="text-red-200"><p><i class="fas fa-exclamation-triangle"></i></p><p>No.</p></div>', "No."),
        ('<div><b><i class="fas fa-exclamation-triangle"></i></b> No.</div>', "No."),
        ("<p>No.</p><script>disableChatInterface('No.')</script>", "No."),
        ('<p>Hello</p><div>Nexus Core<div class="prose">Hi</div></div><script>mark()</script>', ""),
    ],
)
def test_a_refusal_is_read_whatever_its_markup(html: str, told: str) -> None:
    headers = (("Content-Type", "text/html; charset=utf-8"),)
    answer = Exchange(
        method="POST", url="http://chat.test/chat/1/", sent_at=dt.datetime.now(dt.UTC), raw_status=200,
        raw_headers=headers, raw_body=html.encode(),
    )  # fmt: skip
    assert reply_of(answer)["told"] == told


def test_conversations_are_found_in_links_and_the_side_bar() -> None:
    page = markup(
        '<a href="/chat/1/">k7 one</a><div id="sidebar-chat-list"><p hx-get="/chat/2/">k7 two</p>'
        '<p hx-get="/chat/3/">other</p><a href="/chat/1/">k7 one</a></div><div hx-get="/chat/4/">k7</div>'
    )
    assert (listed(page, "k7"), listed(page)) == ([1, 2], [1, 2, 3])


def test_a_message_without_an_end_failed() -> None:
    lines = [(0.0, {"begun"}), (10.0, {"begun"}), (11.0, {"processed"}), (500.0, {"begun"})]
    assert lasting(lines, {"begun"}, {"processed"}, 550) == [(0.0, None), (11.0, 1.0)]
    assert ending(lines, 550) == [(0.0, "failed"), (11.0, "processed")]


def test_overlapping_fallbacks_are_all_counted() -> None:
    lines = [(0.0, {"begun"}), (1.0, {"begun"}), (2.0, {"begun"}), (3.0, {"fallback"}), (4.0, {"fallback"})]
    assert fallen(lines) == [(0.0, False), (1.0, True), (2.0, True)]
