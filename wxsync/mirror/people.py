"""Under which keys and userids the mirror knows one person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from wxsync.mirror.tables import audit_shares, member_links
from wxsync.model.who import Who, only_one


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person of a corp, by every name that was ever theirs."""

    corp: str
    keys: frozenset[tuple[str, str]]
    """(sync, key): keys of one sync mean nothing in another."""
    userids: frozenset[str]
    """Folded. A userid is never given to somebody else, so it holds where keys have changed."""

    def rows_of(self, table: Table) -> ColumnElement[bool]:
        """The rows of a table with corp, sync, key and userid_folded that are about this person."""
        c = table.c
        by_key = (and_(c.sync == sync, c.key == key) for sync, key in sorted(self.keys))
        return and_(c.corp == self.corp, or_(c.userid_folded.in_(sorted(self.userids)), *by_key))


def find_person(connection: Connection, corp: str, who: str, sync: str | None = None) -> Person | None:
    """Whoever has, or had, the key or userid `who`; None where nothing is kept of anybody like that.

    Where `sync` says so, the key counts in that sync alone. Raises WxsyncError where it is one person's key
    and another's userid, or a key of several people in several syncs: they are never taken for one.
    """
    meant = Who.of(who)
    keys = () if meant.key is None else _keys(connection, corp, meant.key, sync)
    userids = frozenset[str]() if meant.userid is None else frozenset({meant.userid})
    by_key = (
        _whole(connection, Person(corp=corp, keys=frozenset({key}), userids=frozenset())) for key in keys
    )
    by_userid = _whole(connection, Person(corp=corp, keys=frozenset(), userids=userids))
    return only_one(
        (person for person in by_key if person is not None), () if by_userid is None else (by_userid,)
    )


def _keys(connection: Connection, corp: str, key: str, sync: str | None) -> set[tuple[str, str]]:
    """(sync, key) for every sync in which somebody has, or had, this key."""
    found: set[tuple[str, str]] = set()
    for table in (member_links, audit_shares):
        c = table.c
        syncs = select(c.sync).distinct().where(c.corp == corp, c.key == key, c.sync.is_not(None))
        found |= {(each, key) for each in connection.scalars(syncs) if sync in (None, each)}
    return found


def _whole(connection: Connection, person: Person) -> Person | None:
    """Them with every name that goes with one of theirs; None where nothing is kept of these."""
    while known := [*_named(connection, person)]:
        wider = _joined(
            person,
            ((sync, key) for sync, key, _ in known if sync is not None and key is not None),
            (userid for _, _, userid in known if userid is not None),
        )
        if wider == person:
            return person
        person = wider
    return None


def _named(connection: Connection, person: Person) -> Iterator[tuple[str | None, str | None, str | None]]:
    for table in (member_links, audit_shares):
        c = table.c
        names = select(c.sync, c.key, c.userid_folded).distinct().where(person.rows_of(table))
        yield from ((row.sync, row.key, row.userid_folded) for row in connection.execute(names))


def _joined(person: Person, keys: Iterable[tuple[str, str]], userids: Iterable[str]) -> Person:
    return replace(person, keys=person.keys | frozenset(keys), userids=person.userids | frozenset(userids))
