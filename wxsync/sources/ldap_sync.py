"""The part of RFC 4533 that a single question needs: the request in refreshOnly mode, and who was deleted.

The state of each entry is not read: in an answer that is asked for once, an entry that comes was added or
changed. Nor is the cookie, since contextCSN says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

REFRESH_ONLY: Final = b"\x0a\x01\x01"
SEQUENCE: Final = 0x30
OCTETS: Final = 0x04
BOOLEAN: Final = 0x01
SET: Final = 0x31
ID_SET: Final = 0xA3
"""syncIdSet, the one kind of Sync Info Message that names entries (RFC 4533 §2.5)."""


def cookie_of(csns: Sequence[str]) -> bytes:
    """The cookie by which OpenLDAP knows a consumer that has everything up to these CSNs."""
    return f"rid=000,csn={';'.join(csns)}".encode("ascii")


def refresh_request(cookie: bytes) -> bytes:
    """The value of the Sync Request Control (RFC 4533 §2.2)."""
    return _element(SEQUENCE, REFRESH_ONLY + _element(OCTETS, cookie))


def deleted_ids(notices: Iterable[bytes]) -> Iterator[UUID]:
    """The entryUUIDs of entries that are gone, from the values of Sync Info Messages.

    A set that names those who are still there (refreshDeletes false), or that cannot be read, gives none.
    """
    for notice in notices:
        try:
            yield from _deleted(notice)
        except (IndexError, ValueError):
            continue


def _deleted(notice: bytes) -> list[UUID]:
    tag, content, _ = _read(notice)
    if tag != ID_SET:
        return []
    parts = dict(_elements(content))
    if not any(parts.get(BOOLEAN, b"")):
        return []
    return [UUID(bytes=value) for _, value in _elements(parts[SET])] if SET in parts else []


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        tag, content, data = _read(data)
        yield tag, content


def _read(data: bytes) -> tuple[int, bytes, bytes]:
    """The tag of the first element, its content, and what comes behind it (BER, definite lengths)."""
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    content, rest = data[start : start + length], data[start + length :]
    if len(content) != length:
        raise ValueError("an element is cut")
    return data[0], content, rest


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    written = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(written))) + written + content
