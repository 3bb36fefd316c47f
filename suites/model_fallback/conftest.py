"""What is looked at to verify model_fallback: the chat as its test user sees it, its log, its rows, and the page.

The test user's messages begin with the run's marker, so that the run's own conversations can be found and removed. The
log names no request: what belongs to a message is found by its conversation's number and its order.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fixtures.browser import Answer
from fixtures.django_session import DjangoSession
from fixtures.markup import markup
from fixtures.observing import observation, removal
from fixtures.values import UnseenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fixtures.browser import Browser, PageView, Visit
    from fixtures.command import Command, Execution
    from fixtures.confidential import Confidential
    from fixtures.database import Database, Snapshot
    from fixtures.exchange import Exchange
    from fixtures.http import Http
    from fixtures.log import Log
    from fixtures.log_view import LogMark, LogView
    from fixtures.look import Ledger, Run
    from fixtures.waiting import Patience

    Facts = dict[str, Any]
    Reply = dict[str, Any]

PATTERNS = {
    "attempt": r"Attempting model (\d+)/(\d+): (\S+)",
    "begun": r"Attempting model 1/\d+: ",
    "fallback": r"Attempting model 2/\d+: ",
    "success": r"Success with (\S+) on attempt (\d+)",
    "limited": r"Rate limit hit for (\S+) \(attempt (\d+)/\d+\)",
    "retry": r"Retrying (\S+) in ",
    "moving on": r"Max retries reached for (\S+), moving to next model",
    "exhausted": r"All \d+ models exhausted",
    "rejected": r"All models exhausted, rejecting request",
    "processed": r"Chat message processed for session (\d+) using (\S+)",
    "gave up": r"All models exhausted: ",
    "failed": r"Chat message processing failed",
}
BEGINS, ENDS = {"begun", "rejected"}, {"processed", "gave up", "failed"}  # of a message, as the log tells it
AVAILABILITY = "/api/check-availability/"
UNAVAILABLE = {"available": False, "message": "Service temporarily unavailable. Please try again in 287s."}
EXHAUSTED = "All model rate limits reached"
WIDTHS = (320, 375, 768, 1024, 1440)
BROWSER_S = 100  # of the target: how long a page may need to show something whose time is not judged
FIELD, BUTTON, ICON = "#chat-input-textarea", "#chat-submit-btn", ".model-info-container .fa-circle-info"


def own_patterns(models: Sequence[str]) -> dict[str, str]:
    """Return the patterns, and for each model those of its own attempts, refusals and answers."""
    found = dict(PATTERNS)
    for model in models:
        name = re.escape(model)
        found[f"attempt {model}"] = rf"Attempting model \d+/\d+: {name}$"
        found[f"limited {model}"] = rf"Rate limit hit for {name} \(attempt 1/"
        found[f"success {model}"] = rf"Success with {name} on attempt "
    return found


class Chat(DjangoSession):
    """The test user in front of one conversation."""

    def __init__(self, chat: Http, secrets: Confidential, facts: Facts, number: int | None = None) -> None:
        super().__init__(chat, secrets, facts["chat_user"], secrets["chat_password"])
        if number is None:
            number = self._new()
        self.number = number
        self.open(f"/chat/{number}/")

    def _new(self) -> int:
        """Return the number of an empty conversation, which the site makes or finds."""
        place = self.get("/new/").header("location") or ""
        page = self.get(place if place.startswith("/") else "/")
        found = re.search(r'hx-post="/chat/(\d+)/"', page.text)
        if found is None:
            raise UnseenError(f"{page!r}: the page names no conversation")
        return int(found[1])

    def say(self, text: str, *, within: float = 60, **more: str) -> Reply:
        """Send a message and read what comes back; the limit is judged, so the look lasts well beyond it."""
        headers = {"HX-Request": "true", "HX-Target": "chat-container"}
        answer = self.post(f"/chat/{self.number}/", {"message": text, **more}, headers, within)
        return {"conversation": self.number, "asked": text, "html": answer.text, **reply_of(answer)}


def reply_of(answer: Exchange) -> Reply:
    """Return the meaning of an answer to a message: the status tells nothing, since failures have 200 as well."""
    tree = markup(answer.text)
    proses = tree.every(having="prose")
    icons = tree.every(having="model-info-container")
    told = [one for one in tree.every() if one.every(having="fa-exclamation-triangle")]
    labels = [one.text for one in tree.every() if one.text == "Nexus Core"]
    return {
        "status": answer.status,
        "sent_at": answer.sent_at,
        "elapsed_s": answer.elapsed_s,
        "text": tree.text,
        "answers": [one.text for one in proses],
        "own": tree.text.partition("Nexus Core")[0].strip(),
        "labelled": len(labels) > 0,
        "models": [one.text.replace("ℹ️", "").strip() for one in icons],  # noqa: RUF001  the icon itself
        "icon_classes": [sorted(one.classes) for one in icons],
        "told": told[-1].text if told else "",
        "disables": "disableChatInterface(" in answer.text,
    }


@observation(within="60 s")
def attached(debug: Log) -> LogMark:
    """The log, attached before the run's first message."""
    return debug.attach()


