"""Requests to an image provider: from a config's template, or from the hard-wired adapter."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
LEGACY_MODEL = "V_2"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProviderRequest:
    """One request to a provider. model: the name that the answer reports. unfilled: the placeholders left over."""

    provider: str
    model: str
    url: str
    headers: Mapping[str, str]
    payload: Any
    unfilled: tuple[str, ...] = ()


def from_config(config: Mapping[str, Any], variables: Mapping[str, Any]) -> ProviderRequest:
    """Return the request that the config's payload mapping describes, filled in with `variables`."""
    mapping = config["payload_mapping"]
    unfilled: list[str] = []
    payload = _filled(mapping["body"], variables, unfilled)
    return ProviderRequest(
        provider=config["provider_id"],
        model=config["model_id"],
        url=mapping["endpoint"],
        headers=_filled(mapping["headers"], variables, unfilled),
        payload=payload,
        unfilled=tuple(unfilled),
    )


def _filled(template: Any, variables: Mapping[str, Any], unfilled: list[str]) -> Any:
    if isinstance(template, dict):
        return {name: _filled(part, variables, unfilled) for name, part in template.items()}
    if isinstance(template, list):
        return [_filled(part, variables, unfilled) for part in template]
    if not isinstance(template, str):
        return template
    if (whole := _PLACEHOLDER.fullmatch(template)) and whole[1] in variables:
        return variables[whole[1]]  # a number stays a number

    def text(found: re.Match[str]) -> str:
        if found[1] in variables:
            return str(variables[found[1]])
        unfilled.append(found[1])
        return found[0]

    return _PLACEHOLDER.sub(text, template)


def legacy(url: str, key: str, prompt: str, options: Mapping[str, Any]) -> ProviderRequest:
    """Return the request that the Ideogram adapter builds; unknown options go in verbatim."""
    named = {"model": LEGACY_MODEL, "aspect_ratio": None, "style_type": options.get("style")}
    others = {name: option for name, option in options.items() if name != "style"}
    fields = {"prompt": prompt, **named, **others}
    return ProviderRequest(
        provider="ideogram",
        model=LEGACY_MODEL,
        url=f"{url}/generate",
        headers={"Api-Key": key},
        payload={"image_request": {name: field for name, field in fields.items() if field is not None}},
    )
