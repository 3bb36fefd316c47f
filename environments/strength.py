"""How hard a secret is to guess, roughly: enough to tell a secret from a word that occurs in reports anyway."""

from __future__ import annotations

import math
import re
import string

# Shorter texts occur by chance, and their fragments of eight characters are most of them.
SHORTEST = 12
# Below this a dictionary attack on a masked report is cheap; 16 random hex digits (64 bits) pass, 12 (48 bits) do not.
LEAST_BITS = 60.0

_WHY = "for others occur in reports by chance (what is not secret is written into the file as plain text)"
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation + " ")
# A character outside ASCII counts as one of the 128 of an alphabet.
_FOREIGN = 128
# A word out of a list of a thousand, which is generous to its author.
_WORD_BITS = 10.0
# What a predictable character adds: whether the pattern goes on.
_PATTERN_BITS = 1.0
_WORDS = re.compile(
    "password|passwort|passwd|secret|token|apikey|admin|administrator|root|user|login|welcome|letmein|qwerty|qwertz|asdfgh"
    "|zxcvbn|changeme|change|default|example|sample|dummy|fake|testing|test|staging|stage|production|prod|develop|local"
    "|host|server|database|postgres|mysql|service|account|access|private|public|master|monkey|dragon|bearer|basic|key|your|here"
)


def weakness(secret: str) -> str | None:
    """Return why `secret` cannot be masked safely, without quoting it, or None when it can."""
    if len(secret) < SHORTEST:
        return f"a text of {len(secret)} characters; allowed: {SHORTEST} or more, {_WHY}"
    if (bits := estimated_bits(secret)) < LEAST_BITS:
        return f"a text worth about {bits:.0f} bits; allowed: {LEAST_BITS:.0f} or more, {_WHY}"
    return None


def estimated_bits(secret: str) -> float:
    """Return the estimated entropy in bits: its alphabet's per character, less for words, runs, sequences, repeats."""
    # Each word becomes one private-use character, so that a repeated word counts as a repetition too.
    words: dict[str, str] = {}
    text = _WORDS.sub(lambda found: words.setdefault(found[0], chr(0xE000 + len(words))), secret.lower())
    each = math.log2(_alphabet(secret))
    bits = 0.0
    for at, char in enumerate(text):
        if _goes_on(text, at):
            bits += _PATTERN_BITS
        else:
            bits += _WORD_BITS if "\ue000" <= char <= "\uf8ff" else each
    return bits


def _alphabet(secret: str) -> int:
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", secret) and not secret.isdecimal():
        return 16
    size = sum(len(kind) for kind in _CLASSES if any(char in kind for char in secret))
    return max(2, size + (0 if secret.isascii() else _FOREIGN))


def _goes_on(text: str, at: int) -> bool:
    """Say whether the character follows from those before it: a run, a sequence, or three characters seen before."""
    if at and text[at] == text[at - 1] and not text[at].isalnum():
        return True
    if at > 1:
        step = ord(text[at]) - ord(text[at - 1])
        if step in (-1, 0, 1) and step == ord(text[at - 1]) - ord(text[at - 2]):
            return True
    # Three characters recur by chance once in thousands of places, two once in hundreds.
    return at > 2 and text[at - 2 : at + 1] in text[:at]  # noqa: PLR2004  # see the line above
