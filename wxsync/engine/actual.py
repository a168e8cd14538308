"""What WeCom shows, laid over what the mirror remembers: the corp as it is, as far as we know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from wxsync.model.department import Department
from wxsync.model.member import TEXT_FIELDS, Member, fold, ref_order
from wxsync.model.remembered import (
    LinkState,
    Remembered,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.seen import Seen, SeenDepartment, SeenMember, ShownMember
from wxsync.model.tag import Tag
from wxsync.model.unknown import UNKNOWN, DepartmentRef, Unknown, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """The corp as it is. Ours is listed by key; of the foreign only what is needed to leave it alone."""

    root: int
    departments: Mapping[str, Department]
    """Ours, and there."""
    members: Mapping[str, Member]
    """Ours, and there; a field that nobody saw or wrote is UNKNOWN."""
    tags: Mapping[str, Tag]
    """Ours, and there; members are those of ours who are in it, whoever put them there."""
    missing_members: frozenset[str]
    """Keys of members who are ours by the mirror, never left, and whom WeCom no longer has."""
    strangers: Mapping[str, SeenMember]
    """Folded userid -> a member who is not ours, as far as WeCom shows them."""
    foreign_departments: Mapping[int, SeenDepartment]
    """Neither ours nor the root department."""
    foreign_tags: Mapping[str, int]
    """Tag name -> id."""
    foreign_tag_members: Mapping[str, frozenset[str]]
    """Our tag's name -> userids in it that are not ours."""
    tags_with_departments: frozenset[str]
    """Our tags that hold whole departments, which only a hand can have put there."""
    occupants: Mapping[int, frozenset[str]]
    """Department id -> folded userids of all who are directly in it."""
    children: Mapping[int, frozenset[int]]
    """Department id -> ids directly below it, foreign ones too."""
    parents: Mapping[int, int]
    """Department id -> the id above it, 0 for the corp's own root."""
    tag_ids: frozenset[int]
    doubts: Mapping[str, Mapping[str, tuple[Value, ...]]]
    """Member key -> UNKNOWN field -> what it may hold, where nobody knows what became of a call."""
    doubted_names: Mapping[str, tuple[str, ...]]
    """Department key -> the names that it may have, likewise."""
    activated: frozenset[str]
    """Keys of members of ours of whom WeCom shows, or once showed, that they have activated."""

    @property
    def department_ids(self) -> frozenset[int]:
        return frozenset(self.parents)

    def may_hold(self, key: str, field: str) -> tuple[Value, ...]:
        """What the field of this member may hold: one value where it is known, none where nothing is."""
        value: Value = getattr(self.members[key], field)
        return self.doubts.get(key, {}).get(field, ()) if value is UNKNOWN else (value,)


def is_proven_department(link: RememberedDepartment, seen: SeenDepartment | None) -> bool:
    """The department in WeCom is the one of the link.

    An announced creation whose reply was lost counts only where the id that we chose is there now,
    under the parent that we asked for (issue 2, point 11).
    """
    if seen is None or link.state is LinkState.GONE:
        return False
    return link.state is LinkState.OURS or link.parent_id == seen.parent_id


def _without_reused_ids(remembered: Remembered, seen: Seen) -> Remembered:
    """The same, without departments whose id WeCom has given anew to one that was made by hand.

    WeCom gives the id of the last department anew once that one is deleted. One that is named
    otherwise than ours, with nobody and nothing of ours in it, is another one.
    """
    our_ids = {link.id for link in remembered.departments.values() if link.state is not LinkState.GONE}
    inhabited = {department.parent_id for department in seen.departments if department.id in our_ids}
    ours = {fold(link.member.userid) for link in remembered.members.values() if link.state is LinkState.OURS}
    for member in seen.members:
        if fold(member.userid) in ours:
            inhabited |= member.department_ids
    names = {department.id: department.name for department in seen.departments}
    return replace(
        remembered,
        departments={
            key: replace(link, state=LinkState.GONE)
            if link.state is LinkState.OURS
            and link.id not in inhabited
            and _has_another_name(link, names.get(link.id, UNKNOWN))
            else link
            for key, link in remembered.departments.items()
        },
    )


def _has_another_name(link: RememberedDepartment, name: str | Unknown) -> bool:
    """WeCom shows a name that the department never had as far as the mirror knows."""
    known = link.doubted_names if link.name is UNKNOWN else (link.name,)
    return bool(known) and name is not UNKNOWN and name not in known


def is_proven_member(link: RememberedMember, seen: SeenMember | None) -> bool:
    """The member in WeCom is the one of the link; an announced one only in exactly its departments.

    Whoever was seen missing and is there again was made by a hand: whether it is the same person is
    for adoption to find.
    """
    if seen is None or link.state is LinkState.GONE or link.missing_since is not None:
        return False
    return link.state is LinkState.OURS or seen.department_ids == frozenset(link.announced_department_ids)


