"""Personal data destroyed: in the audit trail, whose hashes hold all the same, and in whatever else is kept.

What stays of somebody is that their userid is taken, as a hash: it must never be given to somebody else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, select, update

from wxsync.errors import GuardError
from wxsync.mirror import audit
from wxsync.mirror.documents import packed, unpacked
from wxsync.mirror.inbox import strike_about
from wxsync.mirror.jobs import open_jobs
from wxsync.mirror.people import Person
from wxsync.mirror.scrubbing import Scrubber
from wxsync.mirror.sqlite import overwrite_what_goes
from wxsync.mirror.tables import (
    audit_shares,
    batch_job_results,
    batch_job_rows,
    batch_jobs,
    drifts,
    member_links,
    missed_reads,
    notices,
    outcomes,
    plans,
    readings,
    retired_userids,
    runs,
    steps,
    tag_members,
    told_values,
)
from wxsync.mirror.values import as_text
from wxsync.model.audit import AuditEntry, Erased
from wxsync.model.change import Kind
from wxsync.model.message import Message, say
from wxsync.model.remembered import LinkState
from wxsync.model.taken import taken_hash

ASKED_FOR: Final = say("somebody's data was to be erased")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """How much was destroyed of a person."""

    values: int
    """Shares of lines of the audit trail."""
    texts: int
    """Plans, steps, hints, rows of files and waiting events that named them."""


def erase(connection: Connection, person: Person, at: datetime, why: Message = ASKED_FOR) -> Erasure:
    """Destroys what the mirror has of somebody who is gone, and puts a line into the trail that says so.

    In plans of runs the person's changes are emptied; the others stay, and so do their numbers. Raises
    GuardError, and then nothing is destroyed, where the person is a member of ours still, or a file of the
    corp is being worked off. What backups hold is not reached.
    """
    _refuse_present(connection, person)
    values = forget(connection, person, at, why)
    events = strike_about(connection, person.corp, sorted(person.userids))
    texts = events + _scrub_runs(connection, person) + _scrub_jobs(connection, person)
    return Erasure(values=values, texts=texts + _scrub_notices(connection, person))


def forget(connection: Connection, person: Person, at: datetime, why: Message) -> int:
    """Destroys the person's shares in the audit trail, and the links; gives how many shares it were."""
    overwrite_what_goes(connection)
    theirs = person.rows_of(audit_shares)
    c = audit_shares.c
    places = select(c.seq, c.place).where(theirs).order_by(c.seq, c.place)
    values = tuple((row.seq, row.place) for row in connection.execute(places))
    if values:
        connection.execute(delete(audit_shares).where(theirs))
        record = Erased(values=values, why=why)
        audit.append(connection, person.corp, [AuditEntry(sync=None, run_id=None, record=record)], at)
    _forget_links(connection, person)
    return len(values)


def _refuse_present(connection: Connection, person: Person) -> None:
    c = member_links.c
    here = select(c.key).where(person.rows_of(member_links), c.state != LinkState.GONE.value).limit(1)
    if connection.execute(here).first() is not None:
        raise GuardError(
            "somebody who is a member of ours cannot be erased: the next run would need what is kept of them",
            hint="have them leave the source and WeCom first, and see the mirror know it: apply once more",
        )
    if open_jobs(connection, person.corp):
        raise GuardError(
            "nobody can be erased while a file is being worked off: its rows are needed until it is over",
            hint="see `wxsync jobs`, and try again when it is over",
        )


def _forget_links(connection: Connection, person: Person) -> None:
    """The link, and whatever else leads from a key or a userid to something."""
    is_gone = member_links.c.state == LinkState.GONE.value
    connection.execute(delete(member_links).where(person.rows_of(member_links), is_gone))
    for sync, key in sorted(person.keys):
        place = {"corp": person.corp, "sync": sync, "key": key}
        connection.execute(delete(missed_reads).filter_by(**place))
        connection.execute(delete(drifts).filter_by(**place, kind=Kind.MEMBER.value))
    userids = sorted(person.userids)
    c = tag_members.c
    connection.execute(delete(tag_members).where(c.corp == person.corp, c.userid_folded.in_(userids)))
    t = told_values.c
    connection.execute(delete(told_values).where(t.corp == person.corp, t.userid_folded.in_(userids)))
    taken = retired_userids.c
    for folded in userids:
        this = (taken.corp == person.corp, taken.userid_folded == folded)
        hashed = {"userid_folded": taken_hash(folded), "key": ""}
        connection.execute(update(retired_userids).where(*this).values(hashed))


