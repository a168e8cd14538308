"""How much was called, written, refused and invited, for those who run the sandbox."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Check(StrEnum):
    """What a call goes through, in WeCom's order; one that fails ends there."""

    PATH = "path"
    TOKEN = "token"
    ADDRESS = "address"
    FREQUENCY = "frequency"
    PERMISSION = "permission"
    BODY = "body"
    CALL = "call"
    """The call's own fields, and what it finds in the corp."""


@dataclass(slots=True)
class Counters:
    """Since the sandbox began."""

    calls: Counter[str] = field(default_factory=Counter)
    """By path."""
    writes: Counter[str] = field(default_factory=Counter)
    """Calls that changed the corp, by path."""
    refused: Counter[Check] = field(default_factory=Counter)
    """Calls that failed a check, by the first check that they failed."""
    errcodes: Counter[int] = field(default_factory=Counter)
    """What the refused calls were told, ordered faults included."""

    def note(self, path: str, errcode: int | None, *, changed: bool) -> None:
        """One more call was answered."""
        self.calls[path] += 1
        if changed:
            self.writes[path] += 1
        if errcode:
            self.errcodes[errcode] += 1
