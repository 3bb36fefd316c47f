"""Addresses that mean one thing to every reader: a URL or host is refused unless its spelling is the plain one."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, ValidationInfo

from environments.wording import refused, shown

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
# DNS allows 253 characters in a name (RFC 1035, section 2.3.4, less the length bytes).
_NAME_LIMIT = 253
_PORT_LIMIT = 65535


def is_loopback(host: str) -> bool:
    """Say whether `host` (a name or an address, without port) is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _checked_host(host: str) -> None:
    """Raise unless `host` is a plain lower-case name or an address in its canonical spelling."""
    if not host.isascii():
        puny = "".join(f"{_punycode(label)}." for label in host.split("."))[:-1]
        raise refused(f"the host {shown(host)}, which is {puny}", f"ASCII, so that look-alikes show; if meant: {puny}")
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        _checked_number(host)
        return
    if len(host) > _NAME_LIMIT or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise refused(f"the host {shown(host)}", "lower-case letters, digits, hyphens and dots")


def _punycode(label: str) -> str:
    return label if label.isascii() else f"xn--{label.lower().encode('punycode').decode('ascii')}"


def _checked_number(host: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise refused(f"the numeric host {shown(host)}", "four decimal numbers as in 192.0.2.1, or IPv6") from None
    if str(address) != host or getattr(address, "ipv4_mapped", None) is not None:
        plain = getattr(address, "ipv4_mapped", None) or address
        raise refused(f"the numeric host {shown(host)}", f"its plain spelling, {plain}")


def _checked_port(parts: SplitResult) -> None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    # urlsplit reads an empty port as none, and a number in any script as that number: both are somebody's mistake.
    spelling = parts.netloc.rpartition(":")[2] if ":" in parts.netloc.rpartition("]")[2] else None
    if spelling is not None and (port is None or spelling != str(port) or not 1 <= port <= _PORT_LIMIT):
        raise refused(f"the port {shown(spelling)}", f"1 to {_PORT_LIMIT}")


def _checked_text(text: str, what: str) -> None:
    if any(not char.isprintable() or char.isspace() or char == "\\" for char in text):
        raise refused(f"{what} with a blank, a backslash or a control character", "printable characters without blanks")


def checked_page(url: str, info: ValidationInfo) -> str:
    """Return the URL of a page as it is. Raises for every spelling that two readers could take for two addresses."""
    _checked_text(url, "a URL")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise refused("a URL that cannot be parsed", "http:// or https:// and a host") from None
    if parts.scheme not in ("http", "https"):
        raise refused(f"the scheme {shown(parts.scheme)}", "http, https")
    if "@" in parts.netloc:
        raise refused("a user or password before the host", "a host; a credential goes into headers, as a reference")
    if not host:
        raise refused("no host", "http:// or https:// and a host")
    _checked_host(host)
    _checked_port(parts)
    production = bool(info.context and info.context.get("production"))
    if production and parts.scheme == "http" and not is_loopback(host):
        raise refused(f"http to {host} in production", "https (http only to this machine)")
    return url


def checked_url(url: str, info: ValidationInfo) -> str:
    """Return the URL of a service as it is: `checked_page`, and neither query nor fragment, for paths are appended."""
    checked_page(url, info)
    if "?" in url or "#" in url:
        raise refused("a query or fragment", "scheme, host, port and path only")
    return url


def checked_host(host: str) -> str:
    """Return `host` or `host:port` as it is. Raises for wildcards, schemes, paths and odd spellings."""
    _checked_text(host, "a host")
    if any(char in host for char in "/@?#"):
        raise refused(shown(host), "a host, or host:port, without scheme and path")
    try:
        parts = urlsplit(f"//{host}")
        name = parts.hostname
    except ValueError:
        raise refused(shown(host), "a host, or host:port") from None
    if not name:
        raise refused(shown(host), "a host, or host:port")
    _checked_host(name)
    _checked_port(parts)
    return host


def checked_network(network: str) -> str:
    """Return a network in CIDR notation as it is. Raises for anything else, and for bits beyond its prefix."""
    try:
        plain = str(ipaddress.ip_network(network))
    except ValueError:
        raise refused(shown(network), "a network in CIDR notation, as in 192.0.2.0/24 or 2001:db8::/32") from None
    if plain != network:
        raise refused(shown(network), f"its plain spelling, {plain}")
    return network


Url = Annotated[str, AfterValidator(checked_url)]
PageUrl = Annotated[str, AfterValidator(checked_page)]
Host = Annotated[str, AfterValidator(checked_host)]
Network = Annotated[str, AfterValidator(checked_network)]
