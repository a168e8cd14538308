"""What events told of members of ours, beside what WeCom shows and what is remembered. Pure.

An event is WeCom's word of one moment. It counts where WeCom hides the field now, and where wxsync has not
written to the member since: then it is as good as shown. Nobody is removed by it, and nobody becomes ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from wxsync.config.authority import AuthoritySettings
from wxsync.model.event import Told
from wxsync.model.member import TEXT_FIELDS, Member, fold
from wxsync.model.remembered import LinkState, Remembered, RememberedMember
from wxsync.model.seen import Seen, SeenMember, ShownMember
from wxsync.model.unknown import UNKNOWN, Value

APART: Final = timedelta(minutes=1)
"""So much later than our last write an event must be: WeCom's clock is not ours."""
MADE_ANEW: Final = ""
"""The field of what says that the account was deleted, and so is another one if it is there."""
ATTRIBUTE: Final = "extattr."


def with_told(seen: Seen, remembered: Remembered) -> Seen:
    """What was seen, and of what is hidden what events told."""
    values = _values(remembered)
    if not values:
        return seen
    ours = {fold(link.member.userid) for link in _ours(remembered).values()}
    members = (
        _told_of(member, values[folded])
        if (folded := fold(member.userid)) in values.keys() & ours
        else member
        for member in seen.members
    )
    return replace(seen, members=tuple(members))


def without_the_former(remembered: Remembered, seen: Seen, authority: AuthoritySettings) -> Remembered:
    """What is remembered, where somebody of ours is there and was deleted in between: of them it is in doubt.

    What the new account holds is what the former one held, or not: the source's value is written once more.
    A field in which the source's word is not all stays as it is remembered.
    """
    deleted = {told.userid for told in _in_time(remembered) if told.field == MADE_ANEW}
    there = {folded for member in seen.members if (folded := fold(member.userid)) in deleted}
    if not there:
        return remembered
    left = frozenset(authority.by_field)
    theirs = {key: link for key, link in _ours(remembered).items() if fold(link.member.userid) in there}
    doubted = {key: _doubted(link, left) for key, link in theirs.items()}
    return replace(remembered, members={**remembered.members, **doubted})


def _in_time(remembered: Remembered) -> Iterator[Told]:
    """What happened after our last write to the member, as far as two clocks can tell."""
    for told in remembered.told:
        written = remembered.written_at.get(told.userid)
        if written is None or told.told_at - written > APART:
            yield told


def _values(remembered: Remembered) -> Mapping[str, Mapping[str, str]]:
    values: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for told in _in_time(remembered):
        if told.field != MADE_ANEW and told.value is not None:
            values[told.userid][told.field] = told.value
    return values


def _ours(remembered: Remembered) -> Mapping[str, RememberedMember]:
    return {key: link for key, link in remembered.members.items() if link.state is LinkState.OURS}


def _told_of(member: SeenMember, values: Mapping[str, str]) -> SeenMember:
    shown = member.shown or ShownMember(departments=member.department_ids)
    texts: dict[str, Any] = {
        name: value
        for name, value in values.items()
        if name in TEXT_FIELDS and getattr(shown, name) is UNKNOWN
    }
    told = {name.removeprefix(ATTRIBUTE): value for name, value in values.items() if name not in TEXT_FIELDS}
    extattr = tuple(sorted({**told, **dict(shown.extattr)}.items()))
    return replace(member, shown=replace(shown, **texts, extattr=extattr))


def _doubted(link: RememberedMember, left: frozenset[str]) -> RememberedMember:
    known: dict[str, Value] = {
        name: value
        for name in (*TEXT_FIELDS, "direct_leader")
        if name not in left and (value := getattr(link.member, name)) is not UNKNOWN
    }
    attributes = {f"{ATTRIBUTE}{name}": value for name, value in link.member.extattr}
    doubted = known | {name: value for name, value in attributes.items() if name not in left}
    kept = tuple((name, value) for name, value in link.member.extattr if f"{ATTRIBUTE}{name}" in left)
    unknown: dict[str, Any] = dict.fromkeys(known, UNKNOWN)
    member: Member = replace(link.member, **unknown, extattr=kept)
    return replace(
        link,
        member=member,
        doubts={**link.doubts, **{name: (value,) for name, value in doubted.items()}},
        unproven=link.unproven - doubted.keys(),
    )
