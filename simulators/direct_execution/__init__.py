"""The direct_execution system: a Supabase project with its functions, the media studio's page, and three providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.direct_execution.deployment import Deployment

if TYPE_CHECKING:
    from simulators.site import Site, Table


def start(site: Site) -> Table:
    """Start all parts; return the system's environment table."""
    deployment = Deployment(site)
    deployment.start()
    return deployment.table()
