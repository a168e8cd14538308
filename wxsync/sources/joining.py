"""Later sources add columns to the rows of the first one, by key; they say nothing of who exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wxsync.config.expressions import Expression
from wxsync.model.change import Kind, Rejected
from wxsync.model.message import say
from wxsync.sources.base import Row, RowStream
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key, reject


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What one later source knows: key -> the values of `columns`."""

    source: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[object, ...]]
    doubled: frozenset[str]
    keyless: tuple[Rejected, ...]
    """A reject for each row whose key cannot be read."""
    is_whole: bool
    """Whether a key that is not in `rows` is proven to be none of this source's."""


def read_addition(
    stream: RowStream, source: str, kind: Kind, key: Expression, columns: tuple[str, ...]
) -> Addition:
    """Read a later source's rows to their end, keeping of them no more than `columns`."""
    rows: dict[str, tuple[object, ...]] = {}
    doubled: set[str] = set()
    keyless: list[Rejected] = []
    for row in stream:
        try:
            name = read_key(key, row)
        except Breach as breach:
            keyless.append(reject(kind, None, "key", breach))
            continue
        if name in rows:
            doubled.add(name)
        rows[name] = tuple(row[column] for column in columns)
    return Addition(
        source=source,
        columns=columns,
        rows=rows,
        doubled=frozenset(doubled),
        keyless=tuple(keyless),
        is_whole=stream.proof.is_complete and not keyless,
    )


def complete(row: Row, key: str, additions: Sequence[Addition]) -> Row:
    """The row with what the later sources add to it: null where they do not know the key.

    Breaks rule "duplicate_key" where a later source has several rows for it, and rule "incomplete"
    where it cannot be told whether a later source knows the key.
    """
    if not additions:
        return row
    whole = dict(row)
    for addition in additions:
        if key in addition.doubled:
            problem = say("source {source} has several rows with this key", source=addition.source)
            raise Breach("duplicate_key", problem)
        values = addition.rows.get(key)
        if values is None and not addition.is_whole:
            problem = say(
                "source {source} has no row with this key, and was not read to the last row or has rows"
                " without a key: what it says of this one is not known",
                source=addition.source,
            )
            raise Breach("incomplete", problem)
        whole.update(zip(addition.columns, values or (None,) * len(addition.columns), strict=True))
    return whole


def added_columns(have: Iterable[str], offered: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The columns that a later source contributes: wanted, and not there already."""
    there, needed = set(have), set(wanted)
    return tuple(column for column in offered if column in needed and column not in there)
