"""The observer's small parts: budgets and rate, shared things, the ledger, durations, values, the judge's arguments."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.gate import RunGate
from fixtures.judging_process import judges_own
from fixtures.ledger import FILE, Debt, RunLedger, left_behind
from fixtures.look import BudgetSpentError, StoppedError
from fixtures.observing import seconds
from fixtures.pictures import is_whole_picture, picture_type
from fixtures.shared import RunShared
from fixtures.values import Trouble, decode, encode
from simulators.pictures import png

if TYPE_CHECKING:
    from pathlib import Path


def gate(**limits: float) -> RunGate:
    return RunGate(limits=limits, per_second=None, concurrency=8)


def test_a_budget_is_never_overspent_however_many_ask_at_once() -> None:
    budget, admitted = gate(generations=10), []

    def spend() -> None:
        for _ in range(5):
            try:
                budget.reserve("generations")
            except BudgetSpentError:
                continue
            admitted.append(1)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), budget.spending()["generations"].spent) == (10, 10)


def test_a_reservation_that_is_too_large_takes_nothing() -> None:
    budget = gate(generations=3)
    with pytest.raises(BudgetSpentError, match=r"budget\.generations: 0 of 3 are used, 4 more are not allowed"):
        budget.reserve("generations", 4)
    budget.reserve("generations", 3)


def test_the_rate_holds_over_all_threads() -> None:
    paced = RunGate(limits={}, per_second=50, concurrency=8)
    began = time.monotonic()

    def send() -> None:
        for _ in range(5):
            with paced.admit():
                pass

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 19 / 50


def test_concurrency_is_bounded() -> None:
    narrow, inside, most = RunGate(limits={}, per_second=None, concurrency=2), [], []

    def send() -> None:
        with narrow.admit():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2


def test_after_a_stop_nothing_is_admitted() -> None:
    closed = gate()
    closed.stop()
    with pytest.raises(StoppedError), closed.admit():
        pass
    assert closed.spending() == {}


def test_a_shared_thing_is_made_once_and_closed_once() -> None:
    shared = RunShared()
    made: list[int] = []
    closed: list[str] = []

    def make() -> str:
        time.sleep(0.05)
        made.append(1)
        return "thing"

    threads = [threading.Thread(target=lambda: shared.get("key", make, closed.append)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.close()
    shared.close()
    assert (made, closed) == ([1], ["thing"])


def test_one_thing_that_does_not_close_keeps_no_other_open() -> None:
    shared = RunShared()
    closed: list[str] = []

    def refuse(_: str) -> None:
        raise OSError("it does not close")

    shared.get("good", lambda: "good", closed.append)
    shared.get("bad", lambda: "bad", refuse)
    shared.close()
    assert closed == ["good"]


def test_a_debt_is_on_disk_until_the_last_one_is_removed(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path, marker="m1")
    first, second = Debt("s", "row", "db", "1"), Debt("s", "row", "db", "2")
    ledger.own(first)
    ledger.own(second)
    ledger.disown(first)
    assert left_behind(tmp_path) == ("m1", (second,))
    ledger.disown(second)
    assert not (tmp_path / FILE).exists()


def test_a_torn_ledger_keeps_what_was_whole(tmp_path: Path) -> None:
    ledger = RunLedger(tmp_path, marker="m1")
    ledger.own(Debt("s", "row", "db", "1"))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"marker": "m1", "ow')
    assert left_behind(tmp_path) == ("m1", (Debt("s", "row", "db", "1"),))


@pytest.mark.parametrize(("text", "number"), [("90 s", 90), ("1.5 min", 90), ("2h", 7200)])
def test_durations_are_read_as_written(text: str, number: float) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize("text", ["90", "s", "-1 s", "1 day", ""])
def test_a_duration_without_a_known_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed a number and one of s, min, h"):
        seconds(text)


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(dt.UTC))
)
things = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.integers(), inner)
    ),
    max_leaves=12,
)


@given(things)
def test_every_value_comes_back_as_it_was(thing: object) -> None:
    assert decode(encode(thing)) == thing


def test_a_value_of_ours_comes_back_with_its_type() -> None:
    trouble = Trouble(kind="timeout", text="too late", after_s=1.5)
    assert decode(encode({"t": (trouble, Decimal("1.10"))})) == {"t": (trouble, Decimal("1.10"))}


def test_what_has_no_form_names_itself() -> None:
    with pytest.raises(TypeError, match=r"builtins\.object cannot cross to the judge"):
        encode(object())


def test_the_judge_gets_the_selection_and_nothing_of_the_observers() -> None:
    words = [
        "-m",
        "smoke",
        "--env",
        "prod",
        "--system=a",
        "--runs",
        "x",
        "-n",
        "4",
        "--plan",
        "--junitxml=j",
        "-k",
        "b",
    ]
    assert judges_own(words) == ["-m", "smoke", "-n", "4", "-k", "b"]


def test_a_picture_is_whole_or_it_is_not() -> None:
    picture = png("seed", 16, 16)
    assert (picture_type(picture), is_whole_picture(picture)) == ("image/png", True)
    assert not is_whole_picture(picture[:-20])
    assert not is_whole_picture(picture[:60] + bytes([picture[60] ^ 1]) + picture[61:])
    assert not is_whole_picture(b"<html>not a picture</html>")