@observation(within="60 s")
def anonymous_availability(chat: Http) -> list[Exchange]:
    """The availability endpoint, asked five times by nobody in particular, as the checklist's curl does."""
    return [chat.get(AVAILABILITY, follow=False) for _ in range(5)]


@observation(within="60 s")
def direct_availability(direct: Http) -> Exchange:
    """The availability endpoint on the application's own port, as the cron job's curl asks it."""
    return direct.get(AVAILABILITY, follow=False)


@observation(permit="writes", within="120 s")
def availability(chat: Http, secrets: Confidential, facts: Facts, message: Reply) -> Exchange:
    """The availability endpoint, asked by the signed-in test user."""
    return Chat(chat, secrets, facts, message["conversation"]).get(AVAILABILITY)


@observation(spends={"generations": 1}, within="120 s")
def message(chat: Http, secrets: Confidential, facts: Facts, marker: str, attached: LogMark, ledger: Ledger) -> Reply:
    """The first message of a new conversation."""
    ledger.own("leftover_chats", "chat", f"{facts['chat_user']} {marker}")
    return Chat(chat, secrets, facts).say(f"{marker} Hello, how are you?")


@observation(within="120 s")
def message_logged(debug: Log, attached: LogMark, message: Reply) -> LogView:
    """What the log holds up to the end of the first message."""
    number = str(message["conversation"])

    def processed(view: LogView) -> bool:
        return any(one.groups[0] == number for one in view.matches["processed"])

    return debug.since(attached, PATTERNS, until=processed, within=30)


