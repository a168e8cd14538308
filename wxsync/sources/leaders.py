"""Direct leaders: sent only where the leader is somebody who is wanted too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from wxsync.model.member import Member, Text
from wxsync.model.unknown import UNKNOWN
from wxsync.sources.people import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """The members with their direct leaders, and whose leader no source knows."""

    members: Mapping[str, Member]
    left_out: Mapping[str, str]
    """Member key -> the leader as the row names it."""


def lead(members: Mapping[str, Member], people: People) -> Led:
    """Give everybody the direct leader that the own row names.

    An empty one stays empty. One who leaves, whose row is rejected, or who would lead themselves is
    not sent, and what WeCom holds stays; nor is a stranger, who is listed. Nobody is rejected for a leader.
    """
    led: dict[str, Member] = {}
    left_out: dict[str, str] = {}
    for key, member in members.items():
        name = people.candidates[key].leader
        leader = _leader(key, name, members, people)
        led[key] = member if leader is UNKNOWN else replace(member, direct_leader=leader)
        if isinstance(name, str) and name not in people.refs:
            left_out[key] = name
    return Led(members=led, left_out=left_out)


def _leader(key: str, name: Text, members: Mapping[str, Member], people: People) -> Text:
    """The leader's key; None where there is none; UNKNOWN where nothing shall be sent."""
    if not isinstance(name, str):
        return name
    leader = people.refs.get(name)
    return UNKNOWN if leader is None or leader == key or leader not in members else leader
