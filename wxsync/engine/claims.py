"""Several syncs into one corp: what two of them claim is neither's. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final

from wxsync.model.change import Kind, Rejected
from wxsync.model.claim import Claim
from wxsync.model.desired import Desired
from wxsync.model.member import Member, fold
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN

CLAIMED_FIELDS: Final = ("userid", "mobile", "email")


def claims_of(desired: Desired) -> frozenset[Claim]:
    """What the sync claims by this reading. To be taken before `without_claimed`.

    Else each of two syncs would in turn give up what the other gives up, and take what it takes.
    """
    return frozenset(claim for member in desired.members.values() for claim in _claims(member))


def without_claimed(desired: Desired, others: Mapping[Claim, str], *, sync: str) -> Desired:
    """The reading of `sync`, with those rejected of whom another sync of the corp claims the same.

    `others` gives the name of the sync, or the names of those, behind each claim. As with any rejected
    row, what WeCom holds of these people stays, and so do their places in tags.
    """
    rejected = tuple(
        _reject(key, claim.field, sync, others[claim])
        for key, member in (desired.members.items() if others else ())
        for claim in _claims(member)
        if claim in others
    )
    keys = frozenset(row.key for row in rejected if row.key is not None)
    if not keys:
        return desired
    places = {(name, key) for name, tag in desired.tags.items() for key in tag.members & keys}
    return replace(
        desired,
        members={
            key: _without_leader(member, keys) for key, member in desired.members.items() if key not in keys
        },
        tags={name: replace(tag, members=tag.members - keys) for name, tag in desired.tags.items()},
        rejected=(*desired.rejected, *rejected),
        rejected_members=desired.rejected_members | keys,
        starts={key: day for key, day in desired.starts.items() if key not in keys},
        undecided_places=desired.undecided_places | places,
        leaders_left_out={key: name for key, name in desired.leaders_left_out.items() if key not in keys},
    )


def _claims(member: Member) -> Iterator[Claim]:
    yield _claim("userid", fold(member.userid))
    for field, value in (("mobile", member.mobile), ("email", member.email)):
        if isinstance(value, str):
            yield _claim(field, value)


def _claim(field: str, value: str) -> Claim:
    return Claim(field, sha256(value.encode()).hexdigest())


def _reject(key: str, field: str, sync: str, other: str) -> Rejected:
    problem = say(
        "two syncs of the corp claim its {field}: {sync} and {other}", field=field, sync=sync, other=other
    )
    return Rejected(kind=Kind.MEMBER, key=key, field=field, rule="claimed_twice", problem=problem)


def _without_leader(member: Member, rejected: Collection[str]) -> Member:
    """Of one whose direct leader is rejected no leader is sent, and what WeCom holds stays."""
    return replace(member, direct_leader=UNKNOWN) if member.direct_leader in rejected else member
