"""Looks once more for people whom a reading lacked: nobody is removed whom the source still has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol, runtime_checkable

from wxsync.config.expressions import Expression
from wxsync.errors import SourceError
from wxsync.model.message import Message
from wxsync.sources.base import MEMBERS, Source, SourceSession
from wxsync.sources.normal import Breach
from wxsync.sources.sheet import read_key


@runtime_checkable
class Finder(Protocol):
    """A session that can look for single people: another way to them than reading everybody."""

    def find(self, key: Expression, keys: frozenset[str]) -> frozenset[str] | None:
        """Those of `keys` whom the source has; None where it cannot tell by this key, or so many.

        Raises SourceError where the source cannot be asked.
        """
        ...


@runtime_checkable
class Locator(Protocol):
    """A source that can tell where its system has people whom its queries do not give."""

    def whereabouts(self, key: Expression, keys: frozenset[str]) -> Mapping[str, Message]:
        """Where it has those of `keys` whom it has, in words; raises SourceError where it cannot be asked."""
        ...


def whereabouts(source: Source, key: Expression, keys: frozenset[str]) -> Mapping[str, Message]:
    """Where the source's system still has people whom the source does not give: told, and nothing more."""
    with suppress(SourceError):
        if isinstance(source, Locator):
            return source.whereabouts(key, keys)
    return {}


def still_there(
    source: Source, key: Expression, keys: frozenset[str], control: frozenset[str]
) -> frozenset[str] | None:
    """Those of `keys` whom the source has after all; None where nobody can tell.

    They are looked for one by one where the source can do that, else everybody is read again; on a new
    connection, since an old one may see an old moment. `control` are people who were there just now: a
    look that does not find them says nothing of the others. Raises SourceError where all that fails.
    """
    found = _one_by_one(source, key, keys | control)
    if found is None or not control <= found:
        found = _among_all(source, key)
    return None if found is None or not control <= found else keys & found


def _one_by_one(source: Source, key: Expression, keys: frozenset[str]) -> frozenset[str] | None:
    with suppress(SourceError), source.open() as session:
        if isinstance(session, Finder):
            return session.find(key, keys)
    return None


def _among_all(source: Source, key: Expression) -> frozenset[str] | None:
    with source.open() as session:
        return _everybody(session, key)


def _everybody(session: SourceSession, key: Expression) -> frozenset[str] | None:
    """The keys of all members; None where it is not proven that these are all."""
    stream = session.read(MEMBERS, key.names)
    found: set[str] = set()
    for row in stream:
        with suppress(Breach):
            found.add(read_key(key, row))
    return frozenset(found) if stream.proof.is_complete else None
