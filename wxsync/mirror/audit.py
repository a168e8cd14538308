"""The audit trail of a corp: lines that are put at its end, each bound to the one before it by a hash.

A line is two things. Its public text, which no person is named in, is what the hash covers, and in it are
digests of the shares. A share is what is about one person; it has a row and a random salt of its own, so that
it can be destroyed and the hashes still hold (see `wxsync.mirror.erasing`).

All functions take a connection and never commit: a line goes into the transaction of what it tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from wxsync.mirror.audit_text import GENESIS, Share, chained, to_document, to_record
from wxsync.mirror.people import Person
from wxsync.mirror.tables import audit_heads, audit_lines, audit_shares, runs
from wxsync.model.audit import AuditEntry, AuditLine

SLICE: Final = 1000
"""Lines that are read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a corp's trail ends, and where what is left of it begins."""

    seq: int
    hash: str
    pruned_seq: int = 0
    """The last line that was struck because of its age."""
    pruned_hash: str = GENESIS


def append(connection: Connection, corp: str, entries: Sequence[AuditEntry], at: datetime) -> None:
    """Puts lines at the end of the trail, in this order.

    Whoever else does so at the same time waits for the end of the transaction; two lines with one number are
    refused by the database, so that a trail never forks.
    """
    if not entries:
        return
    head = _held(connection, corp, entries[0].run_id)
    seq, last = head.seq, head.hash
    lines: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    for entry in entries:
        seq += 1
        document, own = to_document(entry.record, at=at, sync=entry.sync, run_id=entry.run_id)
        last = chained(last, corp, seq, document)
        lines.append({"corp": corp, "seq": seq, "run_id": entry.run_id, "document": document, "hash": last})
        shares += [_row(corp, seq, place, share) for place, share in enumerate(own)]
    connection.execute(insert(audit_lines), lines)
    if shares:
        connection.execute(insert(audit_shares), shares)
    c = audit_heads.c
    connection.execute(update(audit_heads).where(c.corp == corp).values(seq=seq, hash=last))


def head(connection: Connection, corp: str) -> Head:
    """Where the corp's trail ends; line 0 before any."""
    found = connection.execute(select(audit_heads).where(audit_heads.c.corp == corp)).one_or_none()
    return Head(seq=0, hash=GENESIS) if found is None else _to_head(found)


def corps(connection: Connection) -> tuple[str, ...]:
    """The corps that have a trail, or what is left of one: lines, values, or a run that noted its end."""
    noted = select(runs.c.corp).where(runs.c.audit_seq > 0)
    queries = (select(each.c.corp) for each in (audit_heads, audit_lines, audit_shares))
    return tuple(
        sorted({corp for query in (*queries, noted) for corp in connection.scalars(query.distinct())})
    )


def lines(
    connection: Connection,
    corp: str,
    *,
    person: Person | None = None,
    run_id: int | None = None,
    limit: int,
) -> tuple[AuditLine, ...]:
    """The newest `limit` lines, the newest first: of `person`, of a run, of both, or of everybody."""
    c = audit_lines.c
    query = select(audit_lines).where(c.corp == corp)
    if run_id is not None:
        query = query.where(c.run_id == run_id)
    if person is not None:
        theirs = select(audit_shares.c.seq).where(person.rows_of(audit_shares))
        query = query.where(c.seq.in_(theirs))
    found = connection.execute(query.order_by(c.seq.desc()).limit(limit)).all()
    shares = shares_of(connection, corp, audit_shares.c.seq.in_([row.seq for row in found]))
    return tuple(_to_line(row, shares.get(row.seq, {})) for row in found)


def beginnings(connection: Connection, corp: str, run_ids: Iterable[int]) -> tuple[AuditLine, ...]:
    """The line with which each of these runs began to write."""
    c = audit_lines.c
    first = [
        connection.execute(
            select(audit_lines).where(c.corp == corp, c.run_id == run_id).order_by(c.seq).limit(1)
        ).one_or_none()
        for run_id in run_ids
    ]
    return tuple(_to_line(row, {}) for row in first if row is not None)


