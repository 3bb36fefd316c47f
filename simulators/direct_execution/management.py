"""The platform's management API: which secrets a project has, by name and digest."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from simulators.direct_execution.keys import ABSENT
from simulators.serving import Request, Response, json_response

if TYPE_CHECKING:
    from simulators.direct_execution.keys import Vault
    from simulators.faults import Faults


@dataclasses.dataclass(frozen=True, kw_only=True)
class Management:
    """The routes of one project. token: who may ask."""

    vault: Vault
    faults: Faults
    token: str

    def answer(self, request: Request) -> Response:
        """Serve GET /v1/projects/<ref>/secrets."""
        if request.header("Authorization") != f"Bearer {self.token}":
            return json_response({"message": "Unauthorized"}, 401)
        if not request.path.endswith("/secrets") or request.method != "GET":
            return json_response({"message": "Cannot find the route"}, 404)
        held = {**self.vault.held}
        if self.faults.on("named-key-absent"):
            del held[ABSENT]
        if self.faults.on("secret-is-empty"):
            held["KIE_AI_API_KEY_VEO3"] = ""
        if self.faults.on("secret-is-a-placeholder"):
            held["KIE_AI_API_KEY_VEO3"] = "undefined"
        listed = [{"name": name, "value": hashlib.sha256(text.encode()).hexdigest()} for name, text in held.items()]
        return json_response([{"name": "SUPABASE_URL", "value": hashlib.sha256(b"url").hexdigest()}, *listed])
