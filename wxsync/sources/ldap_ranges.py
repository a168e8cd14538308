"""Values that Active Directory gives in pieces of 1500: `member;range=0-1499` ([MS-ADTS] 3.1.1.3.1.3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from wxsync.sources.ldap_entry import Entry

PIECE: Final = re.compile(r"(?P<name>.+);range=(?P<first>\d{1,9})-(?P<last>\d{1,9}|\*)", re.ASCII)

Fetch = Callable[[str, str], Entry | None]
"""Reads one attribute of the entry of a DN; None where there is no such entry."""


class TornRangeError(Exception):
    """An entry stopped giving its values half-way: it changed or went while it was read."""


def whole(entry: Entry, fetch: Fetch) -> Entry:
    """The entry with all its values, whose rest is fetched; raises TornRangeError where that breaks off.

    ldap3's own `auto_range` looks at no result code, so it must be switched off.
    """
    pieces = {name: found for name in entry.attributes if (found := PIECE.fullmatch(name)) is not None}
    if not pieces:
        return entry
    attributes = {name: values for name, values in entry.attributes.items() if name not in pieces}
    for name, piece in pieces.items():
        first = attributes.get(piece["name"], ())  # an empty one, which some servers send along
        attributes[piece["name"]] = (*first, *entry.attributes[name], *_rest(entry.dn, piece, fetch))
    return Entry(entry.dn, attributes)


def _rest(dn: str, piece: re.Match[str], fetch: Fetch) -> tuple[bytes, ...]:
    name, values = piece["name"], list[bytes]()
    while piece["last"] != "*":
        start = int(piece["last"]) + 1
        entry = fetch(dn, f"{name};range={start}-*")
        found = _piece_from(entry, name, start)
        if entry is None or found is None:
            raise TornRangeError
        values += entry.attributes[found[0]]
        piece = found
    return tuple(values)


def _piece_from(entry: Entry | None, name: str, start: int) -> re.Match[str] | None:
    """The piece that begins at `start` and goes on from there."""
    for attribute in () if entry is None else entry.attributes:
        found = PIECE.fullmatch(attribute)
        if found is None or found["name"] != name or int(found["first"]) != start:
            continue
        if found["last"] == "*" or int(found["last"]) >= start:
            return found
    return None
