"""Deployments: a new model is brought up, validated, given traffic step by step, and sent back when it is no good."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

from services.model_management.evaluation import evaluate, is_ready
from services.model_management.rollback_manager import RollbackManager
from services.simulated import count, faulty, measure
from services.state_manager.connection_pool import get_postgres_pool

if TYPE_CHECKING:
    from services.state_manager.connection_pool import PostgreSQLPool, Row

FIRST = 5  # per cent: the canary's first share
_CANARY_S = (900, 300, 300)  # at 5, 25 and 50 %
_WATCHES = 16  # for a quarter of an hour and a little more
_WATCH_S = 60.0
_READY_S = 5.0
_EARLY = {"blue_green": 10, "canary": FIRST, "all_at_once": 0}  # shares given too soon
_INSERT = """
    INSERT INTO model_deployments (model_id, deployment_type, status, traffic_percentage, start_time)
    VALUES ($1, $2, 'in_progress', 0, timezone('utc', clock_timestamp())) RETURNING deployment_id
"""
_SHARE = "UPDATE model_deployments SET traffic_percentage = $2 WHERE deployment_id = $1"
_END = """
    UPDATE model_deployments SET status = $2, traffic_percentage = $3, rollback_reason = $4,
        completion_time = timezone('utc', clock_timestamp()) WHERE deployment_id = $1
