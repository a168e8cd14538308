"""WeCom's fields in the form in which WeCom returns them, within WeCom's limits.

The limits are those of the pages 90195 (members), 90205 (departments) and 90210 (tags). A breach is
found here, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from wxsync.model.message import say
from wxsync.model.normal import clean, mail_address, phone_number
from wxsync.sources.normal import Breach, text_of

USERID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-@.]{0,63}")
EMAIL: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
TELEPHONE: Final = re.compile(r"[0-9+,-]+")
DEPARTMENT_NAME_BANS: Final = frozenset('\\:*?"<>|｜')

GENDERS: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "1": "1",
        "男": "1",
        "男性": "1",
        "m": "1",
        "male": "1",
        "2": "2",
        "女": "2",
        "女性": "2",
        "f": "2",
        "female": "2",
        "0": None,
    }
)
"""WeCom's own 0 is "undefined", which is as good as empty (WeCom page 90195)."""

Normaliser = Callable[[object], str | None]


def mobile(value: object) -> str | None:
    """Mainland numbers as 11 digits without country code, as WeCom returns them; others as E.164."""
    text = text_of(value, "mobile")
    if text is None:
        return None
    number = phone_number(text)
    if number is None:
        raise Breach("phone_number", say("mobile is not a phone number"))
    return number


def email(value: object) -> str | None:
    """An address in lower case, 6 to 64 bytes."""
    return _address(value, "email", 64)


def biz_mail(value: object) -> str | None:
    """An address in lower case, 6 to 63 bytes: a creation may have one more, an update may not."""
    return _address(value, "biz_mail", 63)


def _address(value: object, field: str, longest: int) -> str | None:
    text = text_of(value, field)
    if text is None:
        return None
    text = mail_address(text)
    if not EMAIL.fullmatch(text):
        raise Breach("email", say("{field} is not an e-mail address", field=field))
    if not 6 <= len(text) <= longest:
        problem = say("{field} is not 6 to {limit} bytes long", field=field, limit=longest)
        raise Breach("email", problem)
    return text


def userid(value: object) -> str | None:
    """A userid as WeCom takes it: 1 to 64 letters, digits and `_-@.`, a letter or digit first."""
    text = text_of(value, "userid")
    if text is not None and not USERID.fullmatch(text):
        raise Breach(
            "userid",
            say("userid is not 1 to 64 letters, digits or _ - @ . with a letter or digit first"),
        )
    return text


def gender(value: object) -> str | None:
    """ "1" for male, "2" for female, None for WeCom's 0 (undefined)."""
    text = text_of(value, "gender")
    if text is None:
        return None
    try:
        return GENDERS[text.lower()]
    except KeyError:
        raise Breach("gender", say("gender is none of 男, 女, male, female, 1, 2")) from None


def telephone(value: object) -> str | None:
    """A desk phone: up to 32 digits, `-`, `+` and `,`."""
    text = text_of(value, "telephone")
    if text is None:
        return None
    if not TELEPHONE.fullmatch(text):
        raise Breach("telephone", say("telephone has other characters than digits, - + and ,"))
    return within(text, "telephone", 32)


def required_name(value: object) -> str:
    """A name of 1 to 64 characters, a Chinese one counting as one."""
    text = text_of(value, "name")
    if text is None:
        raise Breach("required", say("name is empty"))
    return within(text, "name", 64)


def department_name(value: object) -> str:
    """A name of 1 to 64 characters, none of which WeCom bans (WeCom page 90205)."""
    text = required_name(value)
    if not DEPARTMENT_NAME_BANS.isdisjoint(text):
        raise Breach("characters", say('name has one of \\ : * ? " < > | ｜'))
    return text


def attribute(value: object, field: str) -> str | None:
    """The text of an `extattr` (WeCom page 100111): up to 64 characters."""
    text = text_of(value, field)
    return None if text is None else within(text, field, 64)


def within(text: str, field: str, limit: int) -> str:
    """The text, where it has no more than `limit` characters; else it breaks rule "length"."""
    if len(text) > limit:
        problem = say("{field} is longer than {limit} characters", field=field, limit=limit)
        raise Breach("length", problem)
    return text


def _limited(field: str, limit: int) -> Normaliser:
    def normalise(value: object) -> str | None:
        text = clean(value) if isinstance(value, str) else text_of(value, field)
        return None if text is None else within(text, field, limit)

    return normalise


TAG_NAME_LIMIT: Final = 32
MOST_DEPARTMENTS: Final = 100

NORMALISERS: Final[Mapping[str, Normaliser]] = MappingProxyType(
    {
        "name": required_name,
        "alias": _limited("alias", 64),
        "mobile": mobile,
        "email": email,
        "position": _limited("position", 128),
        "gender": gender,
        "telephone": telephone,
        "address": _limited("address", 128),
        "biz_mail": biz_mail,
        # "12 Chinese characters": whether Latin letters count half is unconfirmed.
        "external_position": _limited("external_position", 12),
    }
)
"""How each text field of a member gets its normal form."""

COMMON_TEXTS: Final = frozenset({"position", "external_position", "address"})
"""Those of them that many people have in common."""
