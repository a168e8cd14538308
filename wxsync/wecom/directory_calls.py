"""The calls that read members, departments and tags, with their arguments, secret and WeCom's page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from wxsync.model.lookup import MailKind, QrSize
from wxsync.wecom.calls import (
    APP,
    BETTER_BY_APP,
    CONTACT,
    EITHER,
    Argument,
    Ask,
    Found,
    Given,
    Kind,
    ReadCall,
)
from wxsync.wecom.lookups import PAGE, Lookups
from wxsync.wecom.verification import Verification

USERID: Final = Argument(name="userid", about="in any case of letters")
TAG: Final = Argument(name="tagid", about="the tag's number", kind=Kind.NUMBER)
DEPARTMENT: Final = Argument(name="department_id", about="the department's number", kind=Kind.NUMBER)
UNDER: Final = Argument(
    name="id", about="only this department and those below it", kind=Kind.NUMBER, is_required=False
)


def _looked(ask: Callable[[Lookups, Given], Awaitable[Found]]) -> Ask:
    return lambda line, given: ask(Lookups(line), given)


def _under(given: Given) -> int | None:
    return given.number("id") if given.has("id") else None


DIRECTORY_CALLS: Final = (
    ReadCall(
        path="user/get",
        page=90196,
        about="one member, with all that this secret may see",
        secrets=BETTER_BY_APP,
        arguments=(USERID,),
        ask=_looked(lambda look, given: look.get_member(given.text("userid"))),
    ),
    ReadCall(
        path="user/simplelist",
        page=90200,
        about="those directly in a department, by name",
        secrets=BETTER_BY_APP,
        arguments=(DEPARTMENT,),
        ask=_looked(lambda look, given: look.list_member_names(given.number("department_id"))),
    ),
    ReadCall(
        path="user/list",
        page=90201,
        about="those directly in a department, with all that this secret may see",
        secrets=BETTER_BY_APP,
        arguments=(DEPARTMENT,),
        ask=_looked(lambda look, given: look.list_members(given.number("department_id"))),
    ),
    ReadCall(
        path="user/list_id",
        page=96067,
        about="one page of everybody's userids and departments",
        secrets=CONTACT,
        arguments=(
            Argument(name="cursor", about="next_cursor of the page before", is_required=False),
            Argument(name="limit", about="rows, 1 to 10000", kind=Kind.NUMBER, is_required=False),
        ),
        ask=_looked(
            lambda look, given: look.list_member_ids(given.text("cursor"), given.number_or("limit", PAGE))
        ),
    ),
    ReadCall(
        path="user/getuserid",
        page=95402,
        about="who has a phone number; misses are counted, so never in numbers",
        secrets=BETTER_BY_APP,
        arguments=(Argument(name="mobile", about="with +NN where it is not Chinese"),),
        ask=_looked(lambda look, given: look.find_by_mobile(given.text("mobile"))),
    ),
    ReadCall(
        path="user/get_userid_by_email",
        page=95895,
        about="who has an e-mail address",
        secrets=BETTER_BY_APP,
        arguments=(
            Argument(name="email", about="the address"),
            Argument(
                name="email_type",
                about="1 the corp mailbox (the default), 2 the personal address",
                kind=Kind.NUMBER,
                is_required=False,
                choices=(1, 2),
            ),
        ),
        ask=_looked(
            lambda look, given: look.find_by_email(
                given.text("email"), MailKind(given.number_or("email_type", MailKind.CORP))
            )
        ),
    ),
    ReadCall(
        path="user/convert_to_openid",
        page=90202,
        about="a member's openid",
        secrets=APP,
        arguments=(USERID,),
        ask=_looked(lambda look, given: look.to_openid(given.text("userid"))),
    ),
    ReadCall(
        path="user/convert_to_userid",
        page=90202,
        about="whose openid this is",
        secrets=APP,
        arguments=(Argument(name="openid", about="as convert_to_openid gives it"),),
        ask=_looked(lambda look, given: look.to_userid(given.text("openid"))),
    ),
    ReadCall(
        path="user/get_active_stat",
        page=92714,
        about="how many members used WeCom on a day of the last 30",
        secrets=CONTACT,
        arguments=(Argument(name="date", about="like 2026-01-31", kind=Kind.DAY),),
        ask=_looked(lambda look, given: look.count_active(given.day("date"))),
    ),
    ReadCall(
        path="auth/getuserinfo",
        page=91023,
        about="who signed in with a code, which is used up by it",
        secrets=APP,
        arguments=(Argument(name="code", about="of the sign-in, good for five minutes"),),
        ask=lambda line, given: Verification(line).get_user(given.text("code")),
    ),
    ReadCall(
        path="department/list",
        page=90208,
        about="departments with their names",
        secrets=BETTER_BY_APP,
        arguments=(UNDER,),
        ask=_looked(lambda look, given: look.list_departments(_under(given))),
    ),
    ReadCall(
        path="department/simplelist",
        page=95350,
        about="departments without their names",
        secrets=EITHER,
        arguments=(UNDER,),
        ask=_looked(lambda look, given: look.list_department_ids(_under(given))),
    ),
    ReadCall(
        path="department/get",
        page=95351,
        about="one department",
        secrets=BETTER_BY_APP,
        arguments=(Argument(name="id", about="the department's number", kind=Kind.NUMBER),),
        ask=_looked(lambda look, given: look.get_department(given.number("id"))),
    ),
    ReadCall(
        path="tag/list",
        page=90216,
        about="all tags, without their members",
        secrets=EITHER,
        ask=_looked(lambda look, given: look.list_tags()),
    ),
    ReadCall(
        path="tag/get",
        page=90213,
        about="one tag with its members and departments",
        secrets=EITHER,
        arguments=(TAG,),
        ask=_looked(lambda look, given: look.get_tag(given.number("tagid"))),
    ),
    ReadCall(
        path="corp/get_join_qrcode",
        page=91714,
        about="the address of the QR code by which people join, good for 7 days",
        secrets=CONTACT,
        arguments=(
            Argument(
                name="size_type",
                about="1 to 4: 171 (the default), 399, 741 or 2052 pixels",
                kind=Kind.NUMBER,
                is_required=False,
                choices=(1, 2, 3, 4),
            ),
        ),
        ask=_looked(
            lambda look, given: look.get_join_qrcode(QrSize(given.number_or("size_type", QrSize.PX_171)))
        ),
    ),
)
