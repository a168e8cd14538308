"""Whose number, address or openid is this, and other small questions (WeCom pages 90202, 95402, 92714)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import as_read, is_integer, is_text, required
from wxsync.sandbox.quotas import Violation
from wxsync.sandbox.records import Member, fold
from wxsync.sandbox.refusal import Refusal, invalid
from wxsync.sandbox.scope import Scope

ACTIVE_DAYS: Final = 30
"""So far back can user/get_active_stat look."""
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
BEIJING: Final = timezone(timedelta(hours=8))

QR_SIZES: Final = {1: 171, 2: 399, 3: 741, 4: 2052}
"""size_type -> pixels (WeCom page 91714)."""

CALLBACK_ADDRESSES: Final = ("198.51.100.10", "198.51.100.32/28")
API_ADDRESSES: Final = ("203.0.113.10", "203.0.113.64/27")
"""Made up, of the ranges for documentation: single addresses and segments, as WeCom mixes them."""


def getuserid(asked: Asked) -> Mapping[str, Any]:
    """Who has this phone number. Misses above a fifth of the corp end the call for the day (45009)."""
    state = asked.state
    if state.quotas.are_lookups_blocked(state.clock()):
        state.quotas.violate(Violation.LOOKUPS)
        raise Refusal(45009)
    mobile = required(asked.given({"mobile": is_text}), "mobile")
    if not 5 <= len(mobile.encode()) <= 32:
        raise invalid("mobile")
    member = _seen(asked.scope, state.directory.by_mobile.get(as_read(mobile)))
    if member is None:
        state.quotas.note_miss(state.clock(), len(state.members))
    return _found(member)


def get_userid_by_email(asked: Asked) -> Mapping[str, Any]:
    """Who has this corp (`email_type` 1, the default) or personal (2) address."""
    given = asked.given({"email": is_text, "email_type": is_integer})
    email = required(given, "email").lower()
    match given.get("email_type", 1):
        case 1:
            return _found(_seen(asked.scope, asked.directory.by_biz_mail.get(email)))
        case 2:
            return _found(_seen(asked.scope, asked.directory.by_email.get(email)))
    raise invalid("email_type")


def _seen(scope: Scope, member: Member | None) -> Member | None:
    return member if member is not None and scope.sees_member(member) else None


def _found(member: Member | None) -> Mapping[str, Any]:
    if member is None:
        raise Refusal(46004)
    return {"userid": member.userid}


def convert_to_openid(asked: Asked) -> Mapping[str, Any]:
    """By which openid WeChat knows a member of the app's range."""
    userid = asked.given({"userid": is_text}).get("userid")
    if not userid:
        raise Refusal(41009)
    member = asked.directory.members.get(fold(userid))
    if member is None:
        raise Refusal(60111)
    check_in_range(asked, member)
    if not member.openid:
        raise Refusal(43004)
    return {"openid": member.openid}


def convert_to_userid(asked: Asked) -> Mapping[str, Any]:
    """Which member of the app's range WeChat knows by this openid."""
    openid = required(asked.given({"openid": is_text}), "openid")
    member = next((each for each in asked.state.members.values() if each.openid == openid), None)
    if not openid or member is None:
        raise Refusal(40073)
    check_in_range(asked, member)
    return {"userid": member.userid}


def check_in_range(asked: Asked, member: Member) -> None:
    """The caller's range holds the member (50002)."""
    if not asked.scope.sees_member(member):
        raise Refusal(50002)


def get_active_stat(asked: Asked) -> Mapping[str, Any]:
    """How many were active on a day, not longer ago than 30: all who have activated, by our choice."""
    text = required(asked.given({"date": is_text}), "date")
    try:
        day = date.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        day = None
    today = datetime.fromtimestamp(asked.state.clock(), BEIJING).date()
    if day is None or not 0 <= (today - day).days <= ACTIVE_DAYS:
        raise invalid("date")
    return {"active_cnt": sum(member.status == 1 for member in asked.state.members.values())}


def get_join_qrcode(asked: Asked) -> Mapping[str, Any]:
    """The address of a picture by which people join."""
    size = asked.number("size_type")
    if size is not None and size not in QR_SIZES:
        raise invalid("size_type")
    pixels = QR_SIZES[size or 1]
    address = "https://wework.qpic.cn/wwpic/sandbox"
    return {"join_qrcode": f"{address}/{asked.state.corp_id}/{pixels}?t={int(asked.state.clock())}"}


def getcallbackip(_asked: Asked) -> Mapping[str, Any]:
    """From where WeCom calls back."""
    return {"ip_list": list(CALLBACK_ADDRESSES)}


def get_api_domain_ip(_asked: Asked) -> Mapping[str, Any]:
    """Where WeCom's calls go to."""
    return {"ip_list": list(API_ADDRESSES)}


OPERATIONS: Final = (
    Operation(path="user/getuserid", method="POST", permission=Permission.ANY_TOKEN, carry_out=getuserid),
    Operation(
        path="user/get_userid_by_email",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=get_userid_by_email,
    ),
    Operation(
        path="user/convert_to_openid", method="POST", permission=Permission.APP, carry_out=convert_to_openid
    ),
    Operation(
        path="user/convert_to_userid", method="POST", permission=Permission.APP, carry_out=convert_to_userid
    ),
    Operation(
        path="user/get_active_stat", method="POST", permission=Permission.CONTACT, carry_out=get_active_stat
    ),
    Operation(
        path="corp/get_join_qrcode", method="GET", permission=Permission.CONTACT, carry_out=get_join_qrcode
    ),
    Operation(
        path="getcallbackip",
        method="GET",
        permission=Permission.OPEN,
        carry_out=getcallbackip,
        empties=("ip_list",),
    ),
    Operation(
        path="get_api_domain_ip",
        method="GET",
        permission=Permission.OPEN,
        carry_out=get_api_domain_ip,
        empties=("ip_list",),
    ),
)
