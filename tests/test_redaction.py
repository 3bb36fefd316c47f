"""What is masked, in which disguises, and that nothing else is."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import string
import threading
import time
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.redaction import MASK, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

RUN = 8
SECRET = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=12, max_size=24),
    st.text(string.ascii_letters + string.digits + "+/=_-.~%&<>'\"\\ ", min_size=12, max_size=32),
    st.text("0123456789abcdef", min_size=16, max_size=32),
).filter(lambda secret: len(set(secret)) > 4)
AROUND = st.text(st.characters(codec="utf-8"), max_size=12)


def entities(text: str, form: str) -> str:
    return "".join(form.format(ord(char)) for char in text)


def units(text: str) -> str:
    raw = text.encode("utf-16-be")
    return "".join(f"\\u{raw[at]:02x}{raw[at + 1]:02X}" for at in range(0, len(raw), 2))


TEXTS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "lower": str.lower,
    "swapped case": lambda text: text.swapcase() if text.isascii() else text,
    "reversed": lambda text: text[::-1],
    "json": lambda text: json.dumps(text)[1:-1],
    "json unescaped": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "json in html": lambda text: html.escape(json.dumps(text)[1:-1]),
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "html": html.escape,
    "html without quotes": lambda text: html.escape(text, quote=False),
    "html twice": lambda text: html.escape(html.escape(text)),
    "xml": escape,
    "xml attribute": lambda text: quoteattr(text, {"'": "&apos;"})[1:-1] if '"' in text else escape(text),
    "xml ascii": lambda text: escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "decimal entities": lambda text: entities(text, "&#{};"),
    "hex entities": lambda text: entities(text, "&#x{:X};"),
    "repr": lambda text: repr(text)[1:-1],
    "repr of a list in json": lambda text: json.dumps(repr([text]))[3:-3],
    "ascii": lambda text: ascii(text)[1:-1],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "percent": lambda text: quote(text, safe=""),
    "percent lower": lambda text: quote(text, safe="").lower(),
    "percent path": quote,
    "percent plus": quote_plus,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent every": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent in html": lambda text: html.escape(quote_plus(text)),
    "unicode escapes": units,
    "byte escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "basic auth": lambda text: base64.b64encode(f"u:{text}".encode()).decode(),
    "base64 at 1": lambda text: base64.b64encode(f"a{text}z".encode()).decode(),
    "base64 at 2": lambda text: base64.b64encode(f"ab{text}zz".encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(f"ab{text}".encode()).decode(),
    "base64 in a query": lambda text: quote(base64.b64encode(f"a{text}".encode()), safe=""),
    "base64 of utf-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
}
BYTES: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
}


def taught(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


def telling(secret: str) -> set[str]:
    """Return the runs of a secret that give it away."""
    runs = {secret[at : at + RUN] for at in range(len(secret) - RUN + 1)}
    return {run for run in runs if len(set(run)) > 1}


def left_in_base64(text: str, raw: bytes, run: int) -> list[bytes]:
    """Return the runs of `raw` that can still be decoded from what the mask left, at any alignment."""
    pieces = text.replace("-", "+").replace("_", "/").split(MASK)
    decoded = [
        base64.b64decode(piece[start:][: len(piece[start:]) // 4 * 4] or "AAAA")
        for piece in (piece.rstrip("=") for piece in pieces)
        for start in range(4)
    ]
    return [
        raw[at : at + run] for at in range(len(raw) - run + 1) if any(raw[at : at + run] in part for part in decoded)
    ]


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=20, deadline=None)
@given(secret=SECRET, before=AROUND, after=AROUND)
def test_a_secret_is_masked_in_every_disguise(name: str, secret: str, before: str, after: str) -> None:
    redactor = taught(secret)
    disguised = TEXTS[name](secret)
    masked = redactor.text(f"{before}{disguised}{after}")
    left = {TEXTS[name](run) for run in telling(secret)} if "base64" not in name and name != "basic auth" else set()
    assert disguised not in masked
    assert {run for run in left if run in masked and run not in before + MASK + after} == set()
    assert not redactor.found_in(masked)


@pytest.mark.parametrize("coded", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("offset", [0, 1, 2])
@settings(max_examples=25, deadline=None)
@given(secret=st.text(string.ascii_letters + string.digits + "+/_-", min_size=12, max_size=60))
def test_no_telling_run_can_be_decoded_from_masked_base64(
    coded: Callable[[bytes], bytes], offset: int, secret: str
) -> None:
    masked = taught(secret).text(coded(b"x" * offset + secret.encode() + b"tail").decode())
    runs = {run.encode() for run in telling(secret)}
    assert [run for run in left_in_base64(masked, secret.encode(), RUN) if run in runs] == []


@pytest.mark.parametrize("name", BYTES)
@settings(max_examples=25, deadline=None)
@given(secret=SECRET, before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_secret_is_masked_in_bytes(name: str, secret: str, before: bytes, after: bytes) -> None:
    redactor = taught(secret)
    raw = BYTES[name](secret)
    masked = redactor.data(before + raw + after)
    assert raw not in masked
    assert not redactor.found_in(masked)


@settings(max_examples=60, deadline=None)
@given(secret=st.lists(st.sampled_from(string.ascii_letters), min_size=12, unique=True).map("".join), data=st.data())
def test_a_fragment_of_eight_characters_is_masked_and_one_of_seven_is_not(secret: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(secret) - RUN))
    redactor = taught(secret)
    short = f"({secret[at : at + RUN - 1]})"
    assert redactor.text(f"({secret[at : at + RUN]})") == f"({MASK})"
    assert redactor.text(short) == short


def test_an_elided_secret_loses_both_ends() -> None:
    secret = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=40))  # noqa: S311  # a sample
    assert taught(secret).text(f"'{secret[:12]}...{secret[-9:]}'") == f"'{MASK}...{MASK}'"


def test_text_without_a_secret_is_returned_as_it_is() -> None:
    redactor = taught("Zq8#vLw2!mXc9$Rt")
    text = "--------- 127.0.0.1 GET /generate 200 äöü 🙂 *** ---------"
    raw = text.encode()
    assert redactor.text(text) is text
    assert redactor.data(raw) is raw


def test_a_ruler_is_no_secret() -> None:
    rulers = f"{'=' * 80}\n{'-' * 80}\n"
    assert taught("k3y--------=========Qw8z").text(rulers) == rulers


def test_a_repeated_character_goes_with_the_secret_it_leads_into() -> None:
    assert taught("000000001234").text("id=000000001234;") == f"id={MASK};"


@settings(max_examples=40, deadline=None)
@given(secret=SECRET)
def test_json_html_xml_and_urls_stay_what_they_are(secret: str) -> None:
    redactor = taught(secret)
    assert json.loads(redactor.text(json.dumps({"a": f"x{secret}y", "b": 1})))["b"] == 1
    # A backslash at the end is read as JSON reads it: it escapes what follows, and goes with that.
    if all(char.isprintable() and char not in "<>&" for char in secret) and not secret.endswith("\\"):
        page = ET.fromstring(redactor.text(f"<a b={quoteattr(secret)}>{escape(secret)}</a>"))  # noqa: S314  # our own
        assert (page.tag, page.text) == ("a", MASK)


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("nopqrstuvwxyz5", '"line\\nopqrstuvwxyz5"', f'"line{MASK}"'),
        ("e9abcdefghijk5", '"caf\\u00e9abcdefghijk5"', f'"caf{MASK}"'),
        ("20wxyzabcdefg5", "?q=a%20wxyzabcdefg5", f"?q=a{MASK}"),
        ("amp;xyzwvutsr5", "<a>&amp;xyzwvutsr5</a>", f"<a>{MASK}</a>"),
        ("nopqrstuvwxyz5", '"path\\\\nopqrstuvwxyz5"', f'"path\\\\{MASK}"'),
        ("abcdefghijkl5\\", '"abcdefghijkl5\\" said"', f'"{MASK} said"'),
    ],
)
def test_no_escape_is_cut_in_two(secret: str, text: str, masked: str) -> None:
    assert taught(secret).text(text) == masked


def test_a_form_is_masked_in_keys_values_bytes_and_numbers() -> None:
    secret, number = "vL9-qT4_zW7.kR2x", "739105846271930582"
    redactor = taught(secret, number)
    coded = base64.b64encode(b"\0\1" + secret.encode() + b"\2").decode()
    form = {secret: [secret, 7, None, True], "n": int(number), "$value": {"$bytes": coded}, "t": (f"a {secret}",)}
    assert redactor.form(form) == {
        MASK: [MASK, 7, None, True],
        "n": MASK,
        "$value": {"$bytes": base64.b64encode(b"\0\1***\2").decode()},
        "t": [f"a {MASK}"],
    }


def test_a_packed_secret_goes_with_all_that_it_is_packed_into() -> None:
    secret = "vL9-qT4_zW7.kR2x"  # noqa: S105  a sample
    redactor = taught(secret)

    def masked(raw: bytes) -> bytes:
        return base64.b64decode(redactor.form({"$bytes": base64.b64encode(raw).decode()})["$bytes"])

    assert masked(gzip.compress(f"token={secret}".encode())) == b"***"
    for harmless in (gzip.compress(b"token=none"), b"\x1f\x8b no gzip"):
        assert masked(harmless) == harmless


def test_a_rotated_secret_is_masked_in_both_values_while_others_read() -> None:
    old, new = "vL9-qT4_zW7.kR2x", "mN3+bY6=hJ8~sD1c"
    redactor = taught(old)
    leaks: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            leaks.extend(text for text in [redactor.text(f"{old} {new}")] if old in text)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    teachers = [threading.Thread(target=redactor.learn, args=(secret,)) for secret in (new, new[::-1] + "x", new)]
    for teacher in teachers:
        teacher.start()
    for teacher in teachers:
        teacher.join()
    assert redactor.text(f"{old} {new}") == f"{MASK} {MASK}"
    ended.set()
    for reader in readers:
        reader.join()
    assert leaks == []


def test_secrets_are_not_in_the_redactors_repr() -> None:
    assert repr(taught("vL9-qT4_zW7.kR2x")) == "Redactor(secrets=1, values='***')"


@pytest.mark.parametrize("secret", ["", "short", "1234567"])
def test_a_text_too_short_to_be_found_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=f"{len(secret)} characters cannot be masked"):
        Redactor().learn(secret)


@pytest.mark.parametrize("size", [100, 1023, 1024, 1031, 5000, (1 << 20) + 3, (1 << 21) + 9])
def test_small_and_large_texts_are_searched_alike(size: int) -> None:
    secret = "vL9-qT4_zW7.kR2x"  # noqa: S105  # a sample
    redactor = taught(secret)
    for at in {0, 1, size // 2, size - 20, size - len(secret), (1 << 20) - 5} & set(range(size)):
        raw = bytearray(b"." * size)
        raw[at : at + len(secret)] = secret.encode()
        raw = raw[:size]
        assert redactor.data(bytes(raw)) == bytes(raw[:at]) + b"***" + bytes(raw[at + len(secret) :])


@pytest.mark.parametrize("coded", [bytes.hex, lambda raw: base64.b64encode(raw).decode()], ids=["hex", "base64"])
def test_ten_megabytes_without_a_secret_take_well_under_a_second(coded: Callable[[bytes], str]) -> None:
    shuffled = random.Random(7)  # noqa: S311  # a sample
    redactor = taught(*(base64.b64encode(shuffled.randbytes(30)).decode() for _ in range(20)))
    raw = coded(shuffled.randbytes(7_500_000)).encode()[:10_000_000]
    redactor.found_in(raw[:5000])
    started = time.perf_counter()
    assert redactor.data(raw) is raw
    assert time.perf_counter() - started < 1.0
