"""This mirror is a backup that was put back: nothing that it remembers of WeCom's values is believed.

Between the backup and now runs may have written, people may have come and gone, hands may have changed
what WeCom hides. What is ours stays ours; what it holds is not known, as after a call of which nobody knows
what became: what the backup says is one of the things that it may hold. So the next runs write it once more,
and nothing that anybody did meanwhile can hide behind a remembered value.

`FATES` says of each table what becomes of it and why; docs/safety.md has the same table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, delete, null, select, union, update

from wxsync.mirror import links
from wxsync.mirror.approvals import demand
from wxsync.mirror.marks import Mark, MarkKind, clear_marks, put_mark
from wxsync.mirror.tables import (
    access_tokens,
    approvals,
    batch_job_files,
    batch_jobs,
    corp_ways,
    department_links,
    inbox,
    leases,
    member_links,
    missed_reads,
    notices,
    runs,
    tag_links,
    tag_members,
    told_values,
    watch_marks,
)
from wxsync.mirror.values import message_text
from wxsync.model.batch_job import OPEN_STATES, JobState
from wxsync.model.member import MEMBER_FIELDS, PLACE_FIELDS, Member
from wxsync.model.message import say
from wxsync.model.notice import NoticeState
from wxsync.model.remembered import LinkState, Remembered, RememberedDepartment, RememberedMember
from wxsync.model.run import RunState
from wxsync.model.unknown import UNKNOWN, Value

LEAP: Final = 1000
"""Numbers of runs and jobs that are left out: reports may have named them since the backup."""
TOKENS_LEAP: Final = 1_000_000
"""The same of leases: a process of then must not be taken for one of now."""
ENDED: Final = "the mirror is a restored backup, made while this was at work"

Fate = Enum("Fate", ["KEPT", "UNKNOWN", "FORGOTTEN", "CLOSED"])
FATES: Final[Mapping[str, Fate]] = {
    "member_links": Fate.UNKNOWN,
    "department_links": Fate.UNKNOWN,
    "tag_links": Fate.KEPT,
    "tag_members": Fate.FORGOTTEN,
    "retired_userids": Fate.KEPT,
    "missed_reads": Fate.FORGOTTEN,
    "drifts": Fate.KEPT,
    "runs": Fate.CLOSED,
    "plans": Fate.KEPT,
    "readings": Fate.KEPT,
    "steps": Fate.KEPT,
    "outcomes": Fate.KEPT,
    "baselines": Fate.KEPT,
    "watch_marks": Fate.FORGOTTEN,
    "batch_jobs": Fate.CLOSED,
    "batch_job_rows": Fate.KEPT,
    "batch_job_files": Fate.FORGOTTEN,
    "batch_job_results": Fate.KEPT,
    "corp_ways": Fate.FORGOTTEN,
    "claims": Fate.KEPT,
    "leases": Fate.CLOSED,
    "access_tokens": Fate.FORGOTTEN,
    "quota_holds": Fate.KEPT,
    "quota_uses": Fate.KEPT,
    "mirror_marks": Fate.CLOSED,
    "audit_lines": Fate.KEPT,
    "audit_shares": Fate.KEPT,
    "audit_heads": Fate.KEPT,
    "limit_uses": Fate.KEPT,
    "approvals": Fate.FORGOTTEN,
    "approval_demands": Fate.KEPT,
    "applied_configs": Fate.KEPT,
    "inbox": Fate.CLOSED,
    "told_values": Fate.FORGOTTEN,
    "measurements": Fate.KEPT,
    "notices": Fate.CLOSED,
    "notice_marks": Fate.KEPT,
}
"""Table -> what becomes of what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restored mirror no longer believes."""

    members: int
    departments: int
    tags: int
    announced: tuple[str, ...]
    """Keys of members whose creation was under way: whoever of them is in WeCom is a stranger by now."""
    disabled: tuple[str, ...]
    """Keys of members whom wxsync had disabled: nobody knows any more that it was wxsync."""
    runs: tuple[int, ...]
    """That were at work."""
    jobs: tuple[int, ...]
    """That were under way."""


def trust_nothing(connection: Connection, syncs: Collection[tuple[str, str]], at: datetime) -> Restored:
    """Takes the mirror for a restored backup; `syncs` are the (corp, sync) of the config.

    Nobody may be at work on it. The next plan of each sync that would change anybody waits for approval.
    """
    told = [_distrust(connection, corp, sync) for corp, sync in _linked(connection)]
    for table in (tag_members, missed_reads, watch_marks, corp_ways, approvals, told_values):
        connection.execute(delete(table))
    # One that WeCom called wrong stays so: it is not tried again only because a file was put back.
    connection.execute(delete(access_tokens).where(access_tokens.c.refusal_errcode.is_(None)))
    # A click of then decides nothing now; the digests stay, so that nothing of then comes a second time.
    connection.execute(update(inbox).where(inbox.c.worked_at.is_(None)).values(worked_at=at, message=null()))
    closed = _close_runs(connection, at)
    jobs = _close_jobs(connection, at)
    _close_notices(connection)
    connection.execute(update(leases).values(owner=null(), token=leases.c.token + TOKENS_LEAP))
    clear_marks(connection, [*MarkKind])
    put_mark(connection, Mark(kind=MarkKind.RESTORED, made_at=at, place=""))
    why = say("the mirror is a restored backup: look at what it would do before anybody is changed")
    for corp, sync in sorted({*_linked(connection), *syncs}):
        demand(connection, corp, sync, why, at)
    return _summed(told, closed, jobs)


def distrusted_member(link: RememberedMember) -> RememberedMember:
    """The same member, of whom nothing is known but who it is.

    Whether wxsync disabled it is not known either, so nobody is enabled whom somebody else has disabled
    since, and nobody is deleted for days of absence that were not counted to their end.
    """
    return replace(
        link,
        member=Member(key=link.member.key, userid=link.member.userid),
        doubts={**link.doubts, **_doubts(link.member)},
        unproven=frozenset(),
        disabled_at=None,
        left_at=None,
    )


def distrusted_department(link: RememberedDepartment) -> RememberedDepartment:
    """The same department; it may have the name that is remembered."""
    names = link.doubted_names if link.name is UNKNOWN else (link.name,)
    return replace(link, name=UNKNOWN, order=UNKNOWN, doubted_names=names)


def _doubts(member: Member) -> dict[str, tuple[Value, ...]]:
    """What each field may hold. Where somebody is, is always seen; of `enable` nothing is concluded."""
    unseen = [name for name in MEMBER_FIELDS if name == "is_leader" or name not in (*PLACE_FIELDS, "enable")]
    known: dict[str, Value] = {
        name: value for name in unseen if (value := getattr(member, name)) is not UNKNOWN
    }
    known |= {f"extattr.{name}": value for name, value in member.extattr}
    return {name: (value,) for name, value in known.items()}


def _linked(connection: Connection) -> list[tuple[str, str]]:
    """The (corp, sync) of everything that is ours."""
    tables = (member_links, department_links, tag_links)
    rows = connection.execute(union(*(select(table.c.corp, table.c.sync) for table in tables)))
    return sorted((corp, sync) for corp, sync in rows)


def _distrust(connection: Connection, corp: str, sync: str) -> Remembered:
    """Gives what was remembered before."""
    before = links.load(connection, corp, sync)
    ours = [link for link in before.members.values() if link.state is LinkState.OURS]
    pending = [key for key, link in before.members.items() if link.state is LinkState.PENDING]
    links.put_member(connection, corp, sync, [distrusted_member(link) for link in ours])
    links.forget_member(connection, corp, sync, pending)
    departments = [link for link in before.departments.values() if link.state is LinkState.OURS]
    links.put_department(connection, corp, sync, [distrusted_department(link) for link in departments])
    return before


def _close_runs(connection: Connection, at: datetime) -> tuple[int, ...]:
    """Not by `journal.finish_run`: no reading of theirs becomes a baseline."""
    at_work = runs.c.state == RunState.RUNNING.value
    numbers = tuple(connection.scalars(select(runs.c.id).where(at_work).order_by(runs.c.id)))
    closed: dict[str, Any] = {"state": RunState.STOPPED.value, "finished_at": at, "error": ENDED}
    connection.execute(update(runs).where(at_work).values(closed))
    return numbers


def _close_jobs(connection: Connection, at: datetime) -> tuple[int, ...]:
    """Given up: a file of then must not be sent once more, and what its result says is of then."""
    is_open = batch_jobs.c.state.in_([*OPEN_STATES])
    numbers = tuple(connection.scalars(select(batch_jobs.c.id).where(is_open).order_by(batch_jobs.c.id)))
    hint = message_text(say("the mirror is a restored backup: what became of this job is not looked for"))
    connection.execute(
        update(batch_jobs).where(is_open).values(state=JobState.FAILED.value, finished_at=at, hint=hint)
    )
    connection.execute(delete(batch_job_files))
    return numbers


def _close_notices(connection: Connection) -> None:
    """What waited may have been sent since; a card of then asks about a plan of then, and takes no click."""
    c = notices.c
    on_the_way = c.state.in_([NoticeState.WAITING.value, NoticeState.SENDING.value])
    connection.execute(
        update(notices).where(on_the_way).values(state=NoticeState.UNKNOWN.value, problem=ENDED)
    )
    connection.execute(update(notices).values(task_id=None))


def _summed(told: list[Remembered], closed: tuple[int, ...], jobs: tuple[int, ...]) -> Restored:
    members = [link for each in told for link in each.members.values()]
    return Restored(
        members=sum(link.state is LinkState.OURS for link in members),
        departments=sum(link.state is LinkState.OURS for each in told for link in each.departments.values()),
        tags=sum(link.state is LinkState.OURS for each in told for link in each.tags.values()),
        announced=tuple(sorted(link.member.key for link in members if link.state is LinkState.PENDING)),
        disabled=tuple(
            sorted(
                link.member.key
                for link in members
                if link.state is LinkState.OURS and link.disabled_at is not None
            )
        ),
        runs=closed,
        jobs=jobs,
    )