def _scrub_runs(connection: Connection, person: Person) -> int:
    """Run by run, one plan in memory at a time; gives in how many texts the person was named."""
    c, scrubbed = runs.c, 0
    for run_id, sync in connection.execute(select(c.id, c.sync).where(c.corp == person.corp)).all():
        scrubber = Scrubber(person, sync)
        scrubbed += _scrub_plan(connection, run_id, scrubber)
        scrubbed += _scrub(connection, steps, steps.c.detail, steps.c.run_id == run_id, scrubber)
        scrubbed += _scrub(connection, outcomes, outcomes.c.hint, outcomes.c.run_id == run_id, scrubber)
        scrubbed += _scrub(connection, readings, readings.c.problem, readings.c.run_id == run_id, scrubber)
        error = scrubber.in_words(connection.scalar(select(c.error).where(c.id == run_id)))
        if error is not None:
            connection.execute(update(runs).where(c.id == run_id).values(error=error))
            scrubbed += 1
    return scrubbed


def _scrub_plan(connection: Connection, run_id: int, scrubber: Scrubber) -> int:
    c = plans.c
    kept = connection.scalar(select(c.document).where(c.run_id == run_id))
    pieces = None if kept is None else scrubber.in_document(unpacked(kept))
    if pieces is None:
        return 0
    connection.execute(update(plans).where(c.run_id == run_id).values(document=packed(pieces)))
    return 1


def _scrub(
    connection: Connection, table: Table, column: Column[Any], which: ColumnElement[bool], scrubber: Scrubber
) -> int:
    """The JSON texts of one column without the person."""
    places = [*table.primary_key]
    found = connection.execute(select(*places, column).where(which, column.is_not(None)))
    scrubbed = [(row, text) for row in found if (text := scrubber.in_json(row[-1])) is not None]
    for row, text in scrubbed:
        this = (place == value for place, value in zip(places, row[:-1], strict=True))
        connection.execute(update(table).where(*this).values({column.name: text}))
    return len(scrubbed)


def _scrub_jobs(connection: Connection, person: Person) -> int:
    c, scrubbed = batch_jobs.c, 0
    for job, sync in connection.execute(select(c.id, c.sync).where(c.corp == person.corp)).all():
        scrubber = Scrubber(person, sync)
        scrubbed += _empty_rows(connection, job, scrubber)
        ended = batch_job_results
        scrubbed += _scrub(connection, ended, ended.c.hint, ended.c.job == job, scrubber)
        rows = batch_job_rows
        scrubbed += _scrub(connection, rows, rows.c.fields, rows.c.job == job, scrubber)
        scrubbed += _scrub(connection, batch_jobs, c.hint, c.id == job, scrubber)
    return scrubbed


def _scrub_notices(connection: Connection, person: Person) -> int:
    """What people were told, in words, without the person."""
    c, scrubbed = notices.c, 0
    for row in connection.execute(select(c.id, c.sync, c.document).where(c.corp == person.corp)).all():
        told = json.loads(row.document)
        without = _told_without(told, Scrubber(person, row.sync))
        if without != told:
            this = update(notices).where(c.id == row.id)
            connection.execute(this.values(document=as_text(without)))
            scrubbed += 1
    return scrubbed


def _told_without(told: dict[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    """A notice whose sentences do not name the person."""
    reasons = [scrubber.in_words(reason) or reason for reason in told["reasons"]]
    words = {name: scrubber.in_words(told[name]) or told[name] for name in ("error", "hint")}
    return {**told, **words, "reasons": reasons}


def _empty_rows(connection: Connection, job: int, scrubber: Scrubber) -> int:
    c = batch_job_rows.c
    named = connection.execute(select(c.n, c.key, c.userid).where(c.job == job))
    theirs = [
        row.n
        for row in named
        if scrubber.is_theirs("key", row.key) or scrubber.is_theirs("userid", row.userid)
    ]
    for n in theirs:
        emptied = {"key": "", "userid": "", "fields": "{}"}
        connection.execute(update(batch_job_rows).where(c.job == job, c.n == n).values(emptied))
    return len(theirs)
