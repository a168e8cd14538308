"""Groups of a directory: whom they name, as rows of tags and of memberships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from wxsync.config.expressions import UnreadableValue
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.model.message import Message, say
from wxsync.sources.base import NOBODY, Row
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_schema import Schema
from wxsync.sources.ldap_values import integer, name, sid, text
from wxsync.sources.outsiders import Outsiders

MEMBER_ATTRIBUTES: Final = ("member", "uniqueMember", "memberUid")
"""DNs, DNs with bits behind them, and logins (RFC 4519 §2.17 and §2.40, RFC 2307 §4)."""
PRIMARY_ATTRIBUTES: Final = ("primaryGroupID", "objectSid")
CHAIN_ATTRIBUTES: Final = ("objectSid",)
GROUP_ATTRIBUTES: Final = (*MEMBER_ATTRIBUTES, "objectClass")
"""What tells who is in a group, and whether it may be that nobody is."""
ANY: Final = "(objectClass=*)"
LATE: Final = say("a group names somebody who came, or whose name changed, after people were read")

TAG_COLUMNS: Final = ("tag", "member")
MEMBERSHIP_COLUMNS: Final = ("member", "department")


class Directory(Protocol):
    """What walking through groups asks of the server. Entries come with all their values."""

    def search(self, filter_: str, attributes: Sequence[str]) -> Iterable[Entry]:
        """Every entry below the base; whoever implements it sees to it that it is every one."""
        ...

    def census(self, filter_: str, attributes: Sequence[str]) -> Iterable[Entry]:
        """Entries of the whole server, for counting alone: nothing holds that these are all."""
        ...

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None:
        """The entry of this DN; None where there is none, or none that the filter lets pass."""
        ...

    def member(self, dn: Dn) -> Entry | None:
        """The entry of this DN, where the members query finds it now."""
        ...

    def may_be_hidden(self, dn: Dn) -> bool:
        """Whether there may be an entry of this DN that wxsync is not shown."""
        ...

    def doubt(self, problem: Message) -> None:
        """Hold that the reading of the groups is not whole."""
        ...


@dataclass(slots=True, kw_only=True)
class Staff:
    """Whom the members query gave: only they are put into tags and departments."""

    is_active_directory: bool
    schema: Schema
    is_whole: bool = False
    """The reading of them is proven to be whole: whoever is not among them was not there."""
    _names: dict[str, Dn] = field(default_factory=dict)
    _logins: dict[str, list[Dn]] = field(default_factory=dict)
    _primary: dict[str, list[Dn]] = field(default_factory=dict)
    """The SID of a primary group -> whose it is: no group has these among its members."""

    @property
    def asks(self) -> tuple[str, ...]:
        """What the members query asks for beside what is mapped, where there are groups."""
        return PRIMARY_ATTRIBUTES if self.is_active_directory else ("uid",)

    def note(self, entry: Entry) -> None:
        """Enter one entry of the members query."""
        try:
            dn = Dn(entry.dn)
        except DnError:
            return
        self._names[dn.key] = dn
        for login in entry.attributes.get("uid", ()):
            self._logins.setdefault(_login(login), []).append(dn)
        group = _primary_group(entry)
        if group is not None:
            self._primary.setdefault(group, []).append(dn)

    def has(self, dn: Dn) -> bool:
        """Whether the members query gave this entry."""
        return dn.key in self._names

    def without(self, keys: Iterable[str]) -> set[str]:
        """Those of the DNs, by their keys, that the members query did not give."""
        return {key for key in keys if key and key not in self._names}

    def with_login(self, login: bytes) -> list[Dn]:
        """Everybody who has this `uid`."""
        return self._logins.get(_login(login), [])

    @property
    def primary_groups(self) -> tuple[str, ...]:
        """The SIDs of all groups that are somebody's primary one."""
        return tuple(self._primary)

    def with_primary_group(self, group: str) -> list[Dn]:
        """Everybody whose primary group has this SID."""
        return self._primary.get(group, [])


@dataclass(slots=True, kw_only=True)
class Crowd:
    """Who is in one group."""

    people: dict[str, Dn] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    """Who is in it and not among the members that were read."""
    is_readable: bool = True
    """False where somebody is in it of whom it cannot be told who that is."""

    def add(self, dn: Dn) -> None:
        self.people[dn.key] = dn


class Crowds(Protocol):
    """A way to find out who is in a group, directly or through other groups."""

    def of(self, group: Entry) -> Crowd: ...

    def confirm(self) -> None:
        """Look once more at what changed perhaps while groups were gone through, after the last one."""
        ...


