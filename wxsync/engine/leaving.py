"""Members of ours whom the sources do not name: who has left, and who must not be taken for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import datetime, timedelta
from typing import Final

from wxsync.config.settings import PolicySettings
from wxsync.engine.actual import Actual
from wxsync.engine.other_keys import other_keys
from wxsync.engine.verdicts import change_of, keep_of
from wxsync.model.change import Change, FieldChange, Reason, Verb
from wxsync.model.desired import Desired
from wxsync.model.member import Member
from wxsync.model.message import say
from wxsync.model.remembered import Remembered, RememberedMember

MOST_MISSED: Final = 10
"""Counted no further, so that those who are long gone are not written down anew by every run."""


def unnamed_members(
    desired: Desired,
    actual: Actual,
    remembered: Remembered,
    policy: PolicySettings,
    now: datetime,
    confirm_reads: int = 1,
) -> Iterator[Change]:
    """What becomes of each: by the policy for leavers, or kept with the doubt that there is."""
    others = other_keys(desired, actual, remembered)
    leavers = leavers_of(desired, actual, others.keys())
    unconfirmed = unconfirmed_leavers(leavers, desired, remembered, confirm_reads)
    for key, known in sorted(actual.members.items()):
        if key in desired.members:
            continue
        if key in unconfirmed and policy.leavers != "keep":
            why = say(
                "no longer in the source: {count} complete readings without it, {needed} are wanted",
                count=remembered.missed_reads.get(key, 0) + 1,
                needed=confirm_reads,
            )
            yield keep_of(known, why, Reason.WAITING)
        elif key in leavers:
            yield from _leaver(known, remembered.members[key], desired, policy, now)
        elif key in desired.rejected_members:
            yield keep_of(known, say("its row is rejected"), Reason.REJECTED)
        elif key in others:
            yield keep_of(known, others[key].why, Reason.REJECTED)
        else:
            doubt = say("the source has people without a key, and each may be this one: filter those out")
            yield keep_of(known, doubt, Reason.REJECTED)


def leavers_of(desired: Desired, actual: Actual, others: Set[str]) -> frozenset[str]:
    """Keys of members of ours who are no longer wanted, and of whom nothing says that they may be.

    `others` are those who have another key now, see `other_keys`.
    """
    return frozenset(
        key
        for key in actual.members
        if key not in desired.members
        and key not in desired.rejected_members
        and key not in others
        and (key in desired.leavers or not desired.is_doubtful("members"))
    )


def unconfirmed_leavers(
    leavers: frozenset[str], desired: Desired, remembered: Remembered, confirm_reads: int
) -> frozenset[str]:
    """Those whom not yet so many complete readings in a row lacked, this one counted.

    Whom the source itself calls a leaver has a row that says so, and is confirmed at once.
    """
    return frozenset(
        key
        for key in leavers - desired.leavers.keys()
        if remembered.missed_reads.get(key, 0) + 1 < confirm_reads
    )


def next_missed(missed: Mapping[str, int], desired: Desired, leavers: frozenset[str]) -> dict[str, int]:
    """How many complete readings in a row have lacked whom, after this one.

    Whoever has a row in it begins anew; an incomplete reading says nothing of those whom it lacks.
    """
    present = {*desired.members, *desired.leavers, *desired.rejected_members}
    if not desired.is_complete:
        return {key: count for key, count in missed.items() if key not in present}
    absent = leavers - present
    return {key: min(missed.get(key, 0) + 1, MOST_MISSED) for key in absent}


def _leaver(
    known: Member, link: RememberedMember, desired: Desired, policy: PolicySettings, now: datetime
) -> Iterator[Change]:
    own = desired.leavers.get(known.key) or desired.whereabouts.get(known.key)
    why = own or say("no longer in the source")
    if policy.leavers == "keep":
        yield keep_of(known, why, Reason.GRACE)
    elif policy.leavers == "delete":
        yield change_of(known, Verb.DELETE, why, {})
    elif known.enable is not False:
        yield change_of(known, Verb.DISABLE, why, {"enable": FieldChange(known.enable, False)})
    elif policy.delete_after_days is not None:  # whoever it was that disabled it
        yield _in_grace(known, link, policy.delete_after_days, now)


def _in_grace(known: Member, link: RememberedMember, days: int, now: datetime) -> Change:
    # Both count: a leaver whom the policy kept for a year has not been disabled for a year.
    since = max((at for at in (link.left_at, link.disabled_at) if at is not None), default=now)
    due = (since if link.left_at is not None else now) + timedelta(days=days)
    if due <= now:
        why = say("left, and disabled for {days} days", days=days)
        return change_of(known, Verb.DELETE, why, {})
    return keep_of(known, say("left; to be deleted on {date}", date=due.date()), Reason.GRACE)
