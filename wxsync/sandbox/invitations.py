"""Invitations to join (WeCom page 90975)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import Shape, is_integers, is_texts
from wxsync.sandbox.records import fold
from wxsync.sandbox.refusal import Refusal

USERS: Final = 1000
PARTIES: Final = 100
TAGS: Final = 100
"""The most of one call."""

NOT_ACTIVATED: Final = 4


def invite(asked: Asked) -> Mapping[str, Any]:
    """Everybody who was named and has not joined is invited, once a call; bad ids are told.

    That an answer without a single good id is no error is our own choice.
    """
    users = _rows(asked, "user", is_texts, USERS)
    parties = _rows(asked, "party", is_integers, PARTIES)
    tags = _rows(asked, "tag", is_integers, TAGS)
    if not users and not parties and not tags:
        raise Refusal(40035)
    scope, directory = asked.scope, asked.directory
    invited = {fold(userid) for userid in users if scope.find_member(userid) is not None}
    for party in parties:
        if scope.sees_department(party):
            invited.update(_everybody_in(asked, party))
    for tag in tags:
        if tag in directory.tags:
            invited.update(_everybody_tagged(asked, tag))
    asked.state.invite(key for key in directory.members if key in invited)
    return {
        "invaliduser": [userid for userid in users if scope.find_member(userid) is None],
        "invalidparty": [id for id in parties if not scope.sees_department(id)],
        "invalidtag": [id for id in tags if id not in directory.tags],
    }


def _rows(asked: Asked, name: str, is_shaped: Shape, most: int) -> list[Any]:
    """A list of the body; what is no list of ids, or too long, is refused alike."""
    rows = asked.body.get(name)
    if rows is None:
        return []
    if not is_shaped(rows) or len(rows) > most:
        raise Refusal(40035)
    return list(rows)


def _everybody_in(asked: Asked, party: int) -> Iterator[str]:
    """Folded userids of a department and of all below it."""
    for department in asked.directory.walk(asked.directory.departments[party]):
        yield from department.members


def _everybody_tagged(asked: Asked, id: int) -> Iterator[str]:
    """Folded userids of a tag, as far as the caller sees them."""
    tag, scope = asked.directory.tags[id], asked.scope
    yield from (key for key in tag.users if scope.find_member(key) is not None)
    for party in tag.parties:
        if scope.sees_department(party):
            yield from _everybody_in(asked, party)


OPERATIONS: Final = (
    Operation(
        path="batch/invite",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=invite,
        is_write=True,
        empties=("invaliduser", "invalidparty", "invalidtag"),
    ),
)
