"""Search filters put together from values (RFC 4515): whatever is in a value, it stays a value."""

from __future__ import annotations

from typing import Final

IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
"""Active Directory's matching rule that follows a DN from group to group ([MS-ADTS] 3.1.1.3.4.4.3)."""

SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.,=@:")
"""Not a space: ldap3 takes it away from the ends of a value, which may be bytes (an objectGUID)."""


def equals(attribute: str, value: str | bytes, *, rule: str | None = None) -> str:
    """Entries whose attribute has this value, by a matching rule where one is named."""
    matching = f"{attribute}:{rule}:" if rule else attribute
    return f"({matching}={escape(value)})"


def escape(value: str | bytes) -> str:
    """The value with every byte that might mean something else written as hexadecimal."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return "".join(chr(byte) if byte in SAFE else f"\\{byte:02x}" for byte in data)


def all_of(*filters: str) -> str:
    """What every one of the filters, which are whole ones, lets pass."""
    return f"(&{''.join(filters)})"


def any_of(*filters: str) -> str:
    """What at least one of the filters lets pass."""
    return f"(|{''.join(filters)})"
