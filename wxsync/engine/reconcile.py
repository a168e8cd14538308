"""The whole loop on one page: read both sides, decide, refuse what is out of bounds, carry out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from wxsync.engine.apply import Progress, Stopped, apply
from wxsync.engine.batch import Batch
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision, decide
from wxsync.engine.guard import check_approval
from wxsync.engine.housekeeping import housekeeping
from wxsync.engine.leaving import next_missed
from wxsync.engine.ledger import Ledger
from wxsync.engine.looking import look_at_wecom, without_claims_of_others
from wxsync.engine.person import check_alone, only_person
from wxsync.engine.recorder import Recorder
from wxsync.engine.rows import Rows
from wxsync.engine.second_look import look_again
from wxsync.engine.settling import settle_jobs
from wxsync.engine.shrinking import refuse_halved_files
from wxsync.engine.single import Single
from wxsync.errors import IncompleteReadError, MirrorError, StalePlanError, WeComError, WxsyncError
from wxsync.mirror import journal, lease, links
from wxsync.mirror.lease import Lease
from wxsync.mirror.watch_marks import save_marks
from wxsync.model.desired import Desired
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.run import Outcome, Run, RunState
from wxsync.model.seen import Seen
from wxsync.report.as_json import plan_text
from wxsync.sources.reader import read_desired

LEASE_TTL: Final = timedelta(seconds=60)
RENEWAL: Final = 15.0
"""Seconds between two renewals of the lease."""
MONTH: Final = timedelta(days=30)
"""WeCom's month, in its quotas (page 90312)."""
FRESH: Final = timedelta(minutes=5)
"""A decision that is older by the time somebody says yes is made anew."""
INTERRUPTED: Final = "it was interrupted"
DIED: Final = "its process ended before it did"


async def preview(
    corp: Corp,
    *,
    verb: journal.RunVerb = "plan",
    trigger: str = "manual",
    weak_too: bool = False,
    approved: str | None = None,
    person: str | None = None,
    confirm_reads: int = 1,
) -> tuple[int, Decision]:
    """Read both sides, decide, and write nothing to WeCom; the reads and the plan go on record.

    `weak_too` adopts on weak evidence as well (`plan --adopt`); so does the decision where that is
    what makes it the plan with the digest `approved`. `person`, a key or userid, leaves of the whole
    plan that one's changes, see `only_person`. Nobody is removed for being absent whom fewer than
    `confirm_reads` complete readings in a row lacked: those of runs that may write. Gives the run's number
    and the decision.
    Raises ConfigError, SourceError, WeComError or MirrorError; then the run is on record as failed.
    """
    run_id = await asyncio.to_thread(_start, corp, verb, trigger)
    with _failing(corp, run_id):
        decision = await _decided(corp, weak_too=weak_too, person=person, confirm_reads=confirm_reads)
        if approved not in (None, decision.plan.digest):
            decision = _as_approved(corp, decision, str(approved))
        await asyncio.to_thread(_save, corp, run_id, decision, verb)
    return run_id, decision


def _as_approved(corp: Corp, decision: Decision, approved: str) -> Decision:
    """The plan that `plan --adopt` shows, where that is the one that was approved."""
    now = decision.plan.created_at
    adopting = _decide(
        corp,
        decision.desired,
        decision.seen,
        decision.remembered,
        now,
        weak_too=True,
        confirm_reads=decision.confirm_reads,
    )
    if decision.person is not None:
        adopting = only_person(adopting, decision.person, corp.settings, corp.account_cap)
    return adopting if adopting.plan.digest == approved else decision


async def made_fresh(corp: Corp, run_id: int, decision: Decision) -> Decision:
    """The decision, made anew from both sides where it has grown old; it must come out the same.

    Raises StalePlanError where it does not; then nothing was written. Else raises as `preview` does.
    """
    age = corp.clock() - decision.plan.created_at
    if age <= FRESH:
        return decision
    with _failing(corp, run_id):
        fresh = await _decided(corp, person=decision.person, confirm_reads=decision.confirm_reads)
    if fresh.plan.digest != decision.plan.digest:
        raise StalePlanError(
            f"nothing was written: the plan was {age.total_seconds() // 60:.0f} minutes old when it was"
            " agreed to, and by now it is another one",
            hint=f"look at it as it is now: wxsync plan {corp.sync}",
        )
    with _failing(corp, run_id):
        await asyncio.to_thread(_save, corp, run_id, fresh, "apply")
    return fresh


