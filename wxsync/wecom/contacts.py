"""The directory calls of WeCom, one method each, in our records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wxsync.errors import WeComApiError, WeComError
from wxsync.model.member import MemberWrite
from wxsync.model.seen import SeenDepartment, SeenMember, SeenTag, ShownMember
from wxsync.wecom import errcodes
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import directory as wire

PAGE: Final = 10_000
"""Rows of user/list_id in one answer (WeCom page 96067)."""
TAG_BATCH: Final = 1000
"""Members in one call of a tag (WeCom page 90214)."""
LAGS: Final = (errcodes.NO_SUCH_DEPARTMENT, errcodes.NO_SUCH_PARENT, errcodes.INVALID_DEPARTMENT)
"""What WeCom may say of a department that was created a moment ago."""


class Contacts:
    """One corp's directory, through one secret.

    Contact sync's may do everything but, from most addresses, the two calls that give names; an app's may do
    those two, within its scope, and little else.

    Every method raises `WeComApiError` where WeCom refuses and `WeComTransportError` where no answer comes.
    Updates, deletions and tag members are repeated where their fate is unknown, since a repeat has the same
    effect; a creation is not, and then raises with `is_ambiguous`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create_department(self, *, id: int, name: str, parent_id: int, order: int | None) -> None:
        """Create a department with an id that the caller chose (WeCom page 90205)."""
        await self._transport.send(
            "POST",
            "department/create",
            json=wire.to_department(id, name=name, parent_id=parent_id, order=order),
            is_repeatable=False,
            echoes=(errcodes.DEPARTMENT_EXISTS,),
            lags=LAGS,
        )

    async def update_department(
        self, id: int, *, name: str | None = None, parent_id: int | None = None, order: int | None = None
    ) -> None:
        """Change what is given, and keep what is None (WeCom page 90206)."""
        await self._transport.send(
            "POST",
            "department/update",
            json=wire.to_department(id, name=name, parent_id=parent_id, order=order),
            is_repeatable=True,
            lags=LAGS,
        )

    async def delete_department(self, id: int) -> None:
        """Delete a department that holds nothing (WeCom page 90207)."""
        await self._transport.send(
            "GET",
            "department/delete",
            params=wire.to_department_query(id),
            is_repeatable=True,
            echoes=(errcodes.NO_SUCH_DEPARTMENT, errcodes.INVALID_DEPARTMENT),
        )

    async def list_departments(self) -> tuple[SeenDepartment, ...]:
        """All departments, without their names (WeCom page 95350)."""
        answer = await self._transport.send("GET", "department/simplelist", is_repeatable=True)
        return wire.from_departments(answer)

    async def create_member(self, write: MemberWrite) -> None:
        """Create a member, never inviting them (WeCom page 90195).

        `StrayDepartmentError` means that the member now EXISTS, and WeCom made a department up for them:
        record the member as created, as after any success, and report the department ids, which are nobody's.
        """
        answer = await self._transport.send(
            "POST",
            "user/create",
            json=wire.to_create_member(write),
            is_repeatable=False,
            echoes=(errcodes.USERID_EXISTS,),
            lags=LAGS,
        )
        wire.check_created(answer, write.userid)

    async def update_member(self, write: MemberWrite) -> None:
        """Change what is not UNKNOWN (WeCom page 90197); a phone number may be ignored, without a word."""
        await self._transport.send(
            "POST", "user/update", json=wire.to_update_member(write), is_repeatable=True, lags=LAGS
        )

    async def delete_member(self, userid: str) -> None:
        """Delete a member, their corp mailbox included (WeCom page 90198)."""
        await self._transport.send(
            "GET",
            "user/delete",
            params=wire.to_member_query(userid),
            is_repeatable=True,
            echoes=(errcodes.NO_SUCH_USERID, errcodes.BAD_USERID),
        )

    async def list_member_ids(self) -> tuple[SeenMember, ...]:
        """Everybody with their departments, or an error: never a part (WeCom page 96067)."""
        try:
            return wire.to_seen_members(await self._member_pages())
        except WeComApiError as error:
            if error.errcode != errcodes.BAD_CURSOR:
                raise
        return wire.to_seen_members(await self._member_pages())

    async def _member_pages(self) -> list[tuple[str, int]]:
        pairs: list[tuple[str, int]] = []
        cursor, cursors = "", set[str]()
        while cursor not in cursors:
            cursors.add(cursor)
            answer = await self._transport.send(
                "POST", "user/list_id", json=wire.to_page_query(cursor, PAGE), is_repeatable=True
            )
            page, cursor = wire.from_member_page(answer)
            pairs += page
            if not cursor:
                return pairs
        raise WeComError(
            "user/list_id: WeCom gave one cursor twice, so the listing has no end", hint="run again"
        )

    async def list_named_departments(self) -> tuple[SeenDepartment, ...]:
        """The departments that this secret may see, with their names (WeCom page 90208)."""
        return wire.from_named_departments(
            await self._transport.send("GET", "department/list", is_repeatable=True)
        )

    async def list_members_of(self, department_id: int) -> tuple[tuple[str, ShownMember], ...]:
        """(userid, what is shown) of those directly in a department whom this secret may see (page 90201)."""
        answer = await self._transport.send(
            "GET", "user/list", params=wire.to_member_list_query(department_id), is_repeatable=True
        )
        return wire.from_member_list(answer)

    async def list_tags(self) -> tuple[SeenTag, ...]:
        """All tags, without their members (WeCom page 90216)."""
        return wire.from_tags(await self._transport.send("GET", "tag/list", is_repeatable=True))

    async def get_tag(self, id: int) -> SeenTag:
        """One tag with its members' userids, as WeCom spells them (WeCom page 90213)."""
        answer = await self._transport.send(
            "GET", "tag/get", params=wire.to_tag_query(id), is_repeatable=True
        )
        return wire.from_tag(answer, id)

    async def create_tag(self, name: str, id: int) -> None:
        """Create a tag with an id that the caller chose (WeCom page 90210)."""
        await self._transport.send(
            "POST",
            "tag/create",
            json=wire.to_tag(name, id),
            is_repeatable=False,
            echoes=(errcodes.TAG_NAME_EXISTS, errcodes.NO_SUCH_TAG),
        )

    async def rename_tag(self, id: int, name: str) -> None:
        """Give a tag another name (WeCom page 90211)."""
        await self._transport.send("POST", "tag/update", json=wire.to_tag(name, id), is_repeatable=True)

    async def delete_tag(self, id: int) -> None:
        """Delete a tag; its members stay (WeCom page 90212)."""
        await self._transport.send(
            "GET",
            "tag/delete",
            params=wire.to_tag_query(id),
            is_repeatable=True,
            echoes=(errcodes.NO_SUCH_TAG,),
        )

    async def add_tag_members(self, id: int, userids: Sequence[str]) -> frozenset[str]:
        """Put members into a tag; gives back those whom WeCom refused (WeCom page 90214)."""
        return await self._change_tag("tag/addtagusers", id, userids, errcodes.NODES_INVALID)

    async def remove_tag_members(self, id: int, userids: Sequence[str]) -> frozenset[str]:
        """Take members out of a tag; gives back those whom WeCom refused (WeCom page 90215)."""
        return await self._change_tag("tag/deltagusers", id, userids, errcodes.USERIDS_INVALID)

    async def _change_tag(
        self, path: str, id: int, userids: Sequence[str], none_valid: int
    ) -> frozenset[str]:
        """In batches; where WeCom knows nobody of a batch it answers with the errcode `none_valid`."""
        refused: frozenset[str] = frozenset()
        for start in range(0, len(userids), TAG_BATCH):
            batch = userids[start : start + TAG_BATCH]
            try:
                answer = await self._transport.send(
                    "POST", path, json=wire.to_tag_members(id, batch), is_repeatable=True
                )
                refused |= wire.from_refusals(answer, batch)
            except WeComApiError as error:
                if error.errcode != none_valid:
                    raise
                refused |= frozenset(batch)
        return refused
