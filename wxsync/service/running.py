"""One run that nobody sits in front of, and what is to be told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from structlog.contextvars import bind_contextvars

from wxsync.engine.corp import Corp
from wxsync.engine.reconcile import carry_out, holding, preview, refuse
from wxsync.engine.waiting import HASTY, SCHEDULE
from wxsync.errors import GuardError, RunInProgressError, StalePlanError, WxsyncError
from wxsync.mirror.clocks import since_boot
from wxsync.model.plan import Plan
from wxsync.model.run import Run, RunState
from wxsync.service.turns import Cause, Ending

APPROVAL: Final = "approval"
"""What sets a run off to which somebody said yes from afar."""
BROKEN_OFF: Final = (RunState.STOPPED, RunState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """Somebody's yes to one plan on record."""

    digest: str
    by: str
    undoes: int | None = None
    """The run that the plan takes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run of the daemon that is over, or did not begin."""

    sync: str
    corp: str
    cause: Cause
    ending: Ending
    began: datetime
    took: timedelta
    number: int | None = None
    """The run's; None where it did not come to a plan."""
    plan: Plan | None = None
    run: Run | None = None
    """None for a dry run, and where an error ended it."""
    error: WxsyncError | None = None
    """Also where nothing was written because the plan wants somebody's yes."""

    @property
    def is_refused(self) -> bool:
        return self.run is not None and self.run.state is RunState.REFUSED


async def run_once(corp: Corp, cause: Cause, approved: Approved | None = None) -> Finished:
    """One run of the sync as its config says: a report, or applied within its limits.

    With `approved` that plan is carried out, and no other. Raises no WxsyncError: what ended it is told.
    """
    begun = Finished(
        sync=corp.sync,
        corp=corp.name,
        cause=cause,
        ending=Ending.DONE,
        began=corp.clock(),
        took=timedelta(),
    )
    started = since_boot()
    ended = await _ended(corp, begun, approved)
    return replace(ended, took=timedelta(seconds=since_boot() - started))


async def _ended(corp: Corp, begun: Finished, approved: Approved | None) -> Finished:
    try:
        if corp.settings.mode == "plan" and approved is None:
            return await _report(corp, begun)
        return await _apply(corp, begun, approved)
    except RunInProgressError as error:
        return replace(begun, ending=Ending.BUSY, error=error)
    except WxsyncError as error:
        return replace(begun, ending=Ending.FAILED, error=error)


async def _report(corp: Corp, begun: Finished) -> Finished:
    trigger, reads = _trigger_of(begun.cause), _reads(corp, begun.cause)
    number, decision = await preview(corp, trigger=trigger, confirm_reads=reads)
    bind_contextvars(run=number)
    return replace(begun, number=number, plan=decision.plan)


async def _apply(corp: Corp, begun: Finished, approved: Approved | None) -> Finished:
    trigger = _trigger_of(begun.cause) if approved is None else APPROVAL
    digest = None if approved is None else approved.digest
    undoes = None if approved is None else approved.undoes
    async with holding(corp, trigger) as held:
        number, decision = await preview(
            corp,
            verb="apply" if undoes is None else "undo",
            trigger=trigger,
            approved=digest,
            undoes=undoes,
            confirm_reads=_reads(corp, begun.cause) if approved is None else 1,
        )
        bind_contextvars(run=number)
        planned = replace(begun, number=number, plan=decision.plan)
        try:
            by = None if approved is None else approved.by
            run = await carry_out(corp, number, decision, held, approved=digest, approver=by)
        except (GuardError, StalePlanError) as error:
            return replace(planned, run=await refuse(corp, number, decision, error), error=error)
    ending = Ending.FAILED if run.state in BROKEN_OFF else Ending.DONE
    return replace(planned, run=run, ending=ending)


def _trigger_of(cause: Cause) -> str:
    return SCHEDULE if cause is Cause.APPROVAL else cause.value


def _reads(corp: Corp, cause: Cause) -> int:
    """One more where this reading does not count: who is looked at twice in a minute is not away twice."""
    reads = corp.settings.policy.confirm_reads
    return reads + 1 if reads > 1 and _trigger_of(cause) in HASTY else reads
