"""Entries of a directory become rows: what a mapping may name, and what is asked of the server for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from wxsync.config.attributes import IDENTITIES
from wxsync.config.expressions import UnreadableValue
from wxsync.sources.base import NamedRow
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_schema import Kind, Schema, is_photo
from wxsync.sources.ldap_values import decode, filetime, integer, text
from wxsync.sources.normal import Breach, key_of

Reader = Callable[["LdapRow"], tuple[object, ...]]
"""Every value of one name in a row."""

ACCOUNT_DISABLED: Final = 0x2
LOCKED_OUT: Final = 0x10
LOCKED_FOR_EVER: Final = b"000001010000Z"

READY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "dn": (),
        "parent_dn": (),
        "rdn": (),
        "disabled": ("userAccountControl", "pwdAccountLockedTime"),
        "expired": ("accountExpires",),
        "locked": ("msDS-User-Account-Control-Computed", "lockoutTime", "pwdAccountLockedTime"),
    }
)
"""Names that every row has, and the attributes that they are made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What rows of one directory are made with."""

    schema: Schema
    base: Dn
    base_is_department: bool
    """The base entry is itself one of the departments: else what is directly in it is in none."""
    now: datetime
    names: Mapping[str, str] = field(default_factory=dict)
    """What the config calls attributes: a name in lower case -> the attribute."""

    def attribute(self, name: str) -> str:
        """What a name of an expression stands for: mostly the attribute of that very name."""
        return self.names.get(name.lower(), name)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every name that an expression may read."""
        return (*self.schema.names.values(), *READY, *self.names)

    def layout(self, names: Iterable[str]) -> Layout:
        """How rows are read of which a mapping reads `names`; those that the directory lacks are left out.

        Attributes are told apart without case, as LDAP does. Photos are never read.
        """
        readers = {name: reader for name in sorted(set(names)) if (reader := self._reader(name)) is not None}
        meant = [self.attribute(name) for name in readers]
        asked = dict.fromkeys(asked for name in meant for asked in READY.get(name, (name,)))
        return Layout(readers=readers, attributes=tuple(self._known(asked)))

    def _known(self, attributes: Iterable[str]) -> Iterator[str]:
        return (each for each in attributes if self.schema.knows(each))

    def _reader(self, name: str) -> Reader | None:
        attribute = self.attribute(name)
        if attribute in READY:
            return {
                "dn": lambda row: (row.dn,),
                "parent_dn": self._parent,
                "rdn": lambda row: (row.dn.rdn,),
                "disabled": self._disabled,
                "expired": self._expired,
                "locked": self._locked,
            }[attribute]
        if is_photo(attribute) or not (self.schema.knows(attribute) or attribute.lower() in IDENTITIES):
            return None
        return _attribute(attribute.lower(), self.schema.kind(attribute))

    def _parent(self, row: LdapRow) -> tuple[object, ...]:
        """The entry above; none of the base entry, and none where the base is no department."""
        if row.dn == self.base:
            return ()
        parent = row.dn.parent
        return () if parent == self.base and not self.base_is_department else (parent,)

    def _disabled(self, row: LdapRow) -> tuple[object, ...]:
        """By an administrator. A server that has the flag and does not show it leaves the row without."""
        control = row.raw("useraccountcontrol")
        if control:
            return (bool(integer(control[0]) & ACCOUNT_DISABLED),)
        if self.schema.knows("userAccountControl"):
            return ()
        return (LOCKED_FOR_EVER in row.raw("pwdaccountlockedtime"),)

    def _expired(self, row: LdapRow) -> tuple[object, ...]:
        expires = row.raw("accountexpires")
        if expires:
            moment = filetime(expires[0])
            return (moment is not None and moment <= self.now,)
        return () if self.schema.knows("accountExpires") else (False,)

    def _locked(self, row: LdapRow) -> tuple[object, ...]:
        """Also for a while only, after too many wrong passwords: no ground to take somebody for a leaver."""
        computed = row.raw("msds-user-account-control-computed")
        if computed:
            return (bool(integer(computed[0]) & LOCKED_OUT),)
        since = row.raw("lockouttime")
        if since:
            return (filetime(since[0]) is not None,)
        return (bool(row.raw("pwdaccountlockedtime")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the rows of one query are read."""

    readers: Mapping[str, Reader]
    """A name as the config spells it -> its values in a row."""
    attributes: tuple[str, ...]
    """What to ask the server for."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names that every row has."""
        return tuple(self.readers)

    def row(self, entry: Entry) -> LdapRow:
        """The entry as a row; nothing is decoded before it is read."""
        return LdapRow(entry, self.readers)

    def distinct(self, entries: Iterable[Entry], attribute: str) -> Iterator[LdapRow]:
        """A row for each value that `attribute` has in any entry, which holds that value alone.

        Values that compare as one key are one row. One that cannot be read is a row too: without key,
        so that nothing is taken for absent because of it.
        """
        name, seen = attribute.lower(), set[str | bytes]()
        for entry in entries:
            for value in entry.attributes.get(name, ()):
                token = _token(value)
                if token not in seen:
                    seen.add(token)
                    yield self.row(Entry("", {name: (value,)}))


class LdapRow(NamedRow):
    """One entry. A name gives the first of its values, null where it has none; `all_values` gives all.

    Reading a name raises UnreadableValue where its bytes are not what the schema says.
    """

    __slots__ = ("_dn", "_entry", "_readers", "_values")

    def __init__(self, entry: Entry, readers: Mapping[str, Reader]) -> None:
        self._dn: Dn | None = None
        self._entry = entry
        self._readers = readers
        self._values: dict[str, tuple[object, ...]] = {}

    @property
    def dn(self) -> Dn:
        """The entry's own name, by which other entries point to it."""
        if self._dn is None:
            try:
                self._dn = Dn(self._entry.dn)
            except DnError as error:
                raise UnreadableValue(str(error)) from None
        return self._dn

    @property
    def names(self) -> tuple[str, ...]:
        try:
            return (self.dn.key,) if self.dn.key else ()
        except UnreadableValue:
            return ()

    def raw(self, attribute: str) -> tuple[bytes, ...]:
        """The values as the server sent them; `attribute` in lower case."""
        return self._entry.attributes.get(attribute, ())

    def all_values(self, name: str) -> list[object]:
        return list(self._read(name))

    def has_several(self, name: str) -> bool:
        return len(self._read(name)) > 1

    def __getitem__(self, name: str) -> object:
        values = self._read(name)
        return values[0] if values else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def _read(self, name: str) -> tuple[object, ...]:
        values = self._values.get(name)
        if values is None:
            try:
                values = self._values[name] = self._readers[name](self)
            except UnreadableValue as error:
                raise UnreadableValue(f"{name}: {error}") from None
        return values


def _token(value: bytes) -> str | bytes:
    """What is the same for values that compare as one key."""
    try:
        return key_of(text(value), "key") or ""
    except (UnreadableValue, Breach):
        return value


def _attribute(attribute: str, kind: Kind) -> Reader:
    def values(row: LdapRow) -> tuple[object, ...]:
        decoded = (decode(kind, each) for each in row.raw(attribute))
        return tuple(value for value in decoded if value is not None)

    return values
