"""What every exchange of a test has to fulfil, whatever came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.values import UnseenError, decode, encode

if TYPE_CHECKING:
    from fixtures.exchange import Exchange


def kind(exchange: Exchange) -> str | None:
    """Return the kind of an exchange's trouble; also proves that nothing of it can be read, and that it crosses."""
    assert decode(encode(exchange)) == exchange
    if exchange.trouble is None:
        return None
    durations = ("connect_s", "tls_s", "first_byte_s", "elapsed_s", "certificate_days")
    for name in ("status", "body", "headers", "text", "json", "is_json", "history", *durations):
        with pytest.raises(UnseenError, match=exchange.trouble.kind):
            getattr(exchange, name)
    with pytest.raises(UnseenError):
        exchange.header("content-type")
    return exchange.trouble.kind
