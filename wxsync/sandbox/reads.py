"""The calls that read members (WeCom pages 90196, 90200, 90201, 96067, 95402)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import as_read, is_integer, is_text, required
from wxsync.sandbox.records import Attribute, Member, fold
from wxsync.sandbox.refusal import Refusal, invalid
from wxsync.sandbox.state import SandboxState

PAGE: Final = 10_000
"""The most rows of a page of user/list_id, and how many there are without a limit (our own choice)."""

LISTINGS: Final = 16
"""How many pagings stay alive; the oldest is forgotten first."""


def details(member: Member, *, with_sensitive: bool) -> dict[str, Any]:
    """A member as user/get shows it. What the caller may not see is left out, not empty."""
    row: dict[str, Any] = {
        "userid": member.userid,
        "name": member.name,
        "department": list(member.department),
        "position": member.position,
        "status": member.status,
        "isleader": int(any(member.is_leader_in_dept)),
        "extattr": {"attrs": [attribute(name, value) for name, value in member.extattr.items()]},
        "telephone": member.telephone,
        "enable": member.enable,
        "hide_mobile": 0,
        "order": list(member.order),
        "external_profile": {"external_attr": [], "external_corp_name": "", **member.external_profile},
        "main_department": member.main_department,
        "alias": member.alias,
        "is_leader_in_dept": list(member.is_leader_in_dept),
        "direct_leader": list(member.direct_leader),
    }
    for name in ("external_position", "english_name"):
        if value := getattr(member, name):
            row[name] = value
    if with_sensitive:
        row |= {
            "mobile": member.mobile,
            "gender": member.gender,
            "email": member.email,
            "biz_mail": member.biz_mail,
            "address": member.address,
            "avatar": "",
            "thumb_avatar": "",
            "qr_code": f"https://open.work.weixin.qq.com/wwopen/userQRCode?vcode={fold(member.userid)}",
        }
    return row


def attribute(name: str, value: Attribute) -> dict[str, Any]:
    if value.type == 1:
        return {"name": name, "type": 1, "web": {"url": value.value, "title": value.title}}
    return {"name": name, "value": value.value, "type": 0, "text": {"value": value.value}}


def get(asked: Asked) -> Mapping[str, Any]:
    """One member."""
    userid = asked.query.get("userid")
    if not userid:
        raise Refusal(41009)
    member = asked.directory.members.get(fold(userid))
    if member is None:
        raise Refusal(60111)
    return details(member, with_sensitive=asked.who.sees_sensitive)


def simplelist(asked: Asked) -> Mapping[str, Any]:
    """Userid, name and departments of a department's direct members."""
    return {
        "userlist": [
            {"userid": member.userid, "name": member.name, "department": list(member.department)}
            for member in _direct_members(asked)
        ]
    }


def full_list(asked: Asked) -> Mapping[str, Any]:
    """All that may be seen of a department's direct members; `fetch_child` is ignored."""
    with_sensitive = asked.who.sees_sensitive
    return {"userlist": [details(m, with_sensitive=with_sensitive) for m in _direct_members(asked)]}


def _direct_members(asked: Asked) -> list[Member]:
    department = asked.directory.departments.get(asked.required_number("department_id"))
    if department is None:
        raise Refusal(60003)
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


def getuserid(asked: Asked) -> Mapping[str, Any]:
    """Who has this phone number."""
    mobile = required(asked.given({"mobile": is_text}), "mobile")
    if not 5 <= len(mobile.encode()) <= 32:
        raise invalid("mobile")
    return _found(asked.directory.by_mobile.get(as_read(mobile)))


def get_userid_by_email(asked: Asked) -> Mapping[str, Any]:
    """Who has this corp (`email_type` 1, the default) or personal (2) address."""
    given = asked.given({"email": is_text, "email_type": is_integer})
    email = required(given, "email").lower()
    match given.get("email_type", 1):
        case 1:
            return _found(asked.directory.by_biz_mail.get(email))
        case 2:
            return _found(asked.directory.by_email.get(email))
    raise invalid("email_type")


def _found(member: Member | None) -> Mapping[str, Any]:
    if member is None:
        raise Refusal(46004)
    return {"userid": member.userid}


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
    Operation(path="user/getuserid", method="POST", permission=Permission.ANY_TOKEN, carry_out=getuserid),
    Operation(
        path="user/get_userid_by_email",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=get_userid_by_email,
    ),
)
