"""The directory calls of WeCom, one method each, in our records."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Final

from wxsync.errors import WeComApiError, WeComError
from wxsync.model.member import MemberWrite, fold
from wxsync.model.seen import SeenDepartment, SeenMember, SeenTag, ShownMember
from wxsync.wecom import errcodes
from wxsync.wecom.export import Exports
from wxsync.wecom.measures import Measure, check_items, check_text
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import directory as wire

PAGE: Final = 10_000
"""Rows of user/list_id in one answer (WeCom page 96067)."""
TAG_BATCH: Final = 1000
"""Members in one call of a tag (WeCom page 90214)."""
TAG_DEPARTMENTS: Final = 100
"""Departments in one call of a tag (WeCom page 90214)."""
DELETED_AT_ONCE: Final = Measure(items=(1, 200))
"""Members in one user/batchdelete (WeCom page 90199)."""
EXPORTED_WITHIN: Final = 120.0
"""Seconds that a run waits for an export: what it decides on should not be older than it must."""
MAIL_ALIASES: Final = Measure(items=(0, 5))
"""Other addresses of one corp mailbox (WeCom page 90197)."""
USERID: Final = Measure(is_required=True, octets=64)
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

    def __init__(self, transport: Transport, *, exports: Exports | None = None) -> None:
        self._transport = transport
        self.exports = exports or Exports(transport, patience=EXPORTED_WITHIN)
        """The same directory in whole files."""

    async def create_department(
        self, *, id: int, name: str, parent_id: int, order: int | None, name_en: str | None = None
    ) -> None:
        """Create a department with an id that the caller chose, above 1 (WeCom page 90205).

        A sibling of the same name, or the id, being there is a ConflictError (60008); a parent that is not
        there a NotFoundError; a tree of more than 15 levels (81002) or 30,000 records below one department
        (81001) a FieldError. `name_en` counts only where the corp has several languages switched on.
        """
        await self._transport.send(
            "POST",
            "department/create",
            json=wire.to_department(id, name=name, parent_id=parent_id, order=order, name_en=name_en),
            is_repeatable=False,
            echoes=(errcodes.DEPARTMENT_EXISTS,),
            lags=LAGS,
        )

    async def update_department(
        self,
        id: int,
        *,
        name: str | None = None,
        parent_id: int | None = None,
        order: int | None = None,
        name_en: str | None = None,
    ) -> None:
        """Change what is given, and keep what is None (WeCom page 90206).

        The root (1) can be renamed and not moved. A sibling of that name at the place is a ConflictError
        (60008), a parent inside the department itself a FieldError (60010).
        """
        await self._transport.send(
            "POST",
            "department/update",
            json=wire.to_department(id, name=name, parent_id=parent_id, order=order, name_en=name_en),
            is_repeatable=True,
            lags=LAGS,
        )

    async def delete_department(self, id: int) -> None:
        """Delete a department that holds nothing, else ConflictError (60005, 60006; WeCom page 90207)."""
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
        """Change what is not UNKNOWN; a phone number may be ignored, without a word (WeCom page 90197).

        Departments replace those that there are. Nobody of this userid is NotFoundError (60111); a number or
        address of somebody else's is ConflictError (60104, 60106, 60145). The corp mailbox can be changed
        once, where WeCom made it up (60144).
        """
        await self._transport.send(
            "POST", "user/update", json=wire.to_update_member(write), is_repeatable=True, lags=LAGS
        )

    async def change_userid(self, userid: str, new_userid: str) -> None:
        """Give a member another userid (WeCom page 90197).

        WeCom allows it once, and only for a userid that it made up itself: else FieldError (301036). A call
        of its own, so that no other change is lost with it. A lost answer raises with `is_ambiguous`: who
        has which userid, a listing shows.
        """
        check_text("new_userid", new_userid, USERID)
        await self._transport.send(
            "POST",
            "user/update",
            json=wire.to_new_userid(userid, new_userid),
            is_repeatable=False,
            echoes=(errcodes.NO_SUCH_USERID,),
        )

    async def set_mail_aliases(self, userid: str, addresses: Sequence[str]) -> None:
        """Put `addresses`, five at most, in place of all other addresses of a member's corp mailbox.

        None of them clears (WeCom page 90197). A call of its own: WeCom may take the other fields of an
        update and refuse these, so that nobody could tell what has become of it.
        """
        check_items("addresses", tuple(addresses), MAIL_ALIASES)
        await self._transport.send(
            "POST", "user/update", json=wire.to_mail_aliases(userid, addresses), is_repeatable=True
        )

    async def delete_members(self, userids: Sequence[str]) -> None:
        """Delete 1 to 200 members with their corp mailboxes: all of them or nobody (WeCom page 90199).

        One userid that does not exist is a FieldError (40031) for all. After a lost answer a repeat would
        meet just that whether or not the first had its effect, so it raises with `is_ambiguous`.
        """
        check_items("userids", tuple(userids), DELETED_AT_ONCE)
        await self._transport.send(
            "POST",
            "user/batchdelete",
            json=wire.to_member_ids(userids),
            is_repeatable=False,
            echoes=(errcodes.USERIDS_INVALID,),
        )

    async def delete_member(self, userid: str) -> None:
        """Delete a member, their corp mailbox included (WeCom page 90198).

        The creator of the corp stays (FieldError, 301005); nobody of this userid is NotFoundError (60111).
        """
        await self._transport.send(
            "GET",
            "user/delete",
            params=wire.to_member_query(userid),
            is_repeatable=True,
            echoes=(errcodes.NO_SUCH_USERID, errcodes.BAD_USERID),
        )

    async def list_member_ids(self, among: Container[str] | None = None) -> tuple[SeenMember, ...]:
        """Everybody with their departments, or an error: never a part (WeCom page 96067).

        `among` are folded userids: then it is whoever of these is there, and nobody else is kept in mind.
        """
        try:
            return wire.to_seen_members(await self._member_pages(among))
        except WeComApiError as error:
            if error.errcode != errcodes.BAD_CURSOR:
                raise
        return wire.to_seen_members(await self._member_pages(among))

    async def _member_pages(self, among: Container[str] | None) -> list[tuple[str, int]]:
        pairs: list[tuple[str, int]] = []
        cursor, cursors = "", set[str]()
        while cursor not in cursors:
            cursors.add(cursor)
            answer = await self._transport.send(
                "POST", "user/list_id", json=wire.to_page_query(cursor, PAGE), is_repeatable=True
            )
            page, cursor = wire.from_member_page(answer)
            pairs += page if among is None else [pair for pair in page if fold(pair[0]) in among]
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
        """(userid, what is shown) of those directly in a department (WeCom page 90201)."""
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
        """Create a tag with an id that the caller chose and a name of 1 to 32 characters (WeCom page 90210).

        A name that is taken is ConflictError (40071); a corp has 3,000 tags at most (40126).
        """
        await self._transport.send(
            "POST",
            "tag/create",
            json=wire.to_tag(name, id),
            is_repeatable=False,
            echoes=(errcodes.TAG_NAME_EXISTS, errcodes.NO_SUCH_TAG),
        )

    async def rename_tag(self, id: int, name: str) -> None:
        """Give a tag of ours another name, ConflictError (40071) where that is taken (WeCom page 90211)."""
        await self._transport.send("POST", "tag/update", json=wire.to_tag(name, id), is_repeatable=True)

    async def delete_tag(self, id: int) -> None:
        """Delete a tag of ours; its members stay (WeCom page 90212)."""
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

    async def add_tag_departments(self, id: int, department_ids: Sequence[int]) -> frozenset[int]:
        """Put whole departments into a tag; gives back those that WeCom refused (WeCom page 90214)."""
        return await self._change_tag_departments(
            "tag/addtagusers", id, department_ids, errcodes.NODES_INVALID
        )

    async def remove_tag_departments(self, id: int, department_ids: Sequence[int]) -> frozenset[int]:
        """Take whole departments out of a tag; gives back those that WeCom refused (WeCom page 90215)."""
        return await self._change_tag_departments(
            "tag/deltagusers", id, department_ids, errcodes.USERIDS_INVALID
        )

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

    async def _change_tag_departments(
        self, path: str, id: int, department_ids: Sequence[int], none_valid: int
    ) -> frozenset[int]:
        """As `_change_tag`, in calls of departments alone: so an answer says of which kind it refuses."""
        refused: frozenset[int] = frozenset()
        for start in range(0, len(department_ids), TAG_DEPARTMENTS):
            batch = department_ids[start : start + TAG_DEPARTMENTS]
            try:
                answer = await self._transport.send(
                    "POST", path, json=wire.to_tag_departments(id, batch), is_repeatable=True
                )
                refused |= wire.from_refused_departments(answer, batch)
            except WeComApiError as error:
                if error.errcode != none_valid:
                    raise
                refused |= frozenset(batch)
        return refused
