"""People looked up by their keys: the server itself searches, whatever a listing had said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final
from uuid import UUID

from wxsync.config.attributes import IDENTITIES
from wxsync.config.expressions import Expression, UnreadableValue
from wxsync.model.message import Message, say
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_filters import all_of, any_of, equals
from wxsync.sources.ldap_pages import Listing
from wxsync.sources.ldap_rows import LdapRow, Shape
from wxsync.sources.ldap_schema import Kind
from wxsync.sources.normal import Breach, key_of
from wxsync.sources.sheet import read_key

AT_ONCE: Final = 50
"""Keys in one filter: each may be two comparisons."""
MOST: Final = 2000
"""For more of them all entries are read."""


def can_be_found(key: Expression, shape: Shape) -> bool:
    """Whether the server can compare what makes the key: one attribute, or the GUID of the default key."""
    names = {shape.attribute(name).lower() for name in key.names}
    if not key.is_bare and not names <= IDENTITIES:
        return False
    return bool(names) and all(shape.schema.knows(name) or name in IDENTITIES for name in names)


def is_identity(key: Expression, shape: Shape) -> bool:
    """Whether it is the id that the server itself gave each entry, by which nobody else is ever called."""
    return {shape.attribute(name).lower() for name in key.names} <= IDENTITIES and can_be_found(key, shape)


def filters(key: Expression, keys: Collection[str], shape: Shape, members: str) -> Iterator[str]:
    """Filters that find everybody of `members` who may have one of the keys, and perhaps some more."""
    meant = sorted(shape.attribute(name) for name in key.names)
    names = [name for name in meant if shape.schema.knows(name)]
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
        keys.update(_keys(key, layout.row(entry)))
    return frozenset(keys) if listing.broken is None else None


def places(listing: Listing, key: Expression, shape: Shape) -> dict[str, Message]:
    """Where the entries are, by their keys, and why the members query does not give them."""
    layout = shape.layout(key.names)
    told: dict[str, Message] = {}
    for entry in listing:
        row = layout.row(entry)
        with suppress(Breach, DnError, UnreadableValue):
            told[read_key(key, row)] = _place(row.dn, shape.base)
    return told


def _place(dn: Dn, base: Dn) -> Message:
    if dn.is_below(base):
        return say(
            "no longer found by members, though the directory still has it in {place}", place=str(dn.parent)
        )
    return say("no longer below base_dn; the directory still has it in {place}", place=str(dn.parent))


def _keys(key: Expression, row: LdapRow) -> Iterator[str]:
    """Every key that the row may have: of several values each, whatever the mapping makes of such a row.

    Whoever has no readable key has none of those that are looked for.
    """
    if not key.is_bare:
        with suppress(Breach):
            yield read_key(key, row)
        return
    (name,) = key.names
    with suppress(UnreadableValue):
        for value in row.all_values(name):
            with suppress(Breach):
                if (each := key_of(value, "key")) is not None:
                    yield each


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
