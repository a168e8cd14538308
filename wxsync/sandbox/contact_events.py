"""Which events a change of the corp gives, and what they tell (WeCom pages 90967, 90970 to 90972)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from wxsync.sandbox.directory import Directory
from wxsync.sandbox.event_xml import Bare, Elements, Header, Value, event_xml
from wxsync.sandbox.receivers import Callback, Listener
from wxsync.sandbox.records import Attribute, Department, Member, Tag, fold

EVENT: Final = "change_contact"

SENSITIVE: Final = frozenset({"Mobile", "Gender", "Email", "BizMail", "Avatar", "Address"})

Told = Mapping[str, Value]
"""What an event may tell of a record, by the name of the element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What events tell of some records, as they were at one moment."""

    members: Mapping[Member, tuple[str, Told]] = field(default_factory=dict)
    """With the userid of that moment. Who has left the corp is not there."""
    departments: Mapping[Department, Told] = field(default_factory=dict)
    tags: Mapping[Tag, tuple[tuple[Member, ...], tuple[int, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event, in full and reduced."""

    change_type: str
    full: Elements
    reduced: Elements | None
    """None where an address saved after 2022-08-15 is not told at all."""


def take_facts(
    directory: Directory,
    members: Iterable[str] = (),
    departments: Iterable[int] = (),
    tags: Iterable[int] = (),
) -> Facts:
    """Of these records those that are there; members by folded userid."""
    people = (directory.members[key] for key in members if key in directory.members)
    units = (directory.departments[id] for id in departments if id in directory.departments)
    found = (directory.tags[id] for id in tags if id in directory.tags)
    return Facts(
        members={member: (member.userid, _of_member(member)) for member in people if not member.has_left},
        departments={department: _of_department(department) for department in units},
        tags={tag: (tuple(directory.members[key] for key in tag.users), tuple(tag.parties)) for tag in found},
    )


def take_all_facts(directory: Directory) -> Facts:
    """Of every record; it takes a while where the corp is large."""
    return take_facts(directory, directory.members, directory.departments, directory.tags)


def _of_member(member: Member) -> Told:
    return {
        "Name": member.name,
        "Department": _joined(member.department),
        "MainDepartment": member.main_department,
        "IsLeaderInDept": _joined(member.is_leader_in_dept),
        "DirectLeader": _joined(member.direct_leader),
        "Position": member.position,
        "Mobile": Bare(member.mobile),
        "Gender": Bare(member.gender),
        "Email": member.email,
        "BizMail": member.biz_mail,
        "Status": member.status,
        "Avatar": f"{member.avatar}/0" if member.avatar else "",
        "Alias": member.alias,
        "Telephone": member.telephone,
        "Address": member.address,
        "ExtAttr": tuple(
            ("Item", _of_attribute(name, attribute)) for name, attribute in member.extattr.items()
        ),
    }


def _of_attribute(name: str, attribute: Attribute) -> Elements:
    if attribute.type == 1:
        web = (("Title", attribute.title), ("Url", attribute.value))
        return (("Name", name), ("Type", 1), ("Web", web))
    return (("Name", name), ("Type", 0), ("Text", (("Value", attribute.value),)))


def _of_department(department: Department) -> Told:
    return {
        "Id": department.id,
        "Name": department.name,
        "ParentId": str(department.parentid),
        "Order": department.order,
    }


def _joined(values: Iterable[object]) -> str:
    return ",".join(str(value) for value in values)


def callbacks(
    directory: Directory,
    before: Facts,
    after: Facts,
    *,
    listeners: Iterable[Listener],
    corp_id: str,
    created_at: int,
) -> Iterator[Callback]:
    """What each listener is told of the changes between two moments, `after` being now."""
    header = Header(corp_id=corp_id, created_at=created_at, event=EVENT)
    everybody = tuple(listeners)
    for change in changes(directory, before, after):
        for listener in everybody:
            elements = _for_listener(change, listener)
            if elements is not None:
                change_type: Value = Bare(change.change_type)
                if change.change_type == "update_tag":
                    change_type = change.change_type
                yield Callback(
                    receiver=listener.receiver,
                    agent_id=listener.agent_id,
                    event=f"{EVENT}/{change.change_type}",
                    xml=event_xml(header, (("ChangeType", change_type), *elements)),
                )


