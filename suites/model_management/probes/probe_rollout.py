"""One deployment in a use case of its own, with traffic of its own, looked at in the database at each of its steps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from probe_clock import CLOCK, HURRIED, Clock
from probe_endpoints import Endpoints, Redirected
from probe_ground import made_current, opened_pool, registered, rows, tried, use_case
from services.ai_integration.llm_client import LLMClient
from services.ai_integration.service_coordinator import ServiceCoordinator
from services.model_management.deployment_manager import DeploymentManager
from services.model_management.model_registry import ModelRegistry
from services.model_management.rollback_manager import RollbackManager

if TYPE_CHECKING:
    from collections.abc import Callable

    Manner = Callable[[int], tuple[int, float]]

_STATE = """
    SELECT d.status AS deployment, coalesce(d.traffic_percentage, 0) AS share, d.deployment_type AS strategy,
        d.completion_time IS NOT NULL AS completed, d.rollback_reason AS reason,
        (SELECT array_to_string(array_agg(m.model_id::text), ',') FROM models AS m
            WHERE m.use_case = $2 AND m.status = 'current') AS current,
        (SELECT count(*) FROM model_test_results AS t WHERE t.candidate_model_id = n.model_id) AS evaluations,
        (SELECT count(*) FROM model_test_results AS t
            WHERE t.candidate_model_id = n.model_id AND NOT t.meets_threshold) AS negative,
        (SELECT count(*) FROM models AS o WHERE o.model_id = $3::text::uuid) AS old_rows
    FROM models AS n LEFT JOIN model_deployments AS d
        ON d.model_id = n.model_id AND d.deployment_type <> 'rollback'
    WHERE n.model_id = $1::text::uuid
"""
_CLIENTS = 5
_WATCHED = 5  # waits after the switch in which traffic is sent too: the first four minutes


class _Counting(RollbackManager):
    """The installation's own rollback manager, whose calls are counted."""

    calls: int = 0

    async def rollback(self, *given: Any, **named: Any) -> Any:
        """Count, and roll back."""
        self.calls += 1
        return await super().rollback(*given, **named)


