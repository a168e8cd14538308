"""One thing that `wxsync check` found: how much it matters, what it is, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_NAMED: Final = 5


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """It works, and something about it should be known."""
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found."""

    level: Level
    text: str
    cure: str | None = None


def ok(text: str) -> Finding:
    return Finding(level=Level.OK, text=text)


def note(text: str, cure: str | None = None) -> Finding:
    return Finding(level=Level.NOTE, text=text, cure=cure)


def fault(text: str, cure: str | None = None) -> Finding:
    return Finding(level=Level.FAULT, text=text, cure=cure)


def named(names: Iterable[str]) -> str:
    """The first of them, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more
