"""The calls that read members (WeCom pages 90196, 90200, 90201, 96067)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import is_integer, is_text
from wxsync.sandbox.records import Attribute, Member, fold
from wxsync.sandbox.refusal import Refusal, invalid
from wxsync.sandbox.scope import Scope
from wxsync.sandbox.state import SandboxState

PAGE: Final = 10_000
"""The most rows of a page of user/list_id, and how many there are without a limit (our own choice)."""

LISTINGS: Final = 16
"""How many pagings stay alive; the oldest is forgotten first."""


def details(member: Member, scope: Scope, *, with_sensitive: bool) -> dict[str, Any]:
    """A member as user/get shows it. What the caller may not see is left out, not empty."""
    places = [place for place, id in enumerate(member.department) if scope.sees_department(id)]
    row: dict[str, Any] = {
        "userid": member.userid,
        "name": member.name,
        "department": [member.department[place] for place in places],
        "position": member.position,
        "status": member.status,
        "isleader": int(any(member.is_leader_in_dept)),
        "extattr": {"attrs": [attribute(name, value) for name, value in member.extattr.items()]},
        "telephone": member.telephone,
        "enable": member.enable,
        "hide_mobile": 0,
        "order": [member.order[place] for place in places],
        "external_profile": {"external_attr": [], "external_corp_name": "", **member.external_profile},
        "alias": member.alias,
        "is_leader_in_dept": [member.is_leader_in_dept[place] for place in places],
        "direct_leader": list(member.direct_leader),
    }
    if scope.sees_department(member.main_department):
        row["main_department"] = member.main_department
    for name in ("external_position", "english_name"):
        if value := getattr(member, name):
            row[name] = value
    return row | sensitive(member) if with_sensitive else row


def sensitive(member: Member) -> dict[str, Any]:
    """What apps do not see of a member since 2022-06-20."""
    return {
        "mobile": member.mobile,
        "gender": member.gender,
        "email": member.email,
        "biz_mail": member.biz_mail,
        "address": member.address,
        "avatar": f"{member.avatar}/0" if member.avatar else "",
        "thumb_avatar": f"{member.avatar}/100" if member.avatar else "",
        "qr_code": f"https://open.work.weixin.qq.com/wwopen/userQRCode?vcode={fold(member.userid)}",
    }


def attribute(name: str, value: Attribute) -> dict[str, Any]:
    if value.type == 1:
        return {"name": name, "type": 1, "web": {"url": value.value, "title": value.title}}
    return {"name": name, "value": value.value, "type": 0, "text": {"value": value.value}}


def get(asked: Asked) -> Mapping[str, Any]:
    """One member, of those in the caller's scope."""
    userid = asked.query.get("userid")
    if not userid:
        raise Refusal(41009)
    scope = asked.scope
    member = scope.find_member(userid)
    if member is None:
        raise Refusal(60111)
    return details(member, scope, with_sensitive=asked.who.sees_sensitive)


def simplelist(asked: Asked) -> Mapping[str, Any]:
    """Userid, name and departments of a department's direct members."""
    scope = asked.scope
    return {"userlist": [simple(member, scope) for member in _direct_members(asked, scope)]}


def simple(member: Member, scope: Scope) -> dict[str, Any]:
    """A member as user/simplelist shows it."""
    departments = [id for id in member.department if scope.sees_department(id)]
    return {"userid": member.userid, "name": member.name, "department": departments}


def full_list(asked: Asked) -> Mapping[str, Any]:
    """All that may be seen of a department's direct members; `fetch_child` is ignored."""
    scope, with_sensitive = asked.scope, asked.who.sees_sensitive
    members = _direct_members(asked, scope)
    return {"userlist": [details(member, scope, with_sensitive=with_sensitive) for member in members]}


def _direct_members(asked: Asked, scope: Scope) -> list[Member]:
    department = asked.directory.departments.get(asked.required_number("department_id"))
    if department is None:
        raise Refusal(60003)
    if not scope.sees_department(department.id):
        raise Refusal(60011)
    if asked.state.max_listed is not None and len(department.members) > asked.state.max_listed:
        raise Refusal(45029)
    return [asked.directory.members[key] for key in department.members]


def list_id(asked: Asked) -> Mapping[str, Any]:
    """A page of (member, department) rows, as they were when the first page was asked for.

    The limit counts rows, so that a member's rows may straddle pages.
    """
    given = asked.given({"cursor": is_text, "limit": is_integer})
    limit = given.get("limit", PAGE)
    if not 1 <= limit <= PAGE:
        raise invalid("limit")
    if given.get("cursor"):
        number, start = _position(given["cursor"])
    else:
        number, start = _open_listing(asked.state), 0
    rows = asked.state.listings.get(number)
    if rows is None or start > len(rows):
        raise Refusal(50100)
    end = start + limit
    return {
        "next_cursor": _cursor(number, end) if end < len(rows) else "",
        "dept_user": [{"userid": userid, "department": id} for userid, id in rows[start:end]],
    }


def _open_listing(state: SandboxState) -> int:
    number = state.next_serial()
    state.listings[number] = tuple(
        (member.userid, id) for member in state.directory.members.values() for id in member.department
    )
    while len(state.listings) > LISTINGS:
        del state.listings[next(iter(state.listings))]
    return number


def _cursor(number: int, start: int) -> str:
    return base64.urlsafe_b64encode(f"{number}.{start}".encode()).decode()


def _position(cursor: str) -> tuple[int, int]:
    try:
        number, start = base64.urlsafe_b64decode(cursor.encode()).decode().split(".")
        return int(number), int(start)
    except (ValueError, binascii.Error):
        raise Refusal(50100) from None


OPERATIONS: Final = (
    Operation(
        path="user/get",
        method="GET",
        permission=Permission.DETAILS,
        carry_out=get,
        empties=("department", "order", "is_leader_in_dept", "direct_leader"),
    ),
    Operation(
        path="user/simplelist",
        method="GET",
        permission=Permission.DETAILS,
        carry_out=simplelist,
        empties=("userlist",),
    ),
    Operation(
        path="user/list",
        method="GET",
        permission=Permission.DETAILS,
        carry_out=full_list,
        empties=("userlist",),
    ),
    Operation(
        path="user/list_id",
        method="POST",
        permission=Permission.CONTACT,
        carry_out=list_id,
        empties=("dept_user",),
    ),
)