async def _decided(
    corp: Corp, *, weak_too: bool = False, person: str | None = None, confirm_reads: int = 1
) -> Decision:
    now = corp.clock()
    remembered, read = await asyncio.to_thread(_read_blocking, corp)
    seen = await look_at_wecom(corp, remembered, now)
    decide_on = partial(
        _decide,
        corp,
        seen=seen,
        remembered=remembered,
        now=now,
        weak_too=weak_too,
        confirm_reads=confirm_reads,
    )
    decision = decide_on(read)
    known_better = await look_again(corp, decision)
    if known_better is not read:
        decision = decide_on(known_better)
    return decision if person is None else only_person(decision, person, corp.settings, corp.account_cap)


def _decide(
    corp: Corp,
    desired: Desired,
    seen: Seen,
    remembered: Remembered,
    now: datetime,
    *,
    weak_too: bool,
    confirm_reads: int,
) -> Decision:
    return decide(
        sync=corp.sync,
        corp_id=corp.corp_id,
        settings=corp.settings,
        desired=desired,
        seen=seen,
        remembered=remembered,
        now=now,
        weak_too=weak_too,
        account_cap=corp.account_cap,
        sibling_roots=corp.sibling_roots,
        confirm_reads=confirm_reads,
    )


async def carry_out(
    corp: Corp,
    run_id: int,
    decision: Decision,
    held: Lease,
    *,
    approved: str | None = None,
    approver: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Run:
    """Refuse a plan that is out of bounds; else write it, and remember every outcome.

    `approved` is the digest of the one plan that somebody has said yes to: it lifts the limits for
    that plan and for no other. Raises GuardError or StalePlanError where nothing was written.
    """
    check_approval(decision.plan, approved)
    check_alone(decision)
    if approver is not None and approved is not None:
        await asyncio.to_thread(_approve, corp, run_id, approver)
    ledger = Ledger(decision, corp.clock())
    async with Recorder(corp, run_id, held) as recorder:
        await recorder.write(*housekeeping(decision, ledger))
        single = Single(corp=corp, decision=decision, ledger=ledger, recorder=recorder)
        rows = Rows(
            corp=corp, decision=decision, ledger=ledger, recorder=recorder, single=single, run_id=run_id
        )
        try:
            outcomes = await apply(decision.schedule, single, Batch(rows=rows), progress)
        except Stopped as stopped:
            return await _stopped(corp, run_id, decision, stopped)
        except asyncio.CancelledError:
            await asyncio.to_thread(_finish, corp, run_id, decision, (), RunState.STOPPED, INTERRUPTED)
            raise
    return await asyncio.to_thread(_finish, corp, run_id, decision, outcomes, RunState.APPLIED, None)


async def refuse(corp: Corp, run_id: int, decision: Decision, error: WxsyncError) -> Run:
    """Put on record that nothing was written, and why."""
    return await asyncio.to_thread(_finish, corp, run_id, decision, (), RunState.REFUSED, error.message)


@asynccontextmanager
async def holding(corp: Corp, trigger: str, *, renewal: float = RENEWAL) -> AsyncIterator[Lease]:
    """The corp's lease for the length of the block: one run that writes at a time.

    It is renewed every `renewal` seconds. Jobs that an earlier run left open are seen to first. Raises
    RunInProgressError where another run that is alive has the lease, and WeComError where a job cannot be
    seen to.
    """
    held = await asyncio.to_thread(
        lease.acquire,
        corp.store,
        corp.name,
        owner=f"{corp.sync} ({trigger})",
        now=corp.clock(),
        ttl=LEASE_TTL,
    )
    renewing = asyncio.create_task(_renew(corp, held, renewal))
    try:
        await settle_jobs(corp, held)
        yield held
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError, WxsyncError):
            await renewing
        await asyncio.to_thread(lease.release, corp.store, held)


async def _renew(corp: Corp, held: Lease, every: float) -> None:
    """Until cancelled, or the lease is lost: that shows at the next write, which confirms it."""
    while True:
        await asyncio.sleep(every)
        # A mirror that is busy now takes the next renewal: the lease outlives several ticks.
        with contextlib.suppress(MirrorError):
            await asyncio.to_thread(lease.renew, corp.store, held, corp.clock())


