"""A run, taken back: from its record, what is there now and what is remembered to a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Final

from wxsync.config.settings import SyncSettings
from wxsync.engine.actual import recall
from wxsync.engine.decide import NO_SIBLINGS, Decision, settled
from wxsync.engine.drift import Hands
from wxsync.engine.drift_fields import Fields
from wxsync.engine.guard import permit
from wxsync.engine.identity import without_impostors
from wxsync.engine.limits import limits_of, month_creations
from wxsync.engine.method import choose
from wxsync.engine.naming import names_in
from wxsync.engine.order import order
from wxsync.engine.past import PastChange
from wxsync.engine.roots import check_root
from wxsync.engine.undo_departments import UndoneDepartments
from wxsync.engine.undo_ground import Ground
from wxsync.engine.undo_members import UndoneMembers
from wxsync.engine.undo_tags import UndoneTags
from wxsync.engine.undo_values import give_up_what_is_taken
from wxsync.model.desired import Desired
from wxsync.model.message import say
from wxsync.model.plan import Plan
from wxsync.model.remembered import Remembered
from wxsync.model.seen import Seen

NOT_BY_REPLACING: Final = say("an undo replaces nobody: it writes what the run wrote, and nothing else")
NOTHING_ASKED: Final = Desired(departments={}, members={}, tags={})


def decide_undo(
    *,
    run: int,
    done: Iterable[PastChange],
    made_anew: Set[str] = frozenset(),
    sync: str,
    corp_id: str,
    settings: SyncSettings,
    seen: Seen,
    remembered: Remembered,
    now: datetime,
    account_cap: int | None = None,
    sibling_roots: Mapping[str, int] = NO_SIBLINGS,
) -> Decision:
    """What takes run `run` back, as far as what it wrote still stands; the sources are not asked.

    `made_anew` are the keys of those whom an undo of the same run made anew that did not get further.

    It deletes nobody and nothing. What was changed since, what was never known, and what WeCom does not give
    back is in the plan's `not_undoable`. It is settled, ordered and counted against the limits as any plan.

    Raises ConfigError where `root_department` is not there, or lies above or below a sibling's.
    """
    policy = settings.policy
    check_root(sync, settings.root_department, seen, sibling_roots)
    believed = without_impostors(remembered, seen, NOTHING_ASKED, now)
    actual = recall(seen, believed, settings.root_department)
    ground = Ground.of(run, actual, remembered, policy.protect, made_anew)
    listed = tuple(done)
    departments = UndoneDepartments.of(listed, ground)
    members = UndoneMembers.of(listed, ground, departments.refs)
    give_up_what_is_taken(members)
    tags = UndoneTags.of(listed, ground, members)
    desired = Desired(departments=departments.end_state(), members=members.end_state(), tags={})
    permitted = permit(members.changes(), desired, policy.protect)
    settlement = settled(permitted, desired, actual, frozenset(), policy.protect)
    schedule, forecast = choose(
        order(tuple(departments.changes()), settlement, tuple(tags.changes()), actual),
        actual,
        remembered,
        policy,
        against=(NOT_BY_REPLACING,) if policy.replace else (),
    )
    plan = Plan(
        sync=sync,
        corp_id=corp_id,
        created_at=now,
        is_complete=True,
        changes=schedule.changes,
        rejected=settlement.rejected,
        limits=(
            *limits_of(schedule.changes, desired, actual, remembered, settings.limits, policy),
            *month_creations(schedule.changes, remembered, account_cap),
        ),
        forecast=forecast,
        names=names_in(schedule.changes, desired, actual),
        not_undoable=(*departments.losses, *members.losses, *tags.losses),
        undoes=run,
    )
    return Decision(
        plan=plan,
        schedule=schedule,
        desired=desired,
        asked=desired,
        seen=seen,
        actual=actual,
        remembered=remembered,
        leavers=frozenset(),
        absent=frozenset(),
        hands=Hands.of(settings.authority, remembered.drifts, now),
        sides=Fields.of(desired, actual, remembered, owns_foreign_places=False),
    )
