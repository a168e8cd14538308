"""What every way of watching a directory has: a position, and entries that were written since another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wxsync.model.message import Message
from wxsync.sources.ldap_entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Entries that may have changed. They need not be all."""

    is_certain: bool
    """Something has changed, whether it is named here or not."""
    touched: tuple[Entry, ...] = ()
    gone: tuple[Entry, ...] = ()
    """What is left of deleted ones: at least what identifies them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatchable:
    """Why a server cannot be watched, and what mends that."""

    why: Message
    cure: Message


class Way(Protocol):
    """One server as it stood a moment ago, and what it says of the time since another moment.

    Every method raises SourceUnavailableError where the line breaks.
    """

    @property
    def kind(self) -> str:
        """What positions of this way are called in marks."""
        ...

    @property
    def position(self) -> tuple[str, ...]:
        """Where it stands, in words without spaces."""
        ...

    @property
    def how(self) -> Message:
        """What is asked for, and where."""
        ...

    @property
    def unseen(self) -> tuple[Message, ...]:
        """What this account cannot see change on this server."""
        ...

    @property
    def cure(self) -> Message:
        """What mends it where `unseen` says something, or nobody can tell."""
        ...

    def against(self, before: Sequence[str]) -> Message | None:
        """Why the position `before` cannot be held against this one; None where it can."""
        ...

    def is_still(self, before: Sequence[str]) -> bool | Message:
        """Whether nothing at all was written since, at the price of one question; why nobody can tell."""
        ...

    def changes(self, before: Sequence[str], attributes: Sequence[str]) -> Changes | Message:
        """What was written since, with these attributes; why nobody can tell."""
        ...
