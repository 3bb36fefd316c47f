"""What the worker writes to its console, line by line; each method gives the lines of one occasion."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.faults import Faults


@dataclasses.dataclass(frozen=True)
class Line:
    """One console call: its level (`log`, `warn`, `error`) and its arguments."""

    level: str
    message: tuple[str | int, ...]


Lines = tuple[Line, ...]


def _line(level: str, *message: str | int) -> Lines:
    return (Line(level, message),)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wording:
    """The texts of one deployment."""

    faults: Faults
    config_url: str
    default_model: str

    def fetching(self, model: str) -> Lines:
        """Before each config fetch."""
        if self.faults.on("fetch-line-reworded"):
            return _line("log", f"Loading configuration of {model}")
        named = self.default_model if self.faults.on("fetch-line-names-default") else model
        host = "undefined" if self.faults.on("fetch-line-from-undefined") else self.config_url
        return _line("log", f"Fetching model config for {named} from {host}")

    def fetched(self, model: str) -> Lines:
        """After a fetch that succeeded."""
        if self.faults.on("fetched-line-missing"):
            return ()
        return _line("log", f"Successfully fetched model config for {model}")

    def chosen(self, model: str, provider: str) -> Lines:
        """Once dynamic mode is decided."""
        named = "undefined" if self.faults.on("provider-undefined-in-line") else provider
        line = _line("log", f"Using model config for {model} (provider: {named})")
        return self._mapping() + line if self.faults.on("flow-out-of-order") else line

    def mapping(self) -> Lines:
        """When the payload is built from the config."""
        return () if self.faults.on("flow-out-of-order") else self._mapping()

    def _mapping(self) -> Lines:
        return _line("log", "Applying payload mapping from model config")

    def unfilled(self, name: str) -> Lines:
        """For a template variable that nobody provided."""
        return _line("warn", f"Template variable not provided: {name}")

    def not_found(self, model: str) -> Lines:
        """After a fetch that was answered 404."""
        if self.faults.on("legacy-mode-silent"):
            return ()
        if self.faults.on("not-found-line-reworded"):
            return _line("log", f"No configuration of {model}")
        return _line("log", f"Model config not found for {model} - will use legacy mode")

    def failed(self, model: str, status: int, reason: str) -> Lines:
        """After a fetch that was answered with another error."""
        return _line("error", f"Failed to fetch model config for {model}:", status, reason)

    def unreachable(self, model: str, text: str) -> Lines:
        """After a fetch that was not answered, or not with JSON."""
        return _line("error", f"Error fetching model config for {model}:", text)

    def falling_back(self, model: str, provider: str) -> Lines:
        """Once legacy mode is decided."""
        if self.faults.on("legacy-mode-silent") or self.faults.on("fallback-warning-missing"):
            return ()
        text = f"Model config not found for {model}, falling back to legacy mode with provider: {provider}"
        return _line("warn", text)

    def legacy(self) -> Lines:
        """When the payload is built by the hard-wired adapter."""
        if self.faults.on("legacy-mode-silent") or self.faults.on("legacy-line-missing"):
            return ()
        first = self._mapping() if self.faults.on("mapping-line-always") else ()
        return first + _line("log", "Using legacy adapter formatRequest")

    def retrying(self, what: str, attempt: int) -> Lines:
        """Before another attempt at something that was answered 503."""
        return _line("warn", f"Retrying {what} after status 503 (attempt {attempt})")

    def answered(self, provider: str, status: int) -> Lines:
        """When the provider answered."""
        if self.faults.on("real-provider-answers-unlogged"):
            return ()
        level = "log" if status < 400 else "error"  # noqa: PLR2004  # the classes of failure
        sent = ' to {"Authorization":"Bearer 0a1b2c3d4e5f"}' if self.faults.on("credential-in-line") else ""
        return _line(level, f"Provider {provider} responded with status {status}{sent}")

    def unanswered(self, provider: str, text: str) -> Lines:
        """When the provider did not answer."""
        return _line("error", f"Provider {provider} did not respond: {text}")

    def succeeded(self, provider: str, model: str) -> Lines:
        """At the end of a generation that delivered."""
        found: Lines = ()
        if not self.faults.on("real-success-unlogged"):
            found += _line("log", f'Generation completed {{"success":true,"provider":"{provider}","model":"{model}"}}')
        if self.faults.on("benign-error-words"):
            found += _line("log", "Request statistics - errors: 0, retries: 0")
        return found

    def generation_error(self, text: str) -> Lines:
        """At the end of a generation that broke."""
        return _line("error", "Generation error:", text)
