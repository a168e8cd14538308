"""Whether a corp's audit trail is what was written, from its oldest line to its head; old lines struck."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, select, update

from wxsync.mirror import audit
from wxsync.mirror.audit_text import GENESIS, Share, chained, shares_digests
from wxsync.mirror.tables import audit_heads, audit_lines, audit_shares, runs
from wxsync.model.audit import AuditEntry, Flaw, Pruned, Verdict
from wxsync.model.message import Message, say

SOME: Final = timedelta(days=1)
"""Old lines are struck once a day and not at every run: each time leaves a line that says so."""


def verify(connection: Connection, corp: str, given_head: str | None = None) -> Verdict:
    """Walks through all that is kept of a corp's trail, a few lines in memory at a time.

    The first line that was altered, removed, put in or moved is the verdict's flaw; so is a person's share
    that is another one, or gone without a line that says so. Where `given_head` is a hash that was noted
    before, the verdict tells whether the trail still has it.
    """
    head = audit.head(connection, corp)
    walk = _Walk(corp=corp, head=head, seq=head.pruned_seq, hash=head.pruned_hash, given=given_head)
    for rows in audit.each_row(connection, corp):
        c = audit_shares.c
        within = c.seq.between(rows[0].seq, rows[-1].seq)
        shares = audit.shares_of(connection, corp, within)
        for row in rows:
            if (problem := walk.step(row, shares.get(row.seq, {}))) is not None:
                return walk.verdict(Flaw(seq=walk.seq + 1, problem=problem))
    return walk.verdict(walk.end() or _unmet_run(connection, walk) or _stray_share(connection, walk))


def prune(connection: Connection, corp: str, before: datetime, at: datetime, most: int) -> int:
    """Strikes the oldest lines, those from before `before`, at most `most`; gives how many it were.

    What is left is bound to a line at the end that says up to where, and which hash stood there. Does nothing
    where no line is a day older than that.
    """
    found = audit.oldest(connection, corp, 1)
    if not found or _at(found[0]) >= before - SOME:
        return 0
    last, count = found[0], 0
    # A few at a time: nearly always they are those of one day.
    for row in islice(chain.from_iterable(audit.each_row(connection, corp)), most):
        if _at(row) >= before:
            break
        last, count = row, count + 1
    for table in (audit_shares, audit_lines):
        connection.execute(delete(table).where(table.c.corp == corp, table.c.seq <= last.seq))
    moved = update(audit_heads).where(audit_heads.c.corp == corp)
    connection.execute(moved.values(pruned_seq=last.seq, pruned_hash=last.hash))
    record = Pruned(until=last.seq, hash=last.hash)
    audit.append(connection, corp, [AuditEntry(sync=None, run_id=None, record=record)], at)
    return count


def _at(row: Row[Any]) -> datetime:
    return datetime.fromisoformat(json.loads(row.document)["at"])


@dataclass(slots=True, kw_only=True)
class _Walk:
    """How far it has come, and what is still to be explained."""

    corp: str
    head: audit.Head
    seq: int
    """The last line that was found good."""
    hash: str
    given: str | None
    lines: int = 0
    first: int | None = None
    missing: dict[tuple[int, int], None] = field(default_factory=dict)
    """Shares that are not there, and that no line says to be erased, so far."""
    erased: int = 0
    pruned: Pruned | None = None
    is_met: bool = False

    def step(self, row: Row[Any], shares: Mapping[int, Share]) -> Message | None:
        """What is wrong with the next line; None where it is good."""
        if row.seq != self.seq + 1:
            return say("a line is missing: {seq} follows {before}", seq=row.seq, before=self.seq)
        if row.hash != chained(self.hash, self.corp, row.seq, row.document):
            return say("it is not what was written: its hash does not fit")
        said = json.loads(row.document)
        if row.run_id != said.get("run"):
            return say("it is filed under run {run}, and says another", run=row.run_id)
        if (problem := self._compare(row.seq, said, shares)) is not None:
            return problem
        if said.get("is") == "erased" and (problem := self._erase(said)) is not None:
            return problem
        if said.get("is") == "pruned":
            self.pruned = Pruned(until=said["until"], hash=said["hash"])
        self.seq, self.hash = row.seq, row.hash
        self.first = row.seq if self.first is None else self.first
        self.lines += 1
        self.is_met = self.is_met or row.hash == self.given
        return None

    def _compare(self, seq: int, said: Mapping[str, Any], shares: Mapping[int, Share]) -> Message | None:
        digests = shares_digests(said)
        for place, digest in enumerate(digests):
            if place not in shares:
                self.missing[seq, place] = None
            elif shares[place].digest != digest:
                return say("the values of a person in it are not what was written")
        if shares.keys() - set(range(len(digests))):
            return say("it has values that were not written with it")
        return None

    def _erase(self, said: Mapping[str, Any]) -> Message | None:
        """A line that says what was erased explains what is missing, and nothing else may be."""
        for seq, place in said["values"]:
            if seq <= self.head.pruned_seq:
                continue
            if (seq, place) not in self.missing:
                return say("it says that values of line {seq} were erased, and they are there", seq=seq)
            del self.missing[seq, place]
            self.erased += 1
        return None

    def end(self) -> Flaw | None:
        """What is wrong although every line is good."""
        if self.missing:
            seq = min(self.missing)[0]
            return Flaw(seq=seq, problem=say("values of a person in it are gone, and no line says why"))
        if (self.seq, self.hash) != (self.head.seq, self.head.hash):
            problem = say(
                "the trail ends at line {seq}, and its head was line {head}", seq=self.seq, head=self.head.seq
            )
            return Flaw(seq=self.seq + 1, problem=problem)
        told = (0, GENESIS) if self.pruned is None else (self.pruned.until, self.pruned.hash)
        if told != (self.head.pruned_seq, self.head.pruned_hash):
            problem = say("lines before it are gone, and no line says that they were struck for their age")
            return Flaw(seq=self.head.pruned_seq + 1, problem=problem)
        return None

    def verdict(self, flaw: Flaw | None) -> Verdict:
        is_last_struck = self.head.pruned_seq > 0 and self.given == self.head.pruned_hash
        met = None if self.given is None else self.is_met or is_last_struck
        return Verdict(
            corp=self.corp,
            lines=self.lines,
            first=self.first or self.head.pruned_seq + 1,
            head=self.seq,
            head_hash=self.hash,
            erased=self.erased,
            flaw=flaw,
            has_given_head=met,
        )


def _unmet_run(connection: Connection, walk: _Walk) -> Flaw | None:
    """Each run noted where the trail ended when it did: a trail that was cut short has lost such a place."""
    c = runs.c
    noted = (
        select(c.id, c.audit_seq, c.audit_hash, audit_lines.c.hash)
        .select_from(
            runs.outerjoin(audit_lines, (audit_lines.c.corp == c.corp) & (audit_lines.c.seq == c.audit_seq))
        )
        .where(c.corp == walk.corp, c.audit_seq > walk.head.pruned_seq)
        .order_by(c.audit_seq)
    )
    for row in connection.execute(noted):
        if row.hash != row.audit_hash:
            problem = say("run {run} ended with another line {seq}", run=row.id, seq=row.audit_seq)
            return Flaw(seq=row.audit_seq, problem=problem)
    return None


def _stray_share(connection: Connection, walk: _Walk) -> Flaw | None:
    """Values of a line that is not there belong to nobody's trail."""
    c = audit_shares.c
    outside = (c.seq <= walk.head.pruned_seq) | (c.seq > walk.head.seq)
    stray = connection.scalar(select(func.min(c.seq)).where(c.corp == walk.corp, outside))
    if stray is None:
        return None
    return Flaw(seq=stray, problem=say("there are values of a line that is not there"))
