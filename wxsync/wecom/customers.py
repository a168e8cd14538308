"""Customers (external contacts), and how they are handed over (WeCom pages 92571, 92124, 94081 and on)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from wxsync.errors import UnsendableError, WeComApiError, WeComError
from wxsync.wecom import errcodes
from wxsync.wecom.measures import REQUIRED_TEXT, Measure, check_text
from wxsync.wecom.transport import Transport
from wxsync.wecom.wire import customers as wire
from wxsync.wecom.wire.customers import (
    ChatHandover,
    ChatStatus,
    CustomerChat,
    FailedChat,
    Handover,
    StartedTransfer,
    TransferResult,
    Unassigned,
)
from wxsync.wecom.wire.shapes import Answer, Json

PAGE: Final = 1000
BATCH: Final = 100
"""Customers, chats or owners in one call."""
USERID: Final = Measure(is_required=True, octets=64)
SUCCESS_MSG: Final = Measure(characters=200)

Row = TypeVar("Row")


class Customers:
    """The customers of a corp, through an app that is listed in Customer contact > callable apps.

    Who hands over must be, or have been, in the app's visible range (else 48002, 84074). Listings are read to
    their end, or raise: half of one is never given. Hand-overs go out by the hundred; what WeCom says of a
    single customer or chat is data. They are not repeated: where an answer is lost, `WeComTransportError` is
    ambiguous, the batches before it have been carried out, and the results tell what became of all.

    Every method raises `UnsendableError` before a call for what WeCom would not take, and `WeComApiError`
    where WeCom refuses a call.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get_follow_user_list(self) -> tuple[str, ...]:
        """The members who may have customers, as far as the app sees them (WeCom page 92571)."""
        answer = await self._transport.send("GET", wire.FOLLOWERS, is_repeatable=True)
        return wire.from_followers(answer)

    async def list_of(self, userid: str) -> tuple[str, ...]:
        """The external_userids of a member's customers (WeCom page 92113).

        A member without any is refused by WeCom (84061): that is no customers here.
        """
        check_text("userid", userid, USERID)
        try:
            answer = await self._transport.send(
                "GET", wire.LIST, params=wire.to_customer_query(userid), is_repeatable=True
            )
        except WeComApiError as error:
            if error.errcode != errcodes.NOT_A_CUSTOMER:
                raise
            return ()
        return wire.from_customers(answer)

    async def get_unassigned_list(self) -> tuple[Unassigned, ...]:
        """The customers of members who have left, sorted by the time of that (WeCom page 92124).

        Somebody who left with chats and no customers is not in it: see `list_chats`.
        """
        return await self._all_pages(
            wire.UNASSIGNED, lambda cursor: wire.to_unassigned_page(cursor, PAGE), wire.from_unassigned_page
        )

    async def transfer(
        self,
        handover: Handover,
        handover_userid: str,
        takeover_userid: str,
        external_userids: Sequence[str],
        *,
        success_msg: str = "",
    ) -> tuple[StartedTransfer, ...]:
        """Begin to hand over customers, of a member who has left or is on the job (WeCom pages 94081, 92125).

        Whoever takes over is activated, has proven their name (40098) and has signed in within a year. One
        who has left did so within a year (40097 for one who has not). On the job, a customer changes hands
        twice in 90 days at most, and `success_msg`, 200 characters, is what they are told. `results` tells
        how it ends.
        """
        check_text("handover_userid", handover_userid, USERID)
        check_text("takeover_userid", takeover_userid, USERID)
        check_text("success_msg", success_msg, SUCCESS_MSG)
        if success_msg and handover is Handover.RESIGNED:
            raise UnsendableError("success_msg", "is for members on the job only")
        started: list[StartedTransfer] = []
        for batch in _batches("external_userids", external_userids):
            body = wire.to_transfer(handover_userid, takeover_userid, batch, success_msg)
            answer = await self._transport.send("POST", handover.transfer, json=body, is_repeatable=False)
            started += wire.from_transfer(answer, handover.transfer)
        return tuple(started)

    async def results(
        self, handover: Handover, handover_userid: str, takeover_userid: str
    ) -> tuple[TransferResult, ...]:
        """How far the hand-overs between two members are (WeCom pages 94082, 94088).

        A customer has 24 hours to decline; until then it is waiting.
        """
        check_text("handover_userid", handover_userid, USERID)
        check_text("takeover_userid", takeover_userid, USERID)
        return await self._all_pages(
            handover.result,
            lambda cursor: wire.to_result_page(handover_userid, takeover_userid, cursor),
            lambda answer: wire.from_result_page(answer, handover.result),
        )

    async def list_chats(
        self, status: ChatStatus | None = None, owners: Sequence[str] = ()
    ) -> tuple[CustomerChat, ...]:
        """The customer chats in a status, of some owners or of all in the app's range (WeCom page 92120).

        An owner who was deleted is refused (40003): list chats before, or by status. Without owners WeCom
        refuses an app that sees more than 1000 members (81017).
        """
        chats: dict[str, CustomerChat] = {}
        for batch in _batches("owners", owners) if owners else ((),):
            to_page = partial(wire.to_chat_page, status, batch, PAGE)
            page = await self._all_pages(wire.CHATS, to_page, wire.from_chat_page)
            chats.update((chat.chat_id, chat) for chat in page)
        # To WeCom "normal" means all.
        return tuple(chat for chat in chats.values() if status is None or chat.status is status)

    async def transfer_chats(
        self, handover: ChatHandover, chat_ids: Sequence[str], new_owner: str
    ) -> tuple[FailedChat, ...]:
        """Hand customer chats over; gives back those that were not (WeCom pages 92127, 95703).

        300 chats of one owner a day at most, and on the job each chat twice in 90 days. Of those given back,
        90507 and 90508 say that the chat is or was inherited already, 90504 that the owner has it.
        """
        check_text("new_owner", new_owner, USERID)
        failed: list[FailedChat] = []
        for batch in _batches("chat_ids", chat_ids):
            body = wire.to_chat_transfer(batch, new_owner)
            answer = await self._transport.send("POST", handover.value, json=body, is_repeatable=False)
            failed += wire.from_chat_transfer(answer, handover.value)
        return tuple(failed)

    async def _all_pages(
        self,
        endpoint: str,
        to_page: Callable[[str], Json],
        from_page: Callable[[Answer], tuple[list[Row], str]],
    ) -> tuple[Row, ...]:
        """Every page to the last; a cursor that comes twice is an error, not a circle."""
        rows: list[Row] = []
        cursor, cursors = "", set[str]()
        while cursor not in cursors:
            cursors.add(cursor)
            answer = await self._transport.send("POST", endpoint, json=to_page(cursor), is_repeatable=True)
            page, cursor = from_page(answer)
            rows += page
            if not cursor:
                return tuple(rows)
        raise WeComError(
            f"{endpoint}: WeCom gave one cursor twice, so the listing has no end", hint="run again"
        )


def _batches(name: str, ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """All checked before the first one goes out."""
    for id in ids:
        check_text(name, id, REQUIRED_TEXT)
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