def found_again(link: RememberedMember) -> RememberedMember:
    """A member whose creation an earlier run announced, and who is there now.

    That it is the same person is likely and not proven: nothing of what was announced is believed,
    so all of it is written once more.
    """
    announced = link.member
    return replace(
        link,
        member=Member(key=announced.key, userid=announced.userid),
        doubts={
            **{
                field: (value,)
                for field in TEXT_FIELDS
                if isinstance(value := getattr(announced, field), str)
            },
            **{f"extattr.{name}": (value,) for name, value in announced.extattr if value is not None},
        },
    )


def found_department_again(link: RememberedDepartment) -> RememberedDepartment:
    """The same of a department: it may have the name that was announced."""
    names = () if link.name is UNKNOWN else (link.name,)
    return replace(link, name=UNKNOWN, doubted_names=names)


def recall(seen: Seen, remembered: Remembered, root: int) -> Actual:
    """Lay what was seen over what is remembered. What WeCom shows wins; what it hides is remembered."""
    remembered = _without_reused_ids(_without_belief(remembered), seen)
    seen_departments = {department.id: department for department in seen.departments}
    seen_members = {fold(member.userid): member for member in seen.members}
    our_departments = {
        link.id: key
        for key, link in remembered.departments.items()
        if is_proven_department(link, seen_departments.get(link.id))
    }
    refs: dict[int, DepartmentRef] = {root: root, **our_departments}
    departments = {
        key: _department(remembered.departments[key], seen_departments[id], refs)
        for id, key in our_departments.items()
    }
    our_members = {
        key: folded
        for key, link in remembered.members.items()
        if is_proven_member(link, seen_members.get(folded := fold(link.member.userid)))
    }
    owned = {folded: key for key, folded in our_members.items()}
    members = {
        key: _led(_member(remembered.members[key], seen_members[folded], refs, owned), our_members.keys())
        for key, folded in our_members.items()
    }
    tags, foreign_tags, foreign_tag_members = _tags(seen, remembered.tags, owned)
    occupants, children = _contents(seen)
    return Actual(
        root=root,
        departments=departments,
        members=members,
        tags=tags,
        missing_members=frozenset(
            key
            for key, link in remembered.members.items()
            if link.state is LinkState.OURS and link.left_at is None and key not in our_members
        ),
        strangers={folded: member for folded, member in seen_members.items() if folded not in owned},
        foreign_departments={
            id: department
            for id, department in seen_departments.items()
            if id not in our_departments and id != root
        },
        foreign_tags=foreign_tags,
        foreign_tag_members=foreign_tag_members,
        tags_with_departments=frozenset(tag.name for tag in seen.tags if tag.department_ids),
        occupants=occupants,
        children=children,
        parents={department.id: department.parent_id for department in seen.departments},
        tag_ids=frozenset(tag.id for tag in seen.tags),
        doubts={key: link.doubts for key in members if (link := remembered.members[key]).doubts},
        doubted_names={
            key: names for key in departments if (names := remembered.departments[key].doubted_names)
        },
        activated=frozenset(
            key
            for key, folded in our_members.items()
            if _has_activated(remembered.members[key], seen_members[folded])
        ),
    )


def _has_activated(link: RememberedMember, seen: SeenMember) -> bool:
    shown = UNKNOWN if seen.shown is None else seen.shown.is_activated
    return link.has_activated if shown is UNKNOWN else shown is True


def with_adopted(actual: Actual, adopted: Mapping[str, int]) -> Actual:
    """The same corp with some foreign departments (key -> id) named by the keys that they will have.

    Whoever of ours is in them is in a department of ours, then.
    """
    if not adopted:
        return actual
    keys: dict[DepartmentRef, DepartmentRef] = {id: key for key, id in adopted.items()}

    def renamed(member: Member) -> Member:
        places = () if member.departments is UNKNOWN else member.departments
        main = member.main_department
        return replace(
            member,
            departments=tuple(sorted((keys.get(ref, ref) for ref in places), key=ref_order)),
            main_department=main if main is UNKNOWN or main is None else keys.get(main, main),
        )

    return replace(
        actual,
        members={key: renamed(member) for key, member in actual.members.items()},
        foreign_departments={
            id: department for id, department in actual.foreign_departments.items() if id not in keys
        },
    )


def _without_belief(remembered: Remembered) -> Remembered:
    """Announced creations as `found_again` has them; whether they are there is another question."""
    return replace(
        remembered,
        departments={
            key: found_department_again(link) if link.state is LinkState.PENDING else link
            for key, link in remembered.departments.items()
        },
        members={
            key: found_again(link) if link.state is LinkState.PENDING else link
            for key, link in remembered.members.items()
        },
    )


def _department(
    link: RememberedDepartment, seen: SeenDepartment, refs: Mapping[int, DepartmentRef]
) -> Department:
    return Department(
        key=link.key,
        id=seen.id,
        name=link.name if seen.name is UNKNOWN else seen.name,
        parent=refs.get(seen.parent_id, seen.parent_id),
        order=seen.order,
    )


