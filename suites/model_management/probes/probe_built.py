"""Whether the registry can be imported and built at all: it imports nothing before it is called."""

from __future__ import annotations


async def built() -> bool:
    """Import the registry, build it without arguments and look something up; tells whether a model was found."""
    from services.model_management.model_registry import ModelRegistry  # noqa: PLC0415 - the import is what is tried

    return await ModelRegistry().get_current_model("foundation_layer") is not None
