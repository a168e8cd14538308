"""Groups of a directory: who is in them, however deeply, as rows of tags and of memberships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from wxsync.config.expressions import UnreadableValue
from wxsync.sources.base import Row
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_filters import IN_CHAIN, all_of, equals
from wxsync.sources.ldap_values import integer, name, sid, text

MEMBER_ATTRIBUTES: Final = ("member", "uniqueMember", "memberUid")
"""DNs, DNs with bits behind them, and logins (RFC 4519 §2.17 and §2.40, RFC 2307 §4)."""
PRIMARY_ATTRIBUTES: Final = ("primaryGroupID", "objectSid")
CHAIN_ATTRIBUTES: Final = ("objectSid",)
ANY: Final = "(objectClass=*)"

TAG_COLUMNS: Final = ("tag", "member")
MEMBERSHIP_COLUMNS: Final = ("member", "department")


class Directory(Protocol):
    """What walking through groups asks of the server. Entries come with all their values."""

    def search(self, filter_: str, attributes: Sequence[str]) -> Iterable[Entry]:
        """Every entry below the base; whoever implements it sees to it that it is every one."""
        ...

    def lookup(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Entry | None:
        """The entry of this DN; None where there is none, or none that the filter lets pass."""
        ...


@dataclass(slots=True, kw_only=True)
class Staff:
    """Whom the members query gave: only they are put into tags and departments."""

    is_active_directory: bool
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


class Walk:
    """Goes from group to group by itself: for directories that cannot be asked for the whole chain.

    Groups that were not read are looked up one by one, each once; a circle of groups ends where it
    began.
    """

    def __init__(self, staff: Staff, directory: Directory, groups: Iterable[Entry] = ()) -> None:
        self._staff = staff
        self._directory = directory
        self._groups: dict[str, Entry | None] = {}
        for group in groups:
            self._groups[Dn(group.dn).key] = group

    def of(self, group: Entry) -> Crowd:
        crowd = Crowd()
        seen = {Dn(group.dn).key}
        queue = [group]
        while queue:
            for dn in direct_members(queue.pop(), self._staff, crowd):
                if self._staff.has(dn):
                    crowd.add(dn)
                elif dn.key and dn.key not in seen:
                    seen.add(dn.key)
                    nested = self._group(dn)
                    if nested is None:
                        crowd.outside.add(dn.key)
                    else:
                        queue.append(nested)
        return crowd

    def _group(self, dn: Dn) -> Entry | None:
        """The entry of a group; None where there is none, or where it is no group."""
        if dn.key not in self._groups:
            found = self._directory.lookup(dn, MEMBER_ATTRIBUTES)
            is_group = found is not None and any(
                each.lower() in found.attributes for each in MEMBER_ATTRIBUTES
            )
            self._groups[dn.key] = found if is_group else None
        return self._groups[dn.key]


class Chain:
    """Has Active Directory follow the chain of groups, and adds those whose primary group is in it."""

    def __init__(self, staff: Staff, directory: Directory, members: str) -> None:
        self._staff = staff
        self._directory = directory
        self._members = members
        """The filter of the members query."""

    def of(self, group: Entry) -> Crowd:
        crowd = Crowd()
        is_in = equals("memberOf", group.dn, rule=IN_CHAIN)
        for entry in self._directory.search(all_of(self._members, is_in), ()):
            dn = Dn(entry.dn)
            if self._staff.has(dn):
                crowd.add(dn)
        own = _sids(group)
        for primary in self._staff.primary_groups:
            if primary in own or self._directory.lookup(f"<SID={primary}>", (), is_in) is not None:
                for dn in self._staff.with_primary_group(primary):
                    crowd.add(dn)
        return crowd


class TagRows:
    """A row for everybody in every group: the group's name, and who it is. Walked through once."""

    columns = TAG_COLUMNS

    def __init__(self, groups: Iterable[Entry], named: str, crowds: Crowds) -> None:
        self._groups = groups
        self._named = named.lower()
        self._crowds = crowds
        self._outside: set[str] = set()

    def __iter__(self) -> Iterator[Row]:
        """Rows of the members that were read.

        A null stands for whatever cannot be told, so that nobody loses a tag because of it.
        """
        for group in self._groups:
            crowd = self._crowds.of(group)
            self._outside |= crowd.outside
            tag = self._name_of(group)
            for dn in crowd.people.values():
                yield {"tag": tag, "member": dn}
            if tag is None or not crowd.is_readable:
                yield {"tag": tag, "member": None}

    @property
    def left_out(self) -> int:
        """How many are in some group and not among the members that were read."""
        return len(self._outside)

    def _name_of(self, group: Entry) -> str | None:
        values = group.attributes.get(self._named, ())
        try:
            return text(values[0]) if values else None
        except UnreadableValue:
            return None


class MembershipRows:
    """A row for everybody who is directly in a group that is a department. Walked through once."""

    columns = MEMBERSHIP_COLUMNS

    def __init__(self, groups: Iterable[Entry], staff: Staff) -> None:
        self._groups = groups
        self._staff = staff
        self._outside: set[str] = set()

    def __iter__(self) -> Iterator[Row]:
        groups = {Dn(group.dn).key: group for group in self._groups}
        for group in groups.values():
            crowd, department = Crowd(), Dn(group.dn)
            for dn in direct_members(group, self._staff, crowd):
                if self._staff.has(dn):
                    crowd.add(dn)
                elif dn.key and dn.key not in groups:
                    self._outside.add(dn.key)
            for dn in crowd.people.values():
                yield {"member": dn, "department": department}
            if not crowd.is_readable:
                yield {"member": None, "department": department}

    @property
    def left_out(self) -> int:
        """How many are in some group and not among the members that were read; nested groups too."""
        return len(self._outside)


def direct_members(group: Entry, staff: Staff, crowd: Crowd) -> list[Dn]:
    """Whom the group itself names, and those whose primary group it is.

    A login that nobody or more than one has is noted in `crowd`, and so is a value that is no DN.
    """
    members: list[Dn] = []
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
    for group_sid in _sids(group):
        members += staff.with_primary_group(group_sid)
    return members


def _sids(group: Entry) -> list[str]:
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