@observation(spends={"generations": 1}, within="120 s")
def message_with_model(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> Reply:
    """A message whose form names the last model."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return said.say(f"{marker} Which one are you?", model=facts["hierarchy"][-1])


@observation(permit="probes", within="120 s")
def refused_messages(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> dict[str, Reply]:
    """Messages that are refused before any model is asked: a blank one and one that is too long."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return {"blank": said.say("   "), "overlong": said.say(f"{marker} " + "long " * 2000)}


@observation(spends={"generations": 20}, within="300 s")
def twenty_messages(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> list[Reply]:
    """Twenty messages, one after the other."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return [said.say(f"{marker} Count to {number}.") for number in range(20)]


@observation(spends={"generations": 2}, within="120 s")
def unusual_messages(chat: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> dict[str, Reply]:
    """Messages with emoji and right-to-left script, and with markup that is to be repeated."""
    said = Chat(chat, secrets, facts, message["conversation"])
    return {
        "scripts": said.say(f"{marker} 👋🏽 مرحبا، كيف حالك؟"),
        "markup": said.say(f"{marker} Repeat exactly: <b class='{marker}'>bold</b><script>{marker}()</script>"),
    }


@observation(permit="writes", within="120 s")
def history_page(chat: Http, secrets: Confidential, facts: Facts, message_with_model: Reply) -> Reply:
    """The run's conversation, loaded anew."""
    said = Chat(chat, secrets, facts, message_with_model["conversation"])
    return reply_of(said.get(f"/chat/{said.number}/"))


@observation(within="120 s")
def stored(records: Database, facts: Facts, desktop_page: PageView, message_with_model: Reply) -> Snapshot:
    """The test user's messages, a conversation of somebody else, and how many answers the first hour stored."""
    user = "(SELECT id FROM auth_user WHERE username = :user)"
    since = dt.datetime.fromisoformat(facts["deployed"])
    return records.read(
        {
            "own": "SELECT m.session_id, m.role, m.content, m.created_at FROM chat_message m JOIN chat_chatsession s "  # noqa: S608  a constant
            f"ON s.id = m.session_id WHERE s.user_id = {user} ORDER BY m.created_at, m.id",
            "foreign": f"SELECT min(id) AS id FROM chat_chatsession WHERE user_id <> {user}",  # noqa: S608  likewise
            "first_hour": "SELECT count(*) AS answers FROM chat_message WHERE role = 'assistant' "
            "AND created_at >= :since AND created_at < :until",
        },
        {"user": facts["chat_user"], "since": since, "until": since + dt.timedelta(hours=1)},
    )


@observation(permit="writes", within="120 s")
def other_pages(chat: Http, secrets: Confidential, facts: Facts, stored: Snapshot) -> dict[str, Any]:
    """The test user's oldest conversation from before the deployment, and the address of somebody else's."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    before = [row for row in stored["own"] if row["created_at"] < deployed]
    if not before:
        raise UnseenError(f"{facts['chat_user']} has no messages from before the deployment that could be loaded")
    number = stored["foreign"].only["id"]
    if number is None:
        raise UnseenError("nobody else has a conversation that could be asked for")
    said = Chat(chat, secrets, facts, before[0]["session_id"])
    foreign = said.get(f"/chat/{number}/")
    old = [row for row in before if row["session_id"] == said.number]
    return {"rows": old, "old": reply_of(said.get(f"/chat/{said.number}/")), "foreign": foreign}


@observation(within="300 s")
def two_days(history: Log, facts: Facts) -> LogView:
    """The log from a day before the deployment until now."""
    since = dt.datetime.fromisoformat(facts["deployed"]) - dt.timedelta(hours=24)
    window = (dt.datetime.now(dt.UTC) - since).total_seconds()
    return history.past(own_patterns(facts["hierarchy"]), window_s=window)


@observation(within="300 s")
def first_day(two_days: LogView, facts: Facts, run: Run) -> dict[str, Any]:
    """The messages from the deployment until this run began, as the log tells them, in columns by time."""
    deployed = dt.datetime.fromisoformat(facts["deployed"])
    past = [(one.time.timestamp(), set(one.names)) for one in two_days.events if one.time and one.time < run.started]
    day = [(at, names) for at, names in past if at >= deployed.timestamp()]
    starts = [(at, names) for at, names in day if names & {"begun", "fallback"}]
    models = facts["hierarchy"]
    return {
        "since": deployed.timestamp(),
        "until": max((at for at, _ in day), default=deployed.timestamp()),
        "before": [min(names & ENDS) for at, names in past if at < deployed.timestamp() and names & ENDS],
        "begun": [at for at, names in day if names & BEGINS],
        "exhaustions": sum("exhausted" in names for _, names in day),
        "ended": [(at, min(names & ENDS)) for at, names in day if names & ENDS],
        "lasted": lasting(day, BEGINS, ENDS),
        "fell": [
            (at, "fallback" in following)
            for (at, names), (_, following) in pairwise([*starts, (0.0, set())])
            if "begun" in names
        ],
        "answered": [
            (at, next((model for model in models if f"success {model}" in names), ""))
            for at, names in day
            if "success" in names
        ],
        "calls": {
            model: lasting(day, {f"attempt {model}"}, {f"success {model}", f"limited {model}"}) for model in models
        },
    }


def lasting(lines: list[tuple[float, set[str]]], begins: set[str], ends: set[str]) -> list[tuple[float, float]]:
    """Return when each thing ended and the seconds it took.

    The log pairs no lines. What began last ends first: so one whose end is missing disturbs no other, and where two
    overlap the longer one looks longer than it was, never shorter.
    """
    begun: list[float] = []
    found = []
    for at, names in lines:
        if names & begins:
            begun.append(at)
        if names & ends and begun:
            found.append((at, at - begun.pop()))
    return found


@observation(within="120 s")
def log_end(history: Log, message_logged: LogView) -> LogView:
    """Every line of the past hour."""
    return history.past({"line": "."}, window_s=3600)


@observation(within="60 s")
def on_host(host: Command) -> dict[str, Execution]:
    """What the service's host holds: the crontab, the monitoring script, and its mode."""
    script = "/usr/local/bin/monitor_fallback.sh"
    return {
        "crontab": host.run("crontab", "-l"),
        "script": host.run("cat", script),
        "mode": host.run("stat", "-c", "%A", script),
    }


@observation(within="60 s")
def offered(provider: Http) -> Exchange:
    """The models that the provider offers to the service's key."""
    return provider.get("/v1beta/models", params={"pageSize": 1000})


@observation(within="120 s")
def immediate(message_logged: LogView, anonymous_availability: list[Exchange], desktop_page: PageView) -> dt.datetime:
    """When the immediate checks had been made."""
    return dt.datetime.now(dt.UTC)


# ---- the page ----

SEEN = """one => {
  const box = one.getBoundingClientRect();
  const shown = one.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  return shown && box.width > 0 && box.height > 0;
}"""
HITS = """one => {
  const box = one.getBoundingClientRect();
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return hit !== null && (one === hit || one.contains(hit));
}"""
CENTRE = """one => {
  const box = one.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""
HEADER = """() => {
  const main = document.querySelector("#chat-container").parentElement;
  let one = document.querySelector("#chat-title-container");
  while (one.parentElement !== main) one = one.parentElement;
  return one.innerText;
}"""
CHOICES = """() => [...document.querySelectorAll("select option, input:not([type=file]), [role=option], [role=radio]")]
  .filter(one => !/csrf/.test(one.name + one.id)).map(one => [one.name, one.value, one.innerText].join(" "))"""
WATCH_SPINNER = """() => {
  const spinner = document.querySelector("#loading-spinner");
  window.seenOfSpinner = [];
  new MutationObserver(() => window.seenOfSpinner.push({
    text: getComputedStyle(spinner).display === "none" ? "" : spinner.innerText.trim(),
    answers: document.querySelectorAll(".prose").length,
  })).observe(spinner, { attributes: true });
}"""
HOVER_RULE = """() => [...document.styleSheets].some(sheet => {
  try { return [...sheet.cssRules].some(rule => rule.cssText.includes("group-hover\\\\/model")); }
  catch { return false; }
})"""
LOOK = """() => ["#chat-form", "#chat-submit-btn"].map(name => {
  const style = getComputedStyle(document.querySelector(name));
  return [style.opacity, style.backgroundColor, style.color, style.cursor].join(" ");
})"""
STATE = """() => {
  const field = document.querySelector("#chat-input-textarea"), button = document.querySelector("#chat-submit-btn");
  const banner = document.querySelector("#service-unavailable-message");
  return {
    field: field.disabled, button: button.disabled, placeholder: field.placeholder,
    banner: banner !== null && banner.checkVisibility() ? banner.innerText.trim() : "",
    announced: banner !== null && banner.closest("[role=alert], [role=status], [aria-live]") !== null,
  };
}"""
DISABLED = f"() => ['{FIELD}', '{BUTTON}'].every(name => document.querySelector(name).disabled)"
ENABLED = f"() => ['{FIELD}', '{BUTTON}'].every(name => !document.querySelector(name).disabled)"
MEASURES = """() => {
  const field = document.querySelector("#chat-input-textarea"), button = document.querySelector("#chat-submit-btn");
  const [a, b] = [field.getBoundingClientRect(), button.getBoundingClientRect()];
  const inside = box => box.left >= 0 && box.top >= 0 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  const root = document.documentElement;
  return {
    scrolls: root.scrollWidth > root.clientWidth,
    inside: inside(a) && inside(b),
    overlap: a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom,
    field: [a.width, a.height], button: [b.width, b.height],
    text: parseFloat(getComputedStyle(field).fontSize),
    viewport: (document.querySelector("meta[name=viewport]") || { content: "" }).content,
  };
}"""


def comes(visit: Visit, condition: str, within: float = BROWSER_S) -> bool:
    """Return whether a condition in the page comes true in time."""
    from playwright.sync_api import TimeoutError as NotInTimeError  # noqa: PLC0415  loaded by the browser's seat, not by us

    try:
        visit.page.wait_for_function(condition, timeout=visit.ms(within))
    except NotInTimeError:
        return False
    return True


def sign_in(visit: Visit, secrets: Confidential, facts: Facts) -> bool:
    """Sign in on the login page, and return whether the chat appears."""
    visit.page.locator("input[name=username]").fill(facts["chat_user"])
    visit.page.locator("input[name=password]").fill(secrets["chat_password"])
    visit.page.locator("input[name=password]").press("Enter")
    return visit.appears(FIELD, within=BROWSER_S)


def of_last(visit: Visit, selector: str, question: str, without: Any) -> Any:
    """Return what the page answers to a question about the last element that fits; `without` when there is none."""
    return visit.page.evaluate(
        f"([name, without]) => {{ const one = [...document.querySelectorAll(name)].at(-1);"
        f" return one ? ({question})(one) : without; }}",
        [selector, without],
    )


def point(visit: Visit, selector: str, *, touch: bool = False, press: bool = True) -> None:
    """Move the pointer, or put a finger, on the last element that fits; where there is none, nothing is touched."""
    place = of_last(visit, selector, CENTRE, None)
    if place is not None and touch:
        visit.page.touchscreen.tap(*place)
    elif place is not None:
        (visit.page.mouse.click if press else visit.page.mouse.move)(*place)


def tooltip(visit: Visit) -> dict[str, object]:
    """Return what is seen of the newest answer's tooltip."""
    name = of_last(visit, f"{ICON} + div", "one => one.textContent.trim()", "")
    return {"shown": of_last(visit, f"{ICON} + div", SEEN, without=False), "name": name}


def icon(visit: Visit) -> dict[str, object]:
    """Return what is seen of the newest answer's icon."""
    return {name: of_last(visit, ICON, question, without=False) for name, question in (("shown", SEEN), ("hit", HITS))}


def answered(visit: Visit, before: int) -> bool:
    """Return whether an answer appears and nothing is pending any more."""
    return comes(visit, f"() => document.querySelectorAll('.prose').length > {before}") and comes(
        visit, "() => getComputedStyle(document.querySelector('#loading-spinner')).display === 'none'"
    )


@observation(spends={"generations": 1}, within="240 s")
def desktop_page(
    page: Browser, secrets: Confidential, facts: Facts, marker: str, message: Reply, ledger: Ledger
) -> PageView:
    """A new conversation on a desktop: opened, a message sent, the icon hovered over, and loaded again."""
    ledger.own("leftover_chats", "chat", f"{facts['chat_user']} {marker}")

    def steps(visit: Visit) -> dict[str, object]:
        here = visit.page
        opened = sign_in(visit, secrets, facts)
        visit.saw(
            opened=opened, state=here.evaluate(STATE), look=here.evaluate(LOOK), header_before=here.evaluate(HEADER)
        )
        visit.saw(choices=here.evaluate(CHOICES), at_rest=here.evaluate(ENABLED))
        here.evaluate(WATCH_SPINNER)
        here.locator(FIELD).fill(f"{marker} How is the weather?")
        point(visit, BUTTON)
        visit.saw(answered=answered(visit, 0), spinner=here.evaluate("window.seenOfSpinner"))
        visit.saw(shown=here.locator("#chat-container").inner_text(), header_after=here.evaluate(HEADER))
        visit.saw(answers=here.locator(".prose").all_inner_texts(), blocks=here.locator(".prose > *").count())
        visit.saw(icon=icon(visit), tooltip_before=tooltip(visit), hover_rule=here.evaluate(HOVER_RULE))
        visit.saw(label=of_last(visit, ".model-info-container", "one => one.parentElement.innerText", ""))
        point(visit, ICON, press=False)
        here.wait_for_timeout(300)  # ours: longer than the fade of any tooltip
        visit.saw(tooltip_after=tooltip(visit), address=here.url)
        here.reload()
        visit.appears(FIELD, within=BROWSER_S)
        return {
            "reloaded": here.locator("#chat-container").inner_text(),
            "reloaded_answers": here.locator(".prose").count(),
            "enabled_again": comes(visit, ENABLED),
        }

    return page.visit("/accounts/login/?next=/new/", steps=steps, name="conversation")


@observation(spends={"generations": 1}, within="240 s")
def phone_page(page: Browser, secrets: Confidential, facts: Facts, marker: str, message: Reply) -> PageView:
    """The run's conversation on a phone: a message is typed and sent, and its model looked up, by touch."""

    def steps(visit: Visit) -> dict[str, object]:
        here = visit.page
        visit.saw(opened=sign_in(visit, secrets, facts), measures=here.evaluate(MEASURES))
        before = here.locator(".prose").count()
        point(visit, FIELD, touch=True)
        here.keyboard.type(f"{marker} Good evening.")
        visit.saw(typed=here.locator(FIELD).input_value(), reachable=of_last(visit, BUTTON, HITS, without=False))
        point(visit, BUTTON, touch=True)
        visit.saw(answered=answered(visit, before), answers=here.locator(".prose").all_inner_texts()[before:])
        of_last(visit, ICON, "one => one.scrollIntoView({ block: 'center' })", None)
        point(visit, ICON, touch=True)
        here.wait_for_timeout(300)  # ours: longer than the fade of any tooltip
        return {"tooltip": tooltip(visit)}

    return page.visit(
        f"/accounts/login/?next=/chat/{message['conversation']}/", device="phone", steps=steps, name="phone"
    )


@observation(permit="writes", within="240 s")
def widths_page(page: Browser, secrets: Confidential, facts: Facts, other_pages: dict[str, Any]) -> PageView:
    """An old conversation at five widths."""

    def steps(visit: Visit) -> dict[str, object]:
        sign_in(visit, secrets, facts)
        found = {}
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": 800})
            found[str(width)] = visit.page.evaluate(MEASURES)
        visit.page.set_viewport_size({"width": WIDTHS[0], "height": 800})
        return {"widths": found}

    number = other_pages["rows"][0]["session_id"]
    return page.visit(f"/accounts/login/?next=/chat/{number}/", steps=steps, name="narrowest")


@observation(permit="writes", within="240 s")
def disabled_page(page: Browser, secrets: Confidential, facts: Facts, message: Reply) -> PageView:
    """The chat while the endpoint says unavailable, which the browser itself answers."""

    def steps(visit: Visit) -> dict[str, object]:
        here = visit.page
        sign_in(visit, secrets, facts)
        visit.saw(disabled=comes(visit, DISABLED), state=here.evaluate(STATE), look=here.evaluate(LOOK))
        here.locator(FIELD).evaluate("one => { one.value = 'Nobody may send this'; one.focus(); }")
        here.keyboard.press("Enter")
        here.wait_for_timeout(300)  # ours: a request that leaves has left
        here.reload()
        visit.appears(FIELD, within=BROWSER_S)
        return {"disabled_again": comes(visit, DISABLED)}

    return page.visit(
        f"/accounts/login/?next=/chat/{message['conversation']}/",
        steps=steps,
        answer={f"*{AVAILABILITY}": Answer(json=UNAVAILABLE)},
        name="disabled",
    )


# ---- rehearsals ----


def switch(controls: Http, part: str, **how: object) -> None:
    """Use one of the rehearsal's switches."""
    answer = controls.post(part, json=how)
    if answer.status != 200:
        raise RuntimeError(f"the rehearsal's switch {part} answered {answer.status}: {answer.text}")


@contextmanager
def refusing(controls: Http, models: Sequence[str], words: str) -> Iterator[None]:
    """Make these models refuse, by their rate limit, the messages that carry `words`."""
    try:
        for model in models:
            switch(controls, f"/{model}", mode="429", only=words)
        yield
    finally:
        for model in models:
            switch(controls, f"/{model}", mode="ok", only=words)


@observation(permit="destructive", spends={"generations": 4}, within="200 s", alone=True)
def fallbacks(
    chat: Http, controls: Http, secrets: Confidential, facts: Facts, marker: str, message: Reply
) -> list[Reply]:
    """Messages while the first one, two, three and four models refuse."""
    said, replies = Chat(chat, secrets, facts, message["conversation"]), []
    for number in range(1, min(5, len(facts["hierarchy"]))):
        words = f"{marker} While {number} models refuse"
        with refusing(controls, facts["hierarchy"][:number], words):
            replies.append(said.say(words))
    return replies


@observation(within="120 s")
def fallbacks_logged(debug: Log, attached: LogMark, fallbacks: list[Reply]) -> LogView:
    """What the log holds of the messages whose first models refused."""
    return debug.since(attached, PATTERNS, until=until_after(fallbacks[-1]), within=30)


def until_after(reply: Reply) -> Any:
    """Return the condition that a log holds the end of a message."""

    def ended(view: LogView) -> bool:
        ends = [*view.matches["processed"], *view.matches["gave up"], *view.matches["failed"]]
        return any(one.line.time is not None and one.line.time >= reply["sent_at"] for one in ends)

    return ended


@observation(permit="destructive", spends={"generations": 1}, within="400 s", alone=True)
def outage(  # noqa: PLR0913, PLR0917  what it looks through
    chat: Http, controls: Http, page: Browser, secrets: Confidential, facts: Facts, marker: str, run: Run,
    patience: Patience, message: Reply, fallbacks: list[Reply],
) -> dict[str, Any]:  # fmt: skip
    """All models refuse one message: what is said then, on the page and off it, until five minutes have passed."""
    said, words = Chat(chat, secrets, facts, message["conversation"]), f"{marker} While all models refuse"
    before = said.get(AVAILABILITY)
    with refusing(controls, facts["hierarchy"], words):
        exhausted = said.say(words)
        passing = Passing(said, controls, run.speed)
        polls = [said.get(AVAILABILITY) for _ in range(20)]
    refused = said.say(f"{marker} Now that no model refuses")

    def steps(visit: Visit) -> dict[str, object]:
        sign_in(visit, secrets, facts)
        visit.saw(disabled=comes(visit, DISABLED), state=visit.page.evaluate(STATE))
        passing.recover(patience)
        return {"enabled_again": comes(visit, ENABLED)}

    view = page.visit(f"/accounts/login/?next=/chat/{said.number}/", steps=steps, name="recovered")
    view.look()
    return {
        "before": before, "exhausted": exhausted, "polls": polls, "refused": refused, "page": view,
        "samples": passing.samples, "after": said.say(f"{marker} After the outage"),
    }  # fmt: skip


class Passing:
    """The time since an exhaustion, in the target's seconds, and what the endpoint said in it."""

    def __init__(self, said: Chat, controls: Http, speed: float) -> None:
        self._said, self._controls, self._speed = said, controls, speed
        self._start, self._advanced = time.monotonic(), 0.0
        self.samples: list[dict[str, Any]] = []

    def elapsed(self) -> float:
        """Return the seconds that have passed."""
        return (time.monotonic() - self._start) * self._speed + self._advanced

    def recover(self, patience: Patience) -> None:
        """Let five minutes pass in steps, asking at each."""
        for moment in (100.0, 200.0, 285.0, 305.0):
            ahead = max(0.0, moment - self.elapsed())
            switch(self._controls, "/clock", advance=ahead)
            self._advanced += ahead
            last = self.sample()
        if last["available"] is not True:
            patience.eventually(self.sample, lambda seen: seen["available"] is True, within=50)

    def sample(self) -> dict[str, Any]:
        """Ask once, and keep the answer with the time before and after it."""
        before = self.elapsed()
        answer = self._said.get(AVAILABILITY)
        self.samples.append({"from_s": before, "to_s": self.elapsed(), "available": answer.json["available"]})
        return self.samples[-1]


@observation(within="120 s")
def outage_logged(debug: Log, attached: LogMark, outage: dict[str, Any]) -> LogView:
    """What the log holds of the outage."""
    return debug.since(attached, PATTERNS, until=until_after(outage["after"]), within=30)


@observation(permit="destructive", within="200 s", alone=True)
def restart(  # noqa: PLR0913, PLR0917  what it looks through
    chat: Http, controls: Http, secrets: Confidential, facts: Facts, marker: str, patience: Patience,
    message: Reply, outage: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """All models refuse one message, and the service is restarted."""
    said, words = Chat(chat, secrets, facts, message["conversation"]), f"{marker} Before the restart"
    with refusing(controls, facts["hierarchy"], words):
        exhausted = said.say(words)
    before = said.get(AVAILABILITY)
    switch(controls, "/restart")
    after = patience.eventually(
        lambda: said.get(AVAILABILITY), lambda seen: seen.trouble is None and seen.json["available"] is True, within=60
    )
    return {"exhausted": exhausted, "before": before, "after": after}


@removal
def leftover_chats(chat: Http, secrets: Confidential, key: str) -> None:
    """Remove the conversations whose title carries a run's marker; the key is the test user's name and the marker."""
    user, marker = key.split()
    said = DjangoSession(chat, secrets, user, secrets["chat_password"])
    for link in markup(said.open("/").text).every("a"):
        address = re.fullmatch(r"/chat/\d+/", link.attributes.get("href", ""))
        if address is not None and marker in link.text:
            answer = said.post(f"{address[0]}delete/", {}, {"HX-Request": "true"})
            if answer.status != 200:
                raise RuntimeError(f"{answer!r}: a conversation of the run was not removed")
