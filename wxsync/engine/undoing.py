"""Reads what a run did, what is there now and what is remembered, and decides how it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Final

from sqlalchemy import Connection

from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.looking import look_at_wecom, remembered_of
from wxsync.engine.past import PastChange, past_changes
from wxsync.engine.recorder import Note
from wxsync.engine.saved import is_as_planned, saved_changes, undone_run
from wxsync.engine.undo import decide_undo
from wxsync.errors import MirrorError, WxsyncError
from wxsync.mirror import aftermath, approvals, journal, lease
from wxsync.mirror.journal import RunHistory, RunRecord
from wxsync.model.change import Kind, Verb
from wxsync.model.message import say
from wxsync.model.remembered import Remembered
from wxsync.model.run import RunState

MOST_TRIES: Final = 20
"""So many undos of one run, one after another, are looked through."""
WROTE_NOTHING: Final = (RunState.PLANNED, RunState.REFUSED)


async def decided_undo(corp: Corp, run: int) -> Decision:
    """The plan that takes run `run` of the corp's sync back, as both sides are now; the sources are not read.

    Of a run that was cut off as far as it got. Raises WxsyncError where there is
    nothing that could be taken back, ConfigError, WeComError or MirrorError.
    """
    now = corp.clock()
    remembered, done, made_anew = await asyncio.to_thread(_read_blocking, corp, run)
    seen = await look_at_wecom(corp, remembered, now)
    return decide_undo(
        run=run,
        done=done,
        made_anew=made_anew,
        sync=corp.sync,
        corp_id=corp.corp_id,
        settings=corp.settings,
        seen=seen,
        remembered=remembered,
        now=now,
        account_cap=corp.account_cap,
        sibling_roots=corp.sibling_roots,
    )


def approval_wanted(corp: Corp, decision: Decision) -> list[Note]:
    """For the record before an undo's first call: the next plan by the sources waits for somebody's yes.

    Else it would bring back at once what was just undone, or what an undo that died left. None for any other
    decision, and for an undo that writes nothing.
    """
    run = decision.plan.undoes
    if run is None or not decision.plan.writes:
        return []
    why = say("run {run} was undone: what the source asks for may be what was taken back", run=run)
    at = corp.clock()
    return [Note(partial(approvals.demand, corp=corp.name, sync=corp.sync, why=why, at=at))]


def check_undoable(record: RunRecord | None, run: int) -> RunRecord:
    """The run, where it may have written something. Raises WxsyncError where it cannot have."""
    if record is None:
        raise WxsyncError(f"there is no run {run}", hint="`wxsync runs` lists them")
    if record.verb == "plan" or record.state in WROTE_NOTHING:
        what = "a plan" if record.verb == "plan" else record.state.value
        raise WxsyncError(
            f"there is nothing to undo: run {run} is {what}, and wrote nothing",
            hint="`wxsync runs` lists the runs; those that wrote are called applied or stopped",
        )
    return record


def _read_blocking(corp: Corp, run: int) -> tuple[Remembered, tuple[PastChange, ...], frozenset[str]]:
    with corp.store.reading() as connection:
        history = journal.run(connection, run)
        holder = lease.holder(connection, corp.name)
        if history is not None and history.run.state is RunState.RUNNING and holder is not None:
            raise WxsyncError(f"run {run} is still at work", hint=f"wait until it is over: {holder}")
        remembered = remembered_of(corp, connection)
        made_anew = frozenset(_made_anew(connection, corp, run))
    return remembered, _done_by(history, corp, run), made_anew


def _made_anew(connection: Connection, corp: Corp, run: int) -> Iterator[str]:
    """Keys of those whom undos of the same run made anew, where nothing else was done since."""
    for number in aftermath.last_runs(connection, corp.name, corp.sync, MOST_TRIES):
        history = journal.run(connection, number)
        if history is None or history.document is None or undone_run(history.document) != run:
            return
        announced = {intent.n for intent in history.intents}
        for past in past_changes(saved_changes(history.document), history.outcomes, announced):
            if past.kind is Kind.MEMBER and past.verb is Verb.CREATE:
                yield past.key


def _done_by(history: RunHistory | None, corp: Corp, run: int) -> tuple[PastChange, ...]:
    record = check_undoable(None if history is None else history.run, run)
    if (record.corp, record.sync) != (corp.name, corp.sync):
        raise WxsyncError(
            f"run {run} is of sync {record.sync} and corp {record.corp}, not of {corp.sync} and {corp.name}",
            hint="the config has changed since: name the corp and the sync as they were called then",
        )
    if history is None or history.document is None:
        raise WxsyncError(
            f"the plan of run {run} is not on record, so nobody knows what was there before",
            hint="plans are kept for a while only; what it changed can be put right in the source alone",
        )
    if not is_as_planned(history.document, record.digest or ""):
        raise MirrorError(
            f"nothing is undone: the mirror's record of the plan of run {run} was altered or is damaged, its"
            f" changes do not give the digest {record.digest}",
            hint="put back a copy of the mirror that is whole (wxsync db restored); or put right in the"
            " source what the run changed, and apply",
        )
    announced = {intent.n for intent in history.intents}
    return past_changes(saved_changes(history.document), history.outcomes, announced)
