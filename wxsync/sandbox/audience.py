"""Which app calls, whom it sees, and to whom a message of its goes (WeCom page 90236)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wxsync.sandbox.call import Asked
from wxsync.sandbox.directory import Directory
from wxsync.sandbox.records import Member
from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.scope import Scope
from wxsync.sandbox.switches import App

USERS: Final = 1000
PARTIES: Final = 100
TAGS: Final = 100
"""The most of one message."""

EVERYBODY: Final = "@all"
REACHABLE: Final = (1, 4)
"""Activated, and not yet activated."""


def calling_app(asked: Asked) -> App:
    """The app whose token this is."""
    app = asked.state.app(asked.who.agent_id)
    if app is None:
        raise Refusal(48002)
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who gets a message, and which of the ids that were named are good for nobody."""

    members: tuple[Member, ...]
    bad_users: tuple[str, ...] = ()
    """In lower case, as WeCom gives them back."""
    bad_parties: tuple[str, ...] = ()
    bad_tags: tuple[str, ...] = ()


def audience(
    scope: Scope,
    users: Sequence[str],
    parties: Sequence[str],
    tags: Sequence[str],
    *,
    everybody: bool,
) -> Audience:
    """Whom these ids mean. 81012 where there are none, 81013 where none is good.

    That a disabled member counts as out of the app's range is our reading of the unsubscribe event.
    """
    if everybody:
        return Audience(
            members=_reachable(each for each in scope.directory.members.values() if scope.sees_member(each))
        )
    if not users and not parties and not tags:
        raise Refusal(81012)
    for ids, most, errcode in ((users, USERS, 40032), (parties, PARTIES, 82002), (tags, TAGS, 82003)):
        if len(ids) > most:
            raise Refusal(errcode)
    good_users, bad_users = _split(users, lambda userid: _user(scope, userid))
    good_parties, bad_parties = _split(parties, lambda id: _party(scope, id))
    good_tags, bad_tags = _split(tags, lambda id: _tag(scope, id))
    if len(bad_users) == len(users) and len(bad_parties) == len(parties) and len(bad_tags) == len(tags):
        raise Refusal(81013)
    return Audience(
        members=tuple(dict.fromkeys((*good_users, *good_parties, *good_tags))),
        bad_users=tuple(userid.lower() for userid in bad_users),
        bad_parties=bad_parties,
        bad_tags=bad_tags,
    )


def _split(
    ids: Sequence[str], find: Callable[[str], tuple[Member, ...] | None]
) -> tuple[list[Member], tuple[str, ...]]:
    """The members behind good ids, and the bad ids; None means bad, nobody at all does not."""
    found = {id: find(id) for id in ids}
    good = [member for members in found.values() for member in members or ()]
    return good, tuple(id for id in ids if found[id] is None)


def _reachable(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(member for member in members if member.status in REACHABLE)


def _user(scope: Scope, userid: str) -> tuple[Member, ...] | None:
    member = scope.find_member(userid)
    return (member,) if member is not None and member.status in REACHABLE else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1


def _party(scope: Scope, id: str) -> tuple[Member, ...] | None:
    number = _number(id)
    return _below(scope.directory, number) if scope.sees_department(number) else None


def _below(directory: Directory, id: int) -> tuple[Member, ...]:
    """The members of a department and of all below it."""
    walked = directory.walk(directory.departments[id])
    return _reachable(directory.members[key] for department in walked for key in department.members)


def _tag(scope: Scope, id: str) -> tuple[Member, ...] | None:
    directory = scope.directory
    tag = directory.tags.get(_number(id))
    if tag is None:
        return None
    members = [directory.members[key] for key in tag.users]
    members += [member for party in tag.parties for member in _below(directory, party)]
    return tuple(member for member in _reachable(members) if scope.sees_member(member))


def joined(text: Any) -> tuple[str, ...]:
    """The ids of a `|`-joined text; empty ones are passed over."""
    return tuple(part.strip() for part in str(text).split("|") if part.strip())
