"""From what is wanted, seen and remembered to a plan. Pure: reads nothing, writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType

from wxsync.config.settings import SyncSettings
from wxsync.engine.actual import Actual, recall, with_adopted
from wxsync.engine.adoption import is_generated
from wxsync.engine.causes import causes_of
from wxsync.engine.departments import adoptable, diff_departments, held_departments
from wxsync.engine.drift import Hands, Handwork
from wxsync.engine.drift_fields import Fields
from wxsync.engine.exchange import Settlement, settle
from wxsync.engine.guard import permit
from wxsync.engine.held import with_held
from wxsync.engine.identity import without_impostors
from wxsync.engine.leaders import leaders_in, leave_out_absent
from wxsync.engine.leaving import leavers_of, unconfirmed_leavers, unnamed_members
from wxsync.engine.limits import limits_of, month_creations
from wxsync.engine.losses import losses_of
from wxsync.engine.members import MemberDiff
from wxsync.engine.method import choose
from wxsync.engine.namesakes import namesakes, without
from wxsync.engine.naming import names_in
from wxsync.engine.order import order
from wxsync.engine.other_keys import other_keys
from wxsync.engine.pacing import pace_of, paced
from wxsync.engine.replacing import obstacles
from wxsync.engine.roots import check_root
from wxsync.engine.schedule import Schedule
from wxsync.engine.tags import TagDiff
from wxsync.engine.vacancy import keep_occupied
from wxsync.engine.waiting import reasons_to_wait
from wxsync.model.change import Change, Kind, Reason, Rejected, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import fold
from wxsync.model.plan import Forecast, Plan
from wxsync.model.remembered import Remembered
from wxsync.model.seen import Seen
from wxsync.model.unknown import UNKNOWN

NEWCOMING = (Verb.CREATE, Verb.ADOPT)
"""After one of these a member is there and ours."""
NO_SIBLINGS: Mapping[str, int] = MappingProxyType({})
NOTHING_CONFIGURED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A plan, with what it was made of and the calls that would carry it out."""

    plan: Plan
    schedule: Schedule
    desired: Desired
    asked: Desired
    """All that the source asks for, with departments too that cannot be had while another has their name."""
    seen: Seen
    actual: Actual
    remembered: Remembered
    leavers: frozenset[str]
    """Keys of members of ours whom the source no longer wants, by a read that may be believed."""
    absent: frozenset[str]
    """The same by this reading alone: others may have to confirm it."""
    person: str | None = None
    """Whose changes these are, as `key:…`; None: everybody's."""
    needed: tuple[Change, ...] = ()
    """Changes of others that have to come before that one's."""
    whole: Plan | None = None
    """The plan of which this is a part that somebody approved; None: it is no such part."""
    confirm_reads: int = 1
    """In so many complete readings in a row somebody had to be absent to be a leaver."""
    trigger: str = "manual"
    """What set the run off."""
    configured: Mapping[str, str] = field(default_factory=dict)
    """Path -> what the config holds there, as far as the plan depends on it."""
    hands: Hands
    sides: Fields
    handwork: tuple[Handwork, ...] = ()
    """Every field in which a hand had a part and which is not as the source has it, of everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What a decision goes by, whichever of the wishes can be had."""

    sync: str
    corp_id: str
    settings: SyncSettings
    asked: Desired
    seen: Seen
    remembered: Remembered
    now: datetime
    weak_too: bool
    account_cap: int | None
    sibling_roots: Mapping[str, int]
    confirm_reads: int
    trigger: str
    configured: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What differs between what is asked for and what is there, in order."""

    desired: Desired
    actual: Actual
    absent: frozenset[str]
    leavers: frozenset[str]
    hands: Hands
    sides: Fields
    rejected: tuple[Rejected, ...]
    handwork: tuple[Handwork, ...]
    ordered: Schedule


def decide(
    *,
    sync: str,
    corp_id: str,
    settings: SyncSettings,
    desired: Desired,
    seen: Seen,
    remembered: Remembered,
    now: datetime,
    weak_too: bool = False,
    account_cap: int | None = None,
    sibling_roots: Mapping[str, int] = NO_SIBLINGS,
    confirm_reads: int = 1,
    trigger: str = "manual",
    configured: Mapping[str, str] = NOTHING_CONFIGURED,
) -> Decision:
    """Every change that would make actual equal to desired, permitted, in order, and counted.

    `weak_too` adopts on weak evidence as well (`wxsync plan --adopt`). `account_cap` bounds what may
    be created in a month; `sibling_roots` are the root departments of the corp's other syncs. Nobody is
    removed for being absent whom fewer than `confirm_reads` complete readings in a row lacked. On `trigger`,
    what set the run off, and on what the config holds now, path by path (`configured`), depends whether the
    plan waits for approval.

    Raises ConfigError where `root_department` is not there, or lies above or below a sibling's, or
    where `policy.adopt_departments` cannot be followed.
    """
    check_root(sync, settings.root_department, seen, sibling_roots)
    case = _Case(
        sync=sync,
        corp_id=corp_id,
        settings=settings,
        asked=desired,
        seen=seen,
        remembered=remembered,
        now=now,
        weak_too=weak_too,
        account_cap=account_cap,
        sibling_roots=sibling_roots,
        confirm_reads=confirm_reads,
        trigger=trigger,
        configured=configured,
    )
    found = _find(case, desired)
    while in_the_way := namesakes(found.ordered.changes, found.actual):
        found = _find(case, without(found.desired, in_the_way))
    return _decided(case, found)


def _find(case: _Case, desired: Desired) -> _Found:
    """What differs, kind by kind: people first of all, since a department that holds one stays."""
    remembered, policy, now = case.remembered, case.settings.policy, case.now
    actual = recall(
        case.seen, without_impostors(remembered, case.seen, desired, now), case.settings.root_department
    )
    adopted = adoptable(desired, actual, remembered, policy.adopt_departments)
    actual = with_adopted(actual, adopted)
    absent = leavers_of(desired, actual, other_keys(desired, actual, remembered).keys())
    leavers = absent - unconfirmed_leavers(absent, desired, remembered, case.confirm_reads)
    held = held_departments(desired, actual)
    hands = Hands.of(case.settings.authority, remembered.drifts, now)
    sides = Fields.of(desired, actual, remembered, owns_foreign_places=policy.foreign_memberships == "remove")
    units = list(diff_departments(desired, actual, remembered, policy, held, adopted, hands, sides))
    people = list(_people(case, desired, actual, held, hands, sides))
    permitted = list(permit(_changes(people), desired, policy.protect))
    settle_with = partial(
        settled,
        desired=desired,
        actual=actual,
        leavers=leavers,
        protect=policy.protect,
        yielding=hands.yielding.keys(),
    )
    settlement = settle_with(permitted)
    pace = pace_of(settlement, actual, case.settings.limits, remembered)
    if pace.waiting:  # whoever counted on a value that waits is settled without it
        del settlement
        settlement = settle_with(paced(permitted, pace))
    vacant = keep_occupied(
        [*permit(_changes(units), desired, policy.protect), *settlement.writes.values()], actual
    )
    departments = [change for change in vacant if change.kind is Kind.DEPARTMENT]
    tagging = list(_tags(desired, actual, remembered, case.settings, settlement, leavers, hands, sides))
    tags = list(permit(_changes(tagging), desired, policy.protect))
    listed = [*units, *people, *tagging]
    return _Found(
        desired=desired,
        actual=actual,
        absent=absent,
        leavers=leavers,
        hands=hands,
        sides=sides,
        rejected=(*(row for row in listed if isinstance(row, Rejected)), *settlement.rejected),
        handwork=tuple(each for each in listed if isinstance(each, Handwork)),
        ordered=order(departments, settlement, tags, actual),
    )


def _people(
    case: _Case,
    desired: Desired,
    actual: Actual,
    held: frozenset[str],
    hands: Hands,
    sides: Fields,
) -> Iterator[Change | Rejected | Handwork]:
    """Whoever is asked for, and whoever is ours and is not."""
    remembered, policy, now = case.remembered, case.settings.policy, case.now
    yield from MemberDiff.of(
        desired,
        actual,
        remembered,
        policy,
        held,
        now,
        hands=hands,
        sides=sides,
        weak_too=case.weak_too,
        is_generated=is_generated(case.settings.member),
    )
    yield from unnamed_members(desired, actual, remembered, policy, now, case.confirm_reads)


def _decided(case: _Case, found: _Found) -> Decision:
    desired, actual = found.desired, found.actual
    settings, remembered = case.settings, case.remembered
    schedule, forecast = choose(
        found.ordered,
        actual,
        remembered,
        settings.policy,
        against=obstacles(actual, desired, settings, case.sibling_roots) if settings.policy.replace else (),
        root_name=next((each.name for each in case.seen.departments if each.id == actual.root), UNKNOWN),
    )
    schedule = with_held(schedule, actual)
    return Decision(
        plan=_plan(case, found, schedule.changes, forecast),
        schedule=schedule,
        desired=desired,
        asked=case.asked,
        seen=case.seen,
        actual=actual,
        remembered=remembered,
        leavers=found.leavers if desired.is_complete else frozenset(),
        absent=found.absent,
        confirm_reads=case.confirm_reads,
        trigger=case.trigger,
        configured=case.configured,
        hands=found.hands,
        sides=found.sides,
        handwork=found.handwork,
    )


def _plan(case: _Case, found: _Found, changes: tuple[Change, ...], forecast: Forecast) -> Plan:
    desired, actual, remembered = found.desired, found.actual, case.remembered
    limits = (
        *limits_of(changes, case.asked, actual, remembered, case.settings.limits, case.settings.policy),
        *month_creations(changes, remembered, case.account_cap),
    )
    exceeded = [limit for limit in limits if limit.is_exceeded]
    writes = [change for change in changes if change.verb is not Verb.KEEP]
    return Plan(
        sync=case.sync,
        corp_id=case.corp_id,
        created_at=case.now,
        is_complete=desired.is_complete,
        changes=changes,
        rejected=(*desired.rejected, *found.rejected),
        limits=limits,
        causes=causes_of(exceeded, changes, desired, actual, remembered, case.configured),
        waits=reasons_to_wait(case.trigger, writes, remembered, case.configured),
        forecast=forecast,
        foreign=_unlisted(changes, actual),
        readings=desired.readings,
        asides=desired.asides,
        names=names_in(changes, desired, actual),
        not_undoable=losses_of(changes, actual, case.seen),
    )


def _changes(found: Iterable[Change | Rejected | Handwork]) -> list[Change]:
    return [each for each in found if isinstance(each, Change)]


def settled(
    changes: Iterable[Change],
    desired: Desired,
    actual: Actual,
    leavers: frozenset[str],
    protect: tuple[str, ...],
    yielding: Set[str] = frozenset(),
) -> Settlement:
    """Who takes what from whom, with everything that is kept, of whatever reason, in `kept`."""
    permitted = list(changes)
    asked = leaders_in(permitted)
    created = {change.key for change in permitted if change.verb in NEWCOMING and change.key in asked}
    permitted = list(leave_out_absent(permitted, created | (asked & actual.members.keys())))
    writing = [change for change in permitted if change.verb is not Verb.KEEP]
    settlement = settle(writing, desired, actual, leavers, protect, yielding)
    settled = settlement.writes
    coming = {key for key, change in settled.items() if change.verb in NEWCOMING}
    # Whoever is given up for a value that is taken will lead nobody.
    left = list(leave_out_absent(settled.values(), coming | actual.members.keys()))
    permitted += (change for change in left if change.verb is Verb.KEEP)
    return Settlement(
        writes={str(change.key): change for change in left if change.verb is not Verb.KEEP},
        kept=(*(change for change in permitted if change.verb is Verb.KEEP), *settlement.kept),
        rejected=settlement.rejected,
        holders=settlement.holders,
        rings=settlement.rings,
    )


def _tags(
    desired: Desired,
    actual: Actual,
    remembered: Remembered,
    settings: SyncSettings,
    settlement: Settlement,
    leavers: frozenset[str],
    hands: Hands,
    sides: Fields,
) -> Iterable[Change | Handwork]:
    if not desired.tags_are_mapped:
        return ()
    writes = settlement.writes.values()
    deleted = frozenset(change.key for change in writes if change.verb is Verb.DELETE and change.key)
    created = frozenset(change.key for change in writes if change.verb in NEWCOMING and change.key)
    wanted_or_leaving = desired.members.keys() | (
        leavers if settings.policy.leavers != "keep" else frozenset()
    )
    return TagDiff(
        desired=desired,
        actual=actual,
        remembered=remembered,
        policy=settings.policy,
        present=(actual.members.keys() | created) - deleted,
        deleted=deleted,
        staying=actual.members.keys() - wanted_or_leaving,
        hands=hands,
        sides=sides,
    )


def _unlisted(changes: Iterable[Change], actual: Actual) -> dict[Kind, int]:
    """Foreign records that nothing in the source resembles; adopted departments count as ours by now.

    Several changes may be about one record: each person of the source who looks like it has one.
    """
    records = {
        (change.kind, fold(str(change.id)))
        for change in changes
        if change.reason is Reason.UNADOPTED
        or (change.verb is Verb.ADOPT and change.kind is not Kind.DEPARTMENT)
    }
    listed = Counter(kind for kind, _ in records)
    return {
        Kind.DEPARTMENT: len(actual.foreign_departments) - listed[Kind.DEPARTMENT],
        Kind.MEMBER: len(actual.strangers) - listed[Kind.MEMBER],
        Kind.TAG: len(actual.foreign_tags) - listed[Kind.TAG],
    }
