"""The alerting rules of direct_execution are read in whichever of PromQL's ways they are written."""

from __future__ import annotations

from typing import Any

import pytest

from suites.direct_execution.rules import compared, counts, differs, grouped_by, lasts, windows


def rule(query: str, **more: object) -> dict[str, Any]:
    return {"query": query, "labels": {}, "duration": 0, **more}


@pytest.mark.parametrize(
    "query",
    [
        "max by (type) (took / on (type) group_left () expected_seconds) > 2",
        "took > 2 * expected_seconds",
        "max by (type) (took) > on (type) group_left() (2 * expected_seconds)",
        "took / expected_seconds > bool 2",
    ],
)
def test_a_limit_is_found_in_every_spelling(query: str) -> None:
    assert (">", 2.0) in compared(rule(query))


@pytest.mark.parametrize("query", ["a - b > 0", "abs(a - b) > 0.01", "charged != on (id) price", "count(a != b) > 0"])
def test_any_difference_of_two_amounts_is_one(query: str) -> None:
    assert differs(rule(query))


@pytest.mark.parametrize("query", ["abs(a - b) > 1", 'calls{status!="200"} > 5'])
def test_a_larger_difference_is_not_any(query: str) -> None:
    assert not differs(rule(query))


@pytest.mark.parametrize(
    "query", ['calls{status=~"404|500"}', 'calls{status_code=~"4..|5.."}', 'a{code="404"} or a{code="500"}']
)
def test_statuses_are_counted_by_whichever_matcher(query: str) -> None:
    assert (counts(rule(query), "404"), counts(rule(query), "500")) == (True, True)


def test_a_status_that_is_not_matched_is_not_counted() -> None:
    assert not counts(rule('calls{status="500"}'), "404")


def test_spans_are_compared_in_seconds() -> None:
    assert windows(rule("a[60m] / b[1h:1m]")) == {3600}
    assert lasts(rule("a[1m]", duration=300), 300)
    assert not lasts(rule("a[1h]", duration=300), 300)


def test_groups_are_read_with_and_without_spaces() -> None:
    assert grouped_by(rule("sum by(model_id,type) (a)"), "type", "content_type")
    assert not grouped_by(rule("sum by (model_id) (a)"), "type")
