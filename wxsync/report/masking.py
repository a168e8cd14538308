"""Personal values made unreadable: enough is left to recognise what one already knows."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from wxsync.model.message import Message
from wxsync.model.unknown import Value

PHONE_FIELDS: Final = frozenset({"mobile", "telephone"})
MAIL_FIELDS: Final = frozenset({"email", "biz_mail"})

HIDDEN: Final = "****"
EXTATTR: Final = "extattr."

_MAIL: Final = re.compile(r"\S+@\S+\.\S+")
_PHONE: Final = re.compile(r"1[3-9]\d{9}|\+\d{7,15}")
_WORD: Final = re.compile(r"[^\s,;、()]+")
"""One of a list: of keys with commas between, and a number of more behind them."""


def mask(field: str, value: Value) -> Value:
    """The value as a report may show it; values of fields that are not personal stay as they are.

    A company's own attributes (`extattr.…`) are masked where they look like a mobile or an e-mail.
    """
    if not isinstance(value, str) or not value:
        return value
    if field in PHONE_FIELDS:
        return mask_phone(value)
    if field in MAIL_FIELDS:
        return mask_mail(value)
    if field == "address":
        return mask_address(value)
    if field.startswith(EXTATTR):
        return mask_by_look(value)
    return value


def mask_phone(value: str) -> str:
    """13812341234 -> 138****1234, +85298765432 -> +852****5432; short numbers keep two digits."""
    places = [place for place, character in enumerate(value) if character.isdigit()]
    if len(places) >= 8:
        hidden = frozenset(places[-8:-4])
    elif len(places) >= 4:
        hidden = frozenset(places[:-2])
    else:
        return HIDDEN
    return "".join("*" if place in hidden else character for place, character in enumerate(value))


def mask_mail(value: str) -> str:
    """lin.mei@example.com -> l***@example.com; the domain is the company's, not the person's."""
    local, at, domain = value.rpartition("@")
    if not at:
        return HIDDEN
    return f"{local[:1] if len(local) > 1 else ''}***@{domain}"


def mask_address(value: str) -> str:
    """The first three characters, which are a province or a town, and nothing of the street."""
    return value[:3] + HIDDEN if len(value) > 6 else HIDDEN


def mask_by_look(value: str) -> str:
    """A mobile or an e-mail masked wherever it stands alone; any other text as it is.

    Keys and userids are not personal by their kind, but some companies make them of such values.
    """
    if _PHONE.fullmatch(value):
        return mask_phone(value)
    return mask_mail(value) if _MAIL.fullmatch(value) else value


def mask_message(message: Message) -> Message:
    """The message with every fact masked by its look, those of messages and of lists within it too."""
    return Message(message.template, {name: _masked(fact) for name, fact in message.facts.items()})


def _masked(fact: object) -> object:
    match fact:
        case Message():
            return mask_message(fact)
        case Enum():  # a kind or a verb, which keeps its name in every language
            return fact
        case str():
            alone = mask_by_look(fact)
            return alone if alone != fact else _WORD.sub(lambda word: mask_by_look(word[0]), fact)
        case tuple() | list():
            return tuple(_masked(each) for each in fact)
        case set() | frozenset():
            return frozenset(_masked(each) for each in fact)
        case _:
            return fact