def _member(
    link: RememberedMember,
    seen: SeenMember,
    refs: Mapping[int, DepartmentRef],
    keys: Mapping[str, str],
) -> Member:
    """What WeCom shows, and of what it hides what is remembered.

    Where somebody is, is always seen; remembered marks in departments that they are no longer in
    count no more.
    """
    known = link.member
    places = tuple(sorted((refs.get(id, id) for id in seen.department_ids), key=ref_order))
    remembered = _placed(known, places)
    return remembered if seen.shown is None else shown_over(remembered, seen.shown, refs, keys)


def _led(member: Member, present: Set[str]) -> Member:
    """The member as WeCom leaves those whose direct leader is deleted: led by nobody."""
    leader = member.direct_leader
    return member if not isinstance(leader, str) or leader in present else replace(member, direct_leader=None)


def _placed(known: Member, places: tuple[DepartmentRef, ...]) -> Member:
    """The member in these departments, without marks in any other."""
    main = known.main_department if known.main_department in places else UNKNOWN
    leads, orders = known.is_leader, known.order
    if leads is not UNKNOWN:
        leads = tuple(ref for ref in leads if ref in places)
    if orders is not UNKNOWN:
        orders = tuple(pair for pair in orders if pair[0] in places)
    now = (places, main, leads, orders)
    if now == (known.departments, known.main_department, known.is_leader, known.order):
        return known  # as are most of a hundred thousand
    return replace(known, departments=places, main_department=main, is_leader=leads, order=orders)


def shown_over(
    known: Member, shown: ShownMember, refs: Mapping[int, DepartmentRef], keys: Mapping[str, str]
) -> Member:
    """The member with every field that WeCom shows; a hidden one stays as it is remembered."""
    values: dict[str, Any] = {
        field: value for field in TEXT_FIELDS if (value := getattr(shown, field)) is not UNKNOWN
    }
    if shown.main_department is not UNKNOWN:
        values["main_department"] = refs.get(shown.main_department, shown.main_department)
    if shown.is_leader is not UNKNOWN:
        values["is_leader"] = tuple(sorted((refs.get(id, id) for id in shown.is_leader), key=ref_order))
    if shown.order is not UNKNOWN:
        orders = ((refs.get(id, id), number) for id, number in shown.order)
        values["order"] = tuple(sorted(orders, key=lambda pair: ref_order(pair[0])))
    if shown.direct_leader is None:
        values["direct_leader"] = None
    elif isinstance(shown.direct_leader, str):
        # A leader who is not ours has no key: neither empty nor anybody whom the source can name.
        values["direct_leader"] = keys.get(fold(shown.direct_leader), UNKNOWN)
    if shown.enable is not UNKNOWN:
        values["enable"] = shown.enable
    if shown.extattr:
        values["extattr"] = tuple(sorted({**dict(known.extattr), **dict(shown.extattr)}.items()))
    return replace(known, **values)


def _tags(
    seen: Seen, links: Mapping[str, RememberedTag], owned: Mapping[str, str]
) -> tuple[dict[str, Tag], dict[str, int], dict[str, frozenset[str]]]:
    """Ours, the foreign ones by name, and the foreign people in ours.

    A tag keeps its id; an announced one is ours where its id carries the name that we asked for. WeCom
    gives the id of the last tag anew once that one is deleted: another name, and nobody in it whom we
    put into ours, is another tag.
    """
    names_of_ours = {link.id: name for name, link in links.items() if link.state is not LinkState.GONE}
    tags: dict[str, Tag] = {}
    foreign: dict[str, int] = {}
    foreign_members: dict[str, frozenset[str]] = {}
    for tag in seen.tags:
        name = names_of_ours.get(tag.id)
        userids = tag.userids or frozenset()
        if name is None or (tag.name != name and not _holds_any(links[name], userids)):
            foreign[tag.name] = tag.id
            continue
        tags[name] = Tag(
            name=name,
            id=tag.id,
            shown_name=tag.name,
            members=frozenset(owned[folded] for u in userids if (folded := fold(u)) in owned),
        )
        foreign_members[name] = frozenset(u for u in userids if fold(u) not in owned)
    return tags, foreign, foreign_members


def _holds_any(link: RememberedTag, userids: frozenset[str]) -> bool:
    """Somebody whom we put into this tag is in it, and it is no mere announcement."""
    return link.state is LinkState.OURS and not link.userids.isdisjoint(fold(userid) for userid in userids)


def _contents(seen: Seen) -> tuple[dict[int, frozenset[str]], dict[int, frozenset[int]]]:
    people: defaultdict[int, set[str]] = defaultdict(set)
    for member in seen.members:
        folded = fold(member.userid)
        for id in member.department_ids:
            people[id].add(folded)
    below: defaultdict[int, set[int]] = defaultdict(set)
    for department in seen.departments:
        below[department.parent_id].add(department.id)
    return (
        {id: frozenset(folded) for id, folded in people.items()},
        {id: frozenset(ids) for id, ids in below.items()},
    )
