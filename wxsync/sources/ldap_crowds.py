"""Who is in a group of a directory, however deeply: found out by going from group to group, or by asking."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from wxsync.config.expressions import UnreadableValue
from wxsync.errors import SourceError, SourceUnavailableError
from wxsync.model.message import say
from wxsync.sources.dn import Dn
from wxsync.sources.ldap_entry import Entry
from wxsync.sources.ldap_filters import IN_CHAIN, all_of, any_of, equals
from wxsync.sources.ldap_groups import (
    GROUP_ATTRIBUTES,
    LATE,
    MEMBER_ATTRIBUTES,
    Crowd,
    Directory,
    Latecomers,
    Staff,
    direct_members,
    hides_members,
    sids_of,
)
from wxsync.sources.ldap_values import name

GROUP: Final = "(objectClass=group)"
"""Of Active Directory."""
CHANGED: Final = say("a group changed while groups of groups were gone through")


class Walk:
    """Goes from group to group by itself: for directories that cannot be asked for the whole chain.

    Groups that were not read are looked up one by one, each once; a circle of groups ends where it
    began.
    """

    def __init__(self, staff: Staff, directory: Directory, groups: Iterable[Entry] = ()) -> None:
        self._staff = staff
        self._directory = directory
        self._latecomers = Latecomers(staff, directory)
        self._groups: dict[str, Entry | None] = {}
        self._hidden: set[str] = set()
        self._gone: set[str] = set()
        self._absent: dict[str, set[str]] = {}
        """A group -> names in it for which there is no entry."""
        for group in groups:
            self._groups[Dn(group.dn).key] = group

    def of(self, group: Entry) -> Crowd:
        crowd = Crowd()
        seen = {Dn(group.dn).key}
        queue = [group]
        while queue:
            holder = queue.pop()
            for dn in direct_members(holder, self._staff, crowd):
                if self._staff.has(dn):
                    crowd.add(dn)
                elif dn.key and dn.key not in seen:
                    seen.add(dn.key)
                    nested = self._group(dn)
                    if nested is None:
                        self._leave_out(dn, holder, crowd)
                    else:
                        queue.append(nested)
        return crowd

    def confirm(self) -> None:
        """A group that no longer names what was not there had changed in between: so that is doubtful.

        Where it still names it, the name has stayed behind: OpenLDAP keeps such without `refint`.
        """
        for group, absent in self._absent.items():
            again = self._shown(group)
            if again is None or not absent <= _named_in(again):
                self._directory.doubt(CHANGED)
                return

    def _leave_out(self, dn: Dn, holder: Entry, crowd: Crowd) -> None:
        """Whoever is no group and was not read by this name."""
        if dn.key in self._hidden:
            crowd.is_readable = False
        elif dn.key in self._gone:
            self._absent.setdefault(holder.dn, set()).add(dn.key)
        elif (known := self._latecomers.known_as(dn)) is not None:
            crowd.add(known)
            return
        crowd.outside.add(dn.key)

    def _group(self, dn: Dn) -> Entry | None:
        """The entry of a group; None where there is none, where it is no group, or where it is hidden."""
        if dn.key not in self._groups:
            self._groups[dn.key] = self._looked_up(dn)
        return self._groups[dn.key]

    def _looked_up(self, dn: Dn) -> Entry | None:
        found = self._shown(dn)
        if found is None:
            (self._hidden if self._directory.may_be_hidden(dn) else self._gone).add(dn.key)
            return None
        is_group = any(each.lower() in found.attributes for each in MEMBER_ATTRIBUTES)
        return found if is_group or hides_members(found, self._staff.schema) else None

    def _shown(self, dn: str) -> Entry | None:
        try:
            return self._directory.lookup(dn, GROUP_ATTRIBUTES)
        except SourceUnavailableError:
            raise
        except SourceError:  # on another server, or closed to us
            return None


def _named_in(group: Entry) -> set[str]:
    """The names in it that are DNs."""
    named = set[str]()
    for value in (*group.attributes.get("member", ()), *group.attributes.get("uniquemember", ())):
        with suppress(UnreadableValue):
            named.add(name(value).key)
    return named


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
            elif self._staff.is_whole:
                self._directory.doubt(LATE)
        own = sids_of(group)
        for primary in self._staff.primary_groups:
            if primary in own or self._directory.lookup(f"<SID={primary}>", (), is_in) is not None:
                for dn in self._staff.with_primary_group(primary):
                    crowd.add(dn)
        crowd.outside |= self._outside(group, is_in)
        return crowd

    def confirm(self) -> None:
        """Nothing is left to ask: the second look at the groups sees one that has another name by now."""

    def _outside(self, group: Entry, is_in: str) -> set[str]:
        """Whom the group and the groups in it name, wherever they are, and who was not read.

        Those whose primary group it is are named by none.
        """
        named, groups = set[str](), set[str]()
        chain = any_of(equals("distinguishedName", group.dn), all_of(GROUP, is_in))
        for entry in self._directory.census(chain, ("member",)):
            groups.add(Dn(entry.dn).key)
            named |= _named_in(entry)
        return self._staff.without(named - groups)
