"""Later sources add columns to the rows of the first one, by key; they say nothing of who exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wxsync.config.expressions import Expression, UnreadableValue, every_value
from wxsync.model.change import Kind, Rejected
from wxsync.model.desired import Aside
from wxsync.model.message import say
from wxsync.sources.base import NamedRow, Row, RowStream
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key, reject

NOT_KNOWN: Final = "a later source was not read whole, so what it says here is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A later source's query, and the columns that it adds."""

    source: str
    query: str
    stream: RowStream
    columns: tuple[str, ...]
    compared: tuple[str, ...]
    """Those that the mapping reads and a source before it gives too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What one later source knows: key -> the values of `columns` and then of `compared`."""

    source: str
    query: str
    columns: tuple[str, ...]
    """Those that it adds."""
    compared: tuple[str, ...]
    """Those that a source before it has too, and whose values count there."""
    rows: Mapping[str, Row]
    doubled: frozenset[str]
    keyless: tuple[Rejected, ...]
    """A reject for each row whose key cannot be read."""
    is_proven: bool
    """Whether these are proven to be all rows, as they are: without that an absent value may be hidden."""

    @property
    def is_whole(self) -> bool:
        """Whether a key that is not in `rows` is proven to be none of this source's."""
        return self.is_proven and not self.keyless

    def unknown(self, values: Row | None) -> tuple[str, ...]:
        """Of `columns` those of which it cannot be told what this source has there for somebody."""
        if values is None:
            return () if self.is_whole else self.columns
        return () if self.is_proven else tuple(name for name in self.columns if _is_null(values, name))


def read_addition(later: Later, kind: Kind, key: Expression) -> Addition:
    """Read a later source's rows to their end, keeping of them no more than the columns that are wanted."""
    rows: dict[str, Row] = {}
    doubled: set[str] = set()
    keyless: list[Rejected] = []
    names = (*later.columns, *later.compared)
    for row in later.stream:
        try:
            name = read_key(key, row)
        except Breach as breach:
            keyless.append(reject(kind, None, "key", breach))
            continue
        if name in rows:
            doubled.add(name)
        rows[name] = row if isinstance(row, NamedRow) else SlimRow(names, [row[each] for each in names])
    return Addition(
        source=later.source,
        query=later.query,
        columns=later.columns,
        compared=later.compared,
        rows=rows,
        doubled=frozenset(doubled),
        keyless=tuple(keyless),
        is_proven=later.stream.proof.is_complete,
    )


class Joining:
    """Completes the rows of one query of the first source, and remembers what it had to leave aside."""

    def __init__(self, additions: Sequence[Addition] = ()) -> None:
        self._additions = additions
        self._met: set[str] = set()
        self._differing: dict[tuple[int, str], list[str]] = {}
        self._lacking: dict[str, set[str]] = {}

    def complete(self, row: Row, key: str) -> Row:
        """The row with what the later sources add to it: null where they do not know the key.

        What an incomplete later source may merely not have shown is in the row's `unknown`. Breaks rule
        "duplicate_key" where a later source has several rows for the key.
        """
        if not self._additions:
            return row
        self._met.add(key)
        joined = JoinedRow(row)
        for number, addition in enumerate(self._additions):
            if key in addition.doubled:
                problem = say("source {source} has several rows with this key", source=addition.source)
                raise Breach("duplicate_key", problem)
            values = addition.rows.get(key)
            if values is not None:
                for column in _differing(joined, values, addition.compared):
                    self._differing.setdefault((number, column), []).append(key)
            elif addition.columns and addition.is_whole:
                self._lacking.setdefault(addition.source, set()).add(key)
            joined.add(addition.columns, values, addition.unknown(values))
        return joined.plain()

    def strangers(self) -> frozenset[str]:
        """What entries of later directories are called whose keys the first source does not have."""
        return frozenset(
            name
            for addition in self._additions
            for key, row in addition.rows.items()
            if key not in self._met and isinstance(row, NamedRow)
            for name in row.names
        )

    def lacking(self) -> dict[str, frozenset[str]]:
        """Later source that adds a column -> keys that it is proven not to have; after the last row."""
        return {source: frozenset(keys) for source, keys in self._lacking.items()}

    def asides(self) -> Iterator[Aside]:
        """What the later sources have that counts for nothing; known after the last row."""
        for number, addition in enumerate(self._additions):
            unmatched = sorted(addition.rows.keys() - self._met)
            found: list[tuple[str | None, list[str]]] = [(None, unmatched)] if unmatched else []
            found += [
                (column, sorted(self._differing[number, column]))
                for column in addition.compared
                if (number, column) in self._differing
            ]
            for column, keys in found:
                yield Aside(source=addition.source, query=addition.query, column=column, keys=tuple(keys))


