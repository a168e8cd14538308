"""By what right a plan is carried out: within its limits, by somebody's yes, or by what is left of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from wxsync.engine.corp import Corp
from wxsync.engine.decide import Decision
from wxsync.engine.differing import differences
from wxsync.engine.going_on import same_records, uncovered
from wxsync.engine.guard import check, check_approval, check_made_since, check_shown
from wxsync.engine.saved import saved_changes, saved_limits
from wxsync.errors import StalePlanError
from wxsync.mirror import aftermath, approvals, journal, lease
from wxsync.mirror.journal import RunRecord
from wxsync.mirror.lease import Lease
from wxsync.model.approval import Decided, Offer, Standing
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.config_mark import changed_since, marks_of
from wxsync.model.message import Message, say
from wxsync.model.plan import Limit, Plan
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.run import OutcomeState, RunState

UNNAMED = "unnamed"
"""Who approved where whoever called did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What a run goes by. Neither an offer nor an approval: its plan needs none."""

    offer: Offer | None = None
    """The plan to which somebody says yes by this very run."""
    approval: Decided | None = None
    """What somebody said before: to this plan, or to the one of which this is what was left."""
    parts: tuple[str, ...] | None = None

    @property
    def is_approved(self) -> bool:
        return self.offer is not None or self.approval is not None

    @property
    def made_at(self) -> datetime | None:
        """When that plan was made."""
        said = self.approval or self.offer
        return None if said is None else said.made_at

    @property
    def plan_run(self) -> int | None:
        """The run that made the plan to which somebody said yes; None where nobody had to."""
        if self.approval is not None:
            return self.approval.plan_run
        return None if self.offer is None else self.offer.run_id


async def right_of(
    corp: Corp, run_id: int, decision: Decision, approved: str | None, parts: Sequence[str] = ()
) -> Right:
    """By what right run `run_id` may carry the decision out; `approved` is what somebody says yes to now.

    Raises GuardError where it wants a yes, and StalePlanError where that yes is to another plan, was used, is
    too old, or is to a plan that nobody was shown. Then nothing was written.
    """
    if approved is None and not decision.plan.writes:
        if decision.plan.exceeded:  # an applied run would make the baseline of readings that lost too much
            check(decision.plan)
        return Right()
    return await asyncio.to_thread(_right_of, corp, run_id, decision, approved, tuple(parts))


def left_of_approved(connection: Connection, corp: Corp, linked: Remembered) -> tuple[Change, ...]:
    """What an approved run that was cut off has left to be changed in members who are there, or may be.

    Nothing where the next run may not go on with it. Of creations those alone whose reply was lost: who is
    found then has yet to get the rest. All others would be everybody of a first load, and fill in nothing.
    """
    is_idle = lease.holder(connection, corp.name) is None
    found = approvals.cut_off(connection, corp.name, corp.sync, is_idle=is_idle)
    if found is None or found.run_id is None or found.is_old(corp.clock()):
        return ()
    left = _left(connection, found.run_id)
    pending = {key for key, link in linked.members.items() if link.state is LinkState.PENDING}
    return tuple(
        change
        for change in left
        if change.kind is Kind.MEMBER
        and (
            change.verb in (Verb.UPDATE, Verb.ENABLE)
            or (change.verb is Verb.CREATE and change.key in pending)
        )
    )


async def as_rejected(corp: Corp, run_id: int, decision: Decision) -> Decision:
    """The same; where somebody has said no to this very plan, it waits for another word."""
    if not decision.plan.writes:
        return decision
    standing = await asyncio.to_thread(_standing, corp, run_id, decision.plan.digest)
    said = standing.decided
    if said is None or not standing.is_rejected:
        return decision
    why = say("{who} said no to this plan on {day}", who=said.by, day=said.at.date())
    return replace(decision, plan=replace(decision.plan, waits=(*decision.plan.waits, why)))


async def take(
    corp: Corp, run_id: int, decision: Decision, held: Lease, right: Right, approver: str | None
) -> None:
    """Use the right up, before the first call: no other run goes by it.

    Raises StalePlanError where another one was quicker.
    """
    if right.is_approved:
        await asyncio.to_thread(_take, corp, run_id, decision, held, right, approver or UNNAMED)


def _standing(corp: Corp, run_id: int, digest: str) -> Standing:
    with corp.store.reading() as connection:
        return approvals.standing(connection, corp.name, corp.sync, digest, before=run_id)


def _right_of(
    corp: Corp, run_id: int, decision: Decision, approved: str | None, parts: tuple[str, ...]
) -> Right:
    plan, whole, now = decision.plan, decision.whole or decision.plan, corp.clock()
    with corp.store.reading() as connection:
        digest = approved or whole.digest
        standing = approvals.standing(connection, corp.name, corp.sync, digest, before=run_id)
        going_on = _going_on(connection, corp, run_id, plan, approved, standing)
        told = _differences(connection, approved, whole, standing)
        demanded_at = approvals.demanded_at(connection, corp.name, corp.sync)
    if going_on is not None:
        if not plan.is_approvable:
            check(plan)
        right = Right(approval=going_on)
    else:
        check_approval(plan, approved, standing, now=now, digest=whole.digest, differences=told)
        right = _said(standing, approved, parts, now)
        check_made_since(plan, right.made_at, demanded_at)
    if right.plan_run is not None and plan.exceeded:
        check_shown(plan, _shown(corp, right.plan_run))
    return right


def _said(standing: Standing, approved: str | None, parts: tuple[str, ...], now: datetime) -> Right:
    said = standing.decided
    if said is not None and standing.stands(now) and not parts:
        return Right(approval=said)
    return Right(offer=standing.offer, parts=parts or None) if approved is not None else Right()


def _shown(corp: Corp, run_id: int) -> tuple[Limit, ...]:
    """The limits of the plan that somebody said yes to; none where it is no longer on record."""
    with corp.store.reading() as connection:
        document = journal.document_of(connection, run_id)
    return () if document is None else saved_limits(document)


def _going_on(
    connection: Connection,
    corp: Corp,
    run_id: int,
    plan: Plan,
    approved: str | None,
    standing: Standing,
) -> Decided | None:
    """The approval of a run that was cut off, where all that is planned stands among what it left."""
    found = approvals.cut_off(connection, corp.name, corp.sync, before=run_id)
    if found is None or found.run_id is None or found.is_old(corp.clock()):
        return None
    if approved not in (None, found.digest) or plan.undoes is not None:
        return None
    left = list(_left(connection, found.run_id))
    more = uncovered(left, plan.changes)
    if not more:
        return found
    if approved is not None and standing.is_spent:
        raise StalePlanError(
            f"the plan {approved} was approved and run {found.run_id} cut off, and what is planned now is not"
            " what that run left",
            hint=f"look at the plan as it is now, and approve that one: wxsync plan {corp.sync}",
            differences=differences(same_records(left, more), more),
        )
    return None


def _left(connection: Connection, run_id: int) -> Iterator[Change]:
    """What the run did not bring to its end; nothing where its plan is no longer on record."""
    document = journal.document_of(connection, run_id)
    states = aftermath.states_of(connection, run_id)
    for n, change in enumerate(saved_changes(document) if document is not None else (), 1):
        if change.reason is None and states.get(n) is not OutcomeState.DONE:
            yield change


def _differences(
    connection: Connection, approved: str | None, whole: Plan, standing: Standing
) -> tuple[Message, ...]:
    if approved in (None, whole.digest) or standing.offer is None or standing.is_spent:
        return ()
    document = journal.document_of(connection, standing.offer.run_id)
    return () if document is None else differences(saved_changes(document), whole.changes)


def _take(corp: Corp, run_id: int, decision: Decision, held: Lease, right: Right, approver: str) -> None:
    at = corp.clock()
    with corp.store.transaction() as connection:
        lease.confirm(connection, held)
        said = right.approval
        if right.offer is not None:
            said = approvals.approve(connection, right.offer, approver, at, right.parts)
        if said is None or not approvals.use(connection, said, run_id):
            raise StalePlanError(
                "somebody else has approved this plan already, and an approval holds once",
                hint=f"see `wxsync runs`, and look at what is left: wxsync plan {corp.sync}",
            )
        journal.approve_run(connection, run_id, said.by)
        whole = decision.whole
        if whole is not None and len(whole.writes) > len(decision.plan.writes):
            why = say("a part of plan {digest} was approved: the rest waits for its own", digest=whole.digest)
            approvals.demand(connection, corp.name, corp.sync, why, at)


def remember_applied(connection: Connection, corp: Corp, run: RunRecord, decision: Decision) -> None:
    """What the end of a run by the sources means for the next one: its config, and what was demanded of it.

    Other runs, a part of a plan among them, mean nothing for it.
    """
    is_approved = run.approved_by is not None
    is_over = run.state is RunState.APPLIED
    if run.verb != journal.BY_THE_SOURCES or not (is_over or (is_approved and run.state is RunState.STOPPED)):
        return
    known = decision.remembered.applied_config
    if known is None or next(changed_since(known, corp.configured), None) is not None:
        approvals.save_config(connection, corp.name, corp.sync, marks_of(corp.configured), run.id)
    if is_over and is_approved and decision.remembered.demanded is not None:
        approvals.meet_demand(connection, corp.name, corp.sync)
