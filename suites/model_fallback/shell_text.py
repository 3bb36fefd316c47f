"""Shell lines judged as the text they are: what a grep finds, what a tail follows, when a cron line says something."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import TYPE_CHECKING

from fixtures.values import RefutedError, UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GREPS = {"grep": "G", "egrep": "E", "fgrep": "F"}
LONG = {
    "extended-regexp": "E", "fixed-strings": "F", "perl-regexp": "P", "basic-regexp": "G", "ignore-case": "i",
    "invert-match": "v", "quiet": "q", "silent": "q",
}  # fmt: skip
VALUED = "mABCdDf"  # short options that take a value
CLASSES = {
    "[:space:]": r"\s", "[:blank:]": r" \t", "[:digit:]": "0-9", "[:alpha:]": "A-Za-z", "[:alnum:]": "A-Za-z0-9",
    "[:lower:]": "a-z", "[:upper:]": "A-Z",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grep:
    """One grep. flags: its short options. buffered: whether its output waits for a block. after: what comes behind."""

    pattern: str
    flags: str
    buffered: bool
    after: tuple[str, ...]

    def finds(self, line: str) -> bool:
        """Return whether it selects a line. Raises RefutedError for a pattern that is none."""
        kind = next((flag for flag in reversed(self.flags) if flag in "EFGP"), "G")
        case = re.IGNORECASE if "i" in self.flags else 0
        try:
            found = [one for one in self.pattern.split("\n") if re.search(_translated(one, kind), line, case)]
        except re.error as error:
            raise RefutedError(f"grep's pattern {self.pattern!r} cannot be read: {error}") from None
        return (found != []) != ("v" in self.flags)

    @property
    def prints(self) -> bool:
        """Whether what it selects is printed."""
        return "q" not in self.flags and "/dev/null" not in self.after


def _translated(pattern: str, kind: str) -> str:
    """Return grep's pattern in Python's words. In a basic one most operators have a backslash."""
    if kind == "F":
        return re.escape(pattern)
    if kind == "P":
        return pattern
    parts = []
    for part in re.findall(r"\[\^?\]?(?:\[:\w+:\]|[^\]])*\]|\\.|.", pattern):
        if part[0] == "[" and len(part) > 1:
            for name, letters in CLASSES.items():
                part = part.replace(name, letters)  # noqa: PLW2901  grown step by step
        elif kind == "G" and part[-1] in "|+?(){}":
            part = part[1:] if len(part) > 1 else "\\" + part  # noqa: PLW2901  the other way round there
        parts.append({"\\<": r"\b", "\\>": r"\b"}.get(part, part))
    return "".join(parts)


def words(line: str) -> list[str]:
    """Return the words and operators of a shell line, without its comment; nothing for one that is not whole."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return []


def commands(script: str) -> list[list[str]]:
    """Return the words of each line of a script."""
    return [words(line) for line in script.replace("\\\n", " ").splitlines()]


def _commands(tokens: Sequence[str], names: Sequence[str]) -> list[int]:
    return [at for at, word in enumerate(tokens) if word.rpartition("/")[2] in names]


def _arguments(tokens: Sequence[str], at: int) -> list[str]:
    """Return the arguments of the command at a place: up to the next operator."""
    rest = tokens[at + 1 :]
    return list(rest[: next((number for number, word in enumerate(rest) if word[0] in "|&;<>"), len(rest))])


def greps(tokens: Sequence[str]) -> list[Grep]:
    """Return the greps of a line."""
    return [_grep(tokens, at) for at in _commands(tokens, tuple(GREPS))]


def _grep(tokens: Sequence[str], at: int) -> Grep:
    given = _arguments(tokens, at)
    after = tuple(tokens[at + 1 + len(given) :])
    flags, patterns, plain = GREPS[tokens[at].rpartition("/")[2]], [], []
    rest = iter(given)
    for word in rest:
        if word.startswith("--"):
            name, _, text = word[2:].partition("=")
            flags += LONG.get(name, "")
            patterns += [text or next(rest, "")] if name == "regexp" else []
        elif word.startswith("-") and len(word) > 1:
            letters = re.split(rf"[e{VALUED}]", word[1:], maxsplit=1)
            flags += letters[0]
            taken = [one or next(rest, "") for one in letters[1:]]
            patterns += taken if word[1 + len(letters[0]) :][:1] == "e" else []
        else:
            plain.append(word)
    pattern = "\n".join(patterns) if patterns else (plain or [""])[0]
    unbuffered = "--line-buffered" in given or "stdbuf" in tokens[:at]
    return Grep(pattern=pattern, flags=flags, buffered=not unbuffered, after=after)


def _filled(word: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda one: known.get(one[1], one[0]), word)


def followed(script: str) -> list[str]:
    """Return the files that a script's tails go on reading, its variables put in."""
    known: dict[str, str] = {}
    found: list[str] = []
    for tokens in commands(script):
        told = [_filled(word, known) for word in tokens]
        known.update((name, text) for name, sign, text in (word.partition("=") for word in told) if sign)
        for at in _commands(told, ("tail",)):
            given = _arguments(told, at)
            if any(re.fullmatch(r"-\w*[fF]\w*|--follow(=\w+)?", word) for word in given):
                found += [word for word in given if not word.startswith("-")]
    return found


def alarms(line: str, answer: str) -> bool:
    """Return whether a cron line sends its mail, or prints something, which cron mails as well, at this answer.

    Raises UndecidedError for a line that decides by anything but one grep.
    """
    tokens = words(line)
    found = greps(tokens)
    if len(found) != 1:
        raise UndecidedError(f"the line has {len(found)} greps: a person has to read when it sends a mail")
    operator = next((word for word in found[0].after if word in ("||", "&&", "|", ";")), "")
    if operator not in ("||", "&&"):
        raise UndecidedError(
            f"behind its grep stands {operator or 'nothing'}: a person has to read when it sends a mail"
        )
    selects = any(found[0].finds(one) for one in answer.splitlines())
    asked = [_arguments(tokens, at) for at in _commands(tokens, ("curl",))]
    chatty = [given for given in asked if not any(re.fullmatch(r"-\w*s\w*|--silent", word) for word in given)]
    return selects == (operator == "&&") or (selects and found[0].prints) or chatty != []


def minutes(field: str) -> list[int]:
    """Return the minutes that a crontab's first field names, such as `*/5`, `2-59/5` or `0,5,10`."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("0-59" if span == "*" else span).partition("-")
        found |= {*range(int(first), int(last or first) + 1, int(step or 1))}
    return sorted(found)
