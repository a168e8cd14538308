"""What the mirror knows of a member once a call was answered: pure, for whoever brings the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from wxsync.model.change import Verb
from wxsync.model.member import Member
from wxsync.model.remembered import LinkState, RememberedMember
from wxsync.model.unknown import UNKNOWN, Value

EXTATTR: Final = "extattr."


def as_created(link: RememberedMember) -> RememberedMember:
    """The member is there and is ours."""
    return replace(link, state=LinkState.OURS, announced_department_ids=())


def as_written(link: RememberedMember, values: Mapping[str, Value], verb: Verb) -> RememberedMember:
    """These fields were written, and answered with ok."""
    unproven = set(link.unproven)
    if "mobile" in values:
        # WeCom answers ok and ignores it for a member who has activated (contacts.md, gotcha 2).
        unproven.add("mobile")
    is_enabling = verb is Verb.ENABLE and "enable" in values
    return replace(
        link,
        member=with_values(link.member, values),
        unproven=frozenset(unproven),
        doubts={name: held for name, held in link.doubts.items() if name not in values},
        disabled_at=None if is_enabling else link.disabled_at,
        left_at=None if is_enabling else link.left_at,
    )


def without_belief_in(link: RememberedMember, names: frozenset[str]) -> RememberedMember:
    """The same, with these fields not known: they were not sent."""
    return replace(link, member=with_values(link.member, dict.fromkeys(names, UNKNOWN)))


def with_values(member: Member, values: Mapping[str, Value]) -> Member:
    """The member with these values; an attribute that is UNKNOWN is no longer listed."""
    plain: dict[str, Any] = {name: value for name, value in values.items() if not name.startswith(EXTATTR)}
    attributes = {
        name.removeprefix(EXTATTR): value for name, value in values.items() if name.startswith(EXTATTR)
    }
    if attributes:
        merged = {**dict(member.extattr), **attributes}
        plain["extattr"] = tuple(
            sorted((name, value) for name, value in merged.items() if value is not UNKNOWN)
        )
    return replace(member, **plain)


def value_of(member: Member, name: str) -> Value:
    """The field by the name that changes have for it; an attribute that is not listed is UNKNOWN."""
    if name.startswith(EXTATTR):
        return dict(member.extattr).get(name.removeprefix(EXTATTR), UNKNOWN)
    value: Value = getattr(member, name)
    return value