class Latecomers:
    """Tells who is outside from who was not read: whom a group names, and nobody was read by that name.

    Each is asked for once, and only where the members query can find them.
    """

    def __init__(self, staff: Staff, directory: Directory) -> None:
        self._staff = staff
        self._directory = directory
        self._known: dict[str, Dn | None] = {}

    def known_as(self, dn: Dn) -> Dn | None:
        """The name under which somebody was read whom the group calls otherwise; None for who is outside.

        Somebody whom the query finds by now and did not give puts the reading in doubt: a person who was
        moved after people were read would fall out of every group. Where that reading was not whole, nobody
        is taken out of anything, and there is nothing to ask.
        """
        if not self._staff.is_whole:
            return None
        if dn.key not in self._known:
            self._known[dn.key] = self._asked(dn)
        return self._known[dn.key]

    def _asked(self, dn: Dn) -> Dn | None:
        try:
            entry = self._directory.member(dn)
        except SourceUnavailableError:
            raise
        except SourceError:  # elsewhere, or closed to us: to the members query too
            return None
        if entry is None:
            return None
        own = Dn(entry.dn)
        if self._staff.has(own):
            return own
        self._directory.doubt(LATE)
        return None


class TagRows:
    """A row for everybody in every group: the group's name, and who it is. Walked through once."""

    columns = TAG_COLUMNS

    def __init__(self, groups: Iterable[Entry], named: str, crowds: Crowds) -> None:
        self._groups = groups
        self._named = named.lower()
        self._crowds = crowds
        self.outsiders = Outsiders()

    def __iter__(self) -> Iterator[Row]:
        """Rows of the members that were read.

        A null stands for whatever cannot be told, so that nobody loses a tag because of it. NOBODY stands
        for a group that is there, and in which is none of them.
        """
        for group in self._groups:
            crowd = self._crowds.of(group)
            tag = self._name_of(group)
            self.outsiders.add(tag, crowd.outside)
            for dn in crowd.people.values():
                yield {"tag": tag, "member": dn}
            if tag is None or not crowd.is_readable:
                yield {"tag": tag, "member": None}
            elif not crowd.people:
                yield {"tag": tag, "member": NOBODY}
        self._crowds.confirm()

    def _name_of(self, group: Entry) -> str | None:
        values = group.attributes.get(self._named, ())
        try:
            return text(values[0]) if values else None
        except UnreadableValue:
            return None


class MembershipRows:
    """A row for everybody who is directly in a group that is a department. Walked through once."""

    columns = MEMBERSHIP_COLUMNS

    def __init__(self, groups: Iterable[Entry], staff: Staff, directory: Directory) -> None:
        self._groups = groups
        self._staff = staff
        self._latecomers = Latecomers(staff, directory)
        self.outsiders = Outsiders()
        """Nested groups that are no departments too: they have no people of their own here."""

    def __iter__(self) -> Iterator[Row]:
        groups = {Dn(group.dn).key: group for group in self._groups}
        for group in groups.values():
            crowd, department = Crowd(), Dn(group.dn)
            for dn in direct_members(group, self._staff, crowd):
                if self._staff.has(dn):
                    crowd.add(dn)
                elif dn.key and dn.key not in groups:
                    known = self._latecomers.known_as(dn)
                    if known is None:
                        crowd.outside.add(dn.key)
                    else:
                        crowd.add(known)
            self.outsiders.add(str(department), crowd.outside)
            for dn in crowd.people.values():
                yield {"member": dn, "department": department}
            if not crowd.is_readable:
                yield {"member": None, "department": department}


def direct_members(group: Entry, staff: Staff, crowd: Crowd) -> list[Dn]:
    """Whom the group itself names, and those whose primary group it is.

    A login that nobody or more than one has is noted in `crowd`, and so is a value that is no DN, and a
    group that shows nobody although there must be somebody: an access rule hides them.
    """
    members: list[Dn] = []
    if hides_members(group, staff.schema):
        crowd.is_readable = False
    for value in (*group.attributes.get("member", ()), *group.attributes.get("uniquemember", ())):
        try:
            members.append(name(value))
        except UnreadableValue:
            crowd.is_readable = False
    for login in group.attributes.get("memberuid", ()):
        named = staff.with_login(login)
        members += named if len(named) == 1 else ()
        if not named:
            crowd.outside.add(f"uid={_login(login)}")
        elif len(named) > 1:
            crowd.is_readable = False
    for group_sid in sids_of(group):
        members += staff.with_primary_group(group_sid)
    return members


def hides_members(group: Entry, schema: Schema) -> bool:
    """Whether nobody is shown in a group whose class wants somebody, or whose class is not shown either.

    groupOfNames must have a `member` (RFC 4519 §3.5); whoever wants none puts an empty DN there.
    """
    classes = [value.decode("utf-8", "replace") for value in group.attributes.get("objectclass", ())]
    if any(group.attributes.get(each.lower()) for each in MEMBER_ATTRIBUTES):
        return False
    return not classes or schema.wants(classes, MEMBER_ATTRIBUTES)


def sids_of(group: Entry) -> list[str]:
    try:
        return [sid(value) for value in group.attributes.get("objectsid", ())]
    except UnreadableValue:
        return []


def _login(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").casefold().split())


def _primary_group(entry: Entry) -> str | None:
    """The SID of the primary group: the person's own, with the group's number at its end."""
    own, number = entry.attributes.get("objectsid"), entry.attributes.get("primarygroupid")
    if not own or not number:
        return None
    try:
        return f"{sid(own[0]).rpartition('-')[0]}-{integer(number[0])}"
    except UnreadableValue:
        return None