def _differing(row: Row, other: Row, columns: Sequence[str]) -> Iterator[str]:
    """Where the other row says something, and something else. Compared as texts, case and space aside."""
    for column in columns:
        try:
            said, counting = _told(other[column]), _told(row[column])
        except (UnreadableValue, KeyError):
            continue  # the field that reads it tells
        if said not in ("", counting):
            yield column


def _told(value: object) -> str:
    return "" if value is None else "".join(str(value).split()).casefold()


def _is_null(row: Row, name: str) -> bool:
    try:
        return row.get(name) is None
    except UnreadableValue:
        return False


class SlimRow(Mapping[str, object]):
    """The few values of a row that are kept; rows of one query share their names."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: Sequence[object]) -> None:
        self._names = names
        self._values = tuple(values)

    def __getitem__(self, name: str) -> object:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class JoinedRow(NamedRow):
    """A row and what later sources add to it.

    Nothing of a directory's entry is decoded before it is read, so a value that cannot be read is a
    fault of the field that reads it. So is one that is unknown.
    """

    __slots__ = ("_added", "_own", "_rows", "_unknown")

    def __init__(self, own: Row) -> None:
        self._own = own
        self._rows: list[Row] = [own]
        self._added: dict[str, Row] = {}
        self._unknown: set[str] = set()

    def add(self, columns: tuple[str, ...], values: Row | None, unknown: Iterable[str]) -> None:
        """Take these columns from the values of a later source, null where it has none."""
        self._added.update(dict.fromkeys(columns, dict.fromkeys(columns) if values is None else values))
        self._unknown.update(unknown)
        if values is not None:
            self._rows.append(values)

    def plain(self) -> Row:
        """The same as a mere dict where it needs to be no more."""
        if self._unknown or any(isinstance(row, NamedRow) for row in self._rows):
            return self
        return {**self._own, **{name: row[name] for name, row in self._added.items()}}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for row in self._rows if isinstance(row, NamedRow) for name in row.names)

    @property
    def unknown(self) -> frozenset[str]:
        return frozenset(self._unknown)

    def all_values(self, name: str) -> list[object]:
        return every_value(self._row_of(name), name)

    def has_several(self, name: str) -> bool:
        row = self._row_of(name)
        return isinstance(row, NamedRow) and row.has_several(name)

    def __getitem__(self, name: str) -> object:
        return self._row_of(name)[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self._own), **dict.fromkeys(self._added)})

    def __len__(self) -> int:
        return len({*self._own, *self._added})

    def _row_of(self, name: str) -> Row:
        if name in self._unknown:
            raise UnreadableValue(NOT_KNOWN)
        return self._added.get(name, self._own)


def added_columns(have: Iterable[str], offered: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The columns that a later source contributes: wanted, and not there already."""
    there, needed = set(have), set(wanted)
    return tuple(column for column in offered if column in needed and column not in there)


def shared_columns(have: Iterable[str], offered: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The columns of a later source that are wanted, and for which those before it count."""
    there, needed = set(have), set(wanted)
    return tuple(column for column in offered if column in needed and column in there)
