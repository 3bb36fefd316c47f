"""Pages of other tools, sealed: they request nothing, and run no script but their own."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_REMOTE = re.compile(r"""\bsrc\s*=\s*["']?(?!data:)[^\s"'>]+""", re.IGNORECASE)
_TRACKING = re.compile(r"\bgtag\(|\bdataLayer\b|\b_paq\b|\bym\(")
_VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
_HEAD = '<meta charset="utf-8"/>'


class SealError(Exception):
    """A page of another tool that is not built the way we know, so that nothing can be promised about it."""


def seal_test_report(page: str) -> str:
    """Return pytest-html's page readable on a phone, and allowed to run only the script of its template.

    Raises SealError when the page holds any script besides that one.
    """
    scripts = _SCRIPT.findall(page)
    if page.count(_HEAD) != 1 or len(scripts) != 1:
        raise SealError(f"report.html: found {len(scripts)} scripts, allowed the one of pytest-html's template")
    digest = base64.b64encode(hashlib.sha256(scripts[0][1].encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    page = page.replace(' onclick="location.reload()"', "")  # of a button that a finished report does not show
    page = re.sub(r"/\*+\n \* CUSTOM CSS\n.*?\*/", "", page, flags=re.DOTALL)  # it names our files by their paths
    return page.replace(_HEAD, f"{_HEAD}\n    {_policy(policy)}\n    {_VIEWPORT}")


def seal_allure(page: str) -> str:
    """Return Allure's page without its tracking, and allowed to talk to nobody.

    Raises SealError when something that would be fetched is left.
    """
    nonce = secrets.token_urlsafe(16)
    page = _SCRIPT.sub(lambda match: "" if _tracks(match[1], match[2]) else _sworn(match, nonce), page)
    if any(_REMOTE.search(attributes) for attributes, _ in _SCRIPT.findall(page)) or "googletagmanager" in page:
        raise SealError("allure.html: found a script from elsewhere, allowed none")
    head = re.search(r"<head[^>]*>", page)
    if head is None:
        raise SealError("allure.html: found no head, allowed a page")
    policy = (
        "default-src 'none'; img-src data: blob:; media-src data: blob:; font-src data:; frame-src blob: data:; "
        f"connect-src data: blob:; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'"
    )
    return f"{page[: head.end()]}\n    {_policy(policy)}{page[head.end() :]}"


def _policy(policy: str) -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def _tracks(attributes: str, script: str) -> bool:
    return bool(_REMOTE.search(attributes) or _TRACKING.search(script))


def _sworn(match: re.Match[str], nonce: str) -> str:
    return f'<script nonce="{nonce}"{match[1]}>{match[2]}</script>'
