"""MariaDB and MySQL as a source: how to connect, and values that mean the same as everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions, convert_date, convert_datetime

CONNECT_SECONDS: Final = 10
SILENCES: Final = ("read_timeout", "write_timeout")
ZERO: Final = "0000-00-00"
"""What these databases keep where they were given no date."""


def _day(text: str) -> object:
    """A date; None for the zero date; the text where it is no date, such as 2026-02-00."""
    return None if text.startswith(ZERO) else convert_date(text)


def _moment(text: str) -> object:
    return None if text.startswith(ZERO) else convert_datetime(text)


def _bits(content: bytes) -> int:
    """BIT(1) is how a boolean is often kept: 1 or 0, and not b"\\x01"."""
    return int.from_bytes(content, "big")


ARGUMENTS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_SECONDS,
        "program_name": "wxsync",
        "conv": {
            **conversions,
            FIELD_TYPE.BIT: _bits,
            FIELD_TYPE.DATE: _day,
            FIELD_TYPE.NEWDATE: _day,
            FIELD_TYPE.DATETIME: _moment,
            FIELD_TYPE.TIMESTAMP: _moment,
            FIELD_TYPE.TIME: str,
        },
    }
)
"""What the driver is told; a URL that says otherwise wins."""
