"""Who has the userid of somebody of ours and is somebody else: made by a hand after another was deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from wxsync.engine.adoption import FACTS
from wxsync.model.desired import Desired
from wxsync.model.member import Member, fold
from wxsync.model.remembered import LinkState, Remembered
from wxsync.model.seen import Seen, ShownMember

ENOUGH: Final = 2
"""One fact that differs is a new name or number. Two, and none that agrees, are another person."""


def without_impostors(remembered: Remembered, seen: Seen, desired: Desired, now: datetime) -> Remembered:
    """The same, with those said to be missing whose userid WeCom shows with another person's facts.

    Neither what is remembered nor what the source wants now agrees with anything that is shown. It
    is for adoption to find out who they are; until then nobody changes them.
    """
    shown = {fold(member.userid): member.shown for member in seen.members if member.shown is not None}
    if not shown:
        return remembered
    members = dict(remembered.members)
    for key, link in remembered.members.items():
        facts = shown.get(fold(link.member.userid))
        if link.state is LinkState.OURS and facts is not None and not link.doubts:
            wanted = desired.members.get(key)
            if _is_somebody_else(link.member, wanted, facts):
                members[key] = replace(link, missing_since=link.missing_since or now)
    return replace(remembered, members=members)


def _is_somebody_else(known: Member, wanted: Member | None, shown: ShownMember) -> bool:
    differing = 0
    for field in FACTS:
        fact = getattr(shown, field)
        if not isinstance(fact, str):
            continue
        expected = [getattr(each, field) for each in (known, wanted) if each is not None]
        if fact in expected:
            return False
        differing += isinstance(expected[0], str)
    return differing >= ENOUGH
