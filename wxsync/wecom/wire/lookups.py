"""What people look up, out of WeCom's JSON; a field that is hidden or not as documented is UNKNOWN."""

from __future__ import annotations

from datetime import date
from typing import Final

from wxsync.model.lookup import (
    DepartmentCard,
    MailKind,
    MemberCard,
    MemberName,
    MemberPage,
    MemberStatus,
    QrSize,
    TagCard,
)
from wxsync.model.unknown import UNKNOWN, Unknown
from wxsync.wecom.wire.directory import from_member_page, shown_member, shown_number, shown_text
from wxsync.wecom.wire.shapes import (
    Answer,
    Json,
    number_of,
    numbers_of,
    rows_of,
    text_of,
    texts_of,
    unreadable,
)

MISSED: Final = frozenset({46004, 60146})
"""Nobody has this phone number, or nobody in scope."""

# Members (WeCom pages 90196, 90200, 90201, 96067)


def from_member_card(answer: Answer) -> MemberCard:
    return _card(answer, "user/get")


def from_member_cards(answer: Answer) -> tuple[MemberCard, ...]:
    return tuple(_card(row, "user/list") for row in rows_of(answer, "userlist", "user/list"))


def _card(row: Answer, endpoint: str) -> MemberCard:
    return MemberCard(
        userid=text_of(row, "userid", endpoint),
        shown=shown_member(row),
        status=_status(row.get("status")),
        avatar=shown_text(row.get("avatar")),
        qr_code=shown_text(row.get("qr_code")),
    )


def _status(value: object) -> MemberStatus | Unknown:
    number = shown_number(value)
    return MemberStatus(number) if number in set(MemberStatus) else UNKNOWN


def from_member_names(answer: Answer, endpoint: str) -> tuple[MemberName, ...]:
    """The rows of `userlist` that have a name: those of user/simplelist, of tag/get, and of their exports."""
    return tuple(
        MemberName(
            userid=text_of(row, "userid", endpoint),
            name=shown_text(row.get("name")),
            department_ids=frozenset(numbers_of(row, "department", endpoint)),
        )
        for row in rows_of(answer, "userlist", endpoint)
    )


def from_listing_page(answer: Answer) -> MemberPage:
    rows, next_cursor = from_member_page(answer)
    return MemberPage(rows=tuple(rows), next_cursor=next_cursor)


# Who somebody is (WeCom pages 90202, 95402, 95895)


def to_mobile(mobile: str) -> Json:
    return {"mobile": mobile}


def to_email(email: str, kind: MailKind) -> Json:
    return {"email": email, "email_type": int(kind)}


def to_userid(userid: str) -> Json:
    return {"userid": userid}


def to_openid(openid: str) -> Json:
    return {"openid": openid}


def from_found(answer: Answer, endpoint: str) -> str:
    """The userid that was found; an empty one is nobody's."""
    return _some(answer, "userid", endpoint)


def from_openid(answer: Answer) -> str:
    return _some(answer, "openid", "user/convert_to_openid")


def _some(answer: Answer, name: str, endpoint: str) -> str:
    text = text_of(answer, name, endpoint)
    if not text:
        raise unreadable(endpoint, f"{name} is empty")
    return text


# The corp (WeCom pages 92714, 91714)


def to_day(day: date) -> Json:
    return {"date": day.isoformat()}


def from_active(answer: Answer) -> int:
    return number_of(answer, "active_cnt", "user/get_active_stat")


def to_qr_query(size: QrSize) -> dict[str, str]:
    return {"size_type": str(int(size))}


def from_qr(answer: Answer) -> str:
    return _some(answer, "join_qrcode", "corp/get_join_qrcode")


# Departments (WeCom pages 90208, 95351) and tags (WeCom page 90213)


def to_subtree_query(id: int | None) -> dict[str, str]:
    return {} if id is None else {"id": str(id)}


def from_department_cards(answer: Answer, endpoint: str) -> tuple[DepartmentCard, ...]:
    return tuple(_department(row, endpoint) for row in rows_of(answer, "department", endpoint))


def from_department_card(answer: Answer) -> DepartmentCard:
    """The one department of department/get, which is a record and not a list of one."""
    row = answer.get("department")
    if not isinstance(row, dict):
        raise unreadable("department/get", "department is not a record")
    return _department(row, "department/get")


def _department(row: Answer, endpoint: str) -> DepartmentCard:
    return DepartmentCard(
        id=number_of(row, "id", endpoint),
        parent_id=number_of(row, "parentid", endpoint),
        order=number_of(row, "order", endpoint),
        name=shown_text(row.get("name")),
        name_en=shown_text(row.get("name_en")),
        leaders=texts_of(row, "department_leader", endpoint),
    )


def from_tag_card(answer: Answer, id: int, endpoint: str) -> TagCard:
    """A tag and who is in it; an export may leave the name out."""
    return TagCard(
        id=id,
        name=shown_text(answer.get("tagname")),
        members=from_member_names(answer, endpoint),
        department_ids=frozenset(numbers_of(answer, "partylist", endpoint)),
    )