def _for_listener(change: Change, listener: Listener) -> Elements | None:
    if listener.is_reduced:
        return change.reduced
    if listener.with_sensitive:
        return change.full
    return tuple(element for element in change.full if element[0] not in SENSITIVE)


def changes(directory: Directory, before: Facts, after: Facts) -> Iterator[Change]:
    """The events between two moments: what is made, then what is changed, then what is gone."""
    for department, told in after.departments.items():
        if department not in before.departments:
            yield _create_party(told)
    yield from _member_changes(before, after)
    for department, told in after.departments.items():
        if department in before.departments and told != before.departments[department]:
            yield _update_party(before.departments[department], told)
    for tag in after.tags:
        if tag in before.tags and (change := _update_tag(directory, tag, before, after)) is not None:
            yield change
    # Deleting happens from the bottom up, one event for each (WeCom page 90971).
    for department in reversed(tuple(before.departments)):
        if department not in after.departments:
            id = (("Id", department.id),)
            yield Change(change_type="delete_party", full=id, reduced=id)


def _member_changes(before: Facts, after: Facts) -> Iterator[Change]:
    for member, (userid, told) in after.members.items():
        if member not in before.members:
            short = (("UserID", userid), ("Department", told["Department"]))
            yield Change(change_type="create_user", full=(("UserID", userid), *told.items()), reduced=short)
        elif before.members[member] != (userid, told):
            yield _update_user(before.members[member], (userid, told))
    for member, (userid, _) in before.members.items():
        if member not in after.members:
            key = (("UserID", userid),)
            yield Change(change_type="delete_user", full=key, reduced=key)


def _update_user(before: tuple[str, Told], after: tuple[str, Told]) -> Change:
    (old, was), (new, told) = before, after
    names: Elements = (("UserID", old),) if old == new else (("UserID", old), ("NewUserID", new))
    changed = tuple((name, value) for name, value in told.items() if value != was[name])
    is_told = old != new or told["Department"] != was["Department"]
    short: Elements = (*names, ("Department", told["Department"]))
    return Change(change_type="update_user", full=(*names, *changed), reduced=short if is_told else None)


def _create_party(told: Told) -> Change:
    short = (("Id", told["Id"]), ("ParentId", told["ParentId"]))
    return Change(change_type="create_party", full=tuple(told.items()), reduced=short)


def _update_party(was: Told, told: Told) -> Change:
    """The order is in no sample of it, but that it changed is told by the event itself."""
    short = (("Id", told["Id"]), ("ParentId", told["ParentId"]))
    changed = tuple((name, told[name]) for name in ("Name", "ParentId") if told[name] != was[name])
    is_moved = told["ParentId"] != was["ParentId"]
    return Change(
        change_type="update_party", full=(("Id", told["Id"]), *changed), reduced=short if is_moved else None
    )


def _update_tag(directory: Directory, tag: Tag, before: Facts, after: Facts) -> Change | None:
    """Who came into the tag and who left it.

    Who is no more is not named, and a department that is no more not either, although the event
    comes (WeCom page 90972): a receiver must read the tag again.
    """
    (had_users, had_parties), (users, parties) = before.tags[tag], after.tags[tag]
    left = (member for member in had_users if member not in users)
    gone = [id for id in had_parties if id not in parties]
    elements: Elements = (
        ("TagId", tag.id),
        ("AddUserItems", _joined(member.userid for member in users if member not in had_users)),
        ("DelUserItems", _joined(m.userid for m in left if directory.members.get(fold(m.userid)) is m)),
        ("AddPartyItems", _joined(id for id in parties if id not in had_parties)),
        ("DelPartyItems", _joined(id for id in gone if id in directory.departments)),
    )
    if not gone and not any(text for _, text in elements[1:]):
        return None
    return Change(change_type="update_tag", full=elements, reduced=elements)
