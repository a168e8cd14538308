"""Starts every query of a sync's sources and holds their columns against the mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wxsync.config.expressions import Expression
from wxsync.config.settings import SyncSettings
from wxsync.errors import ConfigError
from wxsync.sources.base import DEPARTMENTS, MEMBERS, MEMBERSHIPS, TAGS, RowStream, SourceSession
from wxsync.sources.columns import Offer, missing_columns, names_in, needs_of, too_few_columns
from wxsync.sources.joining import Later, added_columns, shared_columns

Sessions = Sequence[tuple[str, SourceSession]]
"""(source, its session), the authority first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The authority's query, and those that add columns to it."""

    stream: RowStream
    later: tuple[Later, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Every query that a sync reads, started and not yet walked through."""

    departments: Joined
    members: Joined
    memberships: tuple[RowStream, ...]
    tags: tuple[RowStream, ...]


def open_streams(sessions: Sessions, sync_name: str, sync: SyncSettings) -> Streams:
    """Start every query; raises ConfigError with every name that the mapping reads and nobody gives."""
    path = f"sync.{sync_name}"
    about_departments = needs_of(f"{path}.department", sync.department)
    about_members = needs_of(f"{path}.member", sync.member)
    about_members |= {f"{path}.tags.{name}": rule for name, rule in sync.tags.items()}
    opening = _Opening(sessions)
    streams = Streams(
        departments=opening.join(DEPARTMENTS, f"{path}.department.key", about_departments),
        members=opening.join(MEMBERS, f"{path}.member.key", about_members),
        memberships=opening.pairs(MEMBERSHIPS, "member key and department key"),
        tags=opening.pairs(TAGS, "tag name and member key"),
    )
    if opening.problems:
        hint = "correct the mapping, or the query that should give the column"
        raise ConfigError(opening.problems, hint=hint)
    return streams


def _offer(source: str, stream: RowStream) -> Offer:
    return Offer(source=source, columns=stream.columns, attributes=stream.vocabulary)


class _Opening:
    """Opens queries and gathers what is wrong with their columns."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.problems: list[str] = []

    def join(self, query: str, key_path: str, needs: Mapping[str, Expression]) -> Joined:
        """The authority's rows, and from later sources the columns that it lacks.

        Every later source's members are read, so that one that fails is noticed; its departments
        only where they add something.
        """
        (authority, session), *others = self._sessions
        if not session.has(query):
            problem = f"source.{authority}.{query}: is missing; the first source of a sync needs it"
            raise ConfigError([problem])
        wanted = names_in(needs)
        stream = session.read(query, wanted)
        key = {key_path: needs[key_path]}
        offers = [_offer(authority, stream)]
        self.problems += missing_columns(key, query, offers)
        given = list(stream.columns)
        later: list[Later] = []
        for source, other_session in others:
            if not other_session.has(query) or (query == DEPARTMENTS and wanted.issubset(given)):
                continue
            other = other_session.read(query, wanted)
            columns = added_columns(given, other.columns, wanted)
            compared = shared_columns(given, other.columns, wanted - needs[key_path].names)
            offers.append(_offer(source, other))
            given += columns
            if columns or query == MEMBERS:
                self.problems += missing_columns(key, query, offers[-1:])
                later.append(
                    Later(source=source, query=query, stream=other, columns=columns, compared=compared)
                )
        rest = {path: expression for path, expression in needs.items() if path != key_path}
        self.problems += missing_columns(rest, query, offers)
        return Joined(stream=stream, later=tuple(later))

    def pairs(self, query: str, expected: str) -> tuple[RowStream, ...]:
        """The query of every source that has it; its first two columns go by position."""
        return tuple(self._pairs(query, expected))

    def _pairs(self, query: str, expected: str) -> Iterable[RowStream]:
        for source, session in self._sessions:
            if session.has(query):
                stream = session.read(query)
                self.problems += too_few_columns(query, source, stream.columns, expected)
                yield stream
