"""One form for texts, phone numbers and addresses, so that what a source gives and WeCom shows compare."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import phonenumbers

INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that no text keeps: control, zero-width, lone surrogates, line separators."""

HOME_REGION: Final = "CN"
HOME_CODE: Final = 86

NATIONAL: Final = re.compile(r"1[0-9]{10}")
MAINLAND: Final = re.compile(r"(?:\+86|0086|86)?(1[0-9]{10})")
PHONE: Final = re.compile(r"[\d+＋()（）\-./ ]+")


def clean(text: str) -> str | None:
    """The text trimmed, in NFC, without control or zero-width characters; None where nothing is left."""
    if not text.isprintable():
        text = "".join(each for each in text if unicodedata.category(each) not in INVISIBLE)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.strip() or None


def phone_number(text: str) -> str | None:
    """Mainland numbers as 11 digits without country code, as WeCom returns them; others as E.164.

    None for what is no number that can get a text message. `text` is clean.
    """
    bare = MAINLAND.fullmatch(text.replace(" ", "").replace("-", ""))
    if bare is not None:
        return bare[1]
    if not PHONE.fullmatch(text):  # phonenumbers would read letters as the keys of a dial
        return None
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if number.country_code == HOME_CODE:
        # A landline gets no text message.
        national = phonenumbers.national_significant_number(number)
        return national if NATIONAL.fullmatch(national) else None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mail_address(text: str) -> str:
    """The form in which addresses are compared and sent. `text` is clean."""
    return text.lower()
