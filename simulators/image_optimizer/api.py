"""The server's HTTP interface: jobs, credits, the limiter's statistics, and the dashboard's page."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.clock import iso
from simulators.image_optimizer.store import COLUMNS, CREDITS, JOBS
from simulators.serving import Request, Response, json_response, text_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.clock import Clock
    from simulators.faults import Faults
    from simulators.image_optimizer.limiter import Limiter
    from simulators.image_optimizer.store import Store
    from simulators.image_optimizer.worker import Worker
    from simulators.serving import Handler

_PAGE = Path(__file__).parent / "page"
_MOST_IMAGES = 10
KEPT_S = 12.0  # for which a cache in front of the server holds an answer
_QUEUE_HEALTHY, _RPM_HEALTHY = 500, 95
_CORS = {"Access-Control-Allow-Origin": "*"}
_ALLOWED = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "Access-Control-Allow-Headers": "*",
}
_INSERT: LiteralString = (
    "INSERT INTO image_optimization_jobs (instance_id, product_id, product_name, total_images) "
    "VALUES (%s, %s, %s, %s) RETURNING " + COLUMNS
)
_REQUIRED = {"error": "Invalid request. Required: productId, productName, images array"}


class RefusedError(Exception):
    """The answer to a request that is not served."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


@dataclasses.dataclass(kw_only=True)
class Api:
    """The Express application. pictures: the address of the products' pictures."""

    clock: Clock
    faults: Faults
    store: Store
    limiter: Limiter
    worker: Worker
    secret: str
    pictures: str
    watched: int = 0
    shown: int = 0
    kept: Response = dataclasses.field(default_factory=Response)
    kept_until: float = 0.0

    def answer(self, request: Request) -> Response:
        """Serve one request."""
        if request.method == "OPTIONS":
            return Response(status=204, headers=_ALLOWED)
        try:
            response = self._route(request)
        except RefusedError as refused:
            response = json_response(refused.body, refused.status)
        return dataclasses.replace(response, headers={**response.headers, **_CORS})

    def _route(self, request: Request) -> Response:
        path, get = request.path, request.method in ("GET", "HEAD")
        job = re.fullmatch(r"/api/image-optimization/jobs/([^/]+)", path)
        if get and job:
            return self._job(request, job[1])
        served = self._reads().get(path) if get else self._create if path == "/api/image-optimization" else None
        if served is not None:
            return served(request)
        if not get:
            return text_response(f"<pre>Cannot {request.method} {path}</pre>", 404, "text/html; charset=utf-8")
        unknown = path.startswith("/api/")
        return json_response({"error": "API endpoint not found"}, 404) if unknown else self._file(path)

    def _reads(self) -> dict[str, Handler]:
        return {
            "/health": lambda _: json_response({"status": "ok", "timestamp": iso(self.clock.now())}),
            "/api/replicate-rate-limiter/stats": lambda _: self._stats(),
            "/api/image-optimization/jobs": self._jobs,
            "/api/me": lambda request: json_response(
                self._me(self._store_of(request)), headers={"Cache-Control": "no-store"}
            ),
            "/api/products": self._products,
        }

    def _stats(self) -> Response:
        self.watched += 1
        if self.faults.on("stats-answer-429") and self.watched % 4 == 0:
            return json_response({"error": "Too many requests"}, 429)
        if self.faults.on("stats-hang-up") and self.watched % 4 == 0:
            raise ConnectionAbortedError
        if self.faults.on("stats-are-html"):
            return self._file("/dashboard")
        figures = self.limiter.figures()
        if self.faults.on("stats-slow"):
            self.clock.sleep(1.6)
        if self.faults.on("stats-kept") and self.clock.seconds() < self.kept_until:
            return self.kept
        health = {
            "queueHealthy": figures["queueLength"] < _QUEUE_HEALTHY and not self.faults.on("queue-never-healthy"),
            "rpmHealthy": figures["rpmUsagePercent"] < _RPM_HEALTHY and not self.faults.on("rpm-never-healthy"),
        }
        if self.faults.on("ratio-against-500"):
            figures["rpmUsagePercent"] = round(figures["requestsInLastMinute"] / 5, 1)
        if self.faults.on("usage-as-text"):
            figures["rpmUsagePercent"] = f"{figures['rpmUsagePercent']:.1f}"
        status = "degraded" if self.faults.on("status-degraded") else "ok"
        body = {"status": status, "timestamp": iso(self.clock.now()), "rateLimiter": figures, "health": health}
        self.kept, self.kept_until = json_response(body), self.clock.seconds() + KEPT_S
        return self.kept

    def _store_of(self, request: Request) -> str:
        """Return the store whose token signs the request. Raises RefusedError."""
        token = request.header("X-Wix-Instance")
        signature, _, payload = token.partition(".")
        if not token:
            raise RefusedError(401, _unauthorized("Missing instance token"))
        if not payload:
            raise RefusedError(401, _unauthorized("Invalid instance token", "Invalid instance token format"))
        if not hmac.compare_digest(signature.rstrip("="), sign(self.secret, payload)):
            raise RefusedError(401, _unauthorized("Invalid instance token", "Invalid instance token signature"))
        try:
            found = json.loads(base64.b64decode(payload.replace("-", "+").replace("_", "/") + "=="))
        except (ValueError, binascii.Error) as error:
            raise RefusedError(401, _unauthorized("Invalid instance token", str(error))) from error
        if not found.get("instanceId"):
            raise RefusedError(401, _unauthorized("Invalid instance token", "Missing instanceId in token payload"))
        return str(found["instanceId"])

    def _me(self, store: str) -> dict[str, Any]:
        found = self.store.run("SELECT * FROM app_instances WHERE instance_id = %s", (store,))
        if not found:
            raise RefusedError(404, {"error": "Instance not found"})
        total, used = found[0]["credits_total"], found[0]["credits_used_month"]
        return {
            "instanceId": store, "siteHost": found[0]["site_host"], "planId": found[0]["plan_id"],
            "creditsTotal": total, "creditsUsedMonth": used, "creditsRemaining": total - used, "creditsResetOn": None,
        }  # fmt: skip

    def _create(self, request: Request) -> Response:
        store = self._store_of(request)
        try:
            body = request.json()
        except ValueError:
            return text_response("<pre>SyntaxError: Unexpected token in JSON</pre>", 400, "text/html; charset=utf-8")
        images = body.get("images") if isinstance(body, dict) else None
        if not isinstance(images, list) or not images or not body.get("productId"):
            raise RefusedError(400, _REQUIRED)
        if len(images) > _MOST_IMAGES:
            raise RefusedError(400, {"error": "Maximum 10 images can be optimized at once"})
        if not all(
            isinstance(one, dict) and one.get("imageId") and one.get("imageUrl") and one.get("prompt") for one in images
        ):
            raise RefusedError(400, {"error": "Each image must have imageId, imageUrl, and prompt"})
        left = self._pay(store, len(images) * CREDITS)
        job = self._insert(store, body, images)
        self.worker.created(int(job["id"]), len(images))
        answer = {"success": True, "job": _shown(job), "creditsUsed": len(images) * CREDITS, "creditsRemaining": left}
        return json_response(answer, 201)

    def _pay(self, store: str, price: int) -> int:
        if self.faults.on("credits-not-taken"):
            return int(self._me(store)["creditsRemaining"])
        paid = self.store.run(
            "UPDATE app_instances SET credits_used_month = credits_used_month + %s WHERE instance_id = %s "
            "AND credits_total - credits_used_month >= %s RETURNING credits_total - credits_used_month AS left",
            (price, store, price),
        )
        if not paid:
            available = self._me(store)["creditsRemaining"]
            raise RefusedError(402, {"error": "Insufficient credits", "required": price, "available": available})
        return int(paid[0]["left"])

    def _insert(self, store: str, body: dict[str, Any], images: list[dict[str, Any]]) -> dict[str, Any]:
        (job,) = self.store.run(
            _INSERT,
            (store, body["productId"], body.get("productName") or "Unknown Product", len(images)),
        )
        prompts = [images[0]["prompt"] if self.faults.on("first-prompt-for-all") else one["prompt"] for one in images]
        if self.faults.on("prompts-shifted"):
            prompts = [*prompts[1:], prompts[0]]
        rows: list[tuple[object, ...]] = [
            (job["id"], str(one["imageId"]), str(one["imageUrl"]), str(prompt))
            for one, prompt in zip(images, prompts, strict=True)
        ]
        kept = rows[:-1] if self.faults.on("last-image-dropped") else rows
        self.store.copy("image_optimization_items", "job_id, image_id, image_url, prompt", kept)
        return job

    def _jobs(self, request: Request) -> Response:
        store = self._store_of(request)
        states = [name for name in request.query.get("status", "").split(",") if name]
        unknown = [name for name in states if name not in ("PENDING", "RUNNING", "DONE", "FAILED", "CANCELED")]
        if unknown:
            raise RefusedError(500, {"error": f'invalid input value for enum job_status: "{unknown[0]}"'})
        found = self.store.run(
            JOBS + "WHERE instance_id = %s AND (cardinality(%s::text[]) = 0 OR status::text = ANY(%s)) "
            "ORDER BY created_at DESC",
            (store, states, states),
        )
        return json_response({"jobs": [_shown(job) for job in found]})

    def _job(self, request: Request, number: str) -> Response:
        store = self._store_of(request)
        if not number.isdigit():
            raise RefusedError(400, {"error": "Invalid job ID"})
        found = self.store.run(JOBS + "WHERE id = %s AND instance_id = %s", (int(number), store))
        if not found:
            raise RefusedError(404, {"error": "Job not found"})
        items = [_shown(item) for item in self.store.items(int(number))]
        self.shown += 1
        stale = self.faults.on("job-goes-back") and self.shown % 2 == 0
        job = _shown(found[0])
        if stale:
            job |= {"status": "PENDING", "completedImages": 0, "failedImages": 0}
        if self.faults.on("one-image-less-shown"):
            job["completedImages"] = max(0, job["completedImages"] - 1)
        return json_response({"job": job, "items": items})

    def _products(self, request: Request) -> Response:
        self._store_of(request)
        if self.faults.on("products-fail"):
            raise RefusedError(500, {"error": "Failed to fetch products"})
        count = 8 if self.faults.on("eight-images-offered") else 10
        images = [{"id": f"image-{n}", "url": f"{self.pictures}?{n}"} for n in range(count)]
        return json_response({"products": [{"id": "product-1", "name": "Test Product", "images": images}]})

    def _file(self, path: str) -> Response:
        if path == "/app.js":
            names = {"firstPrompt": "page-sends-first-prompt", "firstImage": "page-sends-first-image"}
            settings = {short: self.faults.on(name) for short, name in names.items()}
            text = (_PAGE / "app.js").read_text(encoding="utf-8")
            return text_response(f"const DEFECTS = {json.dumps(settings)};\n{text}", kind="text/javascript")
        return text_response((_PAGE / "index.html").read_text(encoding="utf-8"), kind="text/html; charset=utf-8")


def sign(secret: str, payload: str) -> str:
    """Return the signature of a token's payload: base64url of its HMAC-SHA256, without padding."""
    digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _unauthorized(message: str, details: str = "") -> dict[str, object]:
    body: dict[str, object] = {"error": "Unauthorized", "code": "AUTH_FAILED", "message": message}
    return {**body, "details": details} if details else body


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as node-pg and JSON show it: ids are texts, times are ISO."""
    return {
        name: str(found) if name == "id" else iso(found) if hasattr(found, "isoformat") else found
        for name, found in row.items()
    }
