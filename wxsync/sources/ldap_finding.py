"""People looked up by their keys: the server itself searches, whatever a listing had said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

from wxsync.config.expressions import Expression
from wxsync.sources.ldap_filters import all_of, any_of, equals
from wxsync.sources.ldap_pages import Listing
from wxsync.sources.ldap_rows import KEYS, Shape
from wxsync.sources.ldap_schema import Kind
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key

AT_ONCE: Final = 50
"""Keys in one filter: each may be two comparisons."""
MOST: Final = 2000
"""For more of them all entries are read."""


def can_be_found(key: Expression, shape: Shape) -> bool:
    """Whether the server can compare what makes the key: one attribute, or the GUID of the default key."""
    names = {name.lower() for name in key.names}
    if not key.is_bare and not names <= KEYS:
        return False
    return bool(names) and all(shape.schema.knows(name) or name in KEYS for name in names)


def filters(key: Expression, keys: Collection[str], shape: Shape, members: str) -> Iterator[str]:
    """Filters that find everybody of `members` who may have one of the keys, and perhaps some more."""
    names = [name for name in sorted(key.names) if shape.schema.knows(name)]
    rest = iter(sorted(keys))
    while some := list(islice(rest, AT_ONCE)):
        asked = [
            equals(name, value)
            for name in names
            for each in some
            if (value := _asserted(shape.schema.kind(name), each)) is not None
        ]
        if asked:
            yield all_of(members, any_of(*asked))


def found(listing: Listing, key: Expression, shape: Shape) -> frozenset[str] | None:
    """The keys of the entries; None where the server did not say that these were all."""
    layout = shape.layout(key.names)
    keys: set[str] = set()
    for entry in listing:
        try:
            keys.add(read_key(key, layout.row(entry)))
        except Breach:
            continue  # whoever has no readable key has none of those that are looked for
    return frozenset(keys) if listing.broken is None else None


def attributes(key: Expression, shape: Shape) -> Sequence[str]:
    """What has to be asked for to tell the key."""
    return shape.layout(key.names).attributes


def _asserted(kind: Kind, key: str) -> str | bytes | None:
    if kind is not Kind.GUID:
        return key
    try:
        return UUID(key).bytes_le
    except ValueError:
        return None
