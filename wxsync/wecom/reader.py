"""What WeCom lets us see of a corp: its ids whole or not at all, and such details as it shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from wxsync.errors import NotFoundError, WeComApiError, WeComError
from wxsync.model.member import fold
from wxsync.model.seen import ReadingWay, Seen, SeenMember, SeenTag, ShownMember
from wxsync.model.unknown import UNKNOWN, Unknown
from wxsync.wecom import errcodes
from wxsync.wecom.contacts import Contacts

T = TypeVar("T")

EXPORTED_ABOVE: Final = 50
"""Departments: with fewer, a call for each is as quick, and needs no job of WeCom's."""

log = logging.getLogger(__name__)


async def read_seen(
    contacts: Contacts,
    tag_ids: Collection[int],
    *,
    app: Contacts | None = None,
    way: ReadingWay | None = None,
) -> Seen:
    """Departments, members and tags; the members of a tag only for those of `tag_ids` that exist.

    Who and what there is always comes from `contacts`, with the contact-sync secret. What is shown of it
    comes by `way`, where that still works; else the first of contact sync, `app` and nothing that does.
    `Seen.way` tells which. No way is kept for good: IDS, where given, is taken at its word, so a caller
    that has a new app or address gives None.

    The calls: one for departments, one a page of members, one for tags, one for each such tag; for details
    one for the names of departments, and one for each department that holds somebody. Where those are more
    than `EXPORTED_ABOVE` an app has everybody exported instead, as far as WeCom lets it in time.
    """
    departments = await contacts.list_departments()
    members = await contacts.list_member_ids()
    tags = await contacts.list_tags()
    asked = [tag for tag in tags if tag.id in tag_ids]
    read = dict(
        zip([tag.id for tag in asked], await _all_of(_read_tag(contacts, tag) for tag in asked), strict=True)
    )
    held = frozenset[int]().union(*(member.department_ids for member in members))
    readers = {ReadingWay.CONTACT: contacts, ReadingWay.APP: app}
    found = await first_way(readers, way, lambda reader, each: _read_details(reader, each, held))
    details = found or Details(way=ReadingWay.IDS)
    return Seen(
        departments=tuple(replace(each, name=details.names.get(each.id, UNKNOWN)) for each in departments),
        members=tuple(_with_details(member, details) for member in members),
        tags=tuple(tag for each in tags if (tag := read.get(each.id, each)) is not None),
        way=details.way,
    )


async def _read_tag(contacts: Contacts, tag: SeenTag) -> SeenTag | None:
    """The tag with its members, None for one that was deleted since the listing."""
    try:
        return await contacts.get_tag(tag.id)
    except NotFoundError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What one way of reading shows beyond ids."""

    way: ReadingWay
    names: Mapping[int, str | Unknown] = field(default_factory=dict)
    """Department id -> name."""
    shown: Mapping[str, ShownMember] = field(default_factory=dict)
    """By folded userid."""


async def first_way(
    readers: Mapping[ReadingWay, Contacts | None],
    way: ReadingWay | None,
    read: Callable[[Contacts, ReadingWay], Awaitable[T]],
) -> T | None:
    """What `read` gives by the first way that works, `way` before the others; None where that is IDS."""
    ways = [] if way is ReadingWay.IDS else sorted(readers, key=lambda each: each is not way)
    for each in ways:
        reader = readers[each]
        if reader is None:
            continue
        try:
            return await read(reader, each)
        except WeComApiError as error:
            if error.errcode not in errcodes.FORBIDDEN | errcodes.OUT_OF_SCOPE:
                raise
            log.info("details are not read by way of %s: %s, errcode %d", each, error.endpoint, error.errcode)
    return None


async def _read_details(reader: Contacts, way: ReadingWay, held: Collection[int]) -> Details:
    """Names, and the members of those departments of `held` that `reader` sees, each in one call."""
    names = {department.id: department.name for department in await reader.list_named_departments()}
    ids = [id for id in names if id in held]
    if way is ReadingWay.APP and len(ids) > EXPORTED_ABOVE:
        exported = await _exported_members(reader, ids)
        if exported is not None:
            return Details(way=way, names=names, shown=exported)
    lists = await _all_of(_read_members(reader, id) for id in ids)
    refusals = [answer for answer in lists if isinstance(answer, WeComApiError)]
    if refusals and len(refusals) == len(lists):
        raise refusals[0]
    rows = [row for answer in lists if not isinstance(answer, WeComApiError) for row in answer]
    return Details(way=way, names=names, shown={fold(userid): shown for userid, shown in rows})


async def _exported_members(reader: Contacts, ids: Collection[int]) -> dict[str, ShownMember] | None:
    """Those who are in one of the departments `ids`, in a handful of calls; None where it is not to be had.

    Single members of an app's scope, in none of its departments, are in the export and nobody's list: what
    is shown must not depend on how many departments there are.
    """
    try:
        rows = await reader.exports.read_members(await reader.exports.start_members())
    except WeComError as error:
        log.info("details are read by department, as the export failed: %s", type(error).__name__)
        return None
    wanted = frozenset(ids)
    return {fold(userid): shown for userid, shown in rows if shown.departments & wanted}


async def _read_members(
    reader: Contacts, department_id: int
) -> tuple[tuple[str, ShownMember], ...] | WeComApiError:
    """Who is shown in a department, or the refusal where just this one is out of the reader's scope."""
    try:
        return await reader.list_members_of(department_id)
    except WeComApiError as error:
        if error.errcode not in errcodes.OUT_OF_SCOPE:
            raise
        return error


def _with_details(member: SeenMember, details: Details) -> SeenMember:
    """The member with what is shown, the marks only where they are of the very departments that list_id gave.

    An app sees those in its scope, and somebody may have moved since: a mark not shown is not a mark lost.
    """
    shown = details.shown.get(fold(member.userid))
    if shown is None:
        return member
    if shown.departments != member.department_ids:
        shown = replace(shown, is_leader=UNKNOWN, order=UNKNOWN)
    if shown.main_department not in member.department_ids:
        shown = replace(shown, main_department=UNKNOWN)
    return replace(member, shown=shown)


async def _all_of(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each call gives, or the first error, bare; how many are under way at once the transport says."""
    failure: BaseException | None = None
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except* WeComError as failures:
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure
    return [task.result() for task in tasks]
