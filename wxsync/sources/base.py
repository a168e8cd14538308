"""What every kind of source offers: queries that give rows once, and a proof that those were all."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Final, Protocol, TypeAlias

from wxsync.model.desired import ReadingProof

Row: TypeAlias = Mapping[str, object]
"""One record of a source: column or attribute -> value, as the driver gives it."""

DEPARTMENTS: Final = "departments"
MEMBERS: Final = "members"
MEMBERSHIPS: Final = "memberships"
TAGS: Final = "tags"


class Nobody(Enum):
    """What stands in the place of a tag's member where the tag is there, and in it is nobody."""

    NOBODY = auto()


NOBODY: Final = Nobody.NOBODY


class NamedRow(Mapping[str, object]):
    """A row that other rows may call by names of its source's own, beside its `ref`: the DN of an entry."""

    __slots__ = ()

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Those names in the form in which keys compare; none where they cannot be read."""

    @property
    def unknown(self) -> frozenset[str]:
        """The columns of which nobody can tell what this row has there."""
        return frozenset()

    def has_several(self, name: str) -> bool:
        """Whether a name has more values than the one that it gives where it is read plainly.

        Raises UnreadableValue where they cannot be read.
        """
        return False


class RowStream(Protocol):
    """The rows of one query, which can be walked through once."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names that every row has; known before the first row is fetched."""
        ...

    @property
    def vocabulary(self) -> Collection[str] | None:
        """Every name that a mapping may read, where `columns` are but those that it does read, as of a
        directory; None where the columns are all that there is."""
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

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        """Start a query that the source has; raises SourceError where it cannot be run.

        `names` are those that the mapping reads: a source that must ask for every one by its name,
        such as a directory, gives those and no others.
        """
        ...


class Source(Protocol):
    """A system that the truth comes from."""

    @property
    def name(self) -> str:
        """Its name in the config."""
        ...

    @property
    def canaries(self) -> tuple[str, ...]:
        """Keys of people without whom no reading of its members is whole; see the config."""
        ...

    def open(self) -> AbstractContextManager[SourceSession]:
        """Connect for the length of a `with`; raises SourceUnavailableError where that fails."""
        ...
