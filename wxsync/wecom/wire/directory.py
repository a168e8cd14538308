"""Members, departments and tags to WeCom's JSON and back.

An answer that lacks what it must hold raises `WeComError`: no half-read listing ever looks like a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wxsync.errors import StrayDepartmentError
from wxsync.model.member import TEXT_FIELDS, MemberWrite, Text, fold
from wxsync.model.normal import clean, mail_address, phone_number
from wxsync.model.seen import SeenDepartment, SeenMember, SeenTag, ShownMember
from wxsync.model.unknown import UNKNOWN, Unknown
from wxsync.wecom.wire.shapes import (
    Answer,
    Json,
    is_number,
    number_of,
    numbers_of,
    rows_of,
    text_of,
    unreadable,
)

PLAIN_TEXT_ATTRIBUTE: Final = 0
"""`type` of an extattr that is a text (WeCom page 100111)."""
LONGEST_TEXT: Final = 10_000
"""Characters: no field of a member holds a tenth of that, and bringing texts to their form takes time."""
ENABLED: Final[Mapping[int, bool]] = MappingProxyType({1: True, 0: False})
ACTIVATED: Final[Mapping[int, bool]] = MappingProxyType({1: True, 4: False})
"""What `status` tells of it; 2 (disabled) and 5 (has left) tell nothing (WeCom page 90196)."""


# Members (WeCom pages 90195, 90197, 90198, 96067)


def to_create_member(write: MemberWrite) -> Json:
    """The body of user/create: nobody is invited, everybody enabled unless said, and what is empty left out.

    In a creation an absent field ends up as empty as an empty one, and WeCom finds nothing in it to refuse.
    """
    body = {name: value for name, value in _member_body(write).items() if value not in ("", [])}
    attributes = [pair for pair in write.extattr if pair[1] is not None]
    if attributes:
        body["extattr"] = _extattr(attributes)
    body["enable"] = int(write.enable is not False)
    body["to_invite"] = False
    return body


def to_update_member(write: MemberWrite) -> Json:
    """The body of user/update: UNKNOWN is left out, None is sent as empty and so clears."""
    body = _member_body(write)
    if write.extattr:
        body["extattr"] = _extattr(write.extattr)
    if write.enable is not UNKNOWN:
        body["enable"] = int(write.enable)
    return body


def to_new_userid(userid: str, new_userid: str) -> Json:
    return {"userid": userid, "new_userid": new_userid}


def to_mail_aliases(userid: str, addresses: Sequence[str]) -> Json:
    return {"userid": userid, "biz_mail_alias": {"item": list(addresses)}}


def to_member_ids(userids: Sequence[str]) -> Json:
    return {"useridlist": list(userids)}


def to_member_query(userid: str) -> dict[str, str]:
    return {"userid": userid}


def to_page_query(cursor: str, limit: int) -> Json:
    return {"cursor": cursor, "limit": limit} if cursor else {"limit": limit}


def from_member_page(answer: Answer) -> tuple[list[tuple[str, int]], str]:
    """One page of user/list_id: (userid, department id) pairs, and the next cursor, empty at the end."""
    endpoint = "user/list_id"
    pairs = [
        (text_of(row, "userid", endpoint), number_of(row, "department", endpoint))
        for row in rows_of(answer, "dept_user", endpoint)
    ]
    return pairs, text_of(answer, "next_cursor", endpoint)


def to_seen_members(pairs: Iterable[tuple[str, int]]) -> tuple[SeenMember, ...]:
    """Members in the order of their first row; the rows of one may be anywhere, and in any case."""
    spelled: dict[str, str] = {}
    places: dict[str, set[int]] = {}
    for userid, department_id in pairs:
        folded = fold(userid)
        spelled.setdefault(folded, userid)
        places.setdefault(folded, set()).add(department_id)
    return tuple(
        SeenMember(userid=spelled[folded], department_ids=frozenset(ids)) for folded, ids in places.items()
    )


def check_created(answer: Answer, userid: str) -> None:
    """Raise `StrayDepartmentError` where WeCom made a department up for a member that it created."""
    made = answer.get("created_department_list")
    rows = made.get("department_info", []) if isinstance(made, Mapping) else made
    if rows:
        named = [row.get("id") for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        raise StrayDepartmentError("user/create", userid, tuple(id for id in named if is_number(id)))


def _member_body(write: MemberWrite) -> Json:
    body: Json = {"userid": write.userid}
    for name in TEXT_FIELDS:
        value = getattr(write, name)
        if value is not UNKNOWN:
            body[name] = "" if value is None else value
    if write.direct_leader is not UNKNOWN:
        # null would keep the one there is; an empty list clears (WeCom page 90197).
        body["direct_leader"] = [] if write.direct_leader is None else [write.direct_leader]
    body.update(_places(write))
    return body


def _places(write: MemberWrite) -> Json:
    """The arrays of departments; WeCom ignores an order without them, and refuses other lengths (60132)."""
    places: Json = {}
    if write.main_department is not UNKNOWN:
        places["main_department"] = write.main_department
    if write.departments is UNKNOWN:
        if write.order is not UNKNOWN or write.is_leader is not UNKNOWN:
            raise ValueError(f"{write.userid}: order and is_leader go with departments only")
        return places
    if not write.departments:
        raise ValueError(f"{write.userid}: a member is in one department at least")
    places["department"] = list(write.departments)
    if write.order is not UNKNOWN:
        places["order"] = _aligned(write.order, write)
    if write.is_leader is not UNKNOWN:
        places["is_leader_in_dept"] = _aligned(write.is_leader, write)
    return places


def _aligned(values: Sequence[int], write: MemberWrite) -> list[int]:
    if write.departments is UNKNOWN or len(values) != len(write.departments):
        raise ValueError(f"{write.userid}: order and is_leader are as long as departments")
    return [int(value) for value in values]


def _extattr(pairs: Iterable[tuple[str, str | None]]) -> Json:
    attributes = [
        {"type": PLAIN_TEXT_ATTRIBUTE, "name": name, "text": {"value": value or ""}} for name, value in pairs
    ]
    return {"attrs": attributes}


# Details of members (WeCom page 90201): a field that is not there is one that we may not see


def to_member_list_query(department_id: int) -> dict[str, str]:
    return {"department_id": str(department_id)}


def from_member_list(answer: Answer) -> tuple[tuple[str, ShownMember], ...]:
    """(userid, what is shown) of each row."""
    endpoint = "user/list"
    return tuple(
        (text_of(row, "userid", endpoint), shown_member(row)) for row in rows_of(answer, "userlist", endpoint)
    )


def shown_member(row: Answer) -> ShownMember:
    """What can be read of a row. What is of another type than documented is as good as hidden."""
    texts = {name: shown_text(row.get(name), SHOWN_FORMS.get(name, str)) for name in TEXT_FIELDS}
    departments = _numbers(row.get("department")) or ()
    marks = _of_each(departments, row.get("is_leader_in_dept"))
    orders = _of_each(departments, row.get("order"))
    return ShownMember(
        **texts,
        departments=frozenset(departments),
        main_department=shown_number(row.get("main_department")) or UNKNOWN,
        is_leader=UNKNOWN if marks is None else tuple(id for id, mark in marks if mark),
        order=UNKNOWN if orders is None else orders,
        direct_leader=_shown_leader(row.get("direct_leader")),
        enable=_shown_flag(row.get("enable"), ENABLED),
        is_activated=_shown_flag(row.get("status"), ACTIVATED),
        extattr=_shown_attributes(row.get("extattr")),
    )


def shown_text(value: object, form: Callable[[str], str | None] = str) -> Text:
    """The text in its normal form, None where it is shown as empty, UNKNOWN where it is no such text."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return UNKNOWN
    text = clean(value)
    return None if text is None else form(text)


