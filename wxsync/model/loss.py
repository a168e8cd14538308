"""What `wxsync undo` does not bring back, and why: told before a plan is applied and when it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wxsync.model.change import Kind
from wxsync.model.message import Message


class LossReason(StrEnum):
    """Why something does not come back as it was."""

    DELETED = "deleted"
    """The record is gone: one that is made anew has nothing of what belonged to it in WeCom."""
    UNKNOWN = "unknown"
    """Nobody knows what it held before, or what it holds now."""
    IGNORED = "ignored"
    """WeCom may answer ok and ignore it."""
    FOREIGN = "foreign"
    """It concerns a record that is not ours."""
    TAKEN = "taken"
    """Somebody or something that stays has the value."""
    STAYS = "stays"
    """The run created or adopted it, and an undo deletes nobody."""
    CHANGED = "changed"
    """It was changed since, by another run or by a hand."""
    GONE = "gone"
    """It, or what it points to, is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What of one record an undo does not bring back. Holds no value: it may end up in a log."""

    kind: Kind
    key: str | None
    id: str | int | None
    name: str | None
    reason: LossReason
    why: Message
    fields: tuple[str, ...] = ()
    """The fields that it is about; none where it is about the record itself."""
