"""One generation: from the request to the stored picture, in the order in which the worker takes its steps."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from simulators.clock import Clock, iso, milliseconds
from simulators.controls import scope
from simulators.fetching import FetchError, Reply, fetch
from simulators.model_config import payloads
from simulators.model_config.asking import Asked, GenerationError
from simulators.model_config.lookup import persistently
from simulators.pictures import png

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulators.faults import Faults
    from simulators.model_config.limiter import Limiter
    from simulators.model_config.lookup import ConfigSource, Say
    from simulators.model_config.wording import Wording
    from simulators.s3 import ObjectStore

LEGACY_PROVIDER = "ideogram"
PROVIDER_TIMEOUT_S = 30.0  # ten times what a picture takes
SLOW_S = 40.0
_METADATA_LIMIT = 512
_NAME_LIMIT = 50
_TOO_MANY = 429


@dataclasses.dataclass(frozen=True, kw_only=True)
class Studio:
    """What a generation needs: the parts around the worker and its settings. keys: API keys by provider."""

    clock: Clock
    faults: Faults
    wording: Wording
    configs: ConfigSource
    limiter: Limiter
    store: ObjectStore
    bucket: str
    provider_url: str
    keys: Mapping[str, str]
    default_model: str
    places: deque[tuple[str, str]] = dataclasses.field(default_factory=lambda: deque(maxlen=2))
    numbers: Iterator[int] = dataclasses.field(default_factory=lambda: itertools.count(1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generation:
    """One generation under way.

    words: the texts by which a rehearsal recognises its own requests. origin: the worker's own address. browser: the
    request comes from a page.
    """

    studio: Studio
    asked: Asked
    words: tuple[str, ...]
    say: Say
    origin: str
    browser: bool

    def run(self) -> dict[str, Any]:
        """Return the success answer without its request id. Raises GenerationError."""
        studio, started = self.studio, self.studio.clock.seconds()
        config = None if self._skips_lookup() else studio.configs.look_up(self.asked.model, self.words, self.say)
        provider = self._choose(config)
        self._limit(provider)
        key = self._key(provider)
        request = self._request(config, key)
        one = self._picture_of(self._submit(request))
        key_in_bucket, url = self._stored(self._download(one), request)
        self.say(studio.wording.succeeded(request.provider, request.model))
        self._linger(config)
        return {
            "success": True,
            "image_url": self._public_url(url, one, config),
            "r2_path": key_in_bucket,
            "metadata": {
                "provider": request.provider,
                "model": request.model,
                "dimensions": one.get("resolution") or "1024x1024",
                "format": "png",
                "generation_time_ms": round((studio.clock.seconds() - started) * 1000),
            },
        }

    def _skips_lookup(self) -> bool:
        return not self.asked.named and self.studio.faults.on("default-skips-lookup")

    def _choose(self, config: Any) -> str:
        wording, model = self.studio.wording, self.asked.model
        if config is None:
            self.say(wording.falling_back(model, LEGACY_PROVIDER))
            return LEGACY_PROVIDER
        provider = str(config.get("provider_id", "undefined"))
        if self.studio.faults.on("default-provider-answers-all"):
            provider = LEGACY_PROVIDER
        self.say(wording.chosen(model, provider))
        return provider

    def _limit(self, provider: str) -> None:
        if provider != LEGACY_PROVIDER:  # the only provider with a limit of its own
            return
        if wait := self.studio.limiter.wait(f"instance:{self.asked.instance}:provider:{provider}"):
            seconds = max(1, math.ceil(wait))
            details = {"retry_after": seconds, "reset": int(time.time()) + seconds}
            raise GenerationError(_TOO_MANY, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded", details=details)

    def _key(self, provider: str) -> str:
        if key := self.studio.keys.get(provider):
            return key
        told = not self.studio.faults.on("real-missing-key-unlogged")
        raise GenerationError(500, "MISSING_API_KEY", f"API key not configured for provider: {provider}", logged=told)

    def _request(self, config: Any, key: str) -> payloads.ProviderRequest:
        studio, asked = self.studio, self.asked
        legacy = payloads.legacy(studio.provider_url, key, asked.prompt, asked.options)
        if config is None:
            self.say(studio.wording.legacy())
            if studio.faults.on("both-modes-run"):
                self.say(studio.wording.chosen(studio.default_model, LEGACY_PROVIDER) + studio.wording.mapping())
            if studio.faults.on("legacy-adapter-missing"):
                raise GenerationError(500, "GENERATION_ERROR", "No adapter registered for provider: ideogram")
            return legacy
        if studio.faults.on("mapping-ignored"):
            self.say(studio.wording.legacy())
            return dataclasses.replace(legacy, model=config["model_id"])
        self.say(studio.wording.mapping())
        if studio.faults.on("default-provider-answers-all"):
            return dataclasses.replace(legacy, model=config["model_id"])
        request = payloads.from_config(config, self._variables(config, key))
        for name in request.unfilled:
            self.say(studio.wording.unfilled(name))
        return request

    def _variables(self, config: Any, key: str) -> dict[str, Any]:
        mapping = config.get("payload_mapping")
        defaults = mapping.get("defaults") if isinstance(mapping, dict) else None
        if self.studio.faults.on("real-defaults-lost"):
            defaults = None
        given = {name: option for name, option in self.asked.options.items() if option is not None}
        return {"num_images": 1, **(defaults or {}), **given, "prompt": self.asked.prompt, "api_key": key}

    def _submit(self, request: payloads.ProviderRequest) -> Reply:
        studio = self.studio
        timeout = None if studio.faults.on("real-hanging-provider-hangs") else studio.clock.ours(PROVIDER_TIMEOUT_S)
        headers = {**request.headers, **scope(*self.words)}

        def send() -> Reply:
            return fetch(request.url, method="POST", headers=headers, payload=request.payload, timeout=timeout)

        try:
            reply = persistently(send, request.provider, self.say, studio.wording, studio.clock)
        except FetchError as error:
            self.say(studio.wording.unanswered(request.provider, str(error)))
            code = (504, "GATEWAY_TIMEOUT", "Image generation timed out") if error.timed_out else None
            raise GenerationError(*(code or (500, "GENERATION_ERROR", str(error)))) from error
        self.say(studio.wording.answered(request.provider, reply.status))
        if not reply.ok:
            if studio.faults.on("failures-leave-pictures"):
                self._store(b"", request)
            raise self._provider_error(request.provider, reply)
        return reply

    def _provider_error(self, provider: str, reply: Reply) -> GenerationError:
        faults, raw = self.studio.faults, reply.body.decode(errors="replace")
        if faults.on("provider-failure-answers-200"):
            return GenerationError(200, "GENERATION_ERROR", raw)
        if faults.on("real-provider-text-returned"):
            return _as_built_error(provider, reply)
        if reply.status == _TOO_MANY:
            return GenerationError(502, "PROVIDER_RATE_LIMIT", "Provider rate limit exceeded")
        return GenerationError(500, "GENERATION_ERROR", f"Image provider failed with status {reply.status}")

    def _picture_of(self, reply: Reply) -> dict[str, Any]:
        try:
            one: dict[str, Any] = reply.json()["data"][0]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise GenerationError(500, "GENERATION_ERROR", "Invalid response from provider") from error
        return one

    def _download(self, one: Mapping[str, Any]) -> bytes:
        try:
            picture = fetch(str(one["url"]), timeout=self.studio.clock.ours(PROVIDER_TIMEOUT_S))
        except FetchError as error:
            raise GenerationError(500, "GENERATION_ERROR", "Failed to download image from provider") from error
        if not picture.ok:
            raise GenerationError(500, "GENERATION_ERROR", "Failed to download image from provider")
        return picture.body

    def _stored(self, picture: bytes, request: payloads.ProviderRequest) -> tuple[str, str]:
        """Return the key and the URL to answer with: those of this picture, or by mistake of the one before."""
        found = self._store(picture, request)
        self.studio.places.append(found)
        return self.studio.places[0] if self.studio.faults.on("answers-name-another-picture") else found

    def _store(self, picture: bytes, request: payloads.ProviderRequest) -> tuple[str, str]:
        asked, now = self.asked, self.studio.clock.now()
        name = re.sub(r"[^a-zA-Z0-9]", "_", asked.prompt[:_NAME_LIMIT])
        file = f"{milliseconds(now)}_{name}.png"
        if self.studio.faults.on("pictures-share-a-key"):
            file = "latest.png"
        key = "/".join(part for part in (asked.instance, asked.project, file) if part)
        cut = asked.prompt[:_METADATA_LIMIT] + ("..." if len(asked.prompt) > _METADATA_LIMIT else "")
        metadata = {
            "instance_id": asked.instance,
            "provider": request.provider,
            "model": request.model,
            "prompt": cut,
            "generation_timestamp": iso(now),
            **({"project_id": asked.project} if asked.project else {}),
        }
        if not self.studio.faults.on("provider-url-returned"):
            self.studio.store.put(self.studio.bucket, key, picture, "image/png", metadata)
        return key, f"{self.origin}/images/{key}"

    def _public_url(self, url: str, one: Mapping[str, Any], config: Any) -> Any:
        if self.studio.faults.on("provider-url-returned"):
            return one["url"]
        dynamic = self.asked.named and config is not None
        if dynamic and self.studio.faults.on("placeholder-returned"):
            self.studio.store.put(self.studio.bucket, "default/placeholder.png", png("placeholder", 8, 8), "image/png")
            return f"{self.origin}/images/default/placeholder.png"
        return None if dynamic and self.studio.faults.on("image-url-null") else url

    def _linger(self, config: Any) -> None:
        """Let every second generation that has a config and comes from no browser take 40 s."""
        faulty = self.studio.faults.on("slow-tail-of-generations")
        if faulty and config is not None and not self.browser and next(self.studio.numbers) % 2 == 0:
            self.studio.clock.sleep(SLOW_S)


def _as_built_error(provider: str, reply: Reply) -> GenerationError:
    """Return the provider's own words as the error, sorted by what they happen to contain."""
    try:
        body = json.loads(reply.body)
        text = str(body.get("error") or body.get("message"))
    except (ValueError, AttributeError):
        text = f"{provider} API error: {reply.status} {reply.reason}"
    if "Rate limit" in text:
        return GenerationError(502, "PROVIDER_RATE_LIMIT", "Provider rate limit exceeded")
    if "timeout" in text:
        return GenerationError(504, "GATEWAY_TIMEOUT", "Image generation timed out")
    return GenerationError(500, "GENERATION_ERROR", text)
