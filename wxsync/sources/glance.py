"""Sources that tell, beside what they give, what its rows have and how it is spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from wxsync.config.expressions import UnreadableValue, every_value
from wxsync.config.settings import SyncSettings
from wxsync.model.desired import ReadingProof
from wxsync.model.glance import Column, Glance, Looked, Tally
from wxsync.sources.base import NOBODY, TAGS, Row, RowStream, Source, SourceSession
from wxsync.sources.dn import Dn, DnError
from wxsync.sources.reader import read_desired


@runtime_checkable
class Telling(Protocol):
    """A session whose rows can say more than a mapping reads."""

    @property
    def telling(self) -> tuple[str, ...]:
        """Names that its rows have besides, by whose values a look counts them."""
        ...


def look(sources: Sequence[Source], sync: SyncSettings, now: datetime, *, sync_name: str) -> Looked:
    """Read the sources as a plan would, and nothing else; raises what `read_desired` raises."""
    watched = [Watched(source) for source in sources]
    desired = read_desired(watched, sync, now, sync_name=sync_name)
    glances = tuple(glance for each in watched for glance in each.glances)
    return Looked(sync=sync_name, read_at=now, glances=glances, desired=desired)


@dataclass(slots=True)
class Watched:
    """A source, with what was seen of its queries in `glances` once it is closed."""

    whole: Source
    glances: list[Glance] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def canaries(self) -> tuple[str, ...]:
        return self.whole.canaries

    @contextmanager
    def open(self) -> Iterator[SourceSession]:
        with self.whole.open() as session:
            watched = _Session(self.name, session)
            yield watched
            self.glances += (stream.glance for stream in watched.streams)


@dataclass(slots=True)
class _Session:
    source: str
    whole: SourceSession
    streams: list[_Stream] = field(default_factory=list)

    def has(self, query: str) -> bool:
        return self.whole.has(query)

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        telling = self.whole.telling if isinstance(self.whole, Telling) else ()
        stream = self.whole.read(query, names.union(telling))
        self.streams.append(_Stream(self.source, query, stream, telling, names))
        return self.streams[-1]


class _Stream:
    """Passes every row on as it is, and counts what it has."""

    def __init__(
        self, source: str, query: str, whole: RowStream, telling: Sequence[str], names: frozenset[str]
    ) -> None:
        self._source = source
        self._query = query
        self._whole = whole
        self._telling = tuple(name for name in telling if name in whole.columns)
        self._hidden = frozenset(telling) - names
        self._rows = 0
        self._filled: Counter[str] = Counter()
        self._tallies: dict[tuple[str, str], int] = {}
        self._spelled: dict[tuple[str, str], str] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self._whole.columns if name not in self._hidden)

    @property
    def vocabulary(self) -> Collection[str] | None:
        return self._whole.vocabulary

    def __iter__(self) -> Iterator[Row]:
        columns = self.columns
        for row in self._whole:
            if not (self._query == TAGS and row[columns[1]] is NOBODY):
                self._rows += 1
                self._filled.update(name for name in columns if _has_value(row, name))
                for by, name in self._shared(row):
                    self._count(by, name)
            yield row

    @property
    def proof(self) -> ReadingProof:
        return self._whole.proof

    @property
    def glance(self) -> Glance:
        """What has gone by so far."""
        return Glance(
            source=self._source,
            query=self._query,
            rows=self._rows,
            columns=tuple(Column(name=name, filled=self._filled[name]) for name in self.columns),
            tallies=tuple(self._ranked()),
            is_directory=self._whole.vocabulary is not None,
        )

    def _shared(self, row: Row) -> Iterator[tuple[str, str]]:
        """What the row may have in common with others: what it has that in, and the value."""
        for name in self._telling:
            for value in _values(row, name):
                yield ("parent_dn", _above(value)) if isinstance(value, Dn) else (name, str(value))
        if self._query == TAGS:
            name = self.columns[0]
            yield from (("tag", text) for value in _values(row, name) if (text := _told(value)))

    def _count(self, by: str, name: str) -> None:
        folded = name.key if isinstance(name, Dn) else name if by == "tag" else name.casefold()
        self._spelled.setdefault((by, folded), str(name))
        self._tallies[by, folded] = self._tallies.get((by, folded), 0) + 1

    def _ranked(self) -> Iterator[Tally]:
        kinds = list(dict.fromkeys(by for by, _ in self._tallies))
        found = [
            (kinds.index(by), -count, self._spelled[by, key]) for (by, key), count in self._tallies.items()
        ]
        for kind, count, name in sorted(found):
            yield Tally(by=kinds[kind], name=name, count=-count)


def _values(row: Row, name: str) -> list[object]:
    try:
        return [value for value in every_value(row, name) if value is not None]
    except UnreadableValue:
        return []


def _told(value: object) -> str:
    """The value as a text; nothing where it cannot be read."""
    try:
        return str(value).strip()
    except UnreadableValue:
        return ""


def _has_value(row: Row, name: str) -> bool:
    """Whether something is there, be it readable or not."""
    try:
        value = row[name]
    except UnreadableValue:
        return True
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _above(dn: Dn) -> str:
    try:
        return dn.parent
    except DnError:
        return ""
