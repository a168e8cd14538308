"""Direct leaders: sent only where the leader is somebody who is wanted too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wxsync.model.member import Member, Text
from wxsync.model.unknown import UNKNOWN
from wxsync.sources.mapping import Candidate
from wxsync.sources.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """The members with their direct leaders, and whose leader no source knows."""

    members: Mapping[str, Member]
    left_out: Mapping[str, str]
    """Member key -> the leader as the row names it."""


def leader_of(person: Candidate, people: People) -> Text:
    """The key of the direct leader whom the own row names, as far as there is such a person.

    An empty one is None; a stranger, and the own name, are UNKNOWN: they are not sent.
    """
    if not isinstance(person.leader, str):
        return person.leader
    leader = people.refs.get(person.leader)
    return UNKNOWN if leader is None or leader == person.key else leader


def lead(members: Mapping[str, Member], people: People) -> Led:
    """Leave out the leaders who turned out not to be wanted, and list the strangers.

    Of one who leaves, or whose row is rejected, nothing is sent, and what WeCom holds stays. Nobody
    is rejected for a leader.
    """
    leaderless: dict[str, Member] = {}
    left_out: dict[str, str] = {}
    for key, member in members.items():
        leader, name = member.direct_leader, people.candidates[key].leader
        if isinstance(leader, str) and leader not in members:
            leaderless[key] = replace(member, direct_leader=UNKNOWN)
        if isinstance(name, str) and name not in people.refs:
            left_out[key] = name
    return Led(members={**members, **leaderless} if leaderless else members, left_out=left_out)
