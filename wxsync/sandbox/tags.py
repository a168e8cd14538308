"""The calls for tags (WeCom pages 90210 to 90216)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wxsync.sandbox.access import Permission
from wxsync.sandbox.call import Asked, Operation
from wxsync.sandbox.fields import (
    INT32_MAX,
    Shape,
    check_tag_name,
    is_integer,
    is_integers,
    is_text,
    is_texts,
)
from wxsync.sandbox.records import Tag, fold
from wxsync.sandbox.refusal import Refusal
from wxsync.sandbox.state import CONSOLE

NAMING: Final[Mapping[str, Shape]] = {"tagname": is_text, "tagid": is_integer}

USERS: Final = 1000
PARTIES: Final = 100
"""The most of one addtagusers or deltagusers."""


def create(asked: Asked) -> Mapping[str, Any]:
    """A new tag, which belongs to the caller."""
    given = asked.given(NAMING)
    if "tagname" not in given:
        raise Refusal(41018)
    check_tag_name(given["tagname"])
    id = given.get("tagid")
    if id is not None and (not 0 <= id <= INT32_MAX or id in asked.directory.tags):
        raise Refusal(40068)
    if given["tagname"] in asked.directory.tag_by_name:
        raise Refusal(40071)
    if len(asked.directory.tags) >= asked.state.max_tags:
        raise Refusal(40126)
    tag = asked.directory.add_tag(name=given["tagname"], owner=asked.who.name, id=id)
    return {"tagid": tag.id}


def update(asked: Asked) -> Mapping[str, Any]:
    """A tag's name."""
    given = asked.given(NAMING)
    if "tagname" not in given:
        raise Refusal(41018)
    check_tag_name(given["tagname"])
    tag = _own_tag(asked, given.get("tagid"))
    if asked.directory.tag_by_name.get(given["tagname"], tag) is not tag:
        raise Refusal(40071)
    asked.directory.rename_tag(tag, given["tagname"])
    return {}


def delete(asked: Asked) -> Mapping[str, Any]:
    """A tag is no more, whoever was in it."""
    asked.directory.remove_tag(_own_tag(asked, asked.number("tagid")))
    return {}


def get(asked: Asked) -> Mapping[str, Any]:
    """A tag's name, and those of its members and departments whom the caller sees."""
    tag, scope = _tag(asked, asked.number("tagid")), asked.scope
    members = (scope.find_member(key) for key in tag.users)
    return {
        "tagname": tag.name,
        "userlist": [{"userid": member.userid, "name": member.name} for member in members if member],
        "partylist": [id for id in tag.parties if scope.sees_department(id)],
    }


def full_list(asked: Asked) -> Mapping[str, Any]:
    """Every tag of the corp."""
    return {"taglist": [{"tagid": tag.id, "tagname": tag.name} for tag in asked.directory.tags.values()]}


def addtagusers(asked: Asked) -> Mapping[str, Any]:
    """Members and departments into a tag; those that are not there are named, the others go in."""
    tag, users, parties, bad = _tagging(asked, all_bad=40070)
    new = sum(user not in tag.users for user in users) + sum(party not in tag.parties for party in parties)
    if len(tag.users) + len(tag.parties) + new > asked.state.max_nodes:
        raise Refusal(81003)
    asked.directory.tag(tag, users, parties)
    return bad


def deltagusers(asked: Asked) -> Mapping[str, Any]:
    """Members and departments out of a tag. That who is not in it does not matter is our choice."""
    tag, users, parties, bad = _tagging(asked, all_bad=40031)
    asked.directory.untag(tag, users, parties)
    return bad


def _tagging(
    asked: Asked, *, all_bad: int
) -> tuple[Tag, tuple[str, ...], tuple[int, ...], Mapping[str, Any]]:
    """The tag, folded userids and departments that are there, and what the answer says of the rest."""
    given = asked.given({"tagid": is_integer})
    userids, parties = _rows(asked, "userlist", is_texts), _rows(asked, "partylist", is_integers)
    if not userids and not parties:
        raise Refusal(40035)
    if len(userids) > USERS or len(parties) > PARTIES:
        raise Refusal(81014)
    tag = _own_tag(asked, given.get("tagid"))
    scope = asked.scope
    good_users = tuple(dict.fromkeys(fold(u) for u in userids if scope.find_member(u) is not None))
    good_parties = tuple(dict.fromkeys(id for id in parties if scope.sees_department(id)))
    if not good_users and not good_parties:
        raise Refusal(all_bad)
    bad: dict[str, Any] = {}
    if bad_users := [userid for userid in userids if scope.find_member(userid) is None]:
        bad["invalidlist"] = "|".join(bad_users)
    if bad_parties := [id for id in parties if not scope.sees_department(id)]:
        bad["invalidparty"] = bad_parties
    return tag, good_users, good_parties, bad


def _rows(asked: Asked, name: str, is_shaped: Shape) -> list[Any]:
    """A list of the body, empty where it is not there; what is no list of ids is refused at once."""
    rows = asked.body.get(name)
    if rows is None:
        return []
    if not is_shaped(rows):
        raise Refusal(40035)
    return list(rows)


def _tag(asked: Asked, id: int | None) -> Tag:
    if id is None:
        raise Refusal(41017)
    tag = asked.directory.tags.get(id)
    if tag is None:
        raise Refusal(40068)
    return tag


def _own_tag(asked: Asked, id: int | None) -> Tag:
    """A tag that the caller made; the contact assistant also has those made in the console."""
    tag = _tag(asked, id)
    is_own = tag.owner == asked.who.name or (asked.who.is_contact and tag.owner == CONSOLE)
    if not is_own:
        raise Refusal(81011)
    return tag


OPERATIONS: Final = (
    Operation(
        path="tag/create",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=create,
        success="created",
        is_write=True,
    ),
    Operation(
        path="tag/update",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=update,
        success="updated",
        is_write=True,
    ),
    Operation(
        path="tag/delete",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=delete,
        success="deleted",
        is_write=True,
    ),
    Operation(
        path="tag/get",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=get,
        empties=("userlist", "partylist"),
    ),
    Operation(
        path="tag/list",
        method="GET",
        permission=Permission.ANY_TOKEN,
        carry_out=full_list,
        empties=("taglist",),
    ),
    Operation(
        path="tag/addtagusers",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=addtagusers,
        is_write=True,
    ),
    Operation(
        path="tag/deltagusers",
        method="POST",
        permission=Permission.ANY_TOKEN,
        carry_out=deltagusers,
        success="deleted",
        is_write=True,
    ),
)
