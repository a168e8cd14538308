"""What somebody changed in WeCom by hand, as it is remembered until it stands no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from wxsync.model.change import Kind
from wxsync.model.unknown import Value

DriftPlace: TypeAlias = tuple[Kind, str, str]
"""(kind, key, field); of a tag's people the field is `members.` and the folded userid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One field that differs from the source because of a hand, or was put back a short while ago."""

    kind: Kind
    key: str
    field: str
    base: Value
    """What the source asked for when the hand was noticed: where that is another now, it has changed."""
    put_back_at: tuple[datetime, ...] = ()
    """When it had to be put back, the latest last. UTC."""
    is_counted: bool = False
    """What the hand did last is the last one of these, or stands as it is: nothing new."""

    @property
    def place(self) -> DriftPlace:
        return (self.kind, self.key, self.field)
