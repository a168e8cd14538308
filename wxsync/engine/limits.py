"""How many changes of each kind a plan holds, against how many a run may make unasked (contract §2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from wxsync.config.settings import LimitsSettings, PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.guard import is_protected
from wxsync.engine.other_keys import other_keys
from wxsync.engine.rekey import paired_by_place
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.plan import Limit
from wxsync.model.remembered import LinkState, Remembered

MOST_STRANGERS = 20
"""A first load is unlimited while WeCom shows at most so many people whom wxsync did not create."""

MOST_MISSING = 20
"""So many of ours, or so many in a hundred, may have been deleted in WeCom by hand since the last run."""

FEW_KEYS = 5
"""So many of ours, or so many in a hundred, may have another key in the source than before."""

CREATIONS_PER_ACCOUNT = 3
"""So often may a corp create all the accounts that its cap allows within 30 days (page 90312)."""


def limits_of(
    changes: Sequence[Change],
    desired: Desired,
    actual: Actual,
    remembered: Remembered,
    limits: LimitsSettings,
    policy: PolicySettings,
) -> tuple[Limit, ...]:
    """Every limit with its count; temporary changes are not counted."""
    counted = [change for change in changes if not change.is_temporary and change.verb is not Verb.KEEP]
    people = len(actual.members)
    members = [change for change in counted if change.kind is Kind.MEMBER]
    departments = [change for change in counted if change.kind is Kind.DEPARTMENT]
    verbs = Counter(change.verb for change in members)
    strangers = _strangers(actual, remembered, policy)
    is_first_load = not remembered.has_been_applied and strangers <= MOST_STRANGERS
    return (
        Limit(
            name="member_remove",
            count=verbs[Verb.DISABLE] + verbs[Verb.DELETE],
            allowed=limits.member_remove.allowed(people),
        ),
        Limit(
            name="member_create",
            count=verbs[Verb.CREATE],
            allowed=None if is_first_load else limits.member_create.allowed(people),
        ),
        Limit(
            name="member_update",
            count=verbs[Verb.UPDATE] + verbs[Verb.ENABLE],
            allowed=limits.member_update.allowed(people),
        ),
        _field_change(members, people, limits),
        Limit(
            name="department_delete",
            count=sum(change.verb is Verb.DELETE for change in departments),
            allowed=limits.department_delete.allowed(len(actual.departments)),
        ),
        Limit(
            name="department_move",
            count=sum(change.verb is Verb.UPDATE and "parent" in change.fields for change in departments),
            allowed=limits.department_move.allowed(len(actual.departments)),
        ),
        Limit(
            name="tag_member_remove",
            count=sum(_leaving_tag(change) for change in counted if change.kind is Kind.TAG),
            allowed=limits.tag_member_remove.allowed(sum(len(tag.members) for tag in actual.tags.values())),
        ),
        *_source_shrink(desired, remembered, limits),
        *_first_load(strangers, remembered),
        *_changed_keys(desired, actual, remembered),
        *_missing(actual),
    )


def month_creations(
    changes: Sequence[Change], remembered: Remembered, account_cap: int | None
) -> Iterator[Limit]:
    """What WeCom lets a corp create in 30 days: the whole corp's creations against its cap."""
    if account_cap is not None:
        asked = sum(change.kind is Kind.MEMBER and change.verb is Verb.CREATE for change in changes)
        if asked:
            yield Limit(
                name="month_creations",
                count=remembered.created_this_month + asked,
                allowed=CREATIONS_PER_ACCOUNT * account_cap,
                is_absolute=True,
            )


def _field_change(members: Sequence[Change], people: int, limits: LimitsSettings) -> Limit:
    """The one attribute that changes for most people."""
    attributes = Counter(
        name
        for change in members
        if change.verb in (Verb.UPDATE, Verb.ENABLE)
        for name in change.fields
        if name != "enable"
    )
    name, count = max(attributes.items(), key=lambda item: (item[1], item[0]), default=(None, 0))
    return Limit(name="field_change", count=count, allowed=limits.field_change.allowed(people), detail=name)


def _leaving_tag(change: Change) -> int:
    """How many places the change takes away; deleting a tag takes away all of them."""
    values = change.fields.get("members")
    strangers = _size(change.fields["foreign_members"]) if "foreign_members" in change.fields else 0
    if values is None or not isinstance(values.before, tuple):
        return strangers
    after = values.after if isinstance(values.after, tuple) else ()
    return strangers + len(set(values.before) - set(after))


def _size(values: FieldChange) -> int:
    return len(values.before) if isinstance(values.before, tuple) else 0


def _source_shrink(desired: Desired, remembered: Remembered, limits: LimitsSettings) -> Iterator[Limit]:
    """Fewer rows than in the last complete read that was applied; judged on complete reads only.

    Of a directory's groups none at all, where there were some, is over it however few they were: so looks a
    right that was taken away.
    """
    for reading in desired.readings:
        baseline = remembered.baselines.get((reading.source, reading.query))
        if baseline is not None and reading.is_complete:
            is_hidden = reading.rows == 0 and reading.entries is not None
            yield Limit(
                name="source_shrink",
                count=max(0, baseline - reading.rows),
                allowed=0 if is_hidden else limits.source_shrink.allowed(baseline),
                detail=f"{reading.source}.{reading.query}",
            )


def _strangers(actual: Actual, remembered: Remembered, policy: PolicySettings) -> int:
    """How many people WeCom shows who are neither of wxsync's making nor protected."""
    return sum(
        folded not in remembered.elsewhere_userids and not is_protected(folded, policy.protect)
        for folded in actual.strangers
    )


def _first_load(strangers: int, remembered: Remembered) -> Iterator[Limit]:
    """A corp full of people and a mirror that owns nobody: a new mirror, or a lost one?"""
    owns_somebody = any(link.state is not LinkState.PENDING for link in remembered.members.values())
    if not remembered.has_been_applied and not owns_somebody:
        yield Limit(
            name="first_load",
            count=strangers,
            allowed=MOST_STRANGERS,
            detail="new or lost mirror?" if strangers > MOST_STRANGERS else None,
        )


def _changed_keys(desired: Desired, actual: Actual, remembered: Remembered) -> Iterator[Limit]:
    """So many of ours have another key in the source now: a migration, of which wxsync must be told."""
    people = len(other_keys(desired, actual, remembered))
    count = people + len(paired_by_place(desired, actual, remembered))
    if count:
        ours = len(actual.members) + len(actual.departments)
        allowed = max(FEW_KEYS, ours * FEW_KEYS // 100)
        yield Limit(
            name="changed_keys",
            count=count,
            allowed=allowed,
            detail="new keys for the same people? wxsync rekey" if count > allowed else None,
        )


def _missing(actual: Actual) -> Iterator[Limit]:
    """So many of ours are no longer in WeCom that it may be another corp than the mirror's."""
    missing = len(actual.missing_members)
    if missing:
        allowed = max(MOST_MISSING, (missing + len(actual.members)) * MOST_MISSING // 100)
        yield Limit(
            name="missing_in_wecom",
            count=missing,
            allowed=allowed,
            detail="another corp than the mirror's?" if missing > allowed else None,
        )