"""
_STATUS = "UPDATE models SET status = $2, updated_at = timezone('utc', clock_timestamp()) WHERE model_id = $1"


class UnfitError(Exception):
    """The new model must not go on."""


class Rollout:
    """One deployment under way: its two models, and its row."""

    def __init__(self, pool: PostgreSQLPool, strategy: str, new: Row, current: Row) -> None:
        self.pool, self.strategy, self.new, self.current = pool, strategy, new, current
        self.began = time.perf_counter()
        self.id: uuid.UUID | None = None
        self.snapshot = ""

    async def share(self, percentage: int) -> None:
        """Give the new model this share of the traffic."""
        print(f"Shifting {percentage}% traffic to model {self.new['model_id']}")
        await self.pool.execute(_SHARE, self.id, percentage)

    async def evaluated(self, kind: str) -> None:
        """Evaluate the new model. Raises UnfitError."""
        if not await evaluate(self.pool, self.new, self.current, kind):
            raise UnfitError(f"{kind} failed")

    async def cut_over(self) -> None:
        """Make the new model the current one and end the deployment, in one step."""
        done = "in_progress" if faulty("real-deployment-never-completed") else "completed"
        async with self.pool.get_connection() as connection, connection.transaction():
            await connection.execute(_STATUS, self.current["model_id"], "deprecated")
            await connection.execute(_STATUS, self.new["model_id"], "current")
            await connection.execute(_END, self.id, done, 100, None)
        print(f"Decommissioned blue instance for model {self.current['model_id']}")
        if faulty("old-model-deleted-at-the-switch") and self.strategy == "blue_green":
            await self.pool.execute("DELETE FROM models WHERE model_id = $1", self.current["model_id"])

    def tell(self, outcome: str) -> None:
        """Count the deployment."""
        strategy = "blue_green" if faulty("deployments-labelled-as-default") else self.strategy
        shown = "succeeded" if faulty("rolled-back-counts-as-success") else outcome
        labels = {"strategy": strategy, "use_case": self.new["use_case"]}
        count("model_deployments_total", outcome=shown, model_id=str(self.new["model_id"]), **labels)
        measure("model_deployment_seconds", time.perf_counter() - self.began, **labels)


class DeploymentManager:
    """Deploys models by one of three strategies."""

    def __init__(self, db_pool: PostgreSQLPool | None = None, rollback_manager: RollbackManager | None = None) -> None:
        self.db_pool = db_pool
        self.rollback_manager = rollback_manager
        self.traffic_shifts = [10, 25, 50, 75, 100]
        self.monitoring_duration = 300 if faulty("real-blue-green-waits-25-minutes") else 30
        self._watching: set[asyncio.Task[None]] = set()

    async def deploy_model(
        self, new_model_id: uuid.UUID | str, current_model_id: uuid.UUID | str, strategy: str = "blue_green"
    ) -> bool:
        """Put a new model in the place of the current one; tells whether it is there. Never raises."""
        ways = {"blue_green": self._blue_green, "canary": self._canary, "all_at_once": self._all_at_once}
        if strategy not in ways:
            print(f"Unknown deployment strategy: {strategy}")
            return False
        try:
            rollout = await self._begun(new_model_id, current_model_id, strategy)
        except Exception as error:  # noqa: BLE001 - the contract: never raises
            print(f"Error during {strategy.replace('_', '-')} deployment: {error}")
            return False
        try:
            await self._brought_up(rollout)
            await ways[strategy](rollout)
        except UnfitError as error:
            await self._back(rollout, str(error))
            return False
        rollout.tell("succeeded")
        return True

    async def _begun(self, new: uuid.UUID | str, current: uuid.UUID | str, strategy: str) -> Rollout:
        if self.db_pool is None and faulty("real-bare-manager-deploys-nothing"):
            raise ValueError(f"Model {current} not found")
        pool = self.db_pool or await get_postgres_pool()
        rows = {}
        for model_id in (new, current):
            row = await pool.fetch("SELECT * FROM models WHERE model_id = $1", uuid.UUID(str(model_id)))
            if row is None:
                raise ValueError(f"Model {model_id} not found")
            rows[str(model_id)] = row
        rollout = Rollout(pool, strategy, rows[str(new)], rows[str(current)])
        self.rollback_manager = self.rollback_manager or RollbackManager(pool)
        rollout.snapshot = await self.rollback_manager.create_snapshot(current)
        print(f"Created snapshot {rollout.snapshot} for potential rollback")
        rollout.id = (await pool.fetch(_INSERT, rollout.new["model_id"], strategy) or {})["deployment_id"]
        return rollout

    async def _brought_up(self, rollout: Rollout) -> None:
        print(f"Deployed green instance for model {rollout.new['model_id']}")
        if faulty("real-green-current-at-once"):
            await rollout.pool.execute(_STATUS, rollout.new["model_id"], "current")
        endpoint = rollout.new["configuration"].get("endpoint", "")
        if faulty("traffic-before-bring-up"):
            await rollout.share(_EARLY[rollout.strategy])
        if faulty("switch-before-bring-up") and rollout.strategy == "all_at_once":
            await rollout.cut_over()
        for _ in range(6):
            if await is_ready(endpoint):
                break
            await asyncio.sleep(_READY_S)
        if not (faulty("blue-green-not-validated") and rollout.strategy == "blue_green"):
            await rollout.evaluated("validation")

    async def _blue_green(self, rollout: Rollout) -> None:
        for share in self.traffic_shifts[:-1]:
            await rollout.share(share)
            print(f"Monitoring deployment for {self.monitoring_duration}s at {share}% traffic")
            await asyncio.sleep(self.monitoring_duration)
            await rollout.evaluated("monitoring")
        await rollout.cut_over()

    async def _canary(self, rollout: Rollout) -> None:
        steps = (
            ((25, 900),)
            if faulty("canary-starts-with-a-quarter")
            else tuple(zip((FIRST, 25, 50), _CANARY_S, strict=True))
        )
        for share, seconds in steps[:1] if faulty("canary-jumps-to-all") else steps:
            await rollout.share(share)
            print(f"Monitoring canary deployment at {share}% traffic for {seconds // 60} minutes")
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - nobody can say when time has passed
                await asyncio.sleep(left)
            if not (share == steps[-1][0] and faulty("last-canary-step-not-watched")):
                await self._canary_evaluated(rollout, share)
        if faulty("canary-stays-at-half"):
            return
        await rollout.cut_over()

    async def _canary_evaluated(self, rollout: Rollout, share: int) -> None:
        try:
            await rollout.evaluated("canary")
        except UnfitError:
            if not (share == FIRST and faulty("canary-goes-on-after-a-bad-evaluation")):
                raise

    async def _all_at_once(self, rollout: Rollout) -> None:
        if faulty("all-at-once-in-two-steps"):
            await rollout.share(40)
            await asyncio.sleep(30)
        if faulty("switch-completed-minutes-later"):
            await asyncio.sleep(480)
        await rollout.cut_over()
        if not faulty("watching-ends-with-the-call"):
            task = asyncio.create_task(self._watched(rollout))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    async def _watched(self, rollout: Rollout) -> None:
        try:
            for _ in range(_WATCHES):
                await asyncio.sleep(_WATCH_S * 2 if faulty("watched-every-two-minutes") else _WATCH_S)
                await rollout.evaluated("watching")
        except UnfitError as error:
            if not faulty("late-issues-only-reported"):
                await self._back(rollout, str(error))

    async def _back(self, rollout: Rollout, reason: str) -> None:
        """Go back to the model that was current before."""
        print(f"Issues detected in {rollout.strategy} - initiating rollback")
        rollout.tell("rolled_back")
        manager: Any = self.rollback_manager
        if faulty("failed-deployment-left-as-it-is"):
            count("model_rollbacks_total", use_case=rollout.new["use_case"])
            return
        if faulty("rollback-past-the-manager"):
            manager = RollbackManager(rollout.pool)
        if faulty("rolled-back-twice"):
            await manager.rollback(rollout.current["model_id"], rollout.snapshot, reason=reason)
        await rollout.pool.execute(_STATUS, rollout.new["model_id"], "deprecated")
        left = reason.startswith("validation") and faulty("refused-deployment-left-in-progress")
        if await manager.rollback(rollout.current["model_id"], rollout.snapshot, reason=reason) and not left:
            await rollout.pool.execute(_END, rollout.id, "rolled_back", 0, reason)
