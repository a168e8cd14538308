"""Files as a source: CSV, JSON and Excel exports, all of them as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, assert_never

from wxsync.config.files import Format
from wxsync.config.settings import FileSourceSettings
from wxsync.model.desired import ReadingProof
from wxsync.sources.base import DEPARTMENTS, MEMBERS, MEMBERSHIPS, TAGS, Row
from wxsync.sources.file_csv import CsvTable
from wxsync.sources.file_json import JsonTable
from wxsync.sources.file_snapshot import Snapshot, check_unchanged, take
from wxsync.sources.file_table import FileTable, Origin, further_names, with_flags
from wxsync.sources.file_text import text_of_file
from wxsync.sources.file_xlsx import XlsxTable
from wxsync.sources.proof import Evidence, prove


@dataclass(frozen=True, slots=True)
class FileSource:
    """Exported files, one for each query."""

    name: str
    settings: FileSourceSettings

    @property
    def canaries(self) -> tuple[str, ...]:
        return self.settings.canaries

    @contextmanager
    def open(self) -> Iterator[FileSession]:
        """Take all the files as they are now; nothing is kept open.

        Raises SourceUnavailableError where one is not there, or somebody is at work on it.
        """
        origins = dict(self._origins())
        yield FileSession(self.settings, origins, {query: take(origin) for query, origin in origins.items()})

    def _origins(self) -> Iterator[tuple[str, Origin]]:
        for query in (DEPARTMENTS, MEMBERS, MEMBERSHIPS, TAGS):
            file = getattr(self.settings, query)
            if file is not None:
                yield query, Origin(source=self.name, query=query, file=file)


@dataclass(frozen=True, slots=True)
class FileSession:
    """The files of a source as they were when it was opened."""

    settings: FileSourceSettings
    origins: Mapping[str, Origin]
    snapshots: Mapping[str, Snapshot]

    def has(self, query: str) -> bool:
        return query in self.origins

    def read(self, query: str, names: frozenset[str] = frozenset()) -> FileRows:
        """Read a file's header; raises SourceError where the file cannot serve."""
        origin, snapshot = self.origins[query], self.snapshots[query]
        table = self._table(origin, snapshot.content)
        return FileRows(origin, snapshot, table, further_names(origin, table.columns, self.settings.names))

    def _table(self, origin: Origin, content: bytes) -> FileTable:
        match origin.file.format:
            case Format.CSV:
                return CsvTable(origin, text_of_file(origin, content, self.settings.encoding))
            case Format.JSON:
                return JsonTable(origin, text_of_file(origin, content, self.settings.encoding))
            case Format.XLSX:
                return XlsxTable(origin, content)
            case _:
                assert_never(origin.file.format)


class FileRows:
    """The rows of one file."""

    vocabulary: Final = None

    def __init__(
        self, origin: Origin, snapshot: Snapshot, table: FileTable, names: Mapping[str, str]
    ) -> None:
        self._origin = origin
        self._snapshot = snapshot
        self._table = table
        self._names = names
        """What the config calls columns: a name -> the column."""
        self._rows = 0
        self._has_ended = False

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self._table.columns, *self._names)

    def __iter__(self) -> Iterator[Row]:
        """Every row, once; raises SourceUnavailableError where the file is another one at their end."""
        for row in self._table.rows():
            self._rows += 1
            more = {name: row[column] for name, column in self._names.items()}
            named = {**row, **more} if more else row
            yield with_flags(named) if self._origin.query == MEMBERSHIPS else named
        check_unchanged(self._origin, self._snapshot)
        self._has_ended = True

    @property
    def proof(self) -> ReadingProof:
        """Complete where the document came to its end, no row is torn, and a second count finds as many."""
        evidence = Evidence(
            rows=self._rows,
            has_ended=self._has_ended,
            broken=self._table.torn if self._has_ended else None,
            counted=self._table.count() if self._has_ended else None,
        )
        return replace(prove(self._origin.source, self._origin.query, evidence), is_file=True)
