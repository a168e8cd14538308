"""What a plan that was written to a file once says of who is ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wxsync.model.change import Kind
from wxsync.model.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One record that a saved plan names."""

    kind: Kind
    key: str
    """The source's; a tag's name."""
    id: str | int | None
    """The userid, department id or tag id; None where WeCom had yet to give one."""
    name: str | None
    is_ours: bool
    """By the end of what the file tells of. One that was deleted, or kept as a stranger, is not."""
    is_digested: bool
    """The file's digest covers its id; that of a record which is merely kept stands there for anybody to
    alter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """One saved plan, or run with its outcomes."""

    file: str
    sync: str
    corp_id: str
    created_at: datetime
    named: tuple[Named, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRelinked:
    """A record that a saved plan calls ours, and that is not taken for it."""

    kind: Kind
    key: str
    why: Message
