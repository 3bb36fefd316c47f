"""The image_optimizer system: the server with its two-phase worker and limiter, PostgreSQL, and Replicate behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.image_optimizer.deployment import Deployment

if TYPE_CHECKING:
    from simulators.site import Site, Table


def start(site: Site) -> Table:
    """Start all parts; return the system's environment table."""
    deployment = Deployment(site)
    deployment.start()
    return deployment.table()
