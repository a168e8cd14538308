"""A real source whose readings of people and departments are not proven to be all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wxsync.model.desired import ReadingProof
from wxsync.model.message import say
from wxsync.sources.base import Row, RowStream, SourceSession
from wxsync.sources.sql import SqlSource


@dataclass
class Torn:
    """Gives all rows, and cannot show that they are all."""

    whole: SqlSource

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def canaries(self) -> tuple[str, ...]:
        return self.whole.canaries

    @contextmanager
    def open(self) -> Iterator[SourceSession]:
        with self.whole.open() as session:
            yield TornSession(session)


@dataclass
class TornSession:
    whole: SourceSession

    def has(self, query: str) -> bool:
        return self.whole.has(query)

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        return TornRows(self.whole.read(query, names))


@dataclass
class TornRows:
    whole: RowStream

    @property
    def columns(self) -> tuple[str, ...]:
        return self.whole.columns

    @property
    def vocabulary(self) -> Collection[str] | None:
        return self.whole.vocabulary

    def __iter__(self) -> Iterator[Row]:
        return iter(self.whole)

    @property
    def proof(self) -> ReadingProof:
        return replace(self.whole.proof, is_complete=False, problem=say("it was torn"))
