"""What becomes of one member, as a Change or a Rejected."""

from __future__ import annotations

from collections.abc import Mapping

from wxsync.model.change import Change, FieldChange, Kind, Reason, Rejected, Verb
from wxsync.model.member import Member
from wxsync.model.message import Message
from wxsync.model.unknown import UNKNOWN


def change_of(
    member: Member,
    verb: Verb,
    why: Message,
    fields: Mapping[str, FieldChange],
    drift: tuple[str, ...] = (),
) -> Change:
    return Change(
        kind=Kind.MEMBER,
        verb=verb,
        key=member.key,
        id=member.userid,
        name=None if member.name is UNKNOWN else member.name,
        fields=fields,
        why=why,
        drift=drift,
    )


def keep_of(
    member: Member,
    why: Message,
    reason: Reason,
    *,
    id: str | None = "",
    fields: Mapping[str, FieldChange] | None = None,
    drift: tuple[str, ...] = (),
) -> Change:
    """Leave a member alone, and say why; `id` where it is not the member's own userid."""
    return Change(
        kind=Kind.MEMBER,
        verb=Verb.KEEP,
        key=member.key,
        id=member.userid if id == "" else id,
        name=None if member.name is UNKNOWN else member.name,
        fields=fields or {},
        why=why,
        reason=reason,
        drift=drift,
    )


def reject_of(wanted: Member, field: str, rule: str, problem: Message) -> Rejected:
    return Rejected(kind=Kind.MEMBER, key=wanted.key, field=field, rule=rule, problem=problem)
