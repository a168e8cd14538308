"""The whole loop on one page: read both sides, decide, refuse what is out of bounds, carry out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from wxsync.engine.apply import Progress, Stopped, apply
from wxsync.engine.approving import as_rejected, right_of, take
from wxsync.engine.aside import aside
from wxsync.engine.auditing import begun
from wxsync.engine.batch import Batch
from wxsync.engine.chronicle import failing, finish, keep_plan, put_on_record, reason_of, start
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision, decide
from wxsync.engine.hold import Hold
from wxsync.engine.housekeeping import housekeeping
from wxsync.engine.ledger import Ledger
from wxsync.engine.looking import look_at_wecom, remembered_of, without_claims_of_others
from wxsync.engine.parts import only_parts
from wxsync.engine.person import check_alone, only_person
from wxsync.engine.recorder import Recorder
from wxsync.engine.rolling import announced_uses
from wxsync.engine.rows import Rows
from wxsync.engine.second_look import look_again
from wxsync.engine.settling import settle_jobs
from wxsync.engine.shrinking import refuse_emptiness, refuse_halved_files
from wxsync.engine.single import Single
from wxsync.engine.told import with_told, without_the_former
from wxsync.engine.undoing import approval_wanted, decided_undo
from wxsync.errors import (
    BreakerError,
    MirrorError,
    StalePlanError,
    WeComError,
    WxsyncError,
)
from wxsync.mirror import journal, lease
from wxsync.mirror.lease import Lease
from wxsync.mirror.retention import tidy
from wxsync.model.audit import Begun
from wxsync.model.desired import Desired
from wxsync.model.remembered import Remembered
from wxsync.model.run import Run, RunState
from wxsync.model.seen import Seen
from wxsync.sources.reader import read_desired

LEASE_TTL: Final = timedelta(seconds=240)
"""A call has three minutes (`wecom.retries`), and none is begun with less than that left."""
RENEWAL: Final = 15.0
"""Seconds between two renewals of the lease."""
READS_SINCE: Final = 3
"""So many readings may have come between the daemon's plan and somebody's yes to it."""
FRESH: Final = timedelta(minutes=5)
"""A decision that is older by the time somebody says yes is made anew."""


async def preview(
    corp: Corp,
    *,
    verb: journal.RunVerb = "plan",
    trigger: str = "manual",
    weak_too: bool = False,
    approved: str | None = None,
    person: str | None = None,
    undoes: int | None = None,
    confirm_reads: int = 1,
) -> tuple[int, Decision]:
    """Read both sides, decide, and write nothing to WeCom; the reads and the plan go on record.

    `weak_too` adopts on weak evidence as well (`plan --adopt`); so does the decision where that is
    what makes it the plan with the digest `approved`. `person`, a key or userid, leaves of the whole
    plan that one's changes, see `only_person`. `undoes` is a run to be taken back, see `decided_undo`:
    then the sources are not asked. Nobody is removed for being absent whom fewer than
    `confirm_reads` complete readings in a row lacked: those of runs that may write. Gives the run's number
    and the decision.
    Raises ConfigError, SourceError, WeComError or MirrorError; then the run is on record as failed.
    """
    run_id = await asyncio.to_thread(start, corp, verb, trigger, approved)
    async with failing(corp, run_id):
        decision = await _decided(
            corp,
            weak_too=weak_too,
            person=person,
            undoes=undoes,
            confirm_reads=confirm_reads,
            trigger=trigger,
        )
        if approved not in (None, decision.plan.digest) and undoes is None:
            decision = await asyncio.to_thread(_as_approved, corp, decision, str(approved))
        decision = await as_rejected(corp, run_id, decision)
        await put_on_record(partial(keep_plan, corp, run_id, decision, verb))
    if verb == "plan":
        await asyncio.to_thread(_tidy, corp)
    return run_id, decision


def _as_approved(corp: Corp, decision: Decision, approved: str) -> Decision:
    """The plan as it was shown, where it comes out so in one of the other ways in which plans are made."""
    for weak_too, confirm_reads in _other_ways(corp, decision):
        other = _decide(
            corp,
            decision.asked,
            decision.seen,
            decision.remembered,
            decision.plan.created_at,
            weak_too=weak_too,
            confirm_reads=confirm_reads,
            trigger=decision.trigger,
        )
        if decision.person is not None:
            other = only_person(other, decision.person, corp.settings, corp.account_cap)
        if other.plan.digest == approved:
            return other
    return decision


def _other_ways(corp: Corp, decision: Decision) -> Iterator[tuple[bool, int]]:
    """`plan --adopt`; and as the daemon planned, some readings ago that lacked the same people."""
    yield True, decision.confirm_reads
    confirm_reads = corp.settings.policy.confirm_reads
    if confirm_reads > 1:
        yield from ((False, confirm_reads + later) for later in range(READS_SINCE + 1))


async def made_fresh(corp: Corp, run_id: int, decision: Decision) -> Decision:
    """The decision, made anew from both sides where it has grown old; it must come out the same.

    Raises StalePlanError where it does not; then nothing was written. Else raises as `preview` does.
    """
    age = corp.clock() - decision.plan.created_at
    if age <= FRESH:
        return decision
    async with failing(corp, run_id):
        fresh = await _decided(
            corp,
            person=decision.person,
            undoes=decision.plan.undoes,
            confirm_reads=decision.confirm_reads,
            trigger=decision.trigger,
        )
    if fresh.plan.digest != decision.plan.digest:
        raise StalePlanError(
            f"nothing was written: the plan was {age.total_seconds() // 60:.0f} minutes old when it was"
            " agreed to, and by now it is another one",
            hint=f"look at it as it is now: wxsync plan {corp.sync}",
        )
    async with failing(corp, run_id):
        await put_on_record(partial(keep_plan, corp, run_id, fresh, _verb_of(fresh)))
    return fresh


def _verb_of(decision: Decision) -> journal.RunVerb:
    if decision.plan.undoes is not None:
        return "undo"
    return "apply" if decision.person is None else "repair"


async def narrowed(corp: Corp, run_id: int, decision: Decision, parts: Sequence[str]) -> Decision:
    """Of the whole decision these parts (`member:create`) and what they need; that is the run's plan then.

    Raises GuardError where the plan has nothing of them.
    """
    part = only_parts(decision, parts, corp.settings, corp.account_cap)
    async with failing(corp, run_id):
        await put_on_record(partial(keep_plan, corp, run_id, part, "repair"))
    return part


async def _decided(
    corp: Corp,
    *,
    weak_too: bool = False,
    person: str | None = None,
    undoes: int | None = None,
    confirm_reads: int = 1,
    trigger: str = "manual",
) -> Decision:
    if undoes is not None:
        return await decided_undo(corp, undoes)
    now = corp.clock()
    remembered, read = await aside(corp, partial(_read_blocking, corp))
    shown = await look_at_wecom(corp, remembered, now)
    remembered = without_the_former(remembered, shown, corp.settings.authority)
    seen = with_told(shown, remembered)
    decide_on = partial(
        _decide,
        corp,
        seen=seen,
        remembered=remembered,
        now=now,
        weak_too=weak_too,
        confirm_reads=confirm_reads,
        trigger=trigger,
    )
    # Of a hundred thousand people it takes a while, in which other corps have their runs.
    decision = await asyncio.to_thread(decide_on, read)
    known_better = await look_again(corp, decision)
    if known_better is not read:
        decision = await asyncio.to_thread(decide_on, known_better)
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
    trigger: str,
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
        trigger=trigger,
        configured=corp.configured,
    )


async def carry_out(
    corp: Corp,
    run_id: int,
    decision: Decision,
    held: Lease,
    *,
    approved: str | None = None,
    approver: str | None = None,
    parts: Sequence[str] = (),
    progress: Progress = lambda done, total: None,
) -> Run:
    """Refuse a plan that is out of bounds; else write it, and remember every outcome.

    `approved` is the digest of the one plan that somebody has said yes to: it lifts the limits for
    that plan and for no other, once. `parts` are those that were approved, where the decision was
    `narrowed` to them. Raises GuardError or StalePlanError where nothing was written.
    """
    right = await right_of(corp, run_id, decision, approved, parts)
    check_alone(decision)
    await take(corp, run_id, decision, held, right, approver)
    ledger = Ledger(decision, corp.clock())
    async with Recorder(corp, run_id, held, decision.schedule.changes) as recorder:
        await recorder.write(*await asyncio.to_thread(_beginning, corp, run_id, decision))
        uses = announced_uses(corp, run_id, decision, is_approved=right.is_approved)
        await recorder.write(*housekeeping(decision, ledger), *approval_wanted(corp, decision), *uses)
        single = Single(corp=corp, decision=decision, ledger=ledger, recorder=recorder)
        rows = Rows(
            corp=corp, decision=decision, ledger=ledger, recorder=recorder, single=single, run_id=run_id
        )
        try:
            outcomes = await apply(decision.schedule, single, Batch(rows=rows), progress)
        except Stopped as stopped:
            return await _stopped(corp, run_id, decision, stopped)
        except asyncio.CancelledError as cancelled:
            why = reason_of(cancelled)
            with contextlib.suppress(asyncio.CancelledError):  # a second one: the first says why
                await put_on_record(partial(finish, corp, run_id, decision, (), RunState.STOPPED, why))
            raise
    run = await asyncio.to_thread(finish, corp, run_id, decision, outcomes, RunState.APPLIED, None, held=held)
    await asyncio.to_thread(_tidy, corp)
    return run


def _tidy(corp: Corp) -> None:
    """What is too old goes; where the mirror has no time for it now, the next run does it."""
    with contextlib.suppress(MirrorError):
        tidy(corp.store, corp.name, corp.retention, corp.clock())


def _beginning(corp: Corp, run_id: int, decision: Decision) -> list[Begun]:
    """The line of the audit trail with which a run begins that writes anything."""
    if not decision.plan.writes:
        return []
    with corp.store.reading() as connection:
        run = journal.record(connection, run_id)
    if run is None:
        raise MirrorError(f"the mirror has lost run {run_id}")
    return [begun(decision.plan, run.verb, run.trigger, corp.settings.sources, run.approved_by)]


async def refuse(corp: Corp, run_id: int, decision: Decision, error: WxsyncError) -> Run:
    """Put on record that nothing was written, and why."""
    run = await asyncio.to_thread(finish, corp, run_id, decision, (), RunState.REFUSED, error.message)
    if not isinstance(error, StalePlanError):
        return run
    return replace(run, is_stale=True, differences=error.differences)


@asynccontextmanager
async def holding(
    corp: Corp, trigger: str, *, ttl: timedelta = LEASE_TTL, renewal: float = RENEWAL
) -> AsyncIterator[Lease]:
    """The corp's lease for the length of the block: one run that writes at a time.

    It lasts for `ttl` and is renewed every `renewal` seconds; no call is made for which it has no time. Jobs
    that an earlier run left open are seen to first. Raises RunInProgressError where another run that is alive
    has the lease, and WeComError where a job cannot be seen to.
    """
    owner = f"{corp.sync} ({trigger})"
    held = await asyncio.to_thread(lease.acquire, corp.store, corp.name, owner=owner, ttl=ttl)
    hold = Hold(corp.store, held)
    renewing = asyncio.create_task(hold.keep(renewal))
    try:
        with corp.gate.held_by(hold):
            await settle_jobs(corp, held)
            yield held
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError, WxsyncError):
            await renewing
        await hold.end()


def _read_blocking(corp: Corp) -> tuple[Remembered, Desired]:
    with corp.store.reading() as connection:
        remembered = remembered_of(corp, connection)
    desired = read_desired(corp.sources, corp.settings, corp.clock(), sync_name=corp.sync)
    refuse_emptiness(desired, remembered, authority=corp.settings.sources[0])
    refuse_halved_files(desired, remembered)
    return remembered, without_claims_of_others(corp, desired)


async def _stopped(corp: Corp, run_id: int, decision: Decision, stopped: Stopped) -> Run:
    """A run that broke off: what was done is done and on record, the rest is as it was."""
    is_by_breaker = isinstance(stopped.error, BreakerError)
    state = RunState.STOPPED if stopped.has_written or is_by_breaker else RunState.FAILED
    try:
        run = await asyncio.to_thread(
            finish, corp, run_id, decision, stopped.outcomes, state, stopped.error.message
        )
    except WxsyncError:
        raise stopped.error from None
    # What broke off WeCom's side is a run with its outcomes; a mirror that takes no more is an error.
    if state is RunState.FAILED or not isinstance(stopped.error, WeComError):
        raise stopped.error
    return run
