"""An S3 API over HTTP: moto's implementation, behind a check of each request's signature."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends

from simulators.serving import Request, Response
from simulators.wsgi import handler

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from simulators.serving import Listener

_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stored:
    """One object: its bytes, content type, custom metadata and entity tag."""

    body: bytes
    content_type: str
    metadata: Mapping[str, str]
    etag: str


class ObjectStore:
    """The buckets, as a worker's bindings see them: without a signature."""

    def __init__(self, buckets: Iterable[str]) -> None:
        self._backend: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for bucket in buckets:
            self._backend.create_bucket(bucket, "us-east-1")

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
        at: dt.datetime | None = None,
    ) -> None:
        """Store an object; `at` is the moment of the upload, else now."""
        stored = self._backend.put_object(bucket, key, body)
        stored.set_metadata({"Content-Type": content_type})
        stored.set_metadata({f"x-amz-meta-{name}": text for name, text in (metadata or {}).items()})
        if at is not None:
            stored.last_modified = at

    def get(self, bucket: str, key: str) -> Stored | None:
        """Return the object under `key`, or None."""
        stored = self._backend.get_object(bucket, key)
        if stored is None:
            return None
        return Stored(
            body=stored.value,
            content_type=stored.metadata.get("Content-Type", "application/octet-stream"),
            metadata={name: text for name, text in stored.metadata.items() if name.startswith("x-amz-meta-")},
            etag=stored.etag,
        )


def _error(code: str, text: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message></Error>'
    return Response(status=403, body=body.encode(), headers={"Content-Type": "application/xml"})


def _refusal(request: Request, key: str, secret: str) -> Response | None:
    """Return the refusal of a request that is not signed, as AWS Signature Version 4 defines it, with our key."""
    claim = _SIGNATURE.fullmatch(request.header("Authorization"))
    if claim is None:
        return _error("AccessDenied", "Access Denied")
    if claim["key"] != key:
        return _error("InvalidAccessKeyId", "The access key ID you provided does not exist in our records.")
    signed = {name: request.header(name) for name in claim["headers"].split(";")}
    copy = AWSRequest(method=request.method, url=request.origin + request.target, headers=signed)
    copy.context["timestamp"] = request.header("x-amz-date")
    signer = S3SigV4Auth(Credentials(key, secret), "s3", claim["region"])
    canonical = signer.canonical_request(copy)
    if signer.signature(signer.string_to_sign(copy, canonical), copy) != claim["signature"]:
        return _error("SignatureDoesNotMatch", "The request signature we calculated does not match yours.")
    return None


def serve(listener: Listener, key: str, secret: str) -> None:
    """Serve the buckets over the S3 API, path-style, to whoever signs with `key` and `secret`."""
    inner = handler(create_backend_app("s3"))

    def answer(request: Request) -> Response:
        return _refusal(request, key, secret) or inner(request)

    listener.serve(answer)