def refuse_emptiness(desired: Desired, remembered: Remembered, *, authority: str) -> None:
    """A source that suddenly has nobody is broken, whatever it says (peers.md A8.1).

    Raises IncompleteReadError where departments or members are none and there were some before: by
    its last applied read, or for `authority`, the sync's first source, by what is ours in WeCom.
    """
    has_people = any(link.state is LinkState.OURS for link in remembered.members.values())
    has_departments = any(link.state is LinkState.OURS for link in remembered.departments.values())
    had = {"members": has_people, "departments": has_departments}
    for reading in desired.readings:
        baseline = remembered.baselines.get((reading.source, reading.query), 0)
        had_some = baseline or (reading.source == authority and had.get(reading.query))
        if reading.rows == 0 and reading.query in had and had_some:
            raise IncompleteReadError(
                reading.source,
                f"the {reading.query} query gives no rows, and there were {baseline or 'some'} before",
                hint="nothing was changed; look at the query, its rights and the database behind it",
            )


def _read_blocking(corp: Corp) -> tuple[Remembered, Desired]:
    with corp.store.reading() as connection:
        remembered = links.load(connection, corp.name, corp.sync)
        if corp.account_cap is not None:
            created = journal.creations_since(connection, corp.name, corp.clock() - MONTH)
            remembered = replace(remembered, created_this_month=created)
    desired = read_desired(corp.sources, corp.settings, corp.clock(), sync_name=corp.sync)
    refuse_emptiness(desired, remembered, authority=corp.settings.sources[0])
    refuse_halved_files(desired, remembered)
    return remembered, without_claims_of_others(corp, desired)


async def _stopped(corp: Corp, run_id: int, decision: Decision, stopped: Stopped) -> Run:
    """A run that broke off: what was done is done and on record, the rest is as it was."""
    state = RunState.STOPPED if stopped.has_written else RunState.FAILED
    try:
        run = await asyncio.to_thread(
            _finish, corp, run_id, decision, stopped.outcomes, state, stopped.error.message
        )
    except WxsyncError:
        raise stopped.error from None
    # What broke off WeCom's side is a run with its outcomes; a mirror that takes no more is an error.
    if not stopped.has_written or not isinstance(stopped.error, WeComError):
        raise stopped.error
    return run


@contextlib.contextmanager
def _failing(corp: Corp, run_id: int) -> Iterator[None]:
    try:
        yield
    except (WxsyncError, asyncio.CancelledError) as error:
        message = error.message if isinstance(error, WxsyncError) else INTERRUPTED
        with contextlib.suppress(WxsyncError), corp.store.transaction() as connection:
            journal.finish_run(connection, run_id, RunState.FAILED, corp.clock(), message)
        raise


def _start(corp: Corp, verb: journal.RunVerb, trigger: str) -> int:
    with corp.store.transaction() as connection:
        run_id = journal.start_run(
            connection, sync=corp.sync, corp=corp.name, trigger=trigger, started_at=corp.clock(), verb=verb
        )
        if verb != "plan":  # we hold the lease: whatever else is said to be at work is dead
            for dead in journal.interrupted(connection, corp.name, before=run_id):
                journal.finish_run(connection, dead.id, RunState.STOPPED, corp.clock(), DIED)
        return run_id


def _save(corp: Corp, run_id: int, decision: Decision, verb: journal.RunVerb) -> None:
    plan = decision.plan
    with corp.store.transaction() as connection:
        journal.save_readings(connection, run_id, corp.sync, plan.readings)
        journal.save_plan(connection, run_id, digest=plan.digest, document=plan_text(plan, language="en"))
        if verb == "plan":
            journal.finish_run(connection, run_id, RunState.PLANNED, corp.clock())
        if verb == "apply":
            missed = decision.remembered.missed_reads
            after = next_missed(missed, decision.desired, decision.absent)
            links.put_missed(connection, corp.name, corp.sync, missed, after)


def _approve(corp: Corp, run_id: int, approver: str) -> None:
    with corp.store.transaction() as connection:
        journal.approve_run(connection, run_id, approver)


def _finish(
    corp: Corp,
    run_id: int,
    decision: Decision,
    outcomes: tuple[Outcome, ...],
    state: RunState,
    error: str | None,
) -> Run:
    finished_at = corp.clock()
    with corp.store.transaction() as connection:
        journal.finish_run(connection, run_id, state, finished_at, error)
        begun = journal.record(connection, run_id)
        if state is RunState.APPLIED and decision.person is None and decision.plan.is_complete:
            # Also where WeCom refused a record: that one is tried again when the schedule says so, and not
            # whenever somebody asks whether the source has changed.
            save_marks(connection, corp.name, corp.sync, decision.desired.marks)
    if begun is None:
        raise MirrorError(f"the mirror has lost run {run_id}")
    return Run(
        id=run_id,
        sync=corp.sync,
        trigger=begun.trigger,
        started_at=begun.started_at,
        finished_at=finished_at,
        state=state,
        plan=decision.plan,
        outcomes=outcomes,
        error=error if state is RunState.STOPPED else None,
    )