def shares_of(connection: Connection, corp: str, which: ColumnElement[bool]) -> dict[int, dict[int, Share]]:
    """seq -> place -> what is kept of a person."""
    c = audit_shares.c
    found: dict[int, dict[int, Share]] = {}
    for row in connection.execute(select(audit_shares).where(c.corp == corp, which)):
        found.setdefault(row.seq, {})[row.place] = Share(
            sync=row.sync,
            key=row.key,
            userid_folded=row.userid_folded,
            salt=row.salt,
            content=row.content,
        )
    return found


def each_row(connection: Connection, corp: str) -> Iterator[Sequence[Row[Any]]]:
    """All lines from the oldest on, some at a time."""
    c, last = audit_lines.c, None
    while True:
        query = select(audit_lines).where(c.corp == corp).order_by(c.seq).limit(SLICE)
        found = connection.execute(query if last is None else query.where(c.seq > last)).all()
        if found:
            yield found
        if len(found) < SLICE:
            return
        last = found[-1].seq


def told_steps(connection: Connection, corp: str, run_id: int) -> frozenset[tuple[int, int]]:
    """(n, step) of every call of a run of which there is a line."""
    c = audit_lines.c
    told = connection.execute(select(c.document).where(c.corp == corp, c.run_id == run_id))
    said = (json.loads(row.document) for row in told)
    return frozenset((each["n"], each["step"]) for each in said if "n" in each and "step" in each)


def settled_run(connection: Connection, corp: str) -> int | None:
    """Up to this run every call has a line; None before the corp's first line."""
    c = audit_heads.c
    return connection.scalar(select(c.settled_run).where(c.corp == corp))


def put_settled_run(connection: Connection, corp: str, run_id: int) -> None:
    """Of all runs up to this one every call has a line."""
    c = audit_heads.c
    connection.execute(update(audit_heads).where(c.corp == corp).values(settled_run=run_id))


def oldest(connection: Connection, corp: str, limit: int) -> Sequence[Row[Any]]:
    """The oldest lines that are kept."""
    c = audit_lines.c
    return connection.execute(select(audit_lines).where(c.corp == corp).order_by(c.seq).limit(limit)).all()


def _held(connection: Connection, corp: str, run_id: int | None) -> Head:
    """The head, which nobody else moves until the transaction ends; a new one at the corp's first line."""
    query = select(audit_heads).where(audit_heads.c.corp == corp).with_for_update()
    found = connection.execute(query).one_or_none()
    if found is not None:
        return _to_head(found)
    first = {"seq": 0, "hash": GENESIS, "pruned_seq": 0, "pruned_hash": GENESIS}
    settled = 0 if run_id is None else run_id - 1
    connection.execute(insert(audit_heads), {"corp": corp, "settled_run": settled, **first})
    return Head(seq=0, hash=GENESIS)


def _to_head(found: Row[Any]) -> Head:
    return Head(seq=found.seq, hash=found.hash, pruned_seq=found.pruned_seq, pruned_hash=found.pruned_hash)


def _row(corp: str, seq: int, place: int, share: Share) -> dict[str, Any]:
    return {
        "corp": corp,
        "seq": seq,
        "place": place,
        "sync": share.sync,
        "key": share.key,
        "userid_folded": share.userid_folded,
        "salt": share.salt,
        "content": share.content,
    }


def _to_line(row: Row[Any], shares: dict[int, Share]) -> AuditLine:
    said = json.loads(row.document)
    return AuditLine(
        seq=row.seq,
        at=datetime.fromisoformat(said["at"]),
        sync=said.get("sync"),
        run_id=row.run_id,
        record=to_record(said, shares),
        hash=row.hash,
    )
