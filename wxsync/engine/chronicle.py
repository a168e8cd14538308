"""A run's own record: begun, its plan kept, ended, and what its end means for the next one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final, TypeVar

from wxsync.engine.approving import remember_applied
from wxsync.engine.corp import Corp
from wxsync.engine.cut_off import tell_of_cut_off
from wxsync.engine.decide import Decision
from wxsync.engine.leaving import next_missed
from wxsync.engine.measuring import measure_dead, measure_end, measure_plan
from wxsync.engine.rolling import settle_uses
from wxsync.engine.waiting import HASTY
from wxsync.errors import MirrorError, WxsyncError
from wxsync.mirror import journal, lease, links
from wxsync.mirror.documents import packed
from wxsync.mirror.lease import Lease
from wxsync.mirror.told import strike_told
from wxsync.mirror.watch_marks import save_marks
from wxsync.model.run import Outcome, OutcomeState, Run, RunState
from wxsync.report.as_json import plan_text

T = TypeVar("T")

INTERRUPTED: Final = "it was interrupted"
DIED: Final = "its process ended before it did"


@contextlib.asynccontextmanager
async def failing(corp: Corp, run_id: int) -> AsyncIterator[None]:
    """What ends the block by an error, or by being interrupted, ends the run: that is put on record."""
    try:
        yield
    except (WxsyncError, asyncio.CancelledError) as error:
        message = error.message if isinstance(error, WxsyncError) else reason_of(error)
        with contextlib.suppress(asyncio.CancelledError):  # a second one: the first says why
            await put_on_record(partial(_fail, corp, run_id, message))
        raise


async def put_on_record(work: Callable[[], T]) -> T:
    """What the work gives, or raises, in a thread; whoever is interrupted meanwhile hears it at its end.

    What is on its way to the mirror is there before anything else is said of the run.
    """
    interrupted = None
    under_way = asyncio.ensure_future(asyncio.to_thread(work))
    while not under_way.done():
        try:
            await asyncio.wait((under_way,))
        except asyncio.CancelledError as error:
            interrupted = interrupted or error
    if interrupted is not None:
        if not under_way.cancelled():
            under_way.exception()  # it was asked for, and nobody is told twice
        raise interrupted
    return under_way.result()


def _fail(corp: Corp, run_id: int, message: str) -> None:
    begun = None
    with contextlib.suppress(WxsyncError), corp.store.transaction() as connection:
        journal.finish_run(connection, run_id, RunState.FAILED, corp.clock(), message)
        begun = journal.record(connection, run_id)
    if begun is not None:
        measure_end(corp, begun.verb, RunState.FAILED)


def reason_of(cancelled: asyncio.CancelledError) -> str:
    """Why a run was cancelled, as whoever did it says."""
    return str(cancelled.args[0]) if cancelled.args else INTERRUPTED


def start(corp: Corp, verb: journal.RunVerb, trigger: str, asked_digest: str | None) -> int:
    """A new run on record, and the end of every one before it that died; gives its number."""
    died: tuple[journal.RunRecord, ...] = ()
    with corp.store.transaction() as connection:
        run_id = journal.start_run(
            connection,
            sync=corp.sync,
            corp=corp.name,
            trigger=trigger,
            started_at=corp.clock(),
            verb=verb,
            asked_digest=asked_digest,
        )
        if verb != "plan":  # we hold the lease: whatever else is said to be at work is dead
            died = journal.interrupted(connection, corp.name, before=run_id)
            for dead in died:
                journal.finish_run(connection, dead.id, RunState.STOPPED, corp.clock(), DIED)
            tell_of_cut_off(connection, corp.name, before=run_id, at=corp.clock())
    measure_dead(corp, died)
    return run_id


def keep_plan(corp: Corp, run_id: int, decision: Decision, verb: journal.RunVerb) -> None:
    """Put on record what was read and planned; a dry run is over with that."""
    plan = decision.plan
    document = packed(plan_text(plan, language="en"))  # it takes a while, in which others may write
    with corp.store.transaction() as connection:
        journal.save_readings(connection, run_id, corp.sync, plan.readings)
        journal.save_plan(connection, run_id, digest=plan.digest, document=document)
        if verb == "plan":
            journal.finish_run(connection, run_id, RunState.PLANNED, corp.clock())
        if verb == "apply" and decision.trigger not in HASTY:
            missed = decision.remembered.missed_reads
            after = next_missed(missed, decision.desired, decision.absent)
            links.put_missed(connection, corp.name, corp.sync, missed, after)
    measure_plan(corp, decision, verb)


def _is_whole(decision: Decision, outcomes: tuple[Outcome, ...]) -> bool:
    """All that was decided was carried out: what events told has come to its end."""
    return decision.whole is None and all(outcome.state is OutcomeState.DONE for outcome in outcomes)


def finish(
    corp: Corp,
    run_id: int,
    decision: Decision,
    outcomes: tuple[Outcome, ...],
    state: RunState,
    error: str | None,
    *,
    held: Lease | None = None,
) -> Run:
    """Put on record that the run is over, how, and what that means for the next one; gives all of it."""
    finished_at = corp.clock()
    with corp.store.transaction() as connection:
        if held is not None:
            lease.confirm(connection, held)
        journal.finish_run(connection, run_id, state, finished_at, error)
        begun = journal.record(connection, run_id)
        settle_uses(connection, corp, run_id, decision.plan.changes, outcomes)
        if begun is not None:
            remember_applied(connection, corp, begun, decision)
        follows_all = decision.person is None and decision.plan.undoes is None
        if state is RunState.APPLIED and follows_all and _is_whole(decision, outcomes):
            strike_told(connection, corp.name, decision.remembered.told)
        if state is RunState.APPLIED and follows_all and decision.plan.is_complete:
            # Also where WeCom refused a record: that one is tried again when the schedule says so, and not
            # whenever somebody asks whether the source has changed.
            save_marks(connection, corp.name, corp.sync, decision.desired.marks)
    if begun is None:
        raise MirrorError(f"the mirror has lost run {run_id}")
    measure_end(corp, begun.verb, state, decision.plan.changes, outcomes)
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
        left=0 if decision.whole is None else len(decision.whole.writes) - len(decision.plan.writes),
    )
