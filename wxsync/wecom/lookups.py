"""What people look up in WeCom, one method a call. Every one only reads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from wxsync.errors import UnsendableError
from wxsync.model.lookup import (
    DepartmentCard,
    MailKind,
    MemberCard,
    MemberName,
    MemberPage,
    QrSize,
    TagCard,
)
from wxsync.model.seen import SeenDepartment, SeenTag
from wxsync.wecom.limits import Misses
from wxsync.wecom.measures import Measure, check_text
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import directory
from wxsync.wecom.wire import lookups as wire
from wxsync.wecom.wire.shapes import Answer

PAGE: Final = 10_000
"""Rows of user/list_id in one answer (WeCom page 96067)."""
USERID: Final = Measure(is_required=True, octets=64)
OPENID: Final = Measure(is_required=True, octets=128)
EMAIL: Final = Measure(is_required=True, octets=64)
MOBILE: Final = Measure(is_required=True, octets=32)


class Lookups:
    """Reads of one corp through one secret, which shows what it may: contact sync's all ids and, from most
    addresses, little else (48009); an app's what is in its scope, without what WeCom hides from it.

    Every method raises `UnsendableError` before a call for what is empty or too long, `WeComApiError` where
    WeCom refuses, `WeComTransportError` where no answer comes, and `WeComError` where the answer is not what
    WeCom documents. All are repeated where their fate is unknown, since they change nothing.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get_member(self, userid: str) -> MemberCard:
        """One member, by a userid in any case; nobody, or nobody in scope, is NotFoundError (60111).

        DeniedError (48009) to contact sync from a new address (WeCom page 90196).
        """
        check_text("userid", userid, USERID)
        return wire.from_member_card(await self._get("user/get", directory.to_member_query(userid)))

    async def list_member_names(self, department_id: int) -> tuple[MemberName, ...]:
        """Those directly in a department, by name; no such department is NotFoundError (60003, 60123).

        48009 to contact sync from a new address, 60011 out of scope (WeCom page 90200).
        """
        query = directory.to_member_list_query(department_id)
        return wire.from_member_names(await self._get("user/simplelist", query), "user/simplelist")

    async def list_members(self, department_id: int) -> tuple[MemberCard, ...]:
        """Those directly in a department, with all that is shown of them; errors as `list_member_names`.

        There are no pages: a department too large for one answer is refused (45029; WeCom page 90201).
        """
        query = directory.to_member_list_query(department_id)
        return wire.from_member_cards(await self._get("user/list", query))

    async def list_member_ids(self, cursor: str = "", limit: int = PAGE) -> MemberPage:
        """One page of everybody's userids and departments, 1 to 10,000 rows, to contact sync alone.

        An app is refused (48002); a cursor that WeCom does not know, or no longer, is NotFoundError (50100).
        For everybody at once see `Contacts.list_member_ids` (WeCom page 96067).
        """
        if not 1 <= limit <= PAGE:
            raise UnsendableError("limit", f"is {limit}, and WeCom takes 1 to {PAGE}")
        return wire.from_listing_page(
            await self._post("user/list_id", directory.to_page_query(cursor, limit))
        )

    async def find_by_mobile(self, mobile: str, *, members: int = 0) -> str:
        """The userid of who has this phone number; NotFoundError (46004) where nobody in scope has it.

        DANGEROUS in numbers: once the misses of a day are 20 % of the corp's members, WeCom blocks the call
        until the next day. Never use it to see who is new. Of a corp that has so many `members` 5 % may
        miss in a day, and one where nobody says how many: what goes over that is not sent and raises
        RateLimitError (WeCom page 95402; 90312 for the block).
        """
        check_text("mobile", mobile, MOBILE)
        answer = await self._transport.send(
            "POST",
            "user/getuserid",
            json=wire.to_mobile(mobile),
            is_repeatable=True,
            misses=Misses(errcodes=wire.MISSED, members=members),
        )
        return wire.from_found(answer, "user/getuserid")

    async def find_by_email(self, email: str, kind: MailKind = MailKind.CORP) -> str:
        """The userid of who has this address; NotFoundError (46004, 60147, 60148) where nobody has.

        A corp mailbox is looked for unless `kind` says otherwise (WeCom page 95895).
        """
        check_text("email", email, EMAIL)
        body = wire.to_email(email, kind)
        return wire.from_found(await self._post("user/get_userid_by_email", body), "user/get_userid_by_email")

    async def to_openid(self, userid: str) -> str:
        """The member's openid, to an app that sees them; 43004: none bound to WeChat (WeCom page 90202)."""
        check_text("userid", userid, USERID)
        return wire.from_openid(await self._post("user/convert_to_openid", wire.to_userid(userid)))

    async def to_userid(self, openid: str) -> str:
        """The member of an openid, to an app that sees them; NotFoundError (40073) where it is nobody's.

        The way back of `to_openid` (WeCom page 90202).
        """
        check_text("openid", openid, OPENID)
        answer = await self._post("user/convert_to_userid", wire.to_openid(openid))
        return wire.from_found(answer, "user/convert_to_userid")

    async def count_active(self, day: date) -> int:
        """How many members used WeCom on a day of the last 30, to contact sync alone (WeCom page 92714)."""
        return wire.from_active(await self._post("user/get_active_stat", wire.to_day(day)))

    async def list_departments(self, under: int | None = None) -> tuple[DepartmentCard, ...]:
        """A department and all below it, or all that this secret may see; NotFoundError (60003, 60123).

        48009 to contact sync from a new address; `list_department_ids` is lighter (WeCom page 90208).
        """
        answer = await self._get("department/list", wire.to_subtree_query(under))
        return wire.from_department_cards(answer, "department/list")

    async def list_department_ids(self, under: int | None = None) -> tuple[SeenDepartment, ...]:
        """A department and all below it, or all, without names, which contact sync may read from anywhere.

        No department at all is an error: a corp has a root (WeCom page 95350).
        """
        return directory.from_departments(
            await self._get("department/simplelist", wire.to_subtree_query(under))
        )

    async def get_department(self, id: int) -> DepartmentCard:
        """One department; NotFoundError (60003, 60123), or 48009 as above (WeCom page 95351)."""
        return wire.from_department_card(await self._get("department/get", wire.to_subtree_query(id)))

    async def list_tags(self) -> tuple[SeenTag, ...]:
        """All tags, those of others too, without their members (WeCom page 90216)."""
        return directory.from_tags(await self._get("tag/list", {}))

    async def get_tag(self, id: int) -> TagCard:
        """One tag with those members and departments that this secret may see.

        NotFoundError (40068) where there is none of this id (WeCom page 90213).
        """
        return wire.from_tag_card(await self._get("tag/get", directory.to_tag_query(id)), id, "tag/get")

    async def get_join_qrcode(self, size: QrSize = QrSize.PX_171) -> str:
        """The URL of the QR code by which people join, good for 7 days (WeCom page 91714).

        For contact sync alone.
        """
        return wire.from_qr(await self._get("corp/get_join_qrcode", wire.to_qr_query(size)))

    async def _get(self, path: str, query: Mapping[str, str]) -> Answer:
        return await self._transport.send("GET", path, params=query, is_repeatable=True)

    async def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return await self._transport.send("POST", path, json=body, is_repeatable=True)
