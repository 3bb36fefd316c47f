"""Each generation costs what its model's price says, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fixtures.database import Snapshot

    Rows = list[dict[str, Any]]

# The page and the server round to hundredths of a credit, the model files do not.
TOLERANCE = 0.01


def _mispriced(finished: Rows) -> set[str]:
    """Return the models of which a completed generation was charged another amount than its price."""
    completed = [row for row in finished if row["status"] == "completed"]
    return {row["model"] for row in completed if row["price"] is None or abs(row["charged"] - row["price"]) > TOLERANCE}


@pytest.mark.item("MDE-059")
def test_credits_are_taken_once(finished: Rows, own_rows: Snapshot, balances: dict[str, float]) -> None:
    """Every completed generation is charged, no failed one is, and the balance falls once by what was charged."""
    assert len(finished) > 0
    charged = {row["id"]: row["charged"] > 0 for row in finished}
    assert charged == {row["id"]: row["status"] == "completed" for row in finished}
    own = sum(row["charged"] for row in own_rows["own"])
    assert own > 0
    assert balances["before"] - balances["after"] == pytest.approx(own, abs=TOLERANCE)
    assert balances["again"] == balances["after"]


@pytest.mark.item("MDE-060")
def test_credits_equal_the_price(finished: Rows, own_rows: Snapshot) -> None:
    """The amount of every completed generation is its model's base cost times the factors of its settings."""
    assert len(finished) > 0
    assert _mispriced(finished) == set()
    reserved = [row for row in own_rows["own"] if row["status"] == "completed"]
    assert [row["prompt"] for row in reserved if abs(row["used"] - row["charged"]) > TOLERANCE] == []


@pytest.mark.item("MDE-084")
def test_no_amount_is_wrong(finished: Rows) -> None:
    """No model charges a wrong amount: high, no rollback, fix calculateCost() of the named model and redeploy."""
    assert len(finished) > 0
    assert _mispriced(finished) == set()
