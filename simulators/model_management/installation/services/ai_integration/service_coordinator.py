"""Coordination: deployments of models through the deployment manager it was given."""

from __future__ import annotations

import os
from typing import Any

from services.model_management.deployment_manager import DeploymentManager
from services.simulated import faulty


class ServiceCoordinator:
    """Coordinates what concerns several services."""

    def __init__(self, deployment_manager: DeploymentManager | None = None) -> None:
        self.deployment_manager = deployment_manager or DeploymentManager()
        if faulty("coordinator-ignores-its-manager"):
            self.deployment_manager = DeploymentManager()

    async def coordinate_model_deployment(
        self, new_model_id: str, current_model_id: str, use_case: str, strategy: str | None = None
    ) -> dict[str, Any]:
        """Deploy a model in place of another; without a strategy, by the configured one."""
        chosen = strategy or os.environ.get("DEPLOYMENT_STRATEGY_DEFAULT", "blue_green")
        if strategy is None and faulty("default-strategy-never-read"):
            chosen = "all_at_once"
        ids = {"new_model_id": str(new_model_id), "current_model_id": str(current_model_id), "use_case": use_case}
        try:
            success = await self.deployment_manager.deploy_model(new_model_id, current_model_id, chosen)
        except Exception as error:  # noqa: BLE001 - the contract: never raises
            return {"success": False, "error": str(error), **ids}
        if chosen == "blue_green" and faulty("blue-green-reports-other-ids"):
            ids["new_model_id"] = ids["current_model_id"]
        if chosen == "canary" and faulty("canary-reports-swapped-ids"):
            ids |= {"new_model_id": ids["current_model_id"], "current_model_id": ids["new_model_id"]}
        if chosen == "canary" and faulty("canary-reported-as-all-at-once"):
            chosen = "all_at_once"
        if chosen == "all_at_once" and faulty("all-at-once-reported-as-blue-green"):
            chosen = "blue_green"
        return {"success": success, **ids, "strategy": chosen}
