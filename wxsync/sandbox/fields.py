"""What a request's fields must look like, before anything is looked up (WeCom pages 90195, 90205, 90210)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from wxsync.sandbox.refusal import Refusal, invalid, missing

Shape = Callable[[object], bool]
Check = Callable[[Any], None]

INT32_MAX: Final = 2**31 - 1
UINT32_MAX: Final = 2**32 - 1

USERID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-@.]*")
MOBILE: Final = re.compile(r"(\+\d{1,4}[ -]?)?\d[\d-]{3,}\d", re.ASCII)
EMAIL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
TELEPHONE: Final = re.compile(r"[0-9+,-]*")
ENGLISH_NAME: Final = re.compile(r"[A-Za-z0-9._ -]*")
BAD_IN_DEPARTMENT_NAME: Final = re.compile(r'[\\:*?"<>|｜]')


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_integer(value: object) -> bool:
    """A JSON number without a fraction; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def is_object(value: object) -> bool:
    return isinstance(value, dict)


def is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def is_integers(value: object) -> bool:
    return isinstance(value, list) and all(is_integer(item) for item in value)


def wrong_types(body: Mapping[str, Any], shapes: Mapping[str, Shape]) -> tuple[str, ...]:
    """The known fields whose JSON type is not theirs; null counts as not passed."""
    return tuple(
        name
        for name, is_shaped in shapes.items()
        if name in body and body[name] is not None and not is_shaped(body[name])
    )


def required(given: Mapping[str, Any], name: str) -> Any:
    """The field, or WeCom's complaint that it is missing."""
    if name not in given:
        raise missing(name)
    return given[name]


def check_all(given: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    """Every given field that has a check passes it."""
    for name, check in checks.items():
        if name in given:
            check(given[name])


def at_most(name: str, characters: int, errcode: int = 40058) -> Check:
    """A check that a text is not longer than so many characters, a Chinese one being one."""

    def check(value: str) -> None:
        if len(value) > characters:
            raise invalid(name) if errcode == 40058 else Refusal(errcode)

    return check


def within(name: str, low: int, high: int) -> Check:
    """A check that a number is in a range, both ends included."""

    def check(value: int) -> None:
        if not low <= value <= high:
            raise invalid(name)

    return check


def each_within(name: str, low: int, high: int) -> Check:
    """A check that all numbers of a list are in a range, both ends included."""
    check_one = within(name, low, high)

    def check(values: list[int]) -> None:
        for value in values:
            check_one(value)

    return check


def check_userid(value: str) -> None:
    """1 to 64 bytes, a letter or digit first, then also `_-@.`"""
    if not value or len(value.encode()) > 64:
        raise invalid("userid")
    if not USERID.fullmatch(value):
        raise Refusal(40003)


def check_name(value: str) -> None:
    """1 to 64 characters; an empty one was seen to give 40058."""
    if not value:
        raise invalid("name")
    if len(value) > 64:
        raise Refusal(60112)


def check_mobile(value: str) -> None:
    """Digits and `-`, up to 32, after an optional country code; empty is checked elsewhere."""
    if value and (len(value) > 32 or not MOBILE.fullmatch(value)):
        raise Refusal(60103)


def check_email(value: str) -> None:
    """An address of 6 to 64 bytes; empty is checked elsewhere."""
    if value and not is_address(value):
        raise Refusal(60105)


def is_address(value: str, longest: int = 64) -> bool:
    """An e-mail address of 6 to so many bytes."""
    return 6 <= len(value.encode()) <= longest and EMAIL.fullmatch(value) is not None


def check_biz_mail(value: str) -> None:
    if not is_address(value):
        raise Refusal(60143)


def check_new_biz_mail(value: str) -> None:
    if not is_address(value, 63):
        raise Refusal(60143)


def check_gender(value: str) -> None:
    """`"1"` or `"2"`: nothing else is documented, not even an empty one."""
    if value not in ("1", "2"):
        raise invalid("gender")


def check_telephone(value: str) -> None:
    if len(value.encode()) > 32 or not TELEPHONE.fullmatch(value):
        raise Refusal(301013)


def check_english_name(value: str) -> None:
    if not 1 <= len(value.encode()) <= 64 or not ENGLISH_NAME.fullmatch(value):
        raise Refusal(301014)


def check_departments(value: list[int]) -> None:
    """At most 100 (WeCom page 90195). That none may be named twice is our own choice."""
    if len(value) > 100:
        raise Refusal(60110)
    if len(set(value)) != len(value):
        raise invalid("department")
    each_within("department", 0, INT32_MAX)(value)


def check_direct_leader(value: list[str]) -> None:
    if len(value) > 1:
        raise Refusal(60257)


def check_department_name(value: str) -> None:
    """1 to 64 characters (32 until 2023), none of `\\ : * ? " < > |`"""
    if not 1 <= len(value) <= 64:
        raise Refusal(60001)
    if BAD_IN_DEPARTMENT_NAME.search(value):
        raise Refusal(60009)


def check_tag_name(value: str) -> None:
    if not 1 <= len(value) <= 32:
        raise Refusal(40072)


def as_read(mobile: str) -> str:
    """A phone number as reads return it and as uniqueness is judged: +86 and separators gone.

    That numbers from elsewhere keep their country code is our own choice.
    """
    bare = mobile.replace(" ", "").replace("-", "")
    return bare.removeprefix("+86")
