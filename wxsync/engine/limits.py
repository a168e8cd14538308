"""How many changes of each kind a plan holds, against how many a run may make unasked (contract §2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from wxsync.config.limits import LimitRule
from wxsync.config.settings import LimitsSettings, PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.counting import (
    CREATE,
    DEPARTMENT_CREATE,
    DEPARTMENT_DELETE,
    DEPARTMENT_MOVE,
    DEPARTMENT_UPDATE,
    FIELD_CHANGE,
    REMOVE,
    TAG_ADD,
    TAG_REMOVE,
    UPDATE,
    busiest,
    counts_of,
    uses_of,
)
from wxsync.engine.guard import is_protected
from wxsync.engine.other_keys import other_keys
from wxsync.engine.rekey import paired_by_place
from wxsync.model.change import Change, Kind, Verb
from wxsync.model.desired import Desired
from wxsync.model.plan import Limit
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.uses import FACTORS, LimitKey, PastUses


class Measure(Enum):
    """Of what a limit is a share."""

    PEOPLE = auto()
    DEPARTMENTS = auto()
    PLACES_IN_TAGS = auto()


MEASURED: Final[Mapping[str, Measure]] = {
    REMOVE.name: Measure.PEOPLE,
    CREATE.name: Measure.PEOPLE,
    UPDATE.name: Measure.PEOPLE,
    FIELD_CHANGE: Measure.PEOPLE,
    DEPARTMENT_CREATE.name: Measure.DEPARTMENTS,
    DEPARTMENT_UPDATE.name: Measure.DEPARTMENTS,
    DEPARTMENT_DELETE.name: Measure.DEPARTMENTS,
    DEPARTMENT_MOVE.name: Measure.DEPARTMENTS,
    TAG_ADD.name: Measure.PEOPLE,
    TAG_REMOVE.name: Measure.PLACES_IN_TAGS,
}
"""The limits of the config on what is written, in the order of reports."""
FREE_AT_FIRST: Final = frozenset({CREATE.name, DEPARTMENT_CREATE.name, TAG_ADD.name})

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
    """Every limit with its count, and each that the changes use up within its windows too.

    Temporary changes are not counted.
    """
    counts = counts_of(changes)
    strangers = _strangers(actual, remembered, policy)
    alone = tuple(_alone(counts, actual, limits, is_first_load=_is_first_load(strangers, remembered)))
    return (
        *alone,
        *_source_shrink(desired, remembered, limits),
        *_first_load(strangers, remembered),
        *_changed_keys(desired, actual, remembered),
        *_missing(actual),
        *_within_windows(alone, counts, changes, remembered.uses),
    )


def _alone(
    counts: Mapping[LimitKey, int], actual: Actual, limits: LimitsSettings, *, is_first_load: bool
) -> Iterator[Limit]:
    """What the changes use up by themselves of every limit of the config on what is written."""
    sizes = {
        Measure.PEOPLE: len(actual.members),
        Measure.DEPARTMENTS: len(actual.departments),
        Measure.PLACES_IN_TAGS: sum(len(tag.members) for tag in actual.tags.values()),
    }
    field, most = busiest(counts.items())
    for name, measure in MEASURED.items():
        rule: LimitRule = getattr(limits, name)
        is_free = is_first_load and name in FREE_AT_FIRST
        yield Limit(
            name=name,
            count=most if name == FIELD_CHANGE else counts.get(LimitKey(name), 0),
            allowed=None if is_free else rule.allowed(sizes[measure]),
            detail=field if name == FIELD_CHANGE else None,
        )


def is_first_load(actual: Actual, remembered: Remembered, policy: PolicySettings) -> bool:
    """Nothing was ever applied to its end, and WeCom shows hardly anybody whom wxsync did not create."""
    return _is_first_load(_strangers(actual, remembered, policy), remembered)


def _is_first_load(strangers: int, remembered: Remembered) -> bool:
    return not remembered.has_been_applied and strangers <= MOST_STRANGERS


def _within_windows(
    alone: Iterable[Limit], counts: Mapping[LimitKey, int], changes: Sequence[Change], past: PastUses
) -> Iterator[Limit]:
    """Each limit that the changes use up, with what runs did before; of `field_change` each field."""
    allowed = {limit.name: limit.allowed for limit in alone}
    again = frozenset(uses_of(changes)) if past.open else frozenset()
    for key, count in sorted(counts.items()):
        most = allowed[key.name]
        if count and most is not None:
            for window, factor in FACTORS.items():
                yield Limit(
                    name=key.name,
                    count=count + past.within(window, key, again),
                    allowed=factor * most,
                    detail=key.detail or None,
                    window=window,
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
