"""The filters that expressions have beside Jinja's own. None of them ever sees a null.

Their errors hold no value of a row: they end up in reports and logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from importlib import import_module
from typing import Final
from uuid import UUID

import phonenumbers

from wxsync.config.suggestions import did_you_mean


class FilterFailed(ValueError):
    """A value that a filter cannot use; the message does not show it."""


def to_e164(value: object, region: str = "CN") -> str:
    """The phone number as +8613800000000; `region` is that of numbers without country code."""
    text = str(value).strip()
    if not text:
        return ""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise FilterFailed("e164: the value is not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise FilterFailed("e164: the value is not a phone number that can exist")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def to_pinyin(value: object) -> str:
    """A person's name in pinyin: lower-case ASCII in one piece, surnames read as surnames."""
    # Loaded here because its dictionaries cost 0.4 s, which only those pay who use the filter.
    romanise: Callable[[str], str] = import_module("wxsync.config.pinyin").romanise
    return romanise(str(value))


def regex_replace(value: object, pattern: str, replacement: str = "") -> str:
    r"""Every match of `pattern` replaced; `\1` in the replacement is the first group."""
    return re.sub(pattern, replacement, str(value))


def split(value: object, separator: str = ",") -> list[str]:
    """The parts between the separators, each trimmed; no part at all of an empty text."""
    text = str(value).strip()
    return [part.strip() for part in text.split(separator)] if text else []


def to_date(value: object) -> date | None:
    """The calendar day of a date, a date-time or ISO text, in whatever zone it was written."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise FilterFailed("date: the value is not a date such as 2026-01-31") from None


def to_guid(value: object) -> str:
    """A GUID as canonical lower-case text; bytes are Active Directory's objectGUID."""
    try:
        if isinstance(value, (bytes, bytearray, memoryview)):
            # The first three groups are little-endian there ([MS-DTYP] 2.3.4.2).
            return str(UUID(bytes_le=bytes(value)))
        return str(UUID(str(value).strip()))
    except ValueError:
        raise FilterFailed("guid: the value is not a GUID") from None


def strip(value: object, characters: str | None = None) -> str:
    """The text without white space (or `characters`) at both ends."""
    return str(value).strip(characters)


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "e164": to_e164,
    "pinyin": to_pinyin,
    "regex_replace": regex_replace,
    "split": split,
    "date": to_date,
    "guid": to_guid,
    "strip": strip,
}


def fault_in_arguments(name: str, arguments: Sequence[object]) -> str | None:
    """What is wrong with the literal arguments of a filter, found before any row is read."""
    if not arguments:
        return "regex_replace needs a pattern and its replacement" if name == "regex_replace" else None
    first = arguments[0]
    if name == "e164" and first not in phonenumbers.SUPPORTED_REGIONS:
        hint = did_you_mean(str(first), phonenumbers.SUPPORTED_REGIONS) if isinstance(first, str) else ""
        return f'e164 knows no region {first!r}: it takes two letters, such as "CN".{hint}'
    if name == "split" and (not isinstance(first, str) or not first):
        return "split needs a separator that is not empty"
    if name == "regex_replace":
        try:
            re.compile(str(first))
        except re.error as error:
            return f"regex_replace: the pattern is not a regular expression: {error}"
    return None
