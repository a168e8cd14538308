"""What a caller sees of the corp: all of it, or what lies in an app's visible range (WeCom page 90193)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wxsync.sandbox.directory import Directory
from wxsync.sandbox.records import ROOT, Member, fold


@dataclass(frozen=True, slots=True)
class Scope:
    """Departments with all below them, and single members. Someone in two of them is seen in one alike."""

    directory: Directory
    departments: frozenset[int]
    members: frozenset[str]
    """Folded userids."""

    @property
    def is_everything(self) -> bool:
        return ROOT in self.departments

    def sees_department(self, id: int) -> bool:
        """It is there, and it or one above it is in the range."""
        if id not in self.directory.departments:
            return False
        return self.is_everything or any(up in self.departments for up in self.directory.ancestors(id))

    def sees_member(self, member: Member) -> bool:
        if self.is_everything or fold(member.userid) in self.members:
            return True
        return any(self.sees_department(id) for id in member.department)

    def find_member(self, userid: str) -> Member | None:
        """The member of this userid, where there is one to be seen."""
        member = self.directory.members.get(fold(userid))
        return member if member is not None and self.sees_member(member) else None


def scope_of(
    directory: Directory, departments: Iterable[int], members: Iterable[str], tags: Iterable[int]
) -> Scope:
    """The visible range by its three kinds of entries; a tag stands for all that is in it."""
    tagged = [directory.tags[id] for id in tags if id in directory.tags]
    return Scope(
        directory,
        frozenset(departments).union(*(tag.parties for tag in tagged)),
        frozenset(fold(userid) for userid in members).union(*(tag.users for tag in tagged)),
    )


def whole(directory: Directory) -> Scope:
    """The scope of the contact-sync secret."""
    return Scope(directory, frozenset((ROOT,)), frozenset())
