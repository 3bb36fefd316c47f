"""Users and their sessions: passwords in, signed tokens out, as the platform's auth service does it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import secrets
import time
import uuid
from typing import TYPE_CHECKING, Any

from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.direct_execution.data import Data

_LASTS_S = 3600


class RefusedTokenError(Exception):
    """A token that nobody signed, that has expired, or that is none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session:
    """Who asks. role: anon, authenticated or service_role; user: empty unless authenticated."""

    role: str
    user: str = ""


class Sessions:
    """Signs tokens and reads them."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._key = secrets.token_bytes(32)
        self.anon_key = self.sign({"role": "anon", "iss": "supabase"})

    def register(self, email: str, password: str, credits_: float, *, admin: bool = False) -> str:
        """Create a user with a balance; return the id."""
        user = str(uuid.uuid4())
        digest = hashlib.sha256(password.encode()).hexdigest()
        with self._data.base.connect() as connection:
            connection.execute(
                "INSERT INTO auth.users (id, email, password_hash) VALUES (%s, %s, %s)", (user, email, digest)
            )
            connection.execute(
                "UPDATE user_subscriptions SET tokens_remaining = %s, tokens_total = %s WHERE user_id = %s",
                (credits_, credits_, user),
            )
            if admin:
                connection.execute("INSERT INTO user_roles VALUES (%s, 'admin')", (user,))
        return user

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a JSON Web Token (HS256) with these claims, good for an hour."""
        claims = {"exp": int(time.time()) + _LASTS_S, **claims}
        body = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        return _encoded(hmac.digest(self._key, body.encode(), "sha256"))

    def read(self, token: str) -> Session:
        """Return the session of a token. Raises RefusedTokenError."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(body)):
            raise RefusedTokenError
        claims = json.loads(base64.urlsafe_b64decode(body.split(".")[1] + "=="))
        if claims["exp"] < time.time():
            raise RefusedTokenError
        return Session(role=claims["role"], user=claims.get("sub", ""))

    def of(self, request: Request) -> Session:
        """Return the session of a request: that of its bearer token, else of its API key. Raises RefusedTokenError."""
        bearer = request.header("Authorization").removeprefix("Bearer ").strip()
        return self.read(bearer or request.header("apikey"))

    def answer(self, request: Request) -> Response:
        """Serve POST /auth/v1/token?grant_type=password and GET /auth/v1/user."""
        if request.path == "/auth/v1/user":
            try:
                session = self.of(request)
            except RefusedTokenError:
                return json_response({"code": 401, "error_code": "bad_jwt", "msg": "invalid JWT"}, 401)
            return json_response({"id": session.user, "role": session.role})
        if request.path != "/auth/v1/token" or request.query.get("grant_type") != "password":
            return json_response({"code": 404, "msg": "Not found"}, 404)
        asked = request.json()
        digest = hashlib.sha256(str(asked.get("password")).encode()).hexdigest()
        with self._data.base.connect() as connection:
            found = connection.execute(
                "SELECT id FROM auth.users WHERE email = %s AND password_hash = %s", (asked.get("email"), digest)
            ).fetchone()
        if found is None:
            refusal = {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}
            return json_response(refusal, 400)
        user = str(found[0])
        token = self.sign({"role": "authenticated", "sub": user, "email": asked["email"]})
        return json_response(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": _LASTS_S,
                "refresh_token": secrets.token_urlsafe(16),
                "user": {"id": user, "email": asked["email"], "role": "authenticated"},
            }
        )


def without_algorithm(request: Request) -> bool:
    """Say whether a request's token states that it has no signature."""
    head = request.header("Authorization").removeprefix("Bearer ").partition(".")[0]
    try:
        stated: dict[str, Any] = json.loads(base64.urlsafe_b64decode(head + "=="))
    except ValueError:
        return False
    return stated.get("alg") == "none"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
