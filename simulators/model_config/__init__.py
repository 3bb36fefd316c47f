"""The model_config system: image worker, Config Service, D1, R2, testing page, and the providers behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.model_config.deployment import Deployment

if TYPE_CHECKING:
    from simulators.site import Site, Table


def start(site: Site) -> Table:
    """Start all parts; return the system's environment table."""
    deployment = Deployment(site)
    deployment.start()
    return deployment.table()
