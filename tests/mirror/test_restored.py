"""What a restored mirror no longer believes, table by table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.house.tree import ROOT
from tests.mirror.filling import READABLE, fill
from wxsync.errors import MirrorError, RunInProgressError
from wxsync.mirror import approvals, jobs, journal, lease, links, schema
from wxsync.mirror.copying import sums_of
from wxsync.mirror.counters import last_numbers
from wxsync.mirror.marks import Mark, MarkKind, put_mark
from wxsync.mirror.restored import FATES, Fate, Restored
from wxsync.mirror.restoring import restore
from wxsync.mirror.store import Store
from wxsync.mirror.tables import leases, metadata
from wxsync.model.job import JobKind
from wxsync.model.member import Member
from wxsync.model.remembered import (
    LinkState,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.run import RunState
from wxsync.model.unknown import UNKNOWN

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
LATER = AT + timedelta(days=3)
CLOSED_TOO = {"leases", "approval_demands"}
"""Kept or closed, and written by being told of all the same."""

KNOWN = RememberedMember(
    state=LinkState.OURS,
    member=Member(
        key="E1",
        userid="E1",
        name="林梅",
        mobile="13800000001",
        position=None,
        departments=("D1",),
        main_department="D1",
        is_leader=("D1",),
        order=(("D1", 7),),
        direct_leader="E2",
        enable=False,
        extattr=(("工号", "1"),),
    ),
    unproven=frozenset({"mobile"}),
    disabled_at=AT,
    left_at=AT,
    recreated_at=AT,
    doubts={"email": ("a@x.test", "b@x.test")},
    has_activated=True,
)


def told(url: str) -> Restored:
    return restore(url, [("acme", "acme")], LATER)


def test_every_table_has_a_fate_and_the_page_tells_it() -> None:
    """A table that a later version adds wants a decision, and docs/safety.md has them all."""
    assert set(FATES) == set(metadata.tables)
    page = (ROOT / "docs" / "safety.md").read_text("utf-8")
    section = page.partition("### What a restored mirror believes")[2].partition("\n## ")[0]
    listed = dict.fromkeys(
        name
        for row in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    )
    assert set(listed) == set(metadata.tables)


def test_what_is_kept_is_kept_and_what_is_forgotten_is_gone(store: Store, mirror_url: str) -> None:
    """On every database, whatever the rows say."""
    fill(store, READABLE)
    with store.transaction() as connection:
        put_mark(connection, Mark(kind=MarkKind.BACKUP, made_at=AT, place="elsewhere"))
    with store.reading() as connection:
        before = sums_of(connection)
    told(mirror_url)
    with store.reading() as connection:
        after = sums_of(connection)
    kept = {name for name, fate in FATES.items() if fate is Fate.KEPT} - CLOSED_TOO
    assert {name for name in kept if after[name] != before[name]} == set()
    forgotten = {name for name, fate in FATES.items() if fate is Fate.FORGOTTEN} - {"access_tokens"}
    assert {name for name in forgotten if after[name].rows} == set()


def test_of_a_member_is_left_who_it_is(store: Store, mirror_url: str) -> None:
    """What it held is what it may hold; that wxsync disabled it, and since when it is gone, is not known."""
    gone = RememberedMember(state=LinkState.GONE, member=Member(key="E3", userid="e3"))
    announced = RememberedMember(
        state=LinkState.PENDING, member=Member(key="E4", userid="e4"), announced_department_ids=(1,)
    )
    with store.transaction() as connection:
        links.put_member(connection, "acme", "acme", [KNOWN, gone, announced])
        links.put_department(
            connection,
            "acme",
            "acme",
            [RememberedDepartment(key="D1", id=7, state=LinkState.OURS, parent_id=1, name="研发部", order=3)],
        )
        tag = RememberedTag(name="标签", id=1, state=LinkState.OURS, userids=frozenset({"e1"}))
        links.put_tag(connection, "acme", "acme", tag)
        links.put_missed(connection, "acme", "acme", {}, {"E1": 2})
    found = told(mirror_url)
    assert (found.members, found.departments, found.tags) == (1, 1, 1)
    assert (found.announced, found.disabled) == (("E4",), ("E1",))
    with store.reading() as connection:
        remembered = links.load(connection, "acme", "acme")
        why = approvals.demanded(connection, "acme", "acme")
    assert remembered.members == {
        "E1": RememberedMember(
            state=LinkState.OURS,
            member=Member(key="E1", userid="E1"),
            recreated_at=AT,
            doubts={
                "email": ("a@x.test", "b@x.test"),
                "name": ("林梅",),
                "mobile": ("13800000001",),
                "position": (None,),
                "is_leader": (("D1",),),
                "direct_leader": ("E2",),
                "extattr.工号": ("1",),
            },
            has_activated=True,
        ),
        "E3": gone,
    }
    assert remembered.departments["D1"].name is UNKNOWN
    assert remembered.departments["D1"].doubted_names == ("研发部",)
    assert remembered.tags["标签"].userids == frozenset()
    assert remembered.missed_reads == {}
    assert str(why).startswith("the mirror is a restored backup")


def test_runs_and_jobs_of_then_are_over(store: Store, mirror_url: str) -> None:
    """Neither goes on, nor becomes a baseline; and the numbers of those that follow are others."""
    with store.transaction() as connection:
        run = journal.start_run(connection, sync="acme", corp="acme", trigger="manual", started_at=AT)
        journal.approve_run(connection, run, "somebody")
        job = jobs.prepare(
            connection, run_id=run, corp="acme", sync="acme", kind=JobKind.SYNC_MEMBERS, prepared_at=AT
        )
        jobs.put_file(connection, job, b"userid\n")
    found = told(mirror_url)
    assert (found.runs, found.jobs) == ((run,), (job,))
    with store.reading() as connection:
        closed = journal.record(connection, run)
        assert jobs.open_jobs(connection, "acme") == ()
        assert jobs.file_of(connection, job) is None
        assert links.load(connection, "acme", "acme").baselines == {}
        numbers = last_numbers(connection)
    assert closed is not None
    assert (closed.state, closed.finished_at) == (RunState.STOPPED, LATER)
    assert (numbers["runs"], numbers["batch_jobs"]) == (run + 1000, job + 1000)


def test_leases_of_then_are_free_and_fenced_off(store: Store, mirror_url: str) -> None:
    """A process of then that comes back finds another token in its place, however many were given since."""
    held = lease.acquire(store, "acme", owner="then", ttl=timedelta(hours=9))
    with store.transaction() as connection:
        put_mark(connection, Mark(kind=MarkKind.BACKUP, made_at=AT, place="elsewhere"))
    told(mirror_url)
    with pytest.raises(RunInProgressError), store.transaction() as connection:
        lease.confirm(connection, held)
    here = lease.acquire(store, "acme", owner="now", ttl=timedelta(minutes=1))
    assert here.token > held.token + 1000
    lease.release(store, here)
    held.life.give_back()


def test_not_while_a_run_is_at_work(sqlite_store: Store, sqlite_url: str) -> None:
    """Of a mirror that is in use it is not said by mistake."""
    held = lease.acquire(sqlite_store, "acme", owner="acme (manual)", ttl=timedelta(minutes=1))
    with pytest.raises(RunInProgressError, match=r"acme \(manual\)"):
        told(sqlite_url)
    lease.release(sqlite_store, held)
    told(sqlite_url)
    with sqlite_store.reading() as connection:
        assert set(connection.scalars(select(leases.c.owner))) == {None}


def test_half_a_copy_is_no_backup(sqlite_store: Store, sqlite_url: str, tmp_path: Path) -> None:
    """It lacks people: nobody may go on with it; and where there is no mirror none is made."""
    with sqlite_store.transaction() as connection:
        put_mark(connection, Mark(kind=MarkKind.COPYING, made_at=AT, place="elsewhere"))
    with pytest.raises(MirrorError, match="that is not whole"):
        told(sqlite_url)
    with pytest.raises(MirrorError, match="there is no mirror at"):
        told(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()


def test_it_is_a_mirror_again(sqlite_store: Store, sqlite_url: str) -> None:
    """Whatever it was before; that it was restored, and when, is told by its status."""
    for kind in (MarkKind.BACKUP, MarkKind.MOVED):
        with sqlite_store.transaction() as connection:
            put_mark(connection, Mark(kind=kind, made_at=AT, place="elsewhere"))
        with pytest.raises(MirrorError):
            schema.prepare(sqlite_url)
        told(sqlite_url)
        schema.prepare(sqlite_url).dispose()
        assert [(mark.kind, mark.made_at) for mark in schema.status(sqlite_url).marks] == [
            (MarkKind.RESTORED, LATER)
        ]