SHOWN_FORMS: Final[Mapping[str, Callable[[str], str | None]]] = MappingProxyType(
    {
        "mobile": lambda text: phone_number(text) or text,
        "email": mail_address,
        "biz_mail": mail_address,
        "gender": lambda text: None if text == "0" else text,
    }
)
"""The normal form of a text that WeCom shows, where it is another than the clean text."""


def _shown_flag(value: object, meanings: Mapping[int, bool]) -> bool | Unknown:
    number = shown_number(value)
    return UNKNOWN if number is None else meanings.get(number, UNKNOWN)


def _shown_leader(value: object) -> Text:
    if not isinstance(value, list) or len(value) > 1 or not all(isinstance(each, str) for each in value):
        return UNKNOWN
    return value[0] or None if value else None


def _shown_attributes(value: object) -> tuple[tuple[str, str | None], ...]:
    """The attributes that are texts; `value` beside `text` is the legacy form of the same."""
    rows = value.get("attrs") if isinstance(value, Mapping) else None
    shown: dict[str, str | None] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, Mapping) or row.get("type") != PLAIN_TEXT_ATTRIBUTE:
            continue
        name, holder = row.get("name"), row.get("text")
        text = shown_text(holder.get("value") if isinstance(holder, Mapping) else row.get("value"), str)
        if isinstance(name, str) and text is not UNKNOWN:
            shown[name] = text
    return tuple(sorted(shown.items()))


