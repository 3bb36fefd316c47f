"""The model registry: seventy models, which kind, provider, key and price each has."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.faults import Faults

Model = dict[str, Any]

IMAGE = "32e98d54-3e47-41f8-ae70-0b0c18b78b8f"  # runware_flux_1_schnell
VIDEO = "d9808197-5344-431e-a28e-b84482de076a"  # Seedance_V1_Lite, from a prompt
SYNCHRONOUS = "4c680009-d3fe-436f-85a7-467c76e85f9e"  # Nano Banana by Lovable AI
FILM = "d7df81f6-dc86-4e04-9f75-d4e8c9b03fb2"  # Seedance_V1_Lite, from an image
LATE_PROVIDER = "shotstack"
HIDDEN = "image_editing qwen/runware-image_editing-1"  # a setting hides it from the page

VIDEO_PRICES = {"duration": {"5": 1, "10": 2}, "resolution": {"480p": 1, "720p": 2.25, "1080p": 5}}
_KINDS = {
    "prompt_to_audio": ("PROMPT_TO_AUDIO", 60, {}),
    "image_editing": ("IMAGE_EDITING", 20, {}),
    "prompt_to_image": ("PROMPT_TO_IMAGE", 15, {"numberResults": {"1": 1, "2": 2, "4": 4}}),
    "image_to_video": ("IMAGE_TO_VIDEO", 240, VIDEO_PRICES),
    "prompt_to_video": ("PROMPT_TO_VIDEO", 240, VIDEO_PRICES),
}
# How many models of each kind a provider has besides those that are named below: 70 in all.
_COUNTS = {
    ("prompt_to_audio", "kie_ai"): 3,
    ("image_editing", "kie_ai"): 13,
    ("image_editing", "runware"): 2,
    ("prompt_to_image", "kie_ai"): 16,
    ("prompt_to_image", "runware"): 7,
    ("image_to_video", "kie_ai"): 11,
    ("image_to_video", "runware"): 1,
    ("prompt_to_video", "kie_ai"): 10,
    ("prompt_to_video", "runware"): 1,
}
_FAMILIES = ("Qwen", "Imagen", "Kling", "Hailuo", "Ideogram", "Recraft")


def models(faults: Faults) -> list[Model]:
    """Return every model's MODEL_CONFIG."""
    named = [
        _model("prompt_to_image", "runware", "runware:100@1", "Flux.1 Schnell", "FLUX", "1 Schnell", recordId=IMAGE,
               baseCreditCost=0.2, estimatedTimeSeconds=8, costMultipliers={}),
        _model("prompt_to_image", "runware", "runware:100@1", "FLUX.1 Schnell", "FLUX", "1 Schnell (legacy)",
               recordId=_id("schnell"), baseCreditCost=0.1, estimatedTimeSeconds=10, costMultipliers={}),
        _model("prompt_to_image", "lovable_ai_sync", "gpt-image-1", "GPT-5 Image (Lovable AI)", "Nano Banana",
               "Lovable AI", recordId=SYNCHRONOUS, baseCreditCost=1, use_api_key="", costMultipliers={}),
        _model("prompt_to_image", "kie_ai", "google/nano-banana", "Nano Banana by Google", "Nano Banana", "by Google",
               recordId="09b03fa3-e648-4d42-8494-b91bd2e609b8", baseCreditCost=2, costMultipliers={}),
        _model("prompt_to_video", "kie_ai", "seedance/v1-lite", "Seedance V1 Lite", "Seedance", "V1 Lite",
               recordId=VIDEO, baseCreditCost=8, estimatedTimeSeconds=90),
        _model("image_to_video", "kie_ai", "bytedance/v1-lite-image-to-video", "Seedance V1 Lite", "Seedance",
               "V1 Lite", recordId=FILM, baseCreditCost=2, estimatedTimeSeconds=400),
    ]  # fmt: skip
    made = [_numbered(kind, provider, n) for (kind, provider), most in _COUNTS.items() for n in range(most)]
    if faults.on("model-names-the-other-scope"):
        next(one for one in made if one["contentType"] == "image_to_video")["use_api_key"] = (
            "KIE_AI_API_KEY_PROMPT_TO_VIDEO"
        )
    if faults.on("provider-added-without-key"):
        made.append(_model("prompt_to_video", LATE_PROVIDER, "shotstack/edit", "Edit", "Shotstack", "Edit"))
    return named + made


def _numbered(kind: str, provider: str, number: int) -> Model:
    family = _FAMILIES[number % len(_FAMILIES)]
    variant = f"{provider.partition('_')[0].title()} {number + 1}"
    cost = round(0.06 + number * 0.5 + (4 if kind.endswith("video") else 0), 2)
    return _model(
        kind, provider, f"{family.lower()}/{provider}-{kind}-{number + 1}", f"{family} {variant}", family, variant,
        baseCreditCost=cost,
    )  # fmt: skip


def _model(kind: str, provider: str, model_id: str, name: str, family: str, variant: str, **more: Any) -> Model:
    scope, seconds, multipliers = _KINDS[kind]
    return {
        "modelId": model_id,
        "recordId": _id(f"{kind} {model_id}"),
        "modelName": name,
        "provider": provider,
        "contentType": kind,
        "use_api_key": f"{provider.upper()}_API_KEY_{scope}" if provider != LATE_PROVIDER else "SHOTSTACK_API_KEY",
        "baseCreditCost": 1,
        "estimatedTimeSeconds": seconds,
        "costMultipliers": multipliers,
        "modelFamily": family,
        "variantName": variant,
        "isActive": True,
        **more,
    }


def _id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"direct_execution {text}"))


def hidden() -> str:
    """Return the record id of the model that a setting hides."""
    return _id(HIDDEN)


def price(model: Model, settings: dict[str, Any]) -> float:
    """Return what calculateCost gives: the base cost times the multiplier of every setting that has one."""
    cost = float(model["baseCreditCost"])
    for name, factors in model["costMultipliers"].items():
        cost *= factors.get(str(settings.get(name)), 1)
    return round(cost, 2)


def output_type(kind: str) -> str:
    """Return the generation type of a content type."""
    return "audio" if kind.endswith("audio") else "video" if kind.endswith("video") else "image"
