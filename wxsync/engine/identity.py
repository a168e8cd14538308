"""Who has the userid of somebody of ours and is somebody else: made by a hand after another was deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from wxsync.engine.adoption import FACTS
from wxsync.model.desired import Desired
from wxsync.model.member import Member, fold
from wxsync.model.remembered import LinkState, Remembered, RememberedMember
from wxsync.model.seen import Seen, ShownMember
from wxsync.model.unknown import UNKNOWN, Value

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
        if link.state is LinkState.OURS and facts is not None:
            wanted = desired.members.get(key)
            if _is_somebody_else(link, wanted, facts):
                members[key] = replace(link, missing_since=link.missing_since or now)
    return replace(remembered, members=members)


def _is_somebody_else(link: RememberedMember, wanted: Member | None, shown: ShownMember) -> bool:
    differing = 0
    for field in FACTS:
        fact = getattr(shown, field)
        if not isinstance(fact, str):
            continue
        held = _held(link, field)
        if fact in held or (wanted is not None and fact == getattr(wanted, field)):
            return False
        differing += any(isinstance(value, str) for value in held)
    return differing >= ENOUGH


def _held(link: RememberedMember, field: str) -> tuple[Value, ...]:
    """What the field held, as far as the mirror knows: after a call that was lost, one of several values."""
    known: Value = getattr(link.member, field)
    return link.doubts.get(field, ()) if known is UNKNOWN else (known,)
