"""What every kind of source offers: queries that give rows once, and a proof that those were all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeAlias

from wxsync.model.desired import ReadingProof

Row: TypeAlias = Mapping[str, object]
"""One record of a source: column or attribute -> value, as the driver gives it."""

DEPARTMENTS: Final = "departments"
MEMBERS: Final = "members"
MEMBERSHIPS: Final = "memberships"
TAGS: Final = "tags"


class RowStream(Protocol):
    """The rows of one query, which can be walked through once."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names that every row has; known before the first row is fetched."""
        ...

    def __iter__(self) -> Iterator[Row]:
        """Every row; raises SourceUnavailableError where the source breaks off."""
        ...

    @property
    def proof(self) -> ReadingProof:
        """How much was read and whether that is all: complete only after the last row."""
        ...


class SourceSession(Protocol):
    """One consistent look at a source: all its queries see the same moment where it can do that."""

    def has(self, query: str) -> bool:
        """Whether the config gives this source such a query."""
        ...

    def read(self, query: str) -> RowStream:
        """Start a query that the source has; raises SourceError where it cannot be run."""
        ...


class Source(Protocol):
    """A system that the truth comes from."""

    @property
    def name(self) -> str:
        """Its name in the config."""
        ...

    def open(self) -> AbstractContextManager[SourceSession]:
        """Connect for the length of a `with`; raises SourceUnavailableError where that fails."""
        ...
