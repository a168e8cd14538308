"""What in a dump cannot be: everything that is wrong is told at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Final

from wxsync.config.problems import dotted
from wxsync.sandbox import fields
from wxsync.sandbox.dump_format import Dump, MemberPart
from wxsync.sandbox.fields import as_read
from wxsync.sandbox.member_rules import CHECKS, parse_attributes
from wxsync.sandbox.records import ROOT, fold
from wxsync.sandbox.refusal import Refusal

FREELY: Final = frozenset(("department", "order", "is_leader_in_dept", "enable", "gender", "direct_leader"))
"""What the model itself holds, or what this module checks in its own way."""


def contradictions(dump: Dump) -> list[str]:
    """Every problem, as `members[3].mobile: …`; empty where the corp can be."""
    return [*_departments(dump), *_members(dump), *_tags(dump), *_apps(dump), *_corp(dump)]


def half_characters(data: object) -> Iterator[str]:
    """Texts with half a surrogate pair, which no file, database or answer takes."""
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), data)]
    for path, value in waiting:
        if isinstance(value, dict):
            waiting += [((*path, _whole(str(key))), each) for key, each in value.items()]
            waiting += [((*path, _whole(str(key))), key) for key in value if _whole(str(key)) != key]
        elif isinstance(value, list):
            waiting += [((*path, number), each) for number, each in enumerate(value)]
        elif isinstance(value, str) and _whole(value) != value:
            yield f"{dotted(path) or 'the document'}: holds half a character (a surrogate without its other)"


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _doubled(part: str, name: str, values: Iterable[Hashable]) -> Iterator[str]:
    """Values that are there twice; empty ones do not count."""
    first: dict[Hashable, int] = {}
    for place, value in enumerate(values):
        if value not in ("", None) and first.setdefault(value, place) != place:
            yield f"{part}[{place}].{name}: the same as in {part}[{first[value]}]"


def _unknown(place: str, what: str, ids: Iterable[Any], known: Callable[[Any], bool]) -> Iterator[str]:
    for number, id in enumerate(ids):
        if not known(id):
            yield f"{place}[{number}]: there is no such {what}"


def _refused(place: str, check: Callable[[Any], object], value: object) -> Iterator[str]:
    """What a call would be told about such a value."""
    try:
        check(value)
    except Refusal as refusal:
        yield f"{place}: {refusal.text} ({refusal.errcode})"


# Departments


def _departments(dump: Dump) -> Iterator[str]:
    parents = {department.id: department.parentid for department in dump.departments}
    for place, department in enumerate(dump.departments):
        at = f"departments[{place}]"
        if department.id == ROOT:
            if not department.name:
                yield f"{at}.name: is empty"
            if department.parentid != 0:
                yield f"{at}.parentid: the root department's is 0"
            continue
        yield from _refused(f"{at}.name", fields.check_department_name, department.name)
        if department.parentid != ROOT and department.parentid not in parents:
            yield f"{at}.parentid: there is no such department"
        elif _is_below_itself(department.id, parents):
            yield f"{at}.parentid: the department lies below itself"
    yield from _doubled("departments", "id", (department.id for department in dump.departments))
    siblings = ((department.parentid, department.name) for department in dump.departments)
    yield from _doubled("departments", "name", siblings)


def _is_below_itself(id: int, parents: dict[int, int]) -> bool:
    seen = {id}
    while id in parents and id != ROOT:
        id = parents[id]
        if id in seen:
            return True
        seen.add(id)
    return False


# Members


def _members(dump: Dump) -> Iterator[str]:
    departments = {ROOT, *(department.id for department in dump.departments)}
    userids = {fold(member.userid) for member in dump.members}
    for place, member in enumerate(dump.members):
        at = f"members[{place}]"
        yield from _member_fields(at, member)
        yield from _unknown(f"{at}.department", "department", member.department, departments.__contains__)
        yield from _unknown(
            f"{at}.direct_leader", "member", member.direct_leader, lambda userid: fold(userid) in userids
        )
        yield from _placement(at, member)
    yield from _doubled("members", "userid", (fold(member.userid) for member in dump.members))
    yield from _doubled("members", "mobile", (as_read(member.mobile) for member in dump.members))
    yield from _doubled("members", "email", (member.email.lower() for member in dump.members))
    yield from _doubled("members", "biz_mail", (member.biz_mail.lower() for member in dump.members))


def _member_fields(at: str, member: MemberPart) -> Iterator[str]:
    yield from _refused(f"{at}.userid", fields.check_userid, member.userid)
    for name, check in CHECKS.items():
        value = getattr(member, name, None)
        if value and name not in FREELY:
            yield from _refused(f"{at}.{name}", check, value)
    if not member.name:
        yield f"{at}.name: is empty"
    yield from _refused(f"{at}.extattr", parse_attributes, member.extattr)


def _placement(at: str, member: MemberPart) -> Iterator[str]:
    """The arrays are as long as `department`, and the main one is among them."""
    if len(set(member.department)) != len(member.department):
        yield f"{at}.department: names a department twice"
    for name, values in (("order", member.order), ("is_leader_in_dept", member.is_leader_in_dept)):
        if values is not None and len(values) != len(member.department):
            yield f"{at}.{name}: as many as departments ({len(member.department)}) are needed"
    if member.main_department is not None and member.main_department not in member.department:
        yield f"{at}.main_department: is not one of the member's departments"


# Tags, apps, corp


def _tags(dump: Dump) -> Iterator[str]:
    known_members, known_departments = _known(dump)
    for place, tag in enumerate(dump.tags):
        yield from _refused(f"tags[{place}].tagname", fields.check_tag_name, tag.tagname)
        yield from _unknown(f"tags[{place}].userlist", "member", tag.userlist, known_members)
        yield from _unknown(f"tags[{place}].partylist", "department", tag.partylist, known_departments)
    yield from _doubled("tags", "tagid", (tag.tagid for tag in dump.tags))
    yield from _doubled("tags", "tagname", (tag.tagname for tag in dump.tags))


def _apps(dump: Dump) -> Iterator[str]:
    known_members, known_departments = _known(dump)
    tags = {tag.tagid for tag in dump.tags}
    for place, app in enumerate(dump.apps):
        yield from _unknown(f"apps[{place}].scope", "department", app.scope, known_departments)
        yield from _unknown(f"apps[{place}].scope_members", "member", app.scope_members, known_members)
        yield from _unknown(f"apps[{place}].scope_tags", "tag", app.scope_tags, tags.__contains__)
        if app.secret == dump.corp.contact_secret:
            yield f"apps[{place}].secret: is the contact-sync secret"
    yield from _doubled("apps", "agent_id", (app.agent_id for app in dump.apps))
    yield from _doubled("apps", "secret", (app.secret for app in dump.apps))


def _corp(dump: Dump) -> Iterator[str]:
    known_members, _ = _known(dump)
    if dump.corp.creator is not None and not known_members(dump.corp.creator):
        yield "corp.creator: there is no such member"


def _known(dump: Dump) -> tuple[Callable[[str], bool], Callable[[int], bool]]:
    userids = {fold(member.userid) for member in dump.members}
    departments = {ROOT, *(department.id for department in dump.departments)}
    return lambda userid: fold(userid) in userids, departments.__contains__
