"""The whole loop on one page: read both sides, decide, refuse what is out of bounds, carry out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from wxsync.engine.apply import Progress, Stopped, apply
from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision, decide
from wxsync.engine.guard import check_approval
from wxsync.engine.ledger import Ledger
from wxsync.engine.recorder import Entry, Recorder
from wxsync.engine.single import Single
from wxsync.errors import IncompleteReadError, MirrorError, WeComError, WxsyncError
from wxsync.mirror import journal, lease, links
from wxsync.mirror.lease import Lease
from wxsync.model.desired import Desired
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.run import Outcome, OutcomeState, Run, RunState
from wxsync.model.seen import ReadingWay
from wxsync.report.as_json import plan_document, to_json
from wxsync.sources.reader import read_desired
from wxsync.wecom.reader import read_seen

LEASE_TTL: Final = timedelta(seconds=60)
RENEWAL: Final = 15.0
"""Seconds between two renewals of the lease."""
INTERRUPTED: Final = "it was interrupted"
DIED: Final = "its process ended before it did"


async def preview(
    corp: Corp, *, verb: journal.RunVerb = "plan", trigger: str = "manual"
) -> tuple[int, Decision]:
    """Read both sides, decide, and write nothing to WeCom; the reads and the plan go on record.

    Gives the run's number and the decision. Raises ConfigError, SourceError, WeComError or
    MirrorError; then the run is on record as failed.
    """
    run_id = await asyncio.to_thread(_start, corp, verb, trigger)
    with _failing(corp, run_id):
        decision = await _decided(corp)
        await asyncio.to_thread(_save, corp, run_id, decision, verb)
    return run_id, decision


async def _decided(corp: Corp) -> Decision:
    now = corp.clock()
    remembered, desired = await asyncio.to_thread(_read_blocking, corp)
    tag_ids = [tag.id for tag in remembered.tags.values() if tag.state is not LinkState.GONE]
    seen = await read_seen(corp.wecom, tag_ids, way=ReadingWay.IDS)
    return decide(
        sync=corp.sync,
        corp_id=corp.corp_id,
        settings=corp.settings,
        desired=desired,
        seen=seen,
        remembered=remembered,
        now=now,
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
    if approver is not None and approved is not None:
        await asyncio.to_thread(_approve, corp, run_id, approver)
    await asyncio.to_thread(_close_interrupted, corp, run_id)
    ledger = Ledger(decision, corp.clock())
    async with Recorder(corp, run_id, held) as recorder:
        await recorder.write(*_housekeeping(decision, ledger))
        single = Single(corp=corp, decision=decision, ledger=ledger, recorder=recorder)
        try:
            outcomes = await apply(decision.schedule, single, progress)
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
async def holding(corp: Corp, trigger: str) -> AsyncIterator[Lease]:
    """The corp's lease for the length of the block: one run that writes at a time.

    Raises RunInProgressError where another run that is alive has it.
    """
    held = await asyncio.to_thread(
        lease.acquire,
        corp.store,
        corp.name,
        owner=f"{corp.sync} ({trigger})",
        now=corp.clock(),
        ttl=LEASE_TTL,
    )
    renewing = asyncio.create_task(_renew(corp, held))
    try:
        yield held
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError, WxsyncError):
            await renewing
        await asyncio.to_thread(lease.release, corp.store, held)


async def _renew(corp: Corp, held: Lease) -> None:
    """Until cancelled; a lost lease shows at the next write, which confirms it."""
    while True:
        await asyncio.sleep(RENEWAL)
        await asyncio.to_thread(lease.renew, corp.store, held, corp.clock())


def refuse_emptiness(desired: Desired, remembered: Remembered) -> None:
    """A source that suddenly has nobody is broken, whatever it says (peers.md A8.1).

    Raises IncompleteReadError where departments or members are none and there were some before.
    """
    has_people = any(link.state is LinkState.OURS for link in remembered.members.values())
    has_departments = any(link.state is LinkState.OURS for link in remembered.departments.values())
    had = {"members": has_people, "departments": has_departments}
    for reading in desired.readings:
        baseline = remembered.baselines.get((reading.source, reading.query), 0)
        if reading.rows == 0 and reading.query in had and (baseline or had[reading.query]):
            raise IncompleteReadError(
                reading.source,
                f"the {reading.query} query gives no rows, and there were {baseline or 'some'} before",
                hint="nothing was changed; look at the query, its rights and the database behind it",
            )


def _read_blocking(corp: Corp) -> tuple[Remembered, Desired]:
    with corp.store.reading() as connection:
        remembered = links.load(connection, corp.name, corp.sync)
    desired = read_desired(corp.sources, corp.settings, corp.clock(), sync_name=corp.sync)
    refuse_emptiness(desired, remembered)
    return remembered, desired


def _housekeeping(decision: Decision, ledger: Ledger) -> list[Entry]:
    """What the mirror learns without a call: lost replies found again, who left, what is gone."""
    actual, remembered = decision.actual, decision.remembered
    entries: list[Entry] = []
    for key in actual.departments:
        if remembered.departments[key].state is LinkState.PENDING:
            entries.append(ledger.keep_department(remembered.departments[key]))
    for name in actual.tags:
        if remembered.tags[name].state is LinkState.PENDING:
            entries.append(ledger.keep_tag(name))
    for key in actual.members:
        link = remembered.members[key]
        if link.state is LinkState.PENDING:
            entries.append(ledger.keep_member(link))
        if key in decision.leavers and link.left_at is None:
            entries.append(ledger.mark_left(key))
        elif key in decision.desired.members and link.left_at is not None and link.disabled_at is None:
            entries.append(ledger.mark_wanted(key))
    return entries + _gone(decision, ledger)


def _gone(decision: Decision, ledger: Ledger) -> list[Entry]:
    """Ours by the mirror, wanted by nobody, and no longer in WeCom."""
    actual, desired, remembered = decision.actual, decision.desired, decision.remembered
    if not desired.is_complete or desired.is_doubtful("members") or desired.is_doubtful("departments"):
        return []

    def is_over(key: str, there: Collection[str], wanted: Collection[str], state: LinkState) -> bool:
        return state is LinkState.OURS and key not in there and key not in wanted

    rejected = {row.key for row in desired.rejected}
    entries: list[Entry] = []
    for key, link in remembered.members.items():
        if is_over(key, actual.members, desired.members, link.state) and key not in rejected:
            entries.append(ledger.drop_member(key))
    wanted = desired.departments.keys() | desired.held_departments
    for key, department in remembered.departments.items():
        if is_over(key, actual.departments, wanted, department.state) and key not in rejected:
            entries.append(ledger.drop_department(key))
    for name, tag in remembered.tags.items():
        if is_over(name, actual.tags, desired.tags, tag.state) and desired.tags_are_mapped:
            entries.append(ledger.drop_tag(name))
    return entries


async def _stopped(corp: Corp, run_id: int, decision: Decision, stopped: Stopped) -> Run:
    """A run that broke off: what was done is done and on record, the rest is as it was."""
    has_written = any(
        outcome.state in (OutcomeState.DONE, OutcomeState.UNKNOWN) for outcome in stopped.outcomes
    )
    state = RunState.STOPPED if has_written else RunState.FAILED
    try:
        run = await asyncio.to_thread(
            _finish, corp, run_id, decision, stopped.outcomes, state, stopped.error.message
        )
    except WxsyncError:
        raise stopped.error from None
    # What broke off WeCom's side is a run with its outcomes; a mirror that takes no more is an error.
    if not has_written or not isinstance(stopped.error, WeComError):
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
        if verb == "apply":  # we hold the lease: whatever else is said to be at work is dead
            for dead in journal.interrupted(connection, corp.name, before=run_id):
                journal.finish_run(connection, dead.id, RunState.STOPPED, corp.clock(), DIED)
        return run_id


def _save(corp: Corp, run_id: int, decision: Decision, verb: journal.RunVerb) -> None:
    plan = decision.plan
    with corp.store.transaction() as connection:
        journal.save_readings(connection, run_id, corp.sync, plan.readings)
        journal.save_plan(
            connection, run_id, digest=plan.digest, document=to_json(plan_document(plan, language="en"))
        )
        if verb == "plan":
            journal.finish_run(connection, run_id, RunState.PLANNED, corp.clock())


def _close_interrupted(corp: Corp, run_id: int) -> None:
    """Whoever holds the lease knows that runs which never ended are dead."""
    with corp.store.transaction() as connection:
        for dead in journal.interrupted(connection, corp.name, before=run_id):
            problem = "it was cut off; what it had begun was looked at again by the next run"
            journal.finish_run(connection, dead.id, RunState.STOPPED, corp.clock(), problem)


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
