"""The disguises of a secret: every spelling in which a program may print it, cut into the shortest telling runs."""

from __future__ import annotations

import base64
import functools
import html
import itertools
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

# A run of this many characters of a secret is masked wherever it stands; fewer say too little and occur by chance.
RUN = 8
# Eight bytes fix ten characters of base64 at every offset: 64 bits less what the neighbours share, six bits each.
BASE64_RUN = 10

Spell = Callable[[str], str]
Tokens = tuple[bytes, ...]


def _json(char: str) -> str:
    return json.dumps(char)[1:-1]


def _unicode_escapes(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True))


def _each_byte(prefix: str) -> Spell:
    return lambda char: "".join(f"{prefix}{byte:02x}" for byte in _utf8(char))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _entities(text: str, double: str, single: str) -> str:
    return html.escape(text, quote=False).replace('"', double).replace("'", single)


# Letter case is no matter here: the search ignores it for ASCII, so each stands for both.
_SPELLINGS: tuple[Spell, ...] = (
    lambda char: char,
    lambda char: quote(_utf8(char), safe=""),
    lambda char: quote(_utf8(char)),
    lambda char: quote_plus(_utf8(char)),
    _json,
    lambda char: json.dumps(char, ensure_ascii=False)[1:-1],
    lambda char: _json(char).replace("/", "\\/"),
    lambda char: repr(char)[1:-1],
    lambda char: repr(f"{char}'\"")[1:-4],
    lambda char: ascii(char)[1:-1],
    lambda char: repr(_utf8(char))[2:-1],
    lambda char: _entities(char, "&quot;", "&#x27;"),
    lambda char: _entities(char, "&#34;", "&#39;"),
    lambda char: _entities(char, '"', "&apos;"),
    lambda char: _entities(char, "&quot;", "'"),
    lambda char: char.encode("ascii", "xmlcharrefreplace").decode("ascii"),
)
# These change every character.
_WHOLE: tuple[Spell, ...] = (
    _each_byte(""),
    _each_byte("%"),
    _each_byte("\\x"),
    _unicode_escapes,
    lambda char: f"&#{ord(char)};",
    lambda char: f"&#x{ord(char):x};",
    lambda char: "".join(chr(unit) for unit in char.encode("utf-16-le", "surrogatepass")),
    lambda char: "".join(chr(unit) for unit in char.encode("utf-16-be", "surrogatepass")),
)


def disguises(secret: str) -> Iterator[tuple[Tokens, int]]:
    """Yield each distinct disguise as tokens, one per character, and how many tokens in a row give the secret away."""
    seen: set[Tokens] = set()
    for tokens, run in itertools.chain(_spelled(secret), _wide(secret), _base64(secret)):
        if tokens not in seen:
            seen.add(tokens)
            yield tokens, run


@functools.lru_cache(maxsize=1024)
def _spellings(char: str) -> tuple[bytes, ...]:
    """Return a character in every spelling, and each of those spelt once more, always in the same order."""
    once = [spell(char) for spell in (*_SPELLINGS, *_WHOLE)]
    return tuple(_utf8("".join(map(spell, token))).lower() for token in once for spell in _SPELLINGS)


def _spelled(secret: str) -> Iterator[tuple[Tokens, int]]:
    """Yield the disguises that spell one character after the other, each in one way."""
    for text in dict.fromkeys((secret, secret.upper(), secret.lower(), secret[::-1])):
        for tokens in zip(*map(_spellings, text), strict=True):
            yield tokens, RUN


def _wide(secret: str) -> Iterator[tuple[Tokens, int]]:
    for encoding in ("utf-16-le", "utf-16-be"):
        yield tuple(char.encode(encoding, "surrogatepass").lower() for char in secret), RUN


def _base64(secret: str) -> Iterator[tuple[Tokens, int]]:
    """Yield base64 at its three offsets, without the characters that neighbours share in, in both alphabets.

    Of a text that was encoded in UTF-16 first, too.
    """
    for raw in (_utf8(secret), secret.encode("utf-16-le", "surrogatepass")):
        for offset in range(3):
            coded = base64.b64encode(bytes(offset) + raw).decode("ascii")
            # Six bits per character: the first that lies wholly in the secret, and the first behind it.
            fixed = coded[-(-8 * offset // 6) : 8 * (offset + len(raw)) // 6]
            for text in (fixed, fixed.translate(str.maketrans("+/", "-_"))):
                for spell in (_SPELLINGS[0], _SPELLINGS[1], _SPELLINGS[6]):
                    yield tuple(spell(char).lower().encode("ascii") for char in text), BASE64_RUN
