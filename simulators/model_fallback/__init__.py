"""The model_fallback system: a Django chat over a hierarchy of models, its database, its log and the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.model_fallback.deployment import Deployment

if TYPE_CHECKING:
    from simulators.site import Site, Table


def start(site: Site) -> Table:
    """Start all parts; return the system's environment table."""
    deployment = Deployment(site)
    deployment.start()
    return deployment.table()
