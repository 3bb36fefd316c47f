"""The model_management system: an installation with an interpreter of its own, and the services around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.model_management.deployment import Deployment

if TYPE_CHECKING:
    from simulators.site import Site, Table


def start(site: Site) -> Table:
    """Start all parts; return the system's environment table."""
    return Deployment(site).table()
