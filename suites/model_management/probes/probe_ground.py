"""What every probe stands on: tagged models in use cases of their own, and the way to remove them.

Probes run in the interpreter of the deployed installation: the standard library and the installation are all they have.
"""

from __future__ import annotations

import asyncio
import inspect
import shutil
import time
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.model_management.model_registry import ModelRegistry
from services.state_manager import connection_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

_HAS_PLAYERS = """
    SELECT count(*) AS n FROM information_schema.columns
    WHERE table_name = 'players' AND column_name IN ('id', 'steam_id', 'username')
"""
_PLAYER = """
    INSERT INTO players (steam_id, username) VALUES ($1, $1)
    ON CONFLICT (steam_id) DO UPDATE SET username = $1 RETURNING id
"""
_PLAYERS_GONE = "DELETE FROM players WHERE steam_id LIKE $1"
# A narrative is logged for the live model that told it: its entry is found by the title in its prompt.
_REMOVED = (
    "DELETE FROM model_historical_logs WHERE use_case = 'story_generation' AND prompt LIKE '%' || $1",
    "DELETE FROM model_test_results WHERE candidate_model_id IN (SELECT model_id FROM models WHERE use_case LIKE $1)",
    "DELETE FROM models WHERE use_case LIKE $1",
)
_LEFT = "SELECT count(*) AS n FROM models WHERE use_case LIKE $1"
_SNAPSHOTS = """
    SELECT s.snapshot_id::text AS id FROM model_snapshots AS s JOIN models AS m ON m.model_id = s.model_id
    WHERE m.use_case LIKE $1
"""


async def settled(found: Any) -> Any:
    """Return what a call gave, whether it gave it at once or has to be awaited."""
    return await found if inspect.isawaitable(found) else found


async def opened_pool() -> Any:
    """Return the installation's own pool."""
    return await settled(connection_pool.get_postgres_pool())


@asynccontextmanager
async def lent() -> AsyncIterator[Any]:
    """Lend a connection of the installation's own pool, whether the pool has to be awaited for it or entered."""
    pool = await opened_pool()
    lending = pool.acquire()
    if hasattr(lending, "__aenter__"):
        async with lending as connection:
            yield connection
        return
    connection = await lending
    try:
        yield connection
    finally:
        await settled(pool.release(connection))


async def rows(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return all rows, by a connection: what a pool's own `fetch` returns differs from pool to pool."""
    async with lent() as connection:
        return [dict(row) for row in await connection.fetch(sql, *values)]


def use_case(marker: str, what: str) -> str:
    """Return a use case that nobody else has: no live traffic is in it."""
    return f"verify_{marker}_{what}"


async def registered(marker: str, what: str, name: str, endpoint: str = "", **more: Any) -> str:
    """Register a tagged model as a candidate and return its id."""
    model_id = await ModelRegistry(await opened_pool()).register_model(
        model_name=f"{name}-{marker}",
        model_type="self_hosted",
        provider="ollama",
        use_case=use_case(marker, what),
        version="1.0",
        configuration={"endpoint": endpoint},
        **more,
    )
    return str(model_id)


async def made_current(model_id: str) -> None:
    """Make a tagged model the current one of its use case."""
    await ModelRegistry(await opened_pool()).update_model_status(model_id, "current")


async def tagged_player(marker: str) -> uuid.UUID:
    """Return a player of our own, for whom stories can be told; where there is no such table, one that nobody knows."""
    if not await _has_players():
        return uuid.UUID(int=3)
    (player,) = await rows(_PLAYER, f"verify_{marker}_player")
    return uuid.UUID(str(player["id"]))


async def _has_players() -> bool:
    return bool((await rows(_HAS_PLAYERS))[0]["n"] == 3)


async def tried(work: Awaitable[Any], within_s: float = 10.0) -> dict[str, Any]:
    """Return what became of `work`: what it returned or raised, how long it took, and whether it was given up."""
    began = time.perf_counter()
    seen: dict[str, Any] = {"returned": None, "raised": "", "hung": False}
    try:
        seen["returned"] = await asyncio.wait_for(work, within_s)
    except asyncio.TimeoutError:  # noqa: UP041 - before Python 3.11 it is another class than TimeoutError
        seen["hung"] = True
    except Exception as error:  # noqa: BLE001 - what is raised is what is looked for
        seen["raised"] = f"{type(error).__name__}: {error}"
    return {**seen, "took_s": time.perf_counter() - began}


class BrokenPool:
    """A pool whose database is away: whatever is asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        raise ConnectionError("the database is away")


async def remove(key: str) -> int:
    """Remove all that a run with the marker `key` wrote; return how many things are left of it."""
    tagged = f"verify_{key}_%"
    for row in await rows(_SNAPSHOTS, tagged):
        shutil.rmtree(Path("models/snapshots") / row["id"], ignore_errors=True)
    async with lent() as connection:
        for sql in (*_REMOVED, *([_PLAYERS_GONE] if await _has_players() else [])):
            await connection.execute(sql, tagged)
    (left,) = await rows(_LEFT, tagged)
    return int(left["n"])
