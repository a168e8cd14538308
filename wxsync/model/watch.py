"""What a watched source says when it is asked whether anything has changed: a hint, and never a reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from wxsync.model.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Stirred:
    """What may have changed in a source since a mark: quiet, changed, or nobody can tell.

    It decides how soon the next full reading comes and whom to look at first. It is no reading: nobody is
    removed by it, and nobody who is not named in it is known to be as before (docs/safety.md, "Watching").
    """

    source: str
    mark: str | None = None
    """Where the source stood when it was asked; None where that cannot be told."""
    is_quiet: bool = False
    """Nothing has changed that the source's server tells of."""
    why: Message | None = None
    """Why nobody can tell: then all is to be read. None where it is quiet or changed."""
    keys: frozenset[str] = field(default=frozenset(), repr=False)
    """By the sync's key of a member, as far as they can be named: who was changed or deleted, and what else
    has such a key, such as a unit."""
    dns: frozenset[str] = field(default=frozenset(), repr=False)
    """What was changed and is still there, units and groups too. Not all, where much was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """By what a source can be watched, for whoever sets it up."""

    source: str
    how: Message | None = None
    """What is asked for, and where; None where the source cannot be watched."""
    why: Message | None = None
    """Why it cannot."""
    cure: Message | None = None
    unseen: tuple[Message, ...] = ()
    """What cannot be seen on this server, beside what no watch sees; `cure` mends it."""
