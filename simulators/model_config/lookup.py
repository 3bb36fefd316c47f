"""The worker's look for a model's config at the Config Service."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from simulators.controls import scope
from simulators.fetching import FetchError, Reply, fetch
from simulators.model_config.config_service import WORKER_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.clock import Clock
    from simulators.faults import Faults
    from simulators.model_config.wording import Lines, Wording

    Say = Callable[[Lines], None]

TIMEOUT_S = 4.0  # with the 3.4 s of a picture it stays well below the 10 s that the checklist allows in all
_UNAVAILABLE = 503
_NOT_FOUND = 404
_UNAUTHORIZED = 401
_RETRY_DELAY_S = 0.5


def attempts(faults: Faults) -> int:
    """Return how often something that answers 503 is asked."""
    if faults.on("retries-without-limit"):
        return 12
    return 1 if faults.on("real-no-retry") else 2


def persistently(send: Callable[[], Reply], what: str, say: Say, wording: Wording, clock: Clock) -> Reply:
    """Send until the answer is not 503 or all attempts are used; return the last answer. Raises FetchError."""
    limit = attempts(wording.faults)
    for attempt in range(2, limit + 1):
        reply = send()
        refused = reply.status == _UNAUTHORIZED and wording.faults.on("refused-key-retried")
        if reply.status != _UNAVAILABLE and not refused:
            return reply
        say(wording.retrying(what, attempt))
        clock.sleep(0.0 if wording.faults.on("retries-without-limit") else _RETRY_DELAY_S)
    return send()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfigSource:
    """Where configs come from. cache: used by a faulty deployment only; the system has none."""

    url: str
    wording: Wording
    clock: Clock
    cache: dict[str, Any] = dataclasses.field(default_factory=dict)

    def look_up(self, model: str, words: tuple[str, ...], say: Say) -> Any:
        """Return the config of `model`, or None where there is none to be had; `words` mark the rehearsal."""
        say(self.wording.fetching(model))
        faults = self.wording.faults
        if faults.on("config-cached-an-hour") and self._kept(model) is not None:
            say(self.wording.fetched(model))
            return self._kept(model)
        headers = {WORKER_HEADER: "example.com", **scope(*words)}
        timeout = None if faults.on("real-hanging-config-hangs") else self.clock.ours(TIMEOUT_S)

        def send() -> Reply:
            return fetch(f"{self.url}/model-config/{model}", headers=headers, timeout=timeout)

        try:
            reply = persistently(send, f"model config fetch for {model}", say, self.wording, self.clock)
            return self._judge(model, reply, say)
        except (FetchError, ValueError) as error:
            say(self.wording.unreachable(model, str(error)))
            return None

    def _kept(self, model: str) -> Any:
        """Return the config as a faulty deployment has kept it since before this run: no rehearsal reaches it."""
        if model not in self.cache:
            reply = fetch(f"{self.url}/model-config/{model}", headers={WORKER_HEADER: "example.com"}, timeout=None)
            self.cache[model] = reply.json().get("data") if reply.ok else None
        return self.cache[model]

    def _judge(self, model: str, reply: Reply, say: Say) -> Any:
        if reply.status == _NOT_FOUND:
            say(self.wording.not_found(model))
        elif not reply.ok:
            say(self.wording.failed(model, reply.status, reply.reason))
        else:
            body = reply.json()
            say(self.wording.fetched(model))
            return body.get("data", body)
        return None
