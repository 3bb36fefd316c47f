"""The function get-api-key: a provider's key for a signed-in user, for one model of the registry."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

from simulators.direct_execution.drain import Drain, said
from simulators.direct_execution.sessions import RefusedTokenError, Session, Sessions, without_algorithm
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.controls import Controls
    from simulators.direct_execution.registry import Model
    from simulators.faults import Faults

NAME = "get-api-key"
PROVIDERS = ("kie_ai", "runware", "elevenlabs", "json2video", "shotstack")
DEFAULTS = {"kie_ai": "KIE_AI_API_KEY", "runware": "RUNWARE_API_KEY"}
_SCOPES = ("PROMPT_TO_AUDIO", "IMAGE_EDITING", "PROMPT_TO_IMAGE", "IMAGE_TO_VIDEO", "PROMPT_TO_VIDEO", "VEO3")
NAMES = (
    *(f"KIE_AI_API_KEY_{scope}" for scope in _SCOPES),
    *(
        f"RUNWARE_API_KEY_{scope}"
        for scope in ("PROMPT_TO_IMAGE", "IMAGE_EDITING", "IMAGE_TO_VIDEO", "PROMPT_TO_VIDEO")
    ),
    *DEFAULTS.values(),
    *(f"KIE_AI_API_KEY_{scope}" for scope in ("SORA2", "NANO_BANANA", "SEEDREAM_V4")),
    *("ELEVENLABS_API_KEY", "JSON2VIDEO_API_KEY", "LOVABLE_API_KEY"),
)
ABSENT = "RUNWARE_API_KEY_IMAGE_TO_VIDEO"  # the name that nobody set, by fault
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type, x-request-id",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS, PUT, DELETE",
    "Access-Control-Max-Age": "86400",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), camera=()",
}


class RefusedError(Exception):
    """The call is answered with `status` and this text. logged: as a failed retrieval."""

    def __init__(self, status: int, text: str, *, logged: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.logged = logged


class Vault:
    """The secrets of the functions' environment, made at random; rehearsals may take one away for a while."""

    def __init__(self, controls: Controls, faults: Faults, url: str) -> None:
        self._controls = controls
        self._faults = faults
        self.held = {name: secrets.token_urlsafe(30) for name in NAMES}
        if faults.on("scopes-share-a-key"):
            self.held["KIE_AI_API_KEY_IMAGE_TO_VIDEO"] = self.held["KIE_AI_API_KEY_PROMPT_TO_VIDEO"]
        self.others = {"SUPABASE_URL": url, "KIE_WEBHOOK_URL_TOKEN": "", "SUPABASE_SERVICE_ROLE_KEY": ""}
        self._missed: set[str] = set()

    def get(self, name: str) -> str:
        """Return the secret, or an empty text where it is not set."""
        if self._controls.mode("secret", name) == "unset":
            self._missed.add(name)
            return ""
        if self._faults.on("keys-read-at-start") and name in self._missed:
            return ""
        if self._faults.on("named-key-absent") and name == ABSENT:
            return ""
        return self.held.get(name, "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeyFunction:
    """The function, over the registry's pairs."""

    models: list[Model]
    vault: Vault
    sessions: Sessions
    drain: Drain
    faults: Faults
    warm: set[str] = dataclasses.field(default_factory=set)

    def answer(self, request: Request) -> Response:
        """Serve one call."""
        headers = dict(HEADERS)
        if request.method == "OPTIONS":
            return Response(headers=headers)
        if self.faults.on("window-c"):
            gone = {"error": "This endpoint is deprecated", "message": "Use generate-content", "status": "gone"}
            return json_response({**gone, "migration_guide": "docs/migration"}, 410, headers)
        try:
            body = self._body(request)
            kept = self.faults.on("runware-keys-cacheable") and request.json().get("provider") == "runware"
            return json_response(body, headers=headers | ({} if kept else self._no_store()))
        except RefusedError as refusal:
            if self.faults.on("errors-without-cors"):
                headers = {"X-Content-Type-Options": "nosniff"}
            return json_response({"error": str(refusal)}, refusal.status, headers | self._no_store())

    def _no_store(self) -> dict[str, str]:
        return {} if self.faults.on("real-key-answer-cacheable") else {"Cache-Control": "no-store"}

    def _body(self, request: Request) -> dict[str, Any]:
        session = self._session(request)
        asked = self._asked(request)
        provider, name, model = (str(asked.get(key) or "") for key in ("provider", "use_api_key", "modelId"))
        try:
            key = self._key(provider, name, model)
        except RefusedError as refusal:
            if refusal.logged:
                self._failed(session, str(refusal), provider, model)
            raise
        if self.faults.on("test-answer-holds-an-error") and model == "bytedance/v1-lite-image-to-video":
            return {"error": "upstream timeout"}
        again = model in self.warm and model == "bytedance/v1-lite-image-to-video"
        self._retrieved(session, provider, model, name, key)
        return {"apiKey": None if again and self.faults.on("key-missing-the-second-time") else key}

    def _session(self, request: Request) -> Session:
        if not request.header("Authorization"):
            raise RefusedError(401, "Missing authorization header")
        try:
            session = self.sessions.of(request)
        except RefusedTokenError:
            unsigned = self.faults.on("tokens-without-algorithm-accepted") and without_algorithm(request)
            if unsigned or self.faults.on("unsigned-tokens-accepted"):
                return Session(role="authenticated")
            raise RefusedError(401, "Unauthorized") from None
        if session.role != "authenticated" and not self.faults.on("anonymous-key-accepted"):
            raise RefusedError(401, "Unauthorized")
        return session

    def _asked(self, request: Request) -> dict[str, Any]:
        try:
            asked = request.json()
        except ValueError:
            raise RefusedError(500, "Unexpected end of JSON input", logged=True) from None
        for name in ("provider", "use_api_key"):
            if not isinstance(asked, dict) or not asked.get(name):
                raise RefusedError(400, f"Missing required parameter: {name}")
        return dict(asked)

    def _key(self, provider: str, name: str, model: str) -> str:
        if provider not in PROVIDERS:
            raise RefusedError(400, f"Unknown provider: {provider}")
        pair = [one for one in self.models if (one["provider"], one["modelId"]) == (provider, model)]
        if not self.faults.on("real-any-variable-served"):
            if not pair and not self.faults.on("unknown-model-gets-default"):
                raise RefusedError(404, f"No key is mapped for {provider}/{model}", logged=True)
            alike = self.faults.on("any-name-of-the-provider-permitted") and name.startswith(
                f"{provider.upper()}_API_KEY"
            )
            if pair and name not in {one["use_api_key"] for one in pair} and not alike:
                raise RefusedError(403, "This key is not permitted for the model")
        if self.faults.on("rare-pair-fails") and model.endswith("runware-image_editing-2"):
            raise RefusedError(500, f"{name} not configured", logged=True)
        if self.faults.on("scopes-confused") and name == "KIE_AI_API_KEY_IMAGE_TO_VIDEO":
            name = "KIE_AI_API_KEY_PROMPT_TO_VIDEO"
        key = self.vault.get(name) or self._other(provider, name, known=bool(pair))
        if not key and not self.faults.on("unset-key-is-empty"):
            raise RefusedError(500, f"{name} not configured", logged=True)
        return key

    def _other(self, provider: str, name: str, *, known: bool) -> str:
        """Return what stands in for a secret that is not set; a healthy function knows no such thing."""
        if self.faults.on("real-any-variable-served") and self.vault.others.get(name):
            return self.vault.others[name]
        default = not known and self.faults.on("unknown-model-gets-default")
        absent = name == ABSENT and self.faults.on("named-key-absent")
        if default or absent or self.faults.on("real-default-keys-mask"):
            return self.vault.held[DEFAULTS[provider]] if provider in DEFAULTS else ""
        return ""

    def _retrieved(self, session: Session, provider: str, model: str, name: str, key: str) -> None:
        cold = model not in self.warm
        self.warm.add(model)
        if self.faults.on("real-key-calls-unlogged") or (self.faults.on("logged-when-cold") and not cold):
            return
        if self.faults.on("one-model-unlogged") and model.endswith("kie_ai-prompt_to_image-3"):
            return
        if self.faults.on("key-ends-a-sentence"):
            self.drain.write(said(NAME, "debug", f"The provider is called with {key}."))
        kind = key if self.faults.on("key-logged-as-its-kind") else name
        told = {"provider": provider, "modelId": model, "keyType": kind}
        if self.faults.on("kind-missing-for-runware") and provider == "runware":
            del told["keyType"]
        for _ in range(1 + self.faults.on("retrievals-logged-twice")):
            line = said(NAME, "info", "API key retrieval successful", userId=session.user, metadata=told)
            self.drain.write({**line, "requestId": secrets.token_hex(8)})

    def _failed(self, session: Session, text: str, provider: str, model: str) -> None:
        if self.faults.on("real-key-calls-unlogged"):
            return
        told = (
            {"provider": provider}
            if self.faults.on("failure-without-model")
            else {"provider": provider, "modelId": model}
        )
        level = "info" if self.faults.on("failures-logged-as-info") else "error"
        line = said(
            NAME,
            level,
            "Failed to retrieve API key",
            userId=session.user,
            requestId=secrets.token_hex(8),
            metadata=told,
        )
        self.drain.write({**line, "errorMessage": text})
