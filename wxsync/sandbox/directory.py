"""The corp's people, departments and tags with every index that the calls need: no rule is checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from wxsync.sandbox.records import ROOT, Department, Member, Placement, Tag, fold

FIRST_ORDER: Final = 100_000_000
ORDER_STEP: Final = 1000
"""The n-th child of a department gets FIRST_ORDER - n * ORDER_STEP unless it is told (as observed)."""

PENDING_NAME: Final = "其他(待设置部门)"
"""Where WeCom puts people and departments that nobody placed (WeCom page 90195)."""


class Directory:
    """Members by folded userid, departments and tags by id; a change keeps all indexes true."""

    def __init__(self, corp_name: str) -> None:
        root = Department(id=ROOT, name=corp_name, parentid=0, order=FIRST_ORDER)
        self.members: dict[str, Member] = {}
        self.departments: dict[int, Department] = {ROOT: root}
        self.tags: dict[int, Tag] = {}
        self.by_mobile: dict[str, Member] = {}
        self.by_email: dict[str, Member] = {}
        self.by_biz_mail: dict[str, Member] = {}
        self.tag_by_name: dict[str, Tag] = {}
        self.on_leaving: list[Callable[[Member], None]] = []
        """What else is to happen when a member is removed: told once the member is in no index."""
        self._siblings: dict[tuple[int, str], Department] = {(0, corp_name): root}
        self._highest_department = ROOT

    # Departments

    def add_department(
        self, *, name: str, parentid: int, id: int | None = None, order: int | None = None, name_en: str = ""
    ) -> Department:
        """A new department; without an id the highest so far + 1, without an order after its siblings."""
        parent = self.departments[parentid]
        if order is None:
            order = max(FIRST_ORDER - ORDER_STEP * parent.children_ever, 0)
        if id is None:
            id = self._highest_department + 1
        department = Department(id=id, name=name, parentid=parentid, order=order, name_en=name_en)
        self.departments[id] = department
        self._highest_department = max(self._highest_department, id)
        self._siblings[parentid, name] = department
        parent.children[id] = None
        parent.children_ever += 1
        return department

    def move_department(self, department: Department, *, parentid: int, name: str) -> None:
        """The department under another parent, by another name, or both."""
        del self._siblings[department.parentid, department.name]
        if parentid != department.parentid:
            del self.departments[department.parentid].children[department.id]
            self.departments[parentid].children[department.id] = None
            self.departments[parentid].children_ever += 1
        department.parentid, department.name = parentid, name
        self._siblings[parentid, name] = department

    def remove_department(self, department: Department) -> None:
        """An empty department is no more, in tags neither."""
        for tag in department.tags:
            del self.tags[tag].parties[department.id]
        del self.departments[department.parentid].children[department.id]
        del self._siblings[department.parentid, department.name]
        del self.departments[department.id]

    def child_named(self, parentid: int, name: str) -> Department | None:
        return self._siblings.get((parentid, name))

    def pending_department(self, *, above: int = 0) -> Department:
        """The department for people without one; made, with an id above `above`, when first needed."""
        found = self.child_named(ROOT, PENDING_NAME)
        if found is not None:
            return found
        id = max(self._highest_department, above) + 1
        return self.add_department(name=PENDING_NAME, parentid=ROOT, id=id)

    def walk(self, top: Department) -> Iterator[Department]:
        """`top` and all below it, parents before children, siblings as WeCom sorts them."""
        yield top
        children = (self.departments[child] for child in top.children)
        for child in sorted(children, key=lambda department: (-department.order, department.id)):
            yield from self.walk(child)

    def ancestors(self, id: int) -> Iterator[int]:
        """`id` itself, its parent, and so on up to the root."""
        while id:
            yield id
            id = self.departments[id].parentid

    def level(self, id: int) -> int:
        """How deep a department lies; the root is level 1."""
        return sum(1 for _ in self.ancestors(id))

    def height(self, department: Department) -> int:
        """How many levels a department and what is below it take."""
        below = (self.height(self.departments[child]) for child in department.children)
        return 1 + max(below, default=0)

    # Members

    def add_member(self, member: Member) -> None:
        """A new member, whose placement, leaders and contact data are entered by their own calls."""
        self.members[fold(member.userid)] = member

    def remove_member(self, member: Member) -> None:
        """The member is no more: not in departments, tags, or as anybody's direct leader."""
        key = fold(member.userid)
        self.place(member, Placement())
        self.set_leaders(member, ())
        self.set_mobile(member, "")
        self.set_email(member, "")
        self.set_biz_mail(member, "")
        for tag in member.tags:
            del self.tags[tag].users[key]
        for report in member.reports:
            follower = self.members[report]
            follower.direct_leader = tuple(u for u in follower.direct_leader if fold(u) != key)
        del self.members[key]
        for tell in self.on_leaving:
            tell(member)

    def rename_member(self, member: Member, userid: str) -> None:
        """The member under another userid, everywhere."""
        old, new = fold(member.userid), fold(userid)
        placement = member.placement
        leaders = tuple(userid if fold(u) == old else u for u in member.direct_leader)
        self.place(member, Placement())
        self.set_leaders(member, ())
        for tag in member.tags:
            del self.tags[tag].users[old]
            self.tags[tag].users[new] = None
        for report in member.reports:
            follower = self.members[report]
            follower.direct_leader = tuple(userid if fold(u) == old else u for u in follower.direct_leader)
        del self.members[old]
        member.userid = userid
        self.members[new] = member
        self.place(member, placement)
        self.set_leaders(member, leaders)

    def place(self, member: Member, placement: Placement) -> None:
        """The member in exactly these departments."""
        key = fold(member.userid)
        for id in member.placement.department:
            if id not in placement.department:
                del self.departments[id].members[key]
        for id in placement.department:
            self.departments[id].members[key] = None
        member.placement = placement

    def set_leaders(self, member: Member, userids: tuple[str, ...]) -> None:
        key = fold(member.userid)
        for userid in member.direct_leader:
            self.members[fold(userid)].reports.discard(key)
        leaders = tuple(self.members[fold(userid)] for userid in userids)
        for leader in leaders:
            leader.reports.add(key)
        member.direct_leader = tuple(leader.userid for leader in leaders)

    def set_mobile(self, member: Member, mobile: str) -> None:
        """`mobile` as reads return it, or empty."""
        self.by_mobile.pop(member.mobile, None)
        member.mobile = mobile
        if mobile:
            self.by_mobile[mobile] = member

    def set_email(self, member: Member, email: str) -> None:
        self.by_email.pop(member.email.lower(), None)
        member.email = email
        if email:
            self.by_email[email.lower()] = member

    def set_biz_mail(self, member: Member, biz_mail: str) -> None:
        self.by_biz_mail.pop(member.biz_mail.lower(), None)
        member.biz_mail = biz_mail
        if biz_mail:
            self.by_biz_mail[biz_mail.lower()] = member

    # Tags

    def add_tag(self, *, name: str, owner: str, id: int | None = None) -> Tag:
        """A new tag; without an id the highest there is + 1 (WeCom page 90210)."""
        if id is None:
            id = max(self.tags, default=0) + 1
        tag = Tag(id=id, name=name, owner=owner)
        self.tags[id] = self.tag_by_name[name] = tag
        return tag

    def rename_tag(self, tag: Tag, name: str) -> None:
        del self.tag_by_name[tag.name]
        tag.name = name
        self.tag_by_name[name] = tag

    def remove_tag(self, tag: Tag) -> None:
        self.untag(tag, tuple(tag.users), tuple(tag.parties))
        del self.tag_by_name[tag.name]
        del self.tags[tag.id]

    def tag(self, tag: Tag, users: tuple[str, ...], parties: tuple[int, ...]) -> None:
        """Folded userids and department ids into the tag; who is in it already stays."""
        for user in users:
            tag.users[user] = None
            self.members[user].tags.add(tag.id)
        for party in parties:
            tag.parties[party] = None
            self.departments[party].tags.add(tag.id)

    def untag(self, tag: Tag, users: tuple[str, ...], parties: tuple[int, ...]) -> None:
        """Folded userids and department ids out of the tag; who is not in it does not matter."""
        for user in users:
            tag.users.pop(user, None)
            self.members[user].tags.discard(tag.id)
        for party in parties:
            tag.parties.pop(party, None)
            self.departments[party].tags.discard(tag.id)
