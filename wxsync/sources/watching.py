"""Sources that can be asked cheaply whether anything has changed, and the marks that this needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from wxsync.config.expressions import Expression
from wxsync.model.watch import Stirred, Watching
from wxsync.sources.base import SourceSession


@runtime_checkable
class Marking(Protocol):
    """A session that can say where its source stands."""

    def mark(self) -> str | None:
        """The source as it is now, to be compared later; None where it is not watched, or cannot say."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A source that can be asked what has changed, without being read."""

    @property
    def name(self) -> str:
        """Its name in the config."""
        ...

    @property
    def is_watched(self) -> bool:
        """Whether the config wants it to be."""
        ...

    def stirred(self, mark: str | None, key: Expression) -> Stirred:
        """What may have changed since `mark`, named by `key`; raises SourceError where nobody answers."""
        ...

    def watching(self) -> Watching:
        """How that is found out; raises SourceError where nobody answers."""
        ...


def take_marks(sessions: Sequence[tuple[str, SourceSession]]) -> dict[str, str]:
    """Source -> where it stands, of those that are watched and can say; to be asked before the first row.

    Whatever changes while they are read has changed since.
    """
    marks = {name: session.mark() for name, session in sessions if isinstance(session, Marking)}
    return {name: mark for name, mark in marks.items() if mark is not None}