def _of_each(departments: Sequence[int], value: object) -> tuple[tuple[int, int], ...] | None:
    """(department, number) from aligned arrays, sorted; None where they are not aligned or not there."""
    numbers = _numbers(value)
    if numbers is None or len(numbers) != len(departments):
        return None
    return tuple(sorted(zip(departments, numbers, strict=True)))


def _numbers(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list) or any(shown_number(each) is None for each in value):
        return None
    return tuple(value)


def shown_number(value: object) -> int | None:
    return value if is_number(value) else None


# Departments (WeCom pages 90205, 90206, 90207, 90208, 95350)


def to_department(
    id: int, *, name: str | None, parent_id: int | None, order: int | None, name_en: str | None = None
) -> Json:
    """The body of department/create and department/update: None is left out, which keeps what there is."""
    body: Json = {"id": id, "name": name, "name_en": name_en, "parentid": parent_id, "order": order}
    return {field: value for field, value in body.items() if value is not None}


def to_department_query(id: int) -> dict[str, str]:
    return {"id": str(id)}


def from_departments(answer: Answer) -> tuple[SeenDepartment, ...]:
    """All departments; a corp has a root, so none at all is no listing."""
    endpoint = "department/simplelist"
    rows = rows_of(answer, "department_id", endpoint)
    if not rows:
        raise unreadable(endpoint, "department_id is empty")
    return tuple(
        SeenDepartment(
            id=number_of(row, "id", endpoint),
            parent_id=number_of(row, "parentid", endpoint),
            order=number_of(row, "order", endpoint),
        )
        for row in rows
    )


def from_named_departments(answer: Answer) -> tuple[SeenDepartment, ...]:
    """The departments that the caller may see, which may be none at all."""
    endpoint = "department/list"
    return tuple(
        SeenDepartment(
            id=number_of(row, "id", endpoint),
            parent_id=number_of(row, "parentid", endpoint),
            order=number_of(row, "order", endpoint),
            name=_shown_name(row.get("name")),
        )
        for row in rows_of(answer, "department", endpoint)
    )


def _shown_name(value: object) -> str | Unknown:
    """No department is without a name: one shown as empty is hidden."""
    text = shown_text(value, str)
    return UNKNOWN if text is None else text


# Tags (WeCom pages 90210 to 90216)


def to_tag(name: str, id: int) -> Json:
    return {"tagname": name, "tagid": id}


def to_tag_query(id: int) -> dict[str, str]:
    return {"tagid": str(id)}


def to_tag_members(id: int, userids: Sequence[str]) -> Json:
    return {"tagid": id, "userlist": list(userids)}


def to_tag_departments(id: int, department_ids: Sequence[int]) -> Json:
    return {"tagid": id, "partylist": list(department_ids)}


def from_tags(answer: Answer) -> tuple[SeenTag, ...]:
    endpoint = "tag/list"
    return tuple(
        SeenTag(id=number_of(row, "tagid", endpoint), name=text_of(row, "tagname", endpoint))
        for row in rows_of(answer, "taglist", endpoint)
    )


def from_tag(answer: Answer, id: int) -> SeenTag:
    """A tag with the members and the whole departments that it names."""
    endpoint = "tag/get"
    return SeenTag(
        id=id,
        name=text_of(answer, "tagname", endpoint),
        userids=frozenset(text_of(row, "userid", endpoint) for row in rows_of(answer, "userlist", endpoint)),
        department_ids=frozenset(numbers_of(answer, "partylist", endpoint)),
    )


def from_refusals(answer: Answer, userids: Sequence[str]) -> frozenset[str]:
    """Those of `userids`, spelled as there, whom WeCom left out: `invalidlist` is one text, "a|b"."""
    refused = answer.get("invalidlist") or ""
    if not isinstance(refused, str):
        raise unreadable("tag members", "invalidlist is not a text")
    folded = {fold(userid) for userid in refused.split("|")}
    return frozenset(userid for userid in userids if fold(userid) in folded)


def from_refused_departments(answer: Answer, department_ids: Sequence[int]) -> frozenset[int]:
    """Those of `department_ids` that WeCom left out: `invalidparty` is a list, unlike `invalidlist`."""
    refused = numbers_of(answer, "invalidparty", "tag departments")
    return frozenset(refused).intersection(department_ids)
