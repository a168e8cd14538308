"""What runs do unasked, put on record before they do it, and set right by what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from wxsync.engine.corp import Corp
from wxsync.engine.counting import counts_of, uses_of
from wxsync.engine.decide import Decision
from wxsync.engine.limits import is_first_load
from wxsync.engine.recorder import Note
from wxsync.engine.saved import saved_changes
from wxsync.mirror import aftermath, journal, limit_uses
from wxsync.model.change import Change
from wxsync.model.run import Outcome, OutcomeState
from wxsync.model.uses import WINDOWS, LimitKey, OpenUse, PastUses, UnsettledRun, Use


def past_uses(connection: Connection, corp: str, sync: str, now: datetime) -> PastUses:
    """What runs of `sync` did unasked within the windows of its limits.

    Of a run that is at work or was cut off counts what it did, and what it may have done as open.
    """
    counts = limit_uses.settled_uses(connection, corp, sync, now)
    opened: list[OpenUse] = []
    for run in limit_uses.unsettled_runs(connection, corp, sync, now):
        did, may_have = _uses_of_run(connection, run)
        for window, span in WINDOWS.items():
            if run.at > now - span:
                for key, count in did.items():
                    counts[window][key] = counts[window].get(key, 0) + count
        opened += [OpenUse(use, run.at) for use in may_have]
    return PastUses(counts=counts, open=tuple(opened), now=now)


def announced_uses(corp: Corp, run_id: int, decision: Decision, *, is_approved: bool) -> list[Note]:
    """For the record before the first call: all that the plan may use up, and what runs before it came to.

    Nothing of a first load, of an approved plan and of an undo: those count in no window.
    """
    changes = decision.plan.changes
    at = corp.clock()
    is_free = (
        is_approved
        or decision.plan.undoes is not None
        or is_first_load(decision.actual, decision.remembered, corp.settings.policy)
    )
    uses = {} if is_free else counts_of(changes)
    others = partial(_settle_others, corp=corp.name, sync=corp.sync, run_id=run_id, changes=changes, now=at)
    notes = [Note(others)]
    if uses:
        own = partial(
            limit_uses.put_uses,
            corp=corp.name,
            sync=corp.sync,
            run_id=run_id,
            uses=uses,
            at=at,
            is_settled=False,
        )
        notes.append(Note(own))
    return notes if decision.plan.writes else []


def settle_uses(
    connection: Connection, corp: Corp, run_id: int, changes: tuple[Change, ...], outcomes: Sequence[Outcome]
) -> None:
    """What the run really did, now that the outcome of every change is known; nothing where it counts not.

    Where nobody knows of one what became of it, the next run finds out.
    """
    at = limit_uses.used_at(connection, run_id)
    if at is None or not outcomes or any(each.state is OutcomeState.UNKNOWN for each in outcomes):
        return
    done = [changes[each.n - 1] for each in outcomes if each.state is OutcomeState.DONE]
    limit_uses.put_uses(connection, corp.name, corp.sync, run_id, counts_of(done), at, is_settled=True)


def _settle_others(
    connection: Connection, corp: str, sync: str, run_id: int, changes: tuple[Change, ...], now: datetime
) -> None:
    """Of what earlier runs may have done that came about which this run does not do again."""
    limit_uses.no_later_than(connection, corp, sync, now)
    left = limit_uses.unsettled_runs(connection, corp, sync, now, but=(run_id,))
    again = frozenset(uses_of(changes)) if left else frozenset()
    for run in left:
        did, may_have = _uses_of_run(connection, run)
        for use in may_have:
            if use not in again:
                did[use.key] = did.get(use.key, 0) + 1
        limit_uses.put_uses(connection, corp, sync, run.run_id, did, run.at, is_settled=True)


def _uses_of_run(connection: Connection, run: UnsettledRun) -> tuple[dict[LimitKey, int], tuple[Use, ...]]:
    """What it did, and what it may have done; all that it planned where its plan is no longer on record."""
    document = journal.document_of(connection, run.run_id)
    if document is None:
        return dict(run.planned), ()
    states = aftermath.states_of(connection, run.run_id)
    done: list[Change] = []
    may_have: list[Change] = []
    for n, change in enumerate(saved_changes(document), 1):
        state = states.get(n)
        if state is OutcomeState.DONE:
            done.append(change)
        elif state is OutcomeState.UNKNOWN:
            may_have.append(change)
    return dict(counts_of(done)), tuple(uses_of(may_have))
