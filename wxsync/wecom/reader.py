"""What WeCom lets us see of a corp, read whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from wxsync.errors import NotFoundError, WeComError
from wxsync.model.seen import Seen, SeenTag
from wxsync.wecom.contacts import Contacts


async def read_seen(contacts: Contacts, tag_ids: Collection[int]) -> Seen:
    """Departments, members and tags; the members of a tag only for those of `tag_ids` that exist.

    The calls: one for departments, one a page of members, one for tags, one for each such tag.
    """
    departments = await contacts.list_departments()
    members = await contacts.list_member_ids()
    tags = await contacts.list_tags()
    read = await _read_tags(contacts, [tag for tag in tags if tag.id in tag_ids])
    kept = (read.get(tag.id, tag) for tag in tags)
    return Seen(departments=departments, members=members, tags=tuple(tag for tag in kept if tag is not None))


async def _read_tags(contacts: Contacts, tags: Collection[SeenTag]) -> dict[int, SeenTag | None]:
    """Tag id -> the tag with its members, None for one that was deleted since the listing."""
    failure: BaseException | None = None
    tasks: list[asyncio.Task[SeenTag | None]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read_tag(contacts, tag)) for tag in tags]
    except* WeComError as failures:
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure
    return {tag.id: task.result() for tag, task in zip(tags, tasks, strict=True)}


async def _read_tag(contacts: Contacts, tag: SeenTag) -> SeenTag | None:
    try:
        return await contacts.get_tag(tag.id)
    except NotFoundError:
        return None