class Rollout:
    """One deployment: its models, its endpoints, its clients, and what was seen of it.

    steps: the state at each wait and at the end. first: requests at the first step with a share between 0 and 100.
    """

    def __init__(self, marker: str, what: str, *, new: Manner, old: Manner, first: int) -> None:
        self._marker, self._what, self._first = marker, what, first
        self.manners = {"new": new, "old": old}
        self._endpoints = Endpoints()
        self._clients: list[LLMClient] = []
        self._sent = 0
        self.clock = Clock(self._at_wait)
        self.steps: list[dict[str, Any]] = []
        self.ids: dict[str, str] = {}
        self.before: dict[str, int] = {}
        self.refused = 0

    async def prepare(self) -> None:
        """Register both models, make the old one current, and have clients use it."""
        await self._endpoints.open()
        for name, manner in self.manners.items():
            address = self._endpoints.url(f"{name}{self._what}", manner)
            self.ids[name] = await registered(self._marker, self._what, name, address)
        await made_current(self.ids["old"])
        for _ in range(_CLIENTS):
            registry: Any = Redirected(ModelRegistry(await opened_pool()), use_case(self._marker, self._what))
            self._clients.append(LLMClient(model_registry=registry))
        self.before = await self._traffic(10)

    async def deploy(self, strategy: str | None, *, bare: bool = False) -> dict[str, Any]:
        """Deploy the new model; return what was seen. bare: with a manager built as the guide shows."""
        pool = await opened_pool()
        rollbacks = _Counting(pool)
        manager = DeploymentManager() if bare else DeploymentManager(pool, rollbacks)
        coordinator = ServiceCoordinator(deployment_manager=manager)
        given = {"strategy": strategy} if strategy else {}
        ids = {"new_model_id": self.ids["new"], "current_model_id": self.ids["old"]}
        self.clock = Clock(self._at_wait)
        CLOCK.set(self.clock)
        name = use_case(self._marker, self._what)
        result = await tried(coordinator.coordinate_model_deployment(**ids, use_case=name, **given), 40)
        returned = self.clock.now()
        await self._note("returned")
        await self.clock.settle(20)
        await self._note("over")
        return {
            "result": result["returned"] or {},
            "raised": result["raised"],
            "hung": result["hung"],
            "ids": self.ids,
            "took_s": returned,
            "waited_s": self.clock.waited,
            "steps": self.steps,
            "before": self.before,
            "after": await self._traffic(100),
            "rollbacks": rollbacks.calls,
            "refused": self.refused,
        }

    async def go_back(self) -> dict[str, Any]:
        """Roll back to the old model by hand; return what was seen."""
        self.clock = Clock(self._noted)
        CLOCK.set(self.clock)
        done = await tried(RollbackManager(await opened_pool()).rollback(self.ids["old"]), 20)
        await self._note("rolled back")
        return {"done": done, "took_s": self.clock.now(), "step": self.steps[-1],
                "after": await self._traffic(20)}  # fmt: skip

    async def close(self) -> None:
        """Let the clients write what they still have to log."""
        for client in self._clients:
            await client.close()

    def seconds_since_switch(self) -> float:
        """Return the deployment's seconds since the new model was first seen to be the current one; 0 before."""
        switched = [step["at"] for step in self.steps if step["current"] == "new"]
        return self.clock.now() - switched[0] if switched else 0.0

    async def _at_wait(self, seconds: float) -> None:
        step = await self._note("waits")
        step["waits_s"] = seconds
        partly = 0 < step["share"] < 100
        fresh = partly and not any(0 < known["share"] < 100 for known in self.steps[:-1])
        after = sum(
            known["current"] == "new" for known in self.steps
        )  # waits since the switch, of which there are many
        if after < _WATCHED:
            step["served"] = await self._traffic(self._first if fresh else 20 if partly else 5)

    async def _noted(self, _: float) -> None:
        await self._note("waits")

    async def _note(self, moment: str) -> dict[str, Any]:
        name = use_case(self._marker, self._what)
        found = await rows(_STATE, self.ids["new"], name, self.ids["old"])
        row = found[0] if found else {}
        owners = {model_id: name for name, model_id in self.ids.items()}
        current = sorted(owners.get(one, one) for one in (row.pop("current", None) or "").split(",") if one)
        warm = any(one.status == 200 for one in self._endpoints.served[f"new{self._what}"])
        step = {"moment": moment, "at": self.clock.now(), "waited_s": self.clock.waited, "current": "+".join(current),
                "new_answered": warm, "waits_s": 0, "served": {"new": 0, "old": 0}, **row}  # fmt: skip
        self.steps.append(step)
        return step

    async def _traffic(self, requests: int) -> dict[str, int]:
        """Send tagged requests through all clients at once; return how many each model answered."""
        hurried = HURRIED.set(True)
        words = f"{self._marker} tagged "
        known = {name: len(self._served(name, words)) for name in self.manners}
        try:
            await asyncio.gather(*(self._some(client, requests // _CLIENTS, words) for client in self._clients))
        finally:
            HURRIED.reset(hurried)
        fresh = {name: self._served(name, words)[known[name] :] for name in self.manners}
        self.refused += sum(status != 200 for found in fresh.values() for status in found)
        return {name: sum(status == 200 for status in found) for name, found in fresh.items()}

    def _served(self, name: str, words: str) -> list[int]:
        return [one.status for one in self._endpoints.tagged(f"{name}{self._what}", words)]

    async def _some(self, client: LLMClient, requests: int, words: str) -> None:
        for _ in range(requests):
            self._sent += 1
            await tried(client.generate_text("foundation", f"{words}{self._sent}", {}), 20)
