"""What people are told of a sync, before it has a form: for a card, an e-mail, a program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """What happened."""

    CHANGED = "changed"
    """A run wrote, and all went well."""
    PLANNED = "planned"
    """A dry run found something to change."""
    WAITS = "waits"
    """A plan waits for somebody's yes, or is over a limit."""
    REFUSED = "refused"
    """A run was refused, and no yes to its plan helps."""
    TROUBLE = "trouble"
    """A run came to its end, and some changes failed, or nobody knows what became of them."""
    STOPPED = "stopped"
    """A run broke off half-way."""
    FAILED = "failed"
    """An error ended a run before anything was written."""
    SILENT = "silent"
    """No complete run has succeeded for two intervals."""
    RECOVERED = "recovered"
    """What was told to be wrong is no more."""
    TEST = "test"
    """Somebody tries whether this arrives."""


CALM: frozenset[NoticeKind] = frozenset({NoticeKind.CHANGED, NoticeKind.PLANNED, NoticeKind.RECOVERED})
"""Nobody has to act soon: several of them within minutes are one message."""


class NoticeState(StrEnum):
    """What became of a notice on its way."""

    WAITING = "waiting"
    """It is to be sent; or the channel refused it, and it is sent later."""
    SENDING = "sending"
    """Put on record before the call."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """It may have arrived. It is not sent again."""
    JOINED = "joined"
    """Another one, which was sent, says it too."""
    GIVEN_UP = "given_up"
    """For a day the channel refused it, or the config no longer has that channel."""


@dataclass(frozen=True, slots=True, order=True)
class Count:
    """So many records of a kind, and what was or would be done with them."""

    kind: str
    verb: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell of one sync. Its texts are in the reader's language, personal values masked."""

    kind: NoticeKind
    corp: str
    sync: str
    at: datetime
    run: int | None = None
    runs: int = 1
    """Of so many runs this is the sum."""
    done: tuple[Count, ...] = ()
    planned: tuple[Count, ...] = ()
    """What the plan would do that was not carried out."""
    failed: int = 0
    skipped: int = 0
    unknown: int = 0
    rejected: int = 0
    reasons: tuple[str, ...] = ()
    """Limits that are exceeded, what they come from, what failed, …: a line each."""
    error: str = ""
    hint: str = ""
    digest: str = ""
    """Of a plan that waits."""
    command: str = ""
    """What to type."""
    asks: bool = False
    """Somebody's yes would let that plan be carried out."""

    @property
    def is_calm(self) -> bool:
        return self.kind in CALM
