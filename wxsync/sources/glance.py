"""Sources that tell, beside what they give, which columns it has and how it is spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from wxsync.config.settings import SyncSettings
from wxsync.model.desired import ReadingProof
from wxsync.model.glance import Glance, Looked, Tally
from wxsync.sources.base import Row, RowStream, Source, SourceSession
from wxsync.sources.reader import read_desired

PLACE: Final = "parent_dn"
"""The column of a directory's rows by which they are counted."""


@runtime_checkable
class Profiled(Protocol):
    """A session that knows more of what it read than its rows say."""

    def profile(self, query: str) -> tuple[Tally, ...]:
        """How the entries of a query are spread, such as by object class; asked after its last row."""
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
            self.glances += (_told(session, each) for each in watched.streams)


@dataclass(slots=True)
class _Session:
    source: str
    whole: SourceSession
    streams: list[_Stream] = field(default_factory=list)

    def has(self, query: str) -> bool:
        return self.whole.has(query)

    def read(self, query: str, names: frozenset[str] = frozenset()) -> RowStream:
        self.streams.append(_Stream(self.source, query, self.whole.read(query, names)))
        return self.streams[-1]


class _Stream:
    """Passes every row on as it is."""

    def __init__(self, source: str, query: str, whole: RowStream) -> None:
        self._whole = whole
        self._places: Counter[str] = Counter()
        self._glance = Glance(source=source, query=query, columns=whole.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        return self._whole.columns

    def __iter__(self) -> Iterator[Row]:
        is_placed = PLACE in self._whole.columns
        for row in self._whole:
            if is_placed:
                self._places[str(row[PLACE])] += 1
            yield row

    @property
    def proof(self) -> ReadingProof:
        return self._whole.proof

    @property
    def glance(self) -> Glance:
        places = sorted(self._places.items(), key=lambda place: (-place[1], place[0]))
        tallies = tuple(Tally(by=PLACE, name=name, count=count) for name, count in places)
        return replace(self._glance, tallies=tallies)


def _told(session: SourceSession, stream: _Stream) -> Glance:
    glance = stream.glance
    more = session.profile(glance.query) if isinstance(session, Profiled) else ()
    return replace(glance, tallies=(*more, *glance.tallies))
