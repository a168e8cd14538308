"""The bytes of an attribute become a value that a mapping can use; what has no such value says why not.

No message shows a value: they end up in reports and logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final
from uuid import UUID

from wxsync.config.expressions import UnreadableValue
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.ldap_schema import Kind

GENERALISED: Final = re.compile(
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?P<hour>\d\d)(?:(?P<minute>\d\d)(?P<second>\d\d)?)?"
    r"(?:[.,](?P<fraction>\d{1,30}))?(?P<zone>Z|[+-]\d\d(?:\d\d)?)",
    re.ASCII,
)
UTC_FORM: Final = re.compile(r"(?P<year>\d\d)(?P<rest>\d{8}(?:\d\d)?(?:Z|[+-]\d{4}))", re.ASCII)
TIME_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
NUMBER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
UNIQUE_MEMBER: Final = re.compile(r"#'[01]*'B\Z")

FILETIME_START: Final = datetime(1601, 1, 1, tzinfo=UTC)
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)
LONGEST_FILETIME: Final = (LATEST - FILETIME_START) // timedelta(microseconds=1) * 10

SID_HEAD: Final = 8
GUID_BYTES: Final = 16


def decode(kind: Kind, value: bytes) -> object:
    """The value as the mapping sees it; raises UnreadableValue."""
    return DECODERS[kind](value)


def text(value: bytes) -> str:
    """UTF-8 text without NUL: a NUL cuts a text short for one program and not for another."""
    if b"\0" in value:
        raise UnreadableValue("a value holds a NUL byte")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableValue("a value is not UTF-8 text") from None


def name(value: bytes) -> Dn:
    """A distinguished name; the bits that `uniqueMember` may add are left out (RFC 4517 §3.3.21)."""
    spelled = text(value)
    if spelled.endswith("B"):
        spelled = UNIQUE_MEMBER.sub("", spelled)
    try:
        return Dn(spelled)
    except DnError:
        raise UnreadableValue("a value is not a distinguished name") from None


def boolean(value: bytes) -> bool:
    """TRUE or FALSE (RFC 4517 §3.3.3)."""
    word = value.upper()
    if word not in (b"TRUE", b"FALSE"):
        raise UnreadableValue("a value is neither TRUE nor FALSE")
    return word == b"TRUE"


def integer(value: bytes) -> int:
    """A whole number of up to 20 digits."""
    digits = text(value) if len(value) <= 21 else ""
    if not NUMBER.fullmatch(digits):
        raise UnreadableValue("a value is not a whole number")
    return int(digits)


def generalised_time(value: bytes) -> datetime:
    """A moment such as 20260131080000.5+0800 (RFC 4517 §3.3.13).

    One that is earlier than the calendar is its first moment: 000001010000Z stands for "for ever" in
    pwdAccountLockedTime. A leap second is the second before it.
    """
    found = GENERALISED.fullmatch(text(value)) if len(value) <= 64 else None
    if found is None:
        raise UnreadableValue("a value is not a generalised time")
    if found["year"] == "0000":
        return EARLIEST
    unit = "second" if found["second"] else "minute" if found["minute"] else "hour"
    fraction = timedelta(**{f"{unit}s": 1}) * float(f"0.{found['fraction'] or 0}")
    year, month, day, hour, minute, second = (int(found[part] or 0) for part in TIME_PARTS)
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(found["zone"]))
        return (moment + fraction).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableValue("a value is not a moment of the calendar") from None


def utc_time(value: bytes) -> datetime:
    """A moment with two digits of a year: 50 to 99 are of the last century (RFC 5280 §4.1.2.5.1)."""
    found = UTC_FORM.fullmatch(text(value)) if len(value) <= 64 else None
    if found is None:
        raise UnreadableValue("a value is not a UTC time")
    century = "19" if found["year"] >= "50" else "20"
    return generalised_time(f"{century}{found['year']}{found['rest']}".encode())


def filetime(value: bytes) -> datetime | None:
    """A moment in steps of 100 ns since 1601, as Active Directory counts; None is never.

    Never are 0, 0x7FFFFFFFFFFFFFFF and whatever is later than the calendar ([MS-ADTS] 2.2.16 and
    accountExpires).
    """
    ticks = integer(value)
    if ticks < 0:
        raise UnreadableValue("a value is a moment before 1601")
    if ticks == 0 or ticks > LONGEST_FILETIME:
        return None
    return FILETIME_START + timedelta(microseconds=ticks // 10)


def guid(value: bytes) -> str:
    """The canonical text of 16 bytes, the first three groups little-endian ([MS-DTYP] 2.3.4.2)."""
    if len(value) != GUID_BYTES:
        raise UnreadableValue("a value is not a GUID of 16 bytes")
    return str(UUID(bytes_le=value))


def sid(value: bytes) -> str:
    """A security identifier as S-1-5-21-… ([MS-DTYP] 2.4.2.1)."""
    if len(value) < SID_HEAD or len(value) != SID_HEAD + 4 * value[1]:
        raise UnreadableValue("a value is not a security identifier")
    parts = [int.from_bytes(value[at : at + 4], "little") for at in range(SID_HEAD, len(value), 4)]
    authority = int.from_bytes(value[2:SID_HEAD], "big")
    return "-".join(map(str, ("S", value[0], authority, *parts)))


def binary(value: bytes) -> bytes:
    """Bytes as they are: the filter `guid` takes them, and no text field does."""
    return value


DECODERS: Final[Mapping[Kind, Callable[[bytes], object]]] = MappingProxyType(
    {
        Kind.TEXT: text,
        Kind.DN: name,
        Kind.BOOLEAN: boolean,
        Kind.INTEGER: integer,
        Kind.TIME: generalised_time,
        Kind.UTC_TIME: utc_time,
        Kind.FILETIME: filetime,
        Kind.GUID: guid,
        Kind.SID: sid,
        Kind.BINARY: binary,
    }
)


def _zone(written: str) -> timezone:
    if written == "Z":
        return UTC
    hours, minutes = int(written[1:3]), int(written[3:5] or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if written[0] == "-" else offset)
