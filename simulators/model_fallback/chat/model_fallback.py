"""Asking the models in their order until one answers. The module's name is what the log shows."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any

from simulators.fetching import FetchError, fetch
from simulators.model_fallback import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from simulators.clock import Clock
    from simulators.faults import Faults

LOG = logging.getLogger("chat.model_fallback")
RESET_S = 300.0
TRIES = 2
DELAY_S = 0.5
MISSING = ("404", "not found")
TRANSIENT = ("429", "503", "rate limit", "quota", "overloaded", "temporarily unavailable", "too many requests")
UNSUITABLE = ("not_found", "not supported", "not available")


class ExhaustedError(Exception):
    """Every model refused; the text is what the user reads."""


class ProviderError(Exception):
    """The provider answered with an error; the text is as its client library words it."""


@dataclasses.dataclass
class State:
    """Whether all models were found exhausted, and at which moment of the target's clock."""

    since: float | None = None


@dataclasses.dataclass(kw_only=True)
class Cascade:
    """The hierarchy and its state, which is this process's own. passed_s: time that was let pass at once."""

    hierarchy: Mapping[str, str]
    url: str
    key: str
    clock: Clock
    faults: Faults
    kept: Path
    passed_s: float = 0.0
    states: list[State] = dataclasses.field(default_factory=list)
    turns: Iterator[int] = dataclasses.field(default_factory=itertools.count)
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # Two workers behind one address, each with its own state, take requests in turns.
        self.states = [State() for _ in range(2 if self.faults.on("real-flag-per-worker") else 1)]
        if self.faults.on("flag-outlives-restart") and self.kept.exists():
            self.states[0].since = float(self.kept.read_text(encoding="ascii"))

    def now(self) -> float:
        """Return the target's seconds since an arbitrary moment."""
        return self.clock.seconds() + self.passed_s

    def state(self) -> State:
        """Return the state of the worker whose turn it is, reset if its time is over."""
        state = self.states[next(self.turns) % len(self.states)]
        limit = RESET_S * (0.5 if self.faults.on("recovers-too-early") else 1)
        if state.since is not None and self.now() - state.since > limit and not self.faults.on("never-recovers"):
            LOG.info("Resetting model exhaustion after %ds", self.now() - state.since)
            self._set(state, None)
        return state

    def availability(self) -> tuple[bool, str]:
        """Return whether the service says it is available, and its sentence."""
        state = self.state()
        if self.faults.on("availability-is-constant") or state.since is None:
            return True, "Service available"
        if self.faults.on("polls-prolong-exhaustion"):
            self._set(state, self.now())
        left = max(0, int(RESET_S - (self.now() - (state.since or 0.0))))
        return False, f"Service temporarily unavailable. Please try again in {left}s."

    def answer(self, prompt: str, wanted: str = "") -> tuple[str | None, str]:
        """Return the answer and the model that gave it. Raises ExhaustedError, ProviderError.

        wanted: a model that is asked in place of the hierarchy, which only a faulty page lets users choose.
        """
        state = self.state()
        if state.since is not None and not self.faults.on("exhausted-still-asks"):
            LOG.warning("All models exhausted, rejecting request")
            raise ExhaustedError(wording.REFUSED)
        found = self._asked_all(prompt, wanted)
        if found is None:
            LOG.error("All %d models exhausted", len(self.hierarchy))
            self._set(state, self.now())
            raise ExhaustedError(self._sentence())
        return found

    def _asked_all(self, prompt: str, wanted: str) -> tuple[str | None, str] | None:
        models = list(self.hierarchy)
        order = [models[0], *models[:0:-1]] if self.faults.on("fallback-jumps-to-last") else models
        for number, model in enumerate([wanted] if wanted else order, 1):
            told = wording.attempting(self._number(number), self._count(models), model)
            late = self.faults.on("attempt-told-after-success")
            if not late:
                LOG.info(told)
            answered = self._asked(model, prompt)
            if late:
                LOG.info(told)
            if answered is not None:
                return answered[0], model
        return None

    def _number(self, number: int) -> int:
        return 1 if self.faults.on("log-numbers-every-attempt-one") else number

    def _count(self, models: list[str]) -> int:
        return 1 if self.faults.on("log-states-one-model") else len(models)

    def _asked(self, model: str, prompt: str) -> tuple[str | None] | None:
        for attempt in range(1, TRIES + 1):
            try:
                text = self._call(model, prompt)
            except (ProviderError, FetchError) as error:
                if not self._tries_again(model, attempt, str(error)):
                    return None
            else:
                self._tell_success(model, attempt)
                return (text,)
        return None

    def _tell_success(self, model: str, attempt: int) -> None:
        if self.faults.on("success-not-logged"):
            return
        named = next(iter(self.hierarchy)) if self.faults.on("success-names-first-model") else model
        LOG.info(wording.succeeded(named, attempt + self.faults.on("attempts-counted-from-two")))

    def _tries_again(self, model: str, attempt: int, found: str) -> bool:
        """Log a failure and return whether the model is asked once more. Raises it when no other may be asked."""
        low = found.lower()
        if any(word in low for word in MISSING):
            LOG.warning("Model %s not available (404): %s... Moving to next model", model, found[:100])
            return False
        if any(word in low for word in TRANSIENT):
            LOG.warning(wording.limited(model, attempt, found))
            if attempt == TRIES:
                LOG.warning(wording.moving_on(model))
                return False
            LOG.info("Retrying %s in %ss...", model, DELAY_S)
            self.clock.sleep(DELAY_S)
            return True
        if any(word in low for word in UNSUITABLE):
            LOG.warning("Error with %s: %s... Moving to next model", model, found[:100])
            return False
        LOG.error("Non-recoverable error with %s: %s", model, found)
        raise ProviderError(found)

    def _call(self, model: str, prompt: str) -> str | None:
        logging.getLogger("google_genai.models").info("AFC is enabled with max remote calls: 10.")
        body = {"contents": [{"parts": [{"text": prompt}], "role": "user"}]}
        target = f"{self.url}/v1beta/models/{model}:generateContent"
        reply = fetch(target, method="POST", headers={"x-goog-api-key": self.key}, payload=body)
        found: Any = reply.json()
        if not reply.ok:
            raise ProviderError(f"{reply.status} {found['error']['status']}. {found}")
        parts = found["candidates"][0]["content"].get("parts") or []
        return "".join(part["text"] for part in parts) or None

    def _sentence(self) -> str:
        if self.faults.on("exhaustion-shows-provider-error"):
            return "429 RESOURCE_EXHAUSTED. {'error': {'code': 429, 'status': 'RESOURCE_EXHAUSTED'}}"
        return wording.EXHAUSTED

    def _set(self, state: State, since: float | None) -> None:
        with self.lock:
            state.since = since
            if self.faults.on("flag-outlives-restart"):
                self.kept.unlink(missing_ok=True)
                if since is not None:
                    self.kept.write_text(str(since), encoding="ascii")
