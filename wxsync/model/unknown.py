"""`UNKNOWN`: a value that nobody told us, which is neither empty nor equal to anything."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias


class Unknown(Enum):
    """The type of `UNKNOWN`; it has no other member."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false: compare with `is UNKNOWN`")


UNKNOWN: Final[Literal[Unknown.UNKNOWN]] = Unknown.UNKNOWN
"""In an actual record: hidden by WeCom and never written by us. In a desired one: not asked for."""

DepartmentRef: TypeAlias = str | int
"""A department as the engine names it: our source key (`str`), or, for one that is not of a source
(the root department, a foreign one), its WeCom id (`int`)."""

Scalar: TypeAlias = str | int | bool | None
Value: TypeAlias = Scalar | Unknown | tuple[Scalar, ...] | tuple[tuple[DepartmentRef, int], ...]
"""What a field of a record holds. `None` is empty, `UNKNOWN` is unknown."""
