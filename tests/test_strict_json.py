"""Strict JSON: what two readers could understand differently is refused, and numbers stay exact."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.strict_json import JsonArray, JsonObject, parse, show
from fixtures.values import RefutedError, decode, encode

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(documents)
@settings(max_examples=200, deadline=None)
def test_what_json_writes_is_read_unchanged(document: object) -> None:
    written = json.dumps(document, ensure_ascii=False, allow_nan=False)
    assert parse(written.encode()) == document
    assert parse(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        pytest.param('{"a": {"b": 1, "b": 2}}', "body at a", '"b" twice', id="duplicate-key"),
        pytest.param('{"a": [1, NaN]}', "body at a[1]", "NaN", id="nan"),
        pytest.param("[Infinity]", "body at [0]", "Infinity", id="infinity"),
        pytest.param("[-Infinity]", "body at [0]", "-Infinity", id="minus-infinity"),
        pytest.param(r'{"a": "\ud800"}', "body at a", r"\ud800", id="lone-surrogate"),
        pytest.param(r'{"\udc00": 1}', "body at the root", r"\udc00", id="lone-surrogate-in-key"),
        pytest.param('{"a": 1} {"b": 2}', "line 1 column 10", "Extra data", id="trailing-data"),
        pytest.param('{"a": 1}\n<html>', "line 2 column 1", "<html>", id="trailing-markup"),
        pytest.param("[1, 2", "line 1 column 6", "the end", id="cut-off"),
        pytest.param("", "line 1 column 1", "the end", id="empty"),
        pytest.param('["\x07"]', "line 1 column 3", "control character", id="control-character"),
        pytest.param("[01]", "line 1 column 3", "1", id="leading-zero"),
        pytest.param("['a']", "line 1 column 2", "'a'", id="single-quotes"),
        pytest.param("\ufeff{}", "line 1 column 1", r"\ufeff", id="byte-order-mark"),
        pytest.param("[" * 101 + "]" * 101, "body", "nesting beyond 100", id="deep"),
        pytest.param("[" * 500_000, "body", "nesting beyond 100", id="very-deep"),
        pytest.param("9" * 4301, "the root", "at most 4300 digits", id="huge-integer"),
        pytest.param("1." + "9" * 4301, "the root", "at most 4300 digits", id="huge-fraction"),
        pytest.param("1e6145", "the root", "exponents within 6144", id="huge-exponent"),
        pytest.param("1e" + "9" * 5000, "the root", "exponents within 6144", id="exponent-of-5000-digits"),
    ],
)
def test_what_is_not_strict_is_refused_saying_where_and_what(text: str, where: str, found: str) -> None:
    with pytest.raises(RefutedError) as refused:
        parse(text.encode("utf-8"))
    assert where in str(refused.value)
    assert found in str(refused.value)
    assert len(str(refused.value)) < 300


def test_invalid_utf8_is_refused_with_its_place() -> None:
    with pytest.raises(RefutedError, match=r"body, byte 2: found b'\\xff"):
        parse(b'["\xff"]')


def test_a_hundred_levels_are_read() -> None:
    assert parse(b"[" * 100 + b"]" * 100) is not None


def test_numbers_are_exact() -> None:
    text = b"[9007199254740993, 0.1, 2.50, 9007199254740993.5, 1e400, 0.10000000000000000001, 1E2, -0.0]"
    numbers = parse(text)
    assert numbers[0] == 2**53 + 1
    assert numbers[1:3] == [0.1, 2.5]
    assert [type(number) for number in numbers[1:3]] == [float, float]
    assert numbers[3] == Decimal("9007199254740993.5")
    assert numbers[4] == Decimal("1e400")
    assert numbers[5] == Decimal("0.10000000000000000001")
    assert numbers[6] == 100
    assert math.copysign(1, numbers[7]) == -1


def test_a_missing_key_names_its_path_and_the_keys_found() -> None:
    document = parse(b'{"metadata": {"model": "V_2", "dimensions": "1024x1024"}}')
    with pytest.raises(RefutedError, match=r"^metadata\.format: found no such key; keys there: model, dimensions$"):
        document["metadata"]["format"]


def test_a_missing_element_names_its_path_and_the_length() -> None:
    document = parse(b'{"data": [{"id": 1}]}')
    with pytest.raises(RefutedError, match=r"^data\[1\]: found only 1 elements$"):
        document["data"][1]
    with pytest.raises(RefutedError, match=r"^data\.id: found an array of 1 in place of an object$"):
        document["data"]["id"]
    with pytest.raises(RefutedError, match=r"^data\[0\]\.name: found no such key; keys there: id$"):
        document["data"][0]["name"]


def test_walking_down_finds_the_first_step_that_is_not_there() -> None:
    document = parse(b'{"data": {"configs": null}}')
    assert document.at("data") == {"configs": None}
    with pytest.raises(RefutedError, match=r"^data\.configs: found NoneType 'None' in place of an array$"):
        document.at("data", "configs", 0)


def test_many_keys_are_not_all_listed() -> None:
    document = parse(json.dumps({f"k{number}": number for number in range(500)}).encode())
    with pytest.raises(RefutedError, match=r"k19 and 480 more$"):
        document["missing"]


def test_a_hostile_key_is_shown_escaped() -> None:
    assert show(("a", "\x1b[31m\u202e", 0, "b")) == r'a["\x1b[31m\u202e"][0].b'


def test_a_part_of_a_document_crosses_processes_with_its_path() -> None:
    part = parse(b'{"data": {"rows": [{"id": 1, "cost": 0.10000000000000000001}]}}')["data"]
    crossed = decode(json.loads(json.dumps(encode(part))))
    assert crossed == part
    assert isinstance(crossed, JsonObject)
    assert isinstance(crossed["rows"], JsonArray)
    with pytest.raises(RefutedError, match=r"^data\.rows\[0\]\.name: found no such key; keys there: id, cost$"):
        crossed["rows"][0]["name"]
